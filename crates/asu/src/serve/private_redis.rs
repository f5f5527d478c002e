//! The redis-server of this machine's own `asu serve`: on a socket that only its user can open.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use asu_queue::Queue;
use tokio::{
    net::UnixStream,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::serve::{
    error::RedisError,
    redis_program::RedisProgram,
    stale_redis::end_stale,
    supervisor::{Ends, Supervisor},
};

/// How long a server may take to read its data at its start.
const STARTING: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);
/// What fits into a socket's address, its last zero left out.
const LONGEST_SOCKET_PATH: usize = 107;
/// In the directory.
const SOCKET: &str = "redis.sock";
/// How much of the server's log goes into an error.
const LOG_LINES: usize = 3;

/// A running server; it is restarted if it dies, and ended by [`PrivateRedis::stop`].
#[derive(Debug)]
pub(crate) struct PrivateRedis {
    socket: PathBuf,
    stop: CancellationToken,
    thread: thread::JoinHandle<()>,
    /// Held as long as the server runs.
    _lock: File,
}

impl PrivateRedis {
    /// Starts a server whose data is in `directory`, an absolute path, and waits until it answers `queue`.
    ///
    /// # Errors
    /// There is no program, the directory cannot be used, or the server does not come up.
    pub(crate) async fn start(directory: &Path, queue: &Queue) -> Result<Self, RedisError> {
        let program = RedisProgram::find()?;
        make(directory)?;
        let socket = directory.join(SOCKET);
        if socket.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(RedisError::LongPath(socket));
        }
        let lock = lock(directory)?;
        let unusable = |source| RedisError::Directory { path: directory.to_owned(), source };
        end_stale(directory).await.map_err(unusable)?;
        // A server that was killed leaves its socket, which would be taken for an answer.
        remove(&socket).map_err(unusable)?;
        let log = directory.join("redis.log");
        remove(&log).map_err(unusable)?;
        let stop = CancellationToken::new();
        let supervisor = supervisor(program, directory, &socket, &log, &stop);
        let (thread, ends) = supervisor.start().map_err(unusable)?;
        let redis = Self { socket, stop, thread, _lock: lock };
        match redis.wait_until_up(queue, ends, &log).await {
            Ok(()) => Ok(redis),
            Err(error) => {
                redis.stop().await;
                Err(error)
            }
        }
    }

    /// Ends the server; everything that was answered is on the disk then.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let joined = tokio::task::spawn_blocking(move || self.thread.join().is_ok());
        if !joined.await.unwrap_or(false) {
            tracing::error!("the thread of the private redis-server panicked");
        }
    }

    async fn wait_until_up(&self, queue: &Queue, mut ends: Ends, log: &Path) -> Result<(), RedisError> {
        tokio::select! {
            up = timeout(STARTING, self.answer(queue)) => up.map_err(|_| RedisError::Silent(self.socket.clone())),
            end = ended(&mut ends) => Err(RedisError::Ended(format!("{end}; {}", last_words(log)))),
        }
    }

    /// It listens before it has read its data, and answers after.
    async fn answer(&self, queue: &Queue) {
        while UnixStream::connect(&self.socket).await.is_err() || queue.ping().await.is_err() {
            sleep(PAUSE).await;
        }
    }
}

async fn ended(ends: &mut Ends) -> String {
    match ends.wait_for(Option::is_some).await {
        Ok(end) => end.clone().unwrap_or_default(),
        Err(_) => "nobody looks after it".to_owned(),
    }
}

fn supervisor(
    program: RedisProgram,
    directory: &Path,
    socket: &Path,
    log: &Path,
    stop: &CancellationToken,
) -> Supervisor {
    let (data, socket, log) = (directory.to_owned(), socket.to_owned(), log.to_owned());
    let command = move || {
        let log = File::options().create(true).append(true).open(&log)?;
        Ok(program.command(&data, &socket, log))
    };
    Supervisor { directory: directory.to_owned(), command: Box::new(command), stop: stop.clone() }
}

/// The value of `redis_url` for a server whose data is in `directory`; nothing if that is not absolute.
pub(crate) fn redis_url(directory: &Path) -> Option<String> {
    let url = Url::from_file_path(directory.join(SOCKET)).ok()?;
    Some(url.as_str().replacen("file://", "redis+unix://", 1))
}

/// Only for us: the data holds first-boot scripts, which hold passwords.
fn make(directory: &Path) -> Result<(), RedisError> {
    let unusable = |source| RedisError::Directory { path: directory.to_owned(), source };
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent).map_err(unusable)?;
    }
    DirBuilder::new().mode(0o700).recursive(true).create(directory).map_err(unusable)
}

fn lock(directory: &Path) -> Result<File, RedisError> {
    let unusable = |source| RedisError::Directory { path: directory.to_owned(), source };
    let file = File::create(directory.join("lock")).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RedisError::InUse(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.trim_end().lines().rev().take(LOG_LINES).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use asu_config::Settings;
    use rustix::process::{Pid, Signal, kill_process};
    use tempfile::tempdir;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;

    async fn start(directory: &Path) -> Result<PrivateRedis, RedisError> {
        let settings = Settings::defaults().with("redis_url", redis_url(directory).unwrap());
        let queue = Queue::connect(&settings.section().unwrap()).unwrap();
        PrivateRedis::start(directory, &queue).await
    }

    /// Says something in Redis's own protocol.
    async fn say(redis: &PrivateRedis, command: &str) -> io::Result<String> {
        let mut stream = UnixStream::connect(&redis.socket).await?;
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    fn pid(directory: &Path) -> Option<Pid> {
        Pid::from_raw(fs::read_to_string(directory.join("redis.pid")).ok()?.trim().parse().ok()?)
    }

    #[tokio::test]
    async fn it_keeps_its_data_over_a_restart_and_evicts_nothing() {
        let directory = tempdir().unwrap();
        let data = directory.path().join("a b/redis");
        let redis = start(&data).await.unwrap();
        let url = redis_url(&data).unwrap();
        assert!(url.starts_with("redis+unix:///") && url.ends_with("/a%20b/redis/redis.sock"), "{url}");
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(say(&redis, "SET x 7").await.unwrap(), "+OK\r\n");
        assert!(say(&redis, "CONFIG GET appendonly").await.unwrap().contains("yes"));
        assert!(say(&redis, "CONFIG GET maxmemory-policy").await.unwrap().contains("noeviction"));
        redis.stop().await;
        let redis = start(&data).await.unwrap();
        assert_eq!(say(&redis, "GET x").await.unwrap(), "$1\r\n7\r\n");
        redis.stop().await;
    }

    #[tokio::test]
    async fn a_server_that_was_killed_is_started_again() {
        let directory = tempdir().unwrap();
        let redis = start(directory.path()).await.unwrap();
        let first = pid(directory.path()).unwrap();
        kill_process(first, Signal::KILL).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while pid(directory.path()) == Some(first) || say(&redis, "PING").await.is_err() {
            assert!(Instant::now() < deadline, "it was not started again");
            sleep(PAUSE).await;
        }
        redis.stop().await;
    }

    #[tokio::test]
    async fn two_on_one_directory_are_refused_in_a_sentence() {
        let directory = tempdir().unwrap();
        let redis = start(directory.path()).await.unwrap();
        let error = start(directory.path()).await.unwrap_err();
        assert!(error.to_string().contains("need a data_path each"), "{error}");
        redis.stop().await;
    }

    #[tokio::test]
    async fn a_server_that_was_left_behind_is_replaced() {
        let directory = tempdir().unwrap();
        let data = directory.path();
        let program = RedisProgram::find().unwrap();
        let log = File::create(data.join("redis.log")).unwrap();
        let mut left = program.command(data, &data.join("redis.sock"), log).spawn().unwrap();
        fs::write(data.join("redis.pid"), left.id().to_string()).unwrap();
        // Before it listens a signal ends it in another way.
        while !data.join("redis.sock").exists() {
            assert_eq!(left.try_wait().unwrap(), None, "it starts");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let reaped = thread::spawn(move || left.wait().unwrap());
        let redis = start(data).await.unwrap();
        assert!(reaped.join().unwrap().success(), "it ended by SIGTERM as it should");
        assert_eq!(say(&redis, "PING").await.unwrap(), "+PONG\r\n");
        redis.stop().await;
    }

    #[tokio::test]
    async fn a_server_that_cannot_start_tells_why() {
        let directory = tempdir().unwrap();
        fs::create_dir(directory.path().join("appendonlydir")).unwrap();
        fs::write(directory.path().join("appendonlydir/appendonly.aof.manifest"), "nonsense\n").unwrap();
        let error = start(directory.path()).await.unwrap_err();
        assert!(matches!(&error, RedisError::Ended(words) if words.contains("manifest")), "{error}");
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_is_named() {
        let directory = tempdir().unwrap();
        let error = start(&directory.path().join("x".repeat(100))).await.unwrap_err();
        assert!(matches!(error, RedisError::LongPath(_)), "{error}");
    }
}
