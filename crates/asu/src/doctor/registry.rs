//! The registry of the ImageBuilder images: does it answer?

use asu_service::error_chain;

use crate::{
    doctor::{finding::Finding, upstream::get},
    serve::Config,
};

const CHECK: &str = "registry";

/// Asks the registry for its version, which every registry answers or wants a token for.
pub(super) async fn check_registry(config: &Config) -> Vec<Finding> {
    let base = &config.worker.worker.base_container;
    let Some(host) = host_of(base) else {
        let remedy = "set base_container to a full name such as ghcr.io/openwrt/imagebuilder";
        return vec![Finding::warning(CHECK, format!("{base} names no registry"), remedy)];
    };
    vec![ask(host).await]
}

async fn ask(host: &str) -> Finding {
    let error = match get(&format!("https://{host}/v2/")).await {
        Ok(response) => return judge(host, response.status().as_u16()),
        Err(error) => error,
    };
    // A registry of one's own, on this machine perhaps.
    match get(&format!("http://{host}/v2/")).await {
        Ok(response) if response.status().as_u16() < 500 => {
            let remedy = "fine if registries.conf names it as insecure, which Podman insists on";
            Finding::warning(CHECK, format!("{host} answers without TLS"), remedy)
        }
        Ok(_) | Err(_) => {
            let seen = format!("{host} does not answer: {}", error_chain(&error));
            Finding::fail(CHECK, seen, "look at base_container, the firewall and the proxy")
        }
    }
}

fn judge(host: &str, status: u16) -> Finding {
    match status {
        200 | 401 | 403 => Finding::ok(CHECK, format!("{host} answers")),
        _ => Finding::fail(CHECK, format!("{host} answers {status}"), "is base_container the name of a registry?"),
    }
}

/// As Podman reads names: a first part with a dot or a port is a host.
fn host_of(base_container: &str) -> Option<&str> {
    let (host, _) = base_container.split_once('/')?;
    (host.contains(['.', ':']) || host == "localhost").then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_the_first_part_of_the_name() {
        for (name, host) in [
            ("ghcr.io/openwrt/imagebuilder", Some("ghcr.io")),
            ("127.0.0.1:5000/openwrt/imagebuilder", Some("127.0.0.1:5000")),
            ("localhost/imagebuilder", Some("localhost")),
            ("openwrt/imagebuilder", None),
            ("imagebuilder", None),
        ] {
            assert_eq!(host_of(name), host, "{name}");
        }
    }
}
