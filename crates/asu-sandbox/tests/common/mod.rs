//! What the tests share: a Podman, an image, and the certainty that no container stays behind.
#![allow(dead_code, clippy::unwrap_used, reason = "not every test file uses everything; a test may panic")]

use std::{future::Future, path::Path, time::Duration};

use asu_config::{ByteSize, Settings};
use asu_sandbox::{
    Captured, Command, CommandFailure, CommandLimits, Config, ImageId, ImageReference, Outcome, Podman, Sandbox,
    SandboxSpec,
};
use asu_test_support::Surroundings;
use tokio::time::{Instant, sleep};

pub(crate) const LABEL: &str = "asu.worker";

/// More than any honest command of these tests needs.
pub(crate) const LIMITS: CommandLimits =
    CommandLimits { time: Duration::from_secs(120), silence: Duration::from_secs(120), output: 64 << 20 };

/// Podman as one test sees it, with a label of its own.
pub(crate) struct Bench {
    pub(crate) podman: Podman,
    pub(crate) label: String,
    pub(crate) image: ImageId,
}

pub(crate) fn settings() -> Settings {
    let socket = Surroundings::get().podman_socket.to_str().unwrap();
    Settings::defaults().with("podman_socket", socket)
}

pub(crate) fn config(settings: Settings) -> Config {
    settings.section().unwrap()
}

pub(crate) fn reference(tag: &str) -> ImageReference {
    format!("{}:{tag}", Surroundings::get().base_container).parse().unwrap()
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn on_socket(socket: &Path, timeout: &str) -> Self {
        Self::with(settings().with("podman_socket", socket.to_str().unwrap()).with("podman_timeout", timeout)).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let podman = Podman::connect(&config(settings)).unwrap();
        let name = reference("x86-64-v24.10.4");
        let image = match podman.image(&name).await.unwrap() {
            Some(image) => image,
            None => podman.pull(&name).await.unwrap(),
        };
        Self { podman, label: format!("test-{:016x}", rand::random::<u64>()), image }
    }

    pub(crate) fn spec(&self) -> SandboxSpec {
        let spec = self.podman.spec(self.image.clone(), &self.label, Duration::from_secs(300));
        spec.label(LABEL, &self.label).memory(ByteSize::new(256 << 20)).pids(200)
    }

    pub(crate) async fn start(&self) -> Sandbox {
        self.podman.start(self.spec()).await.unwrap()
    }

    pub(crate) async fn containers(&self) -> Vec<String> {
        self.podman.list(LABEL, &self.label).await.unwrap()
    }

    /// Nothing is left of this test, also not what was to be removed in the background.
    pub(crate) async fn assert_clean(&self) {
        assert_eq!(self.podman.drain(Duration::from_secs(120)).await, Vec::<String>::new());
        until("all containers are gone", async || self.containers().await.is_empty()).await;
    }
}

/// Waits for a state, at most a minute.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut state: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !state().await {
        assert!(Instant::now() < deadline, "waited for: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn bash(script: &str) -> Command {
    Command::new("bash", ["-c", script], LIMITS)
}

pub(crate) fn bash_within(script: &str, limits: CommandLimits) -> Command {
    Command::new("bash", ["-c", script], limits)
}

/// Runs a script that must succeed, and answers what it printed.
pub(crate) async fn stdout(sandbox: &Sandbox, script: &str) -> String {
    let mut output = Captured::default();
    let outcome = sandbox.exec(&bash(script), &mut output).await.unwrap();
    assert_eq!(outcome, Outcome::Exit { code: 0 }, "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// How a script fails.
pub(crate) async fn failure(sandbox: &Sandbox, command: &Command) -> CommandFailure {
    match sandbox.exec(command, &mut Captured::default()).await.unwrap() {
        Outcome::Failed(failure) => failure,
        outcome @ Outcome::Exit { .. } => panic!("{outcome:?}"),
    }
}
