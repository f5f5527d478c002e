//! A private Redis server for one test.

use std::{io, path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::port;

/// A server has this long to start and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// In the server's directory.
const SOCKET: &str = "redis.sock";

/// A `redis-server` with an append-only file (written every second, as in production) on a free port of 127.0.0.1. It is
/// killed when this is dropped, and also when the thread that started it ends in any other way.
#[derive(Debug)]
pub struct RedisServer {
    directory: TempDir,
    port: u16,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// There is no `redis-server`, or it does not start.
    pub async fn start() -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let mut last = None;
        // Somebody else may get the free port first.
        for _ in 0..5 {
            let port = free_port().await;
            match launch(directory.path(), port).await {
                Ok(process) => return Self { directory, port, process: Some(process) },
                Err(error) => last = Some(error),
            }
        }
        panic!("redis-server does not start, is the package redis-server installed? {last:?}");
    }

    /// Where the server is, or would be.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The server's Unix socket, which it listens on as well.
    pub fn socket_url(&self) -> String {
        format!("redis+unix://{}", self.directory.path().join(SOCKET).display())
    }

    /// The port of the server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server as an operator does (SIGTERM): nothing is lost.
    pub async fn stop(&mut self) {
        self.end(Signal::TERM).await;
    }

    /// Ends the server as a crash does (SIGKILL): the last second may be lost.
    pub async fn kill(&mut self) {
        self.end(Signal::KILL).await;
    }

    /// Starts the server again with the same port and data, and waits until it answers.
    ///
    /// # Panics
    /// It runs already, or does not start.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server runs already");
        let process = launch(self.directory.path(), self.port).await.expect("redis-server starts again");
        self.process = Some(process);
    }

    /// Stops the server from doing anything (SIGSTOP); connections stay open and nobody answers.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Ends [`Self::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    async fn end(&mut self, signal: Signal) {
        self.signal(signal);
        let mut process = self.process.take().expect("the server runs");
        let ended = timeout(PATIENCE, process.wait()).await.expect("redis-server ends within its time");
        ended.expect("the server's process can be waited for");
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.as_ref().and_then(Child::id).expect("the server runs");
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process id is a positive number");
        kill_process(pid, signal).expect("the server's process is there");
    }
}

async fn free_port() -> u16 {
    port::listen().await.local_addr().expect("a bound socket has an address").port()
}

async fn launch(directory: &Path, port: u16) -> io::Result<Child> {
    // setpriv sees to it that the server does not outlive a test that is killed.
    let mut process = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "redis-server", "--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"])
        .args(["--loglevel", "warning", "--unixsocket", SOCKET, "--dir"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let deadline = Instant::now() + PATIENCE;
    while !answers(directory).await {
        if let Some(status) = process.try_wait()? {
            return Err(io::Error::other(format!("redis-server ended at once: {status}")));
        }
        if Instant::now() > deadline {
            return Err(io::Error::other("redis-server does not answer"));
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(process)
}

/// True once the server has loaded its data and answers; on the socket, which is made after the port was bound, for on
/// the port somebody else's server may answer that was faster.
async fn answers(directory: &Path) -> bool {
    let ask = async {
        let mut connection = UnixStream::connect(directory.join(SOCKET)).await?;
        connection.write_all(b"PING\r\n").await?;
        let mut answer = [0; 7];
        connection.read_exact(&mut answer).await?;
        io::Result::Ok(&answer == b"+PONG\r\n")
    };
    matches!(timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}
