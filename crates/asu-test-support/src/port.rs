//! Ports for servers that go away and come back.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::Ipv4Addr,
    ops::Range,
};

use tokio::net::TcpListener;

/// Below those that Linux gives to whoever asks for any port, outgoing connections among them: one of these could take
/// the place of a server that is away for a moment.
const PORTS: Range<u16> = 12_000..32_000;

/// Among so many one is free.
const TRIES: usize = 1000;

/// Listens on a port of 127.0.0.1 that nobody else has.
pub(crate) async fn listen() -> TcpListener {
    for _ in 0..TRIES {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, any_port())).await {
            return listener;
        }
    }
    panic!("loopback has no free port among {PORTS:?}");
}

fn any_port() -> u16 {
    let random = RandomState::new().build_hasher().finish();
    let offset = random % u64::from(PORTS.end - PORTS.start);
    PORTS.start + u16::try_from(offset).expect("less than the length of a range of ports")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_nobodys() {
        let ports: std::collections::BTreeSet<_> = (0..50).map(|_| any_port()).collect();
        assert!(ports.len() > 25 && ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    }
}
