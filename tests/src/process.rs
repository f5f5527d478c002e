//! One of our binaries as a child process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Settings of a process, by their keys.
pub type Settings = Vec<(String, String)>;

/// The longest that any process may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running binary of ours; killed when it is dropped.
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Mutex<Vec<(Instant, String)>>>,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Where Cargo puts the binaries: two levels above the test's own executable.
pub fn binary(name: &str) -> PathBuf {
    let path = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --workspace --bins` first", path.display());
    path
}

impl Process {
    /// Starts a binary in `directory` and waits until it listens on a free port of 127.0.0.1.
    pub fn start(name: &str, arguments: &[&str], directory: &Path, settings: &Settings) -> Self {
        let mut child = Command::new(binary(name))
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .env("PATH", search_path())
            .env("LISTEN", "127.0.0.1:0")
            .env("LOG_FORMAT", "json")
            .envs(settings.iter().map(|(key, value)| (key.to_uppercase(), value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let sink = log.clone();
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| sink.lock().unwrap().push((Instant::now(), line)));
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut process = Self { name: name.to_owned(), child, log, address };
        process.address = process.wait_for_address();
        process
    }

    fn wait_for_address(&mut self) -> SocketAddr {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.log().iter().find_map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).ok()?;
                (line["message"] == "listening").then(|| line["address"].as_str()?.parse().ok())?
            });
            if let Some(address) = found {
                return address;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{} does not listen: {:#?}", self.name, self.log());
            pause();
        }
    }

    /// Everything it has logged.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// The same with when each line came, by our own clock.
    pub fn timed_log(&self) -> Vec<(Instant, String)> {
        self.log.lock().unwrap().clone()
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, waits, and says how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(rustix::process::Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.signal(), None, "{} died instead of ending", self.name);
                return status;
            }
            assert!(Instant::now() < deadline, "{} does not end: {:#?}", self.name, self.log());
            pause();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let tail = &log[log.len().saturating_sub(40)..];
            #[expect(clippy::print_stderr, reason = "what a failed test needs most")]
            {
                eprintln!("---- the end of the log of {}:\n{}", self.name, tail.join("\n"));
            }
        }
    }
}

/// Between two looks at a child process; nothing else runs on this thread.
fn pause() {
    #[expect(clippy::disallowed_methods, reason = "a test's own thread may block")]
    thread::sleep(Duration::from_millis(5));
}

#[expect(clippy::disallowed_methods, reason = "a child finds redis-server where its parent does")]
fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
