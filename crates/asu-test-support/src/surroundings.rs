//! What `make surroundings` brought up around the tests: Podman, a registry with ImageBuilder images, an upstream tree.

use std::{
    collections::BTreeMap,
    env, fs, io,
    net::IpAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

/// The network of build containers unless a test sets another.
const BUILD_NETWORK: &str = "asu-build";

/// How long a Podman service may take to begin to answer.
const SERVICE_START: Duration = Duration::from_secs(60);

/// The surroundings of the tests, shared by all of them.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The socket of the Podman service.
    pub podman_socket: PathBuf,
    /// What Podman's `CONTAINERS_CONF` must be on this machine; `None` where its own configuration works.
    pub containers_conf: Option<PathBuf>,
    /// What Podman's `CONTAINERS_REGISTRIES_CONF` must be, so that it accepts the registry.
    pub registries_conf: PathBuf,
    /// The words that run Podman as the user who owns the containers, such as `sudo podman`.
    pub podman_command: Vec<String>,
    /// Host and port of the registry.
    pub registry: String,
    /// What the names of the ImageBuilder images in the registry begin with.
    pub base_container: String,
    /// The directory that holds the files of the fixture upstream.
    pub upstream_tree: PathBuf,
    /// The program that tries OpenAPI documents.
    pub schemathesis: PathBuf,
}

impl Surroundings {
    /// Reads `target/surroundings/env`, or the one in the directory named by `ASU_SURROUNDINGS_DIR`.
    ///
    /// # Panics
    /// Without surroundings: nothing that needs them can be tested, and a skipped test would look like a passed one.
    pub fn get() -> &'static Self {
        static SURROUNDINGS: OnceLock<Surroundings> = OnceLock::new();
        SURROUNDINGS.get_or_init(|| {
            let file = directory().join("env");
            let text = fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("run `make surroundings` first: {}: {error}", file.display()));
            Self::parse(&text)
        })
    }

    fn parse(text: &str) -> Self {
        let lines: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let value = |key: &str| {
            *lines.get(key).unwrap_or_else(|| panic!("run `make surroundings` again: {key} is not in its env file"))
        };
        let containers_conf = value("ASU_TEST_CONTAINERS_CONF");
        Self {
            podman_socket: value("ASU_TEST_PODMAN_SOCKET").into(),
            containers_conf: (!containers_conf.is_empty()).then(|| containers_conf.into()),
            registries_conf: value("ASU_TEST_REGISTRIES_CONF").into(),
            podman_command: value("ASU_TEST_PODMAN").split_whitespace().map(str::to_owned).collect(),
            registry: value("ASU_TEST_REGISTRY").to_owned(),
            base_container: value("ASU_TEST_BASE_CONTAINER").to_owned(),
            upstream_tree: value("ASU_TEST_UPSTREAM_TREE").into(),
            schemathesis: value("ASU_TEST_SCHEMATHESIS").into(),
        }
    }

    /// The Python that has what the tests need: it lies beside schemathesis.
    pub fn python(&self) -> PathBuf {
        self.schemathesis.with_file_name("python")
    }

    /// The `podman` command of whoever owns the containers, with its configuration.
    pub fn podman(&self) -> Command {
        self.command(self.podman_command.last().expect("the word that runs Podman"))
    }

    /// The address of this machine in the network of build containers.
    ///
    /// # Panics
    /// There is no such network.
    pub fn build_network_gateway(&self) -> IpAddr {
        let gateway = "{{range .Subnets}}{{.Gateway}} {{end}}";
        let output = self.podman().args(["network", "inspect", BUILD_NETWORK, "--format", gateway]).output();
        let output = output.expect("podman can be run");
        let text = String::from_utf8_lossy(&output.stdout);
        let first = text.split_whitespace().find_map(|word| word.parse().ok());
        first.unwrap_or_else(|| panic!("run `make surroundings` again: no network {BUILD_NETWORK}: {output:?}"))
    }

    /// A command run by whoever runs Podman, with Podman's configuration in its environment.
    fn command(&self, program: &str) -> Command {
        let mut words = self.podman_command[..self.podman_command.len() - 1].to_vec();
        words.push("env".to_owned());
        words.push(format!("CONTAINERS_REGISTRIES_CONF={}", self.registries_conf.display()));
        words.extend(self.containers_conf.iter().map(|file| format!("CONTAINERS_CONF={}", file.display())));
        words.push(program.to_owned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}

#[expect(clippy::disallowed_methods, reason = "the surroundings are no setting of a process")]
fn directory() -> PathBuf {
    match env::var_os("ASU_SURROUNDINGS_DIR") {
        Some(directory) => directory.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/surroundings"),
    }
}

/// A Podman service of one test, on a socket of its own and the storage of the surroundings: it may be killed.
#[derive(Debug)]
pub struct PodmanService {
    directory: TempDir,
    registries_conf: PathBuf,
    child: Option<Child>,
}

impl PodmanService {
    /// Starts a service and waits until it answers.
    ///
    /// # Panics
    /// If Podman does not start.
    pub async fn start() -> Self {
        let directory = TempDir::with_prefix("podman-").expect("a temporary directory");
        Self::start_in(directory, Surroundings::get().registries_conf.clone()).await
    }

    /// Starts a service that pulls from one more registry, which speaks plain http at `HOST:PORT`.
    ///
    /// # Panics
    /// If Podman does not start.
    pub async fn with_registry(registry: &str) -> Self {
        let directory = TempDir::with_prefix("podman-").expect("a temporary directory");
        let common =
            fs::read_to_string(&Surroundings::get().registries_conf).expect("the registries of the surroundings");
        let registries_conf = directory.path().join("registries.conf");
        let text = format!("{common}\n[[registry]]\nlocation = \"{registry}\"\ninsecure = true\n");
        fs::write(&registries_conf, text).expect("a file of our own");
        Self::start_in(directory, registries_conf).await
    }

    async fn start_in(directory: TempDir, registries_conf: PathBuf) -> Self {
        let mut service = Self { directory, registries_conf, child: None };
        service.restart().await;
        service
    }

    /// The socket; it stays the same over restarts.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("podman.sock")
    }

    /// Kills the service as a crash would; its containers go on.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill(&mut self) {
        self.signal("KILL").expect("the service can be killed");
        let mut child = self.child.take().expect("the service runs");
        child.wait().expect("the service can be waited for");
    }

    /// Stops the service from doing anything, connections stay open.
    ///
    /// # Panics
    /// If it does not run.
    pub fn hang(&self) {
        self.signal("STOP").expect("the service can be stopped");
    }

    /// Lets a hanging service go on.
    ///
    /// # Panics
    /// If it does not run.
    pub fn resume(&self) {
        self.signal("CONT").expect("the service can go on");
    }

    /// Starts the service again after [`PodmanService::kill`], on the same socket.
    ///
    /// # Panics
    /// If Podman does not start.
    pub async fn restart(&mut self) {
        let socket = self.socket();
        // A killed service leaves its socket, and Podman does not listen on one that is there.
        let _ = fs::remove_file(&socket);
        let log = fs::File::create(self.directory.path().join("podman.log")).expect("a log file");
        // The shell tells its pid and becomes Podman, so that it can be signalled through sudo as well.
        let mut command = Surroundings::get().command("sh");
        const SCRIPT: &str = "echo $$ >\"$1\" && export CONTAINERS_REGISTRIES_CONF=\"$3\" && \
                              exec podman system service --time=0 \"unix://$2\"";
        command.args(["-c", SCRIPT, "sh"]).arg(self.pid_file()).arg(&socket).arg(&self.registries_conf);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("Podman can be started"));
        self.wait_until_it_answers().await;
    }

    async fn wait_until_it_answers(&self) {
        let deadline = Instant::now() + SERVICE_START;
        while let Err(error) = UnixStream::connect(self.socket()) {
            if error.kind() == io::ErrorKind::PermissionDenied {
                self.own_socket();
            }
            assert!(Instant::now() < deadline, "Podman does not answer on {}: {error}", self.socket().display());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// A service that was started through sudo has a socket that is root's.
    fn own_socket(&self) {
        let owner = fs::metadata(self.directory.path()).map(|metadata| {
            use std::os::unix::fs::MetadataExt;
            metadata.uid().to_string()
        });
        let mut command = Surroundings::get().command("chown");
        command.arg(owner.expect("our own directory")).arg(self.socket());
        command.status().expect("chown can be run");
    }

    fn pid_file(&self) -> PathBuf {
        self.directory.path().join("pid")
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        assert!(self.child.is_some(), "the service does not run");
        let pid = fs::read_to_string(self.pid_file())?;
        let mut command = Surroundings::get().command("kill");
        let status = command.arg(format!("-{name}")).arg(pid.trim()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("kill -{name} {}", pid.trim()))) }
    }
}

impl Drop for PodmanService {
    fn drop(&mut self) {
        // A test that failed half-way must not leave the service behind; there is nobody to tell if this fails.
        if self.child.is_some() {
            let _ = self.signal("CONT");
            let _ = self.signal("KILL");
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Surroundings;

    #[test]
    fn the_env_file_tells_how_podman_is_run() {
        let text = "ASU_TEST_PODMAN_SOCKET=/s\nASU_TEST_CONTAINERS_CONF=\nASU_TEST_REGISTRIES_CONF=/r\n\
                    ASU_TEST_PODMAN=sudo podman\nASU_TEST_REGISTRY=127.0.0.1:1\nASU_TEST_BASE_CONTAINER=b\n\
                    ASU_TEST_UPSTREAM_TREE=/u\n\
                    ASU_TEST_SCHEMATHESIS=/p\n";
        let surroundings = Surroundings::parse(text);
        assert_eq!(surroundings.podman_command, ["sudo", "podman"]);
        assert_eq!(surroundings.containers_conf, None);
        let command = surroundings.command("kill");
        assert_eq!(command.get_program(), "sudo");
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["env", "CONTAINERS_REGISTRIES_CONF=/r", "kill"]);
    }
}
