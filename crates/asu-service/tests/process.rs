//! A whole process: its flags, its logs, its signals and its exit status; the process is the example `hello`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

fn hello() -> Command {
    // cargo builds the examples of a package beside its tests.
    let tests: PathBuf = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples/hello");
    assert!(path.exists(), "{} is missing: run all tests of the package, or `cargo build --examples`", path.display());
    let mut command = Command::new(path);
    command.env_clear();
    command
}

struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
    address: String,
}

impl Process {
    /// Starts it with JSON logs and waits until it says where it listens.
    fn start(command: &mut Command) -> Self {
        let mut child = command.env("LOG_FORMAT", "json").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let line = find(&mut lines, "listening");
        let address = line["address"].as_str().unwrap().to_owned();
        Self { child, lines, address }
    }

    fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: r-1\r\nConnection: close\r\n\r\n").unwrap();
        stream
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn wait_for(&mut self, message: &str) -> Value {
        find(&mut self.lines, message)
    }

    fn end(mut self) -> ExitStatus {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(self.child.wait().unwrap()));
        receiver.recv_timeout(PATIENCE).expect("the process did not end")
    }
}

fn find(lines: &mut impl BufRead, message: &str) -> Value {
    for line in lines.lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if line["message"] == message {
            return line;
        }
    }
    panic!("the process ended without saying {message:?}");
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn sigterm_and_sigint_end_the_process_in_order() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::start(&mut hello());
        process.signal(signal);
        assert_eq!(process.wait_for("shutting down")["signal"], format!("SIG{signal}"));
        process.wait_for("stopped");
        assert!(process.end().success());
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let mut process = Process::start(&mut hello());
    let _hanging = process.ask("/wait");
    process.wait_for("waiting");
    process.signal("TERM");
    process.wait_for("shutting down");
    process.signal("TERM");
    process.wait_for("asked twice, ending at once");
    assert_eq!(process.end().code(), Some(130));
}

#[test]
fn what_is_cut_off_at_the_end_of_the_grace_is_named() {
    let mut process = Process::start(hello().env("SHUTDOWN_GRACE", "200ms").env("LOG_LEVEL", "debug"));
    let mut hanging = process.ask("/wait");
    process.wait_for("waiting");
    process.signal("TERM");
    assert_eq!(process.wait_for("cut off at shutdown")["request"], "GET /wait");
    assert!(process.end().success());
    assert_eq!(hanging.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn a_request_is_one_line_of_the_log_and_a_panic_is_one_more() {
    let mut process = Process::start(&mut hello());
    process.ask("/panic?a=secret").read_to_end(&mut Vec::new()).unwrap();
    let line = process.wait_for("panicked");
    assert_eq!((&line["panic.message"], &line["span"]["request_id"]), (&"as asked".into(), &"r-1".into()));
    let line = process.wait_for("answered");
    assert_eq!(
        (&line["http.route"], &line["http.status"], &line["level"]),
        (&"/panic".into(), &500.into(), &"INFO".into())
    );
    assert_eq!(line["span"]["request_id"], "r-1");
    assert!(line["duration_ms"].is_number() && !line.to_string().contains("secret"), "{line}");
    process.signal("TERM");
    assert!(process.end().success());
}

#[test]
fn the_healthcheck_command_is_the_exit_status() {
    let process = Process::start(&mut hello());
    for question in [["healthcheck"].as_slice(), &["healthcheck", "--ready"]] {
        let output = hello().args(question).args(["--listen", &process.address]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    let address = process.address.clone();
    process.signal("TERM");
    assert!(process.end().success());
    let output = hello().args(["healthcheck", "--ready", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).starts_with(&format!("asu-hello: no answer from {address}: ")), "{}", text(&output));
}

#[test]
fn flags_say_who_it_is_and_list_all_settings() {
    let output = hello().arg("--version").output().unwrap();
    assert_eq!(text(&output), concat!("asu-hello ", env!("CARGO_PKG_VERSION"), "\n"));
    let help = text(&hello().arg("--help").output().unwrap());
    for needed in ["--config <FILE>", "--listen <ADDR>", "healthcheck", "[env: REDIS_URL]", "max_pending_jobs = 200"] {
        assert!(help.contains(needed), "{needed} is missing in:\n{help}");
    }
}

#[test]
fn a_process_that_cannot_start_says_why_in_one_line() {
    for (variable, value, expected) in [
        ("LOG_LEVEL", "a=b=c", "asu-hello: log_level \"a=b=c\" is neither a level nor a filter: "),
        ("LISTEN", "nonsense", "asu-hello: cannot listen on nonsense: "),
        ("CORS", "perhaps", "asu-hello: the environment variable CORS must be true or false\n"),
        ("MAX_CONNECTIONS", "0", "asu-hello: max_connections must be at least 1\n"),
    ] {
        let output = hello().env(variable, value).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.starts_with(expected) && errors.lines().count() == 1, "{errors}");
    }
}
