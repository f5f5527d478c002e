//! One process of the server with its supervisor: it always comes back on the same port.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use asu_tests::{Process, Settings};
use rustix::process::Signal;
use tokio::{task::block_in_place, time::sleep};

use crate::ports;

/// A log line and when it came.
pub(crate) type Line = (Instant, String);

/// A process that is started again whenever it ends.
pub(crate) struct Actor {
    binary: &'static str,
    directory: PathBuf,
    settings: Settings,
    pub(crate) address: SocketAddr,
    process: Option<Process>,
    /// The processes before this one, for what they logged.
    past: Vec<Process>,
}

impl Actor {
    pub(crate) fn start(binary: &'static str, directory: PathBuf, settings: &Settings) -> Self {
        let address = ports::lasting();
        let mut settings = settings.clone();
        settings.push(("listen".to_owned(), address.to_string()));
        let mut actor = Self { binary, directory, settings, address, process: None, past: Vec::new() };
        actor.run();
        actor
    }

    pub(crate) fn run(&mut self) {
        let start = || Process::start(self.binary, &[], &self.directory, &self.settings);
        self.process = Some(block_in_place(start));
    }

    /// As a crash; nobody has started it again yet.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        block_in_place(|| process.kill());
        self.past.push(process);
    }

    pub(crate) async fn crash(&mut self, away: Duration) {
        self.kill();
        sleep(away).await;
        self.run();
    }

    pub(crate) async fn restart(&mut self, away: Duration) {
        let mut process = self.process.take().expect("it runs");
        block_in_place(|| process.terminate());
        self.past.push(process);
        sleep(away).await;
        self.run();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("it runs").signal(signal);
    }

    /// Everything that it has ever logged.
    pub(crate) fn log(&self) -> Vec<Line> {
        self.past.iter().chain(&self.process).flat_map(Process::timed_log).collect()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
