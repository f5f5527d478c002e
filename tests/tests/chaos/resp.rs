//! Just enough of Redis's protocol to look into it from outside, with none of the server's own code.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(2);

/// A connection that is made again when it is needed.
pub(crate) struct Resp {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// An answer of Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Nothing,
    Text(String),
    List(Vec<Reply>),
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Nothing | Self::List(_) => String::new(),
        }
    }

    pub(crate) fn list(&self) -> Vec<Reply> {
        match self {
            Self::List(list) => list.clone(),
            Self::Nothing | Self::Text(_) => Vec::new(),
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.list().iter().map(Self::text).collect()
    }
}

impl Resp {
    pub(crate) fn new(port: u16) -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], port)), stream: None }
    }

    /// Errors of Redis are errors of this.
    pub(crate) async fn ask(&mut self, words: &[&str]) -> io::Result<Reply> {
        let asked = timeout(PATIENCE, self.exchange(words)).await.unwrap_or_else(|elapsed| Err(elapsed.into()));
        if asked.is_err() {
            self.stream = None;
        }
        asked
    }

    async fn exchange(&mut self, words: &[&str]) -> io::Result<Reply> {
        if self.stream.is_none() {
            self.stream = Some(BufReader::new(TcpStream::connect(self.address).await?));
        }
        let stream = self.stream.as_mut().expect("it was just made");
        let texts: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        stream.write_all(format!("*{}\r\n{texts}", words.len()).as_bytes()).await?;
        read(stream).await
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let (kind, rest) = line.trim_end().split_at(1);
    match kind {
        "+" | ":" => Ok(Reply::Text(rest.to_owned())),
        "$" | "*" if rest == "-1" => Ok(Reply::Nothing),
        "$" => {
            let mut text = vec![0; length(rest)? + 2];
            stream.read_exact(&mut text).await?;
            text.truncate(text.len() - 2);
            Ok(Reply::Text(String::from_utf8_lossy(&text).into_owned()))
        }
        "*" => {
            let mut list = Vec::new();
            for _ in 0..length(rest)? {
                list.push(Box::pin(read(stream)).await?);
            }
            Ok(Reply::List(list))
        }
        _ => Err(io::Error::other(line)),
    }
}

fn length(text: &str) -> io::Result<usize> {
    text.parse().map_err(io::Error::other)
}
