//! A build that looks around on the network: of this machine's services, and of other networks', it reaches none.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

use asu_test_support::Surroundings;
use asu_tests::Deployment;
use serde_json::Value;

use crate::hostile::{self, printed};

/// Tries each of these; and, so that "refused" means something, a listener of its own first.
const PROBE: &str = r"
import json, os, socket, stat, struct
def reach(host, port):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return 'reached'
    except OSError as error:
        return str(error)
own = socket.create_server(('127.0.0.1', 0))
print('CONTROL ' + json.dumps(reach(*own.getsockname())))
routes = [line.split() for line in open('/proc/net/route').readlines()[1:]]
gateways = [socket.inet_ntoa(struct.pack('<I', int(r[2], 16))) for r in routes if r[1] == '00000000']
print('GATEWAYS ' + json.dumps(gateways))
found = {f'{host}:{port}': reach(host, port) for host in gateways + HOSTS for port in PORTS}
found.update({f'{host}:{port}': reach(host, port) for host, port in OTHERS})
print('FOUND ' + json.dumps(found))
sockets = []
for top, _, files in os.walk('/'):
    if not top.startswith(('/proc', '/sys')):
        for name in files:
            path = os.path.join(top, name)
            if os.path.lexists(path) and stat.S_ISSOCK(os.lstat(path).st_mode):
                sockets.append(path)
print('SOCKETS ' + json.dumps(sockets))
print('INTERFACES ' + json.dumps(sorted(os.listdir('/sys/class/net'))))
";

/// A network of Podman, or a container; gone with the test.
struct Removed(&'static str, String);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = Surroundings::get().podman().args([self.0, "rm", "--force", &self.1]).output();
    }
}

fn podman(arguments: &[&str]) -> String {
    let output = Surroundings::get().podman().args(arguments).output().unwrap();
    assert!(output.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A service on a network of its own, as Redis is where everything runs in containers.
fn foreign_service(network: &str) -> (Removed, SocketAddr) {
    let image = format!("{}:x86-64-v24.10.4", Surroundings::get().base_container);
    let name = format!("{network}-service");
    let server = ["python3", "-m", "http.server", "6379"];
    let mut arguments =
        vec!["run", "--detach", "--rm", "--stop-timeout", "0", "--name", &name, "--network", network, &image];
    arguments.extend(server);
    podman(&arguments);
    let removed = Removed("container", name.clone());
    let format = format!("{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}");
    let address: Ipv4Addr = podman(&["inspect", "--format", &format, &name]).parse().unwrap();
    let address = SocketAddr::from((address, 6379));
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        assert!(Instant::now() < deadline, "nobody listens on {address}");
    }
    (removed, address)
}

/// Addresses of this machine, as far as it has any.
fn own_addresses() -> Vec<String> {
    let output = Command::new("hostname").arg("-I").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().filter(|address| address.parse::<Ipv4Addr>().is_ok()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_reaches_no_service_of_this_machine_and_no_other_network() {
    let unique = format!("asu-security-{:08x}", rand::random::<u32>());
    let (builds, services) = (format!("{unique}-builds"), format!("{unique}-services"));
    podman(&["network", "create", "--opt", "isolate=true", &services]);
    let _networks = (Removed("network", services.clone()), Removed("network", builds.clone()));
    let (_service, foreign) = foreign_service(&services);
    let mut settings = hostile::SETTINGS.to_vec();
    // The worker makes it.
    settings.push(("build_network", &builds));
    let deployment = Deployment::start_with(&settings).await;

    let ports = [
        deployment.redis.port(),
        deployment.build.address.port(),
        deployment.prepare.address.port(),
        deployment.workers[0].address.port(),
        port_of(&deployment.upstream.url()),
        port_of(&Surroundings::get().registry),
    ];
    let script = format!(
        "HOSTS, PORTS = {:?}, {ports:?}\nOTHERS = [({:?}, {})]\n{PROBE}",
        [vec!["127.0.0.1".to_owned()], own_addresses()].concat(),
        foreign.ip().to_string(),
        foreign.port(),
    );
    let done = deployment.build(&hostile::request(&script)).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(printed(&done, "CONTROL "), "reached", "the probe can tell");
    assert_eq!(printed(&done, "GATEWAYS ").as_array().unwrap().len(), 1, "there is a way out, to upstream");
    let found = printed(&done, "FOUND ");
    let found = found.as_object().unwrap();
    assert!(found.len() > 2 * ports.len(), "{found:?}");
    let reached: Vec<_> = found.iter().filter(|(_, how)| *how == "reached").collect();
    assert!(reached.is_empty(), "{reached:?}");
    assert_eq!(printed(&done, "SOCKETS "), Value::Array(Vec::new()), "no socket of Podman or Redis is in there");
    assert_eq!(printed(&done, "INTERFACES "), serde_json::json!(["eth0", "lo"]));
    assert!(TcpStream::connect(foreign).is_ok(), "the other network's service was there all the time");
    deployment.no_container_is_left().await;
}

fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().unwrap().parse().unwrap()
}
