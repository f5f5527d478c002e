//! nginx in front, as an operator has it, except that it hides nothing: no second try at another process, so that every
//! process that is away shows.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    process::{Child, Command},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::ports;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running nginx. What it says by itself has the shape of all other errors, and a header by which the checker knows it.
pub(crate) struct Nginx {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Nginx {
    pub(crate) fn start(prepare: &[SocketAddr], build: &[SocketAddr]) -> Self {
        let directory = TempDir::new().unwrap();
        let address = ports::lasting();
        let file = directory.path().join("nginx.conf");
        let here = directory.path().display().to_string();
        fs::write(&file, configuration(&here, address, prepare, build)).unwrap();
        // Without a capability that root's processes have, it still cannot become another user in some containers.
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&file).arg("-e").arg(directory.path().join("errors"));
        let child = command.spawn().expect("nginx is installed");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
            std::thread::yield_now();
        }
        Self { child, address, _directory: directory }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// New workers for new connections; the old ones finish what they have.
    pub(crate) fn reload(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success(), "nginx is there");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers when it is asked to.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn configuration(here: &str, address: SocketAddr, prepare: &[SocketAddr], build: &[SocketAddr]) -> String {
    let servers = |addresses: &[SocketAddr]| {
        addresses.iter().map(|address| format!("server {address} max_fails=0;\n")).collect::<String>()
    };
    let (prepare, build) = (servers(prepare), servers(build));
    let errors: String = [(502, "Bad Gateway"), (504, "Gateway Timeout")]
        .into_iter()
        .map(|(status, title)| {
            format!(
                "error_page {status} @{status};\nlocation @{status} {{ internal; default_type application/json;\n\
                 add_header Retry-After 2 always; add_header X-Asu-Proxy 1 always;\n\
                 return {status} '{{\"status\":{status},\"title\":\"{title}\",\"detail\":\"the server is being restarted\"}}';\n}}\n"
            )
        })
        .collect();
    format!(
        "daemon off;\nuser root;\nworker_processes 1;\npid {here}/pid;\nerror_log {here}/errors warn;\n\
         events {{ worker_connections 2048; }}\nhttp {{\naccess_log off;\nclient_body_temp_path {here}/body;\n\
         proxy_temp_path {here}/proxy;\nfastcgi_temp_path {here}/fastcgi;\nuwsgi_temp_path {here}/uwsgi;\nscgi_temp_path {here}/scgi;\n\
         upstream prepare {{ {prepare} keepalive 8; }}\nupstream build {{ {build} keepalive 8; keepalive_timeout 60s; }}\n\
         server {{\nlisten {address};\n{errors}proxy_http_version 1.1;\nproxy_set_header Connection '';\n\
         proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-For $remote_addr;\n\
         proxy_connect_timeout 3s;\nproxy_read_timeout 12s;\nproxy_next_upstream off;\n\
         location /api/v1/build/prepare {{ proxy_pass http://prepare; }}\nlocation / {{ proxy_pass http://build; }}\n}}\n}}\n"
    )
}
