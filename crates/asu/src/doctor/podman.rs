//! Podman: is it there, can it limit containers, has it the network?

use asu_sandbox::{Config, EngineFacts, Podman, SandboxError};
use asu_service::error_chain;

use crate::{doctor::finding::Finding, serve};

const CHECK: &str = "podman";
/// The oldest major version that we are tested with.
const OLDEST: u32 = 4;
/// What builds are limited in.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// Looks at the Podman of the settings.
pub(super) async fn check_podman(config: &serve::Config) -> Vec<Finding> {
    let sandbox = &config.worker.sandbox;
    let socket = match sandbox.socket() {
        Ok(socket) => socket,
        Err(error) => return vec![Finding::fail(CHECK, error_chain(&error), "name a unix socket with podman_socket")],
    };
    if !socket.exists() {
        let seen = format!("there is no socket {}", socket.display());
        let remedy = "systemctl enable --now podman.socket, or name another one with podman_socket";
        return vec![Finding::fail(CHECK, seen, remedy)];
    }
    match ask(sandbox).await {
        Ok((facts, is_isolated)) => {
            let mut findings = judge(&facts, &socket.display().to_string());
            findings.push(judge_network(&sandbox.build_network, is_isolated));
            findings
        }
        Err(error) => {
            let seen = format!("{}: {}", socket.display(), error_chain(&error));
            let remedy = "systemctl status podman.socket; may this user open the socket?";
            vec![Finding::fail(CHECK, seen, remedy)]
        }
    }
}

/// What Podman is, and whether the build network is isolated, if there is one.
async fn ask(sandbox: &Config) -> Result<(EngineFacts, Option<bool>), SandboxError> {
    let podman = Podman::connect(sandbox)?;
    let facts = podman.facts().await?;
    let is_isolated = match facts.has_build_network {
        true => Some(podman.is_build_network_isolated().await?),
        false => None,
    };
    Ok((facts, is_isolated))
}

fn judge_network(network: &str, is_isolated: Option<bool>) -> Finding {
    let remedy = format!("podman network create --opt isolate=true {network}");
    match is_isolated {
        Some(true) => Finding::ok("network", format!("{network} is there, and isolated")),
        Some(false) => {
            let seen = format!("{network} is not isolated: builds reach every other network of this Podman");
            Finding::warning("network", seen, format!("podman network rm {network}; {remedy}"))
        }
        None => Finding::warning("network", format!("{network} is not there yet; the worker will create it"), remedy),
    }
}

fn judge(facts: &EngineFacts, socket: &str) -> Vec<Finding> {
    let EngineFacts { version, runtime, cgroups, rootless, controllers, has_build_network: _ } = facts;
    let who = if *rootless { ", rootless" } else { "" };
    let seen = format!("{version} on {socket}, {runtime}, cgroups {cgroups}{who}");
    let major = version.split('.').next().and_then(|number| number.parse::<u32>().ok());
    let mut findings = vec![match major {
        Some(OLDEST..) => Finding::ok(CHECK, seen),
        Some(_) | None => Finding::fail(CHECK, seen, format!("install Podman {OLDEST} or later")),
    }];
    let missing: Vec<_> = CONTROLLERS.into_iter().filter(|name| !controllers.iter().any(|has| has == name)).collect();
    if *rootless && !missing.is_empty() {
        let seen = format!("cannot limit builds in: {}", missing.join(", "));
        let remedy = "delegate the controllers to the user (systemd: Delegate=cpu memory pids), or use root's Podman";
        findings.push(Finding::fail(CHECK, seen, remedy));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    fn check(facts: EngineFacts, levels: &[Level]) {
        let found: Vec<_> = judge(&facts, "/s").iter().map(Finding::level).collect();
        assert_eq!(found, levels, "{facts:?}");
    }

    #[test]
    fn a_podman_that_cannot_limit_builds_fails() {
        let facts = EngineFacts {
            version: "4.3.1".to_owned(),
            runtime: "crun".to_owned(),
            cgroups: "v2".to_owned(),
            rootless: false,
            controllers: Vec::new(),
            has_build_network: true,
        };
        check(facts.clone(), &[Level::Ok]);
        check(EngineFacts { version: "3.4".to_owned(), ..facts.clone() }, &[Level::Fail]);
        let rootless = EngineFacts { rootless: true, controllers: vec!["memory".to_owned()], ..facts };
        check(rootless, &[Level::Ok, Level::Fail]);
    }

    #[test]
    fn a_network_that_is_open_or_missing_is_told() {
        for (is_isolated, level) in [(Some(true), Level::Ok), (Some(false), Level::Warning), (None, Level::Warning)] {
            assert_eq!(judge_network("asu-build", is_isolated).level(), level, "{is_isolated:?}");
        }
    }
}
