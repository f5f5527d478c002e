//! What goes over Podman's socket beside podman-api: its client misspells `no_new_privileges`, and its inspection of a
//! container always has Podman measure the container's disk use.

use std::{collections::BTreeMap, future::Future, path::Path, pin::Pin};

use containers_api::conn::{
    self, Headers, Payload, RequestClient, Transport, get_unix_connector,
    hyper::{self, Body, Client, Response},
};
use podman_api::Error as EngineError;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const API: &str = "/v4.3.1/libpod";

/// A client for the calls that podman-api gets wrong.
#[derive(Debug, Clone)]
pub(crate) struct Wire(RequestClient<EngineError>);

impl Wire {
    pub(crate) fn new(socket: &Path) -> Self {
        // Without a pool: a kept connection breaks when the service is restarted.
        let client = Client::builder().pool_max_idle_per_host(0).build(get_unix_connector());
        Self(RequestClient::new(Transport::Unix { client, path: socket.to_owned() }, Box::new(check)))
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> podman_api::Result<T> {
        self.0.get_json(format!("{API}{path}")).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> podman_api::Result<T> {
        let body = serde_json::to_string(body)?;
        self.0.post_json(format!("{API}{path}"), Payload::Json(body), Headers::none()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> podman_api::Result<()> {
        self.0.delete(format!("{API}{path}")).await.map(drop)
    }
}

type Checked = Pin<Box<dyn Future<Output = podman_api::Result<Response<Body>>> + Send + Sync>>;

fn check(response: Response<Body>) -> Checked {
    Box::pin(async move {
        let code = response.status();
        if code.is_success() {
            return Ok(response);
        }
        let body = hyper::body::to_bytes(response.into_body()).await.map_err(conn::Error::from)?;
        let message = match serde_json::from_slice::<Fault>(&body) {
            Ok(fault) => fault.message,
            Err(_) => String::from_utf8_lossy(&body).into_owned(),
        };
        Err(EngineError::Fault { code, message })
    })
}

#[derive(Deserialize)]
struct Fault {
    message: String,
}

/// The answer to a creation.
#[derive(Deserialize)]
pub(crate) struct Created {
    #[serde(rename = "Id")]
    pub(crate) id: String,
}

/// What an inspection tells about a container.
#[derive(Deserialize)]
pub(crate) struct Inspected {
    #[serde(rename = "State")]
    pub(crate) state: InspectedState,
}

/// The state in an inspection.
#[derive(Deserialize)]
pub(crate) struct InspectedState {
    #[serde(rename = "Running")]
    pub(crate) running: bool,
    #[serde(rename = "OOMKilled", default)]
    pub(crate) oom_killed: bool,
}

/// What Podman tells about itself and the machine. Each part may be missing: versions differ in what they tell.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Info {
    pub(crate) host: Option<HostInfo>,
}

/// The machine in [`Info`].
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct HostInfo {
    pub(crate) cgroup_version: String,
    pub(crate) cgroup_controllers: Option<Vec<String>>,
    pub(crate) oci_runtime: Option<RuntimeInfo>,
    pub(crate) security: Option<SecurityInfo>,
}

/// What runs containers.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct RuntimeInfo {
    pub(crate) name: String,
}

/// How containers are kept in.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct SecurityInfo {
    pub(crate) rootless: bool,
}

/// What an inspection tells about a command.
#[derive(Deserialize)]
pub(crate) struct InspectedExec {
    #[serde(rename = "Running")]
    pub(crate) running: bool,
    #[serde(rename = "ExitCode")]
    pub(crate) exit_code: i32,
}

/// The body of a creation, in the words of Podman's `SpecGenerator`.
#[derive(Serialize)]
pub(crate) struct Create<'a> {
    pub(crate) image: &'a str,
    pub(crate) name: &'a str,
    pub(crate) entrypoint: [&'a str; 0],
    pub(crate) command: [&'a str; 3],
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) cap_drop: [&'a str; 1],
    pub(crate) no_new_privileges: bool,
    pub(crate) privileged: bool,
    pub(crate) netns: Namespace<'a>,
    #[serde(rename = "Networks", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) networks: BTreeMap<&'a str, Empty>,
    pub(crate) resource_limits: Resources,
    pub(crate) r_limits: Vec<RLimit>,
    pub(crate) mounts: Vec<Mount<'a>>,
    pub(crate) image_volume_mode: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work_dir: Option<&'a str>,
    pub(crate) log_configuration: LogConfiguration<'a>,
    pub(crate) remove: bool,
    pub(crate) timeout: u64,
    pub(crate) stop_timeout: u64,
}

#[derive(Serialize)]
pub(crate) struct Namespace<'a> {
    pub(crate) nsmode: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Empty {}

#[derive(Serialize)]
pub(crate) struct LogConfiguration<'a> {
    pub(crate) driver: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Resources {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pids: Option<Pids>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu: Option<Cpu>,
}

#[derive(Serialize)]
pub(crate) struct Memory {
    pub(crate) limit: u64,
    /// Memory and swap together.
    pub(crate) swap: u64,
}

#[derive(Serialize)]
pub(crate) struct Pids {
    pub(crate) limit: u32,
}

#[derive(Serialize)]
pub(crate) struct Cpu {
    pub(crate) quota: i64,
    pub(crate) period: u64,
}

#[derive(Serialize)]
pub(crate) struct RLimit {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) soft: u64,
    pub(crate) hard: u64,
}

#[derive(Serialize)]
pub(crate) struct Mount<'a> {
    pub(crate) destination: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) source: &'static str,
    pub(crate) options: Vec<String>,
}
