//! Images, from the build service and from a web server of others.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use asu_tests::Deployment;

use crate::figure::{SAMPLES, figure, millis};

/// An image of 100 MB, from the build service and from nginx, in turn and of the same file.
pub(crate) fn downloads(deployment: &Deployment) {
    let bin_dir = format!("{}-{}", "0".repeat(64), "0".repeat(12));
    let directory = deployment.store().join(&bin_dir);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("image.bin"), vec![0x5a; 100_000_000]).unwrap();
    let nginx = Nginx::serving(&deployment.store());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        ours.push(download(&format!("{}/store/{bin_dir}/image.bin", deployment.build.url())));
        theirs.push(download(&format!("{}/{bin_dir}/image.bin", nginx.url)));
    }
    let ratios: Vec<_> = ours.iter().zip(&theirs).map(|(ours, theirs)| 100.0 * ours / theirs).collect();
    figure("download of 100 MB from asu-build", "ms", ours);
    figure("download of 100 MB from nginx", "ms", theirs);
    figure("  asu-build to nginx", "%", ratios);
}

fn download(url: &str) -> f64 {
    let started = Instant::now();
    let status = Command::new("curl").args(["-sf", "-o", "/dev/null", url]).status().unwrap();
    assert!(status.success(), "{url}");
    millis(started.elapsed())
}

/// A web server of others, to compare with.
struct Nginx {
    child: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl Nginx {
    fn serving(root: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (configuration, here) = (directory.path().join("nginx.conf"), directory.path().display());
        let text = format!(
            "daemon off;\nuser root;\nworker_processes 1;\npid {here}/pid;\nerror_log {here}/log;\nevents {{}}\n\
             http {{\naccess_log off;\nsendfile on;\nclient_body_temp_path {here}/body;\nproxy_temp_path {here}/proxy;\n\
             fastcgi_temp_path {here}/fastcgi;\nuwsgi_temp_path {here}/uwsgi;\nscgi_temp_path {here}/scgi;\n\
             server {{\nlisten 127.0.0.1:{port};\nroot {};\n}}\n}}\n",
            root.display()
        );
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new("nginx");
        let child = command.arg("-c").arg(&configuration).arg("-e").arg(directory.path().join("log")).spawn();
        let nginx = Self {
            child: child.expect("nginx is installed"),
            url: format!("http://127.0.0.1:{port}"),
            _directory: directory,
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its worker when it is asked to.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
