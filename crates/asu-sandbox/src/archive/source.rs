//! A stream of chunks as a blocking reader.

use std::io::{self, Read};

use tokio::sync::mpsc;

/// Reads what comes through a channel; for use on a thread that may block.
pub(crate) struct ChannelReader {
    chunks: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    position: usize,
}

impl ChannelReader {
    pub(crate) fn new(chunks: mpsc::Receiver<Vec<u8>>) -> Self {
        Self { chunks, chunk: Vec::new(), position: 0 }
    }
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.chunk.len() {
            let Some(chunk) = self.chunks.blocking_recv() else { return Ok(0) };
            (self.chunk, self.position) = (chunk, 0);
        }
        let size = buffer.len().min(self.chunk.len() - self.position);
        buffer[..size].copy_from_slice(&self.chunk[self.position..][..size]);
        self.position += size;
        Ok(size)
    }
}

/// Remembers whether the end was reached: an archive ends with empty blocks, not with its stream.
pub(super) struct EndWatch<R> {
    pub(super) inner: R,
    pub(super) ended: bool,
}

impl<R: Read> Read for &mut EndWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buffer)?;
        self.ended |= size == 0 && !buffer.is_empty();
        Ok(size)
    }
}
