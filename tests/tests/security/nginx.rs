//! A real nginx in front of the build service, set up as operators do: connections to it are kept and shared.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The longest that it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// An nginx of one test; it ends with it.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) address: SocketAddr,
    _directory: TempDir,
}

impl Nginx {
    /// Starts one before a service.
    pub(crate) fn before(service: SocketAddr) -> Self {
        // Somebody else may get the free port first.
        (0..5)
            .find_map(|_| Self::start(service))
            .expect("nginx listens; deploy/demo/surroundings install --test brings it")
    }

    fn start(service: SocketAddr) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let here = directory.path().display();
        let text = format!(
            "daemon off;\nuser root;\nworker_processes 1;\npid {here}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {here}/body;\nproxy_temp_path {here}/proxy;\nfastcgi_temp_path {here}/fastcgi;\n\
             uwsgi_temp_path {here}/uwsgi;\nscgi_temp_path {here}/scgi;\n\
             upstream asu {{\nserver {service};\nkeepalive 1;\n}}\n\
             server {{\nlisten {address};\nclient_max_body_size 1m;\nlocation / {{\nproxy_pass http://asu;\n\
             proxy_http_version 1.1;\nproxy_set_header Connection \"\";\nproxy_set_header Host $host;\n\
             proxy_set_header X-Forwarded-For $remote_addr;\nproxy_request_buffering off;\n}}\n}}\n}}\n"
        );
        let configuration = directory.path().join("nginx.conf");
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&configuration).arg("-e").arg(directory.path().join("log"));
        let child = command.stdin(Stdio::null()).spawn().expect("nginx is installed");
        let mut nginx = Self { child, address, _directory: directory };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if nginx.child.try_wait().unwrap().is_some() || Instant::now() > deadline {
                return None;
            }
        }
        nginx.child.try_wait().unwrap().is_none().then_some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to end, the master ends its worker as well; there is nobody to tell if this fails.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
