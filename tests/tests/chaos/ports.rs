//! Ports that a process keeps over its restarts.

use std::net::{SocketAddr, TcpListener};

use rand::RngExt;

/// A free port of 127.0.0.1 below those that the kernel gives to outgoing connections: nobody takes it by chance while its
/// process is away.
pub(crate) fn lasting() -> SocketAddr {
    for _ in 0..1000 {
        let address = SocketAddr::from(([127, 0, 0, 1], rand::rng().random_range(20_000..32_000)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port below 32000");
}
