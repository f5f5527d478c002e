//! The way from a container to the fake upstream, which otherwise only this machine itself can reach.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::Router;
use tokio::net::TcpSocket;

use super::{FakeUpstream, answer};
use crate::Surroundings;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 64;

impl FakeUpstream {
    /// Listens on the address that this machine has in the network of build containers as well. Answers the URL, which is
    /// another one for every call of this: what is kept of one test's upstream is of no use to another.
    ///
    /// # Panics
    /// The network of build containers does not exist, or the server is away.
    pub async fn open_to_containers(&self) -> String {
        let gateway = Surroundings::get().build_network_gateway();
        let listener = listen(gateway);
        let address = listener.local_addr().expect("a bound socket has an address");
        let path = format!("/{:016x}", RandomState::new().build_hasher().finish());
        let files = Router::new().fallback(answer::answer).with_state(Arc::clone(&self.shared));
        self.server.serve_behind(listener, Router::new().nest_service(&path, files));
        format!("http://{address}{path}")
    }
}

/// The address comes and goes with the first and the last container of the network.
fn listen(gateway: IpAddr) -> tokio::net::TcpListener {
    let socket = if gateway.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.expect("a socket for the fake upstream");
    let freed = match gateway {
        IpAddr::V4(_) => rustix::net::sockopt::set_ip_freebind(&socket, true),
        IpAddr::V6(_) => rustix::net::sockopt::set_ipv6_freebind(&socket, true),
    };
    freed.expect("an address may be listened on before it is there");
    socket.bind(SocketAddr::new(gateway, 0)).expect("a port for the fake upstream");
    socket.listen(BACKLOG).expect("the fake upstream listens")
}
