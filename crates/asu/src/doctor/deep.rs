//! What a build begins with, tried out: an image is pulled, a container starts, a command runs in it.

use std::{error::Error, time::Duration};

use asu_sandbox::{Captured, Command, CommandLimits, ImageReference, Outcome, Podman, Sandbox};
use asu_service::error_chain;

use crate::{
    doctor::{finding::Finding, upstream::latest_release},
    serve::Config,
};

const CHECK: &str = "container";
const LIFETIME: Duration = Duration::from_secs(120);
const LIMITS: CommandLimits =
    CommandLimits { time: Duration::from_secs(30), silence: Duration::from_secs(30), output: 64 << 10 };

/// Words of runtimes and kernels, and what helped others who read them.
const HINTS: [(&str, &str); 6] = [
    (
        "cgroup",
        "crun needs cgroup v2: boot with systemd.unified_cgroup_hierarchy=1, or set runtime = \"runc\" in containers.conf",
    ),
    ("rlimit", "lower default_ulimits in containers.conf, or container_open_files and container_user_processes"),
    ("netavark", "install netavark and aardvark-dns"),
    ("iptables", "install iptables or nftables; their kernel modules must be there"),
    ("overlay", "the storage driver does not work here: set driver = \"vfs\" or install fuse-overlayfs"),
    ("permission denied", "run the server as a user that may use this Podman, or look at SELinux and AppArmor"),
];

/// Does it once and takes everything away again, save the image.
pub(super) async fn check_container(config: &Config, image: Option<&str>) -> Finding {
    let name = match image {
        Some(name) => name.to_owned(),
        None => match latest_release(config).await {
            Some(version) => format!("{}:x86-64-v{version}", config.worker.worker.base_container),
            None => return Finding::fail(CHECK, "upstream tells no release to try", "name one with --image"),
        },
    };
    match try_out(config, &name).await {
        Ok(()) => Finding::ok(CHECK, format!("a container of {name} starts and runs a command")),
        Err(error) => {
            let seen = format!("{name}: {error}");
            let remedy = hint(&seen);
            Finding::fail(CHECK, seen, remedy)
        }
    }
}

async fn try_out(config: &Config, name: &str) -> Result<(), String> {
    let podman = Podman::connect(&config.worker.sandbox).map_err(words)?;
    let reference: ImageReference = name.parse().map_err(words)?;
    podman.ensure_network().await.map_err(words)?;
    let image = podman.pull(&reference).await.map_err(words)?;
    let sandbox = podman.start(podman.spec(image, "asu-doctor", LIFETIME)).await.map_err(words)?;
    let ran = run(&sandbox).await;
    sandbox.remove().await.map_err(words)?;
    ran
}

async fn run(sandbox: &Sandbox) -> Result<(), String> {
    let outcome =
        sandbox.exec(&Command::new("true", [""; 0], LIMITS), &mut Captured::default()).await.map_err(words)?;
    if outcome == (Outcome::Exit { code: 0 }) { Ok(()) } else { Err(format!("`true` ended with {outcome:?}")) }
}

fn words(error: impl Error + 'static) -> String {
    error_chain(&error)
}

fn hint(seen: &str) -> &'static str {
    let seen = seen.to_lowercase();
    let known = HINTS.into_iter().find(|(words, _)| seen.contains(words));
    known.map_or("try it by hand: podman run --rm IMAGE true", |(_, hint)| hint)
}
