//! Where Podman's socket is looked for.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::error::SandboxError;

/// The environment variables that say where Podman listens.
#[derive(Debug, Clone, Default)]
pub struct SocketVariables {
    /// `CONTAINER_HOST`, Podman's own: `unix:///path`, or a path.
    pub container_host: Option<String>,
    /// `XDG_RUNTIME_DIR`, where a user's Podman listens.
    pub runtime_dir: Option<String>,
}

impl SocketVariables {
    /// Reads them from the process: the one place where this crate looks at its environment.
    #[expect(clippy::disallowed_methods, reason = "these are Podman's variables, not settings of ours")]
    pub fn from_environment() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self { container_host: variable("CONTAINER_HOST"), runtime_dir: variable("XDG_RUNTIME_DIR") }
    }
}

/// The configured socket, else the one that `CONTAINER_HOST` names, else the first one that exists. Podman may be
/// started after us, so the last place counts even if nothing is there.
pub(crate) fn find_socket(
    configured: &str,
    variables: &SocketVariables,
    exists: impl Fn(&Path) -> bool,
) -> Result<PathBuf, SandboxError> {
    if let Some(named) = Some(configured).filter(|text| !text.is_empty()).or(variables.container_host.as_deref()) {
        return parse_host(named);
    }
    let last = PathBuf::from("/run/podman/podman.sock");
    let mut places = vec![PathBuf::from("./podman.sock"), PathBuf::from("/var/podman.sock")];
    places.extend(variables.runtime_dir.as_ref().map(|directory| Path::new(directory).join("podman/podman.sock")));
    Ok(places.into_iter().find(|place| exists(place)).unwrap_or(last))
}

fn parse_host(host: &str) -> Result<PathBuf, SandboxError> {
    let path = host.strip_prefix("unix://").unwrap_or(host);
    if path.contains("://") {
        return Err(SandboxError::UnsupportedHost { host: host.to_owned() });
    }
    Ok(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(configured: &str, container_host: Option<&str>, existing: &[&str], expected: &str) {
        let variables = SocketVariables {
            container_host: container_host.map(str::to_owned),
            runtime_dir: Some("/run/user/7".to_owned()),
        };
        let found = find_socket(configured, &variables, |path| existing.contains(&path.to_str().unwrap())).unwrap();
        assert_eq!(found, PathBuf::from(expected));
    }

    #[test]
    fn sockets_are_looked_for_in_the_documented_order() {
        let all = ["/var/podman.sock", "/run/user/7/podman/podman.sock", "./podman.sock"];
        check("/my.sock", Some("unix:///host.sock"), &all, "/my.sock");
        check("unix:///my.sock", None, &all, "/my.sock");
        check("", Some("unix:///host.sock"), &all, "/host.sock");
        check("", None, &all, "./podman.sock");
        check("", None, &all[..2], "/var/podman.sock");
        check("", None, &all[1..2], "/run/user/7/podman/podman.sock");
        check("", None, &[], "/run/podman/podman.sock");
    }

    #[test]
    fn a_podman_behind_ssh_is_refused_by_name() {
        let variables = SocketVariables { container_host: Some("ssh://core@host/run".to_owned()), runtime_dir: None };
        let error = find_socket("", &variables, |_| true).unwrap_err();
        assert!(error.to_string().contains("ssh://core@host/run"), "{error}");
    }
}
