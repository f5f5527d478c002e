//! A connection that is kept, as cheap as can be: thousands of them fit into one test.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// One client of the crowd.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

/// What came back, as far as a crowd cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Short {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: BufReader::with_capacity(2048, TcpStream::connect(address).await?) })
    }

    pub(crate) async fn get(&mut self, path: &str) -> io::Result<Short> {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: asu\r\n\r\n")).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) -> io::Result<Short> {
        let length = body.len();
        self.ask(format!("POST {path} HTTP/1.1\r\nHost: asu\r\nContent-Length: {length}\r\n\r\n{body}")).await
    }

    async fn ask(&mut self, request: String) -> io::Result<Short> {
        self.stream.write_all(request.as_bytes()).await?;
        let (mut short, mut length) = (Short { status: 0, retry_after: false }, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(' ') {
                None => break,
                Some(("http/1.1", status)) => short.status = status[..3].parse().map_err(io::Error::other)?,
                Some(("retry-after:", _)) => short.retry_after = true,
                Some(("content-length:", value)) => length = value.parse().map_err(io::Error::other)?,
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(short)
    }
}
