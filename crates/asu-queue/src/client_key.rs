//! Whose build it is.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The client that limits go by: an IPv4 address, or an IPv6 network of 64 bits, since one customer owns such a network
/// as a whole. Every address is somebody, also loopback and unspecified ones: who could hide behind an address that is
/// not counted would have no limits.
///
/// It is part of keys: at most 24 of `0-9a-f.:/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientKey(String);

/// What IPv4 clients look like to a server that has only IPv6 (RFC 6052): 64:ff9b::/96, all of them in one /64.
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

impl ClientKey {
    /// The client of this address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => of_network(address),
        })
    }
}

fn of_network(address: Ipv6Addr) -> String {
    let [a, b, c, d, ..] = address.segments();
    if address.segments().starts_with(&NAT64) {
        let [.., w, x, y, z] = address.octets();
        return Ipv4Addr::new(w, x, y, z).to_string();
    }
    format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_one_client() {
        for (address, client) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("64:ff9b::192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
            ("0.0.0.0", "0.0.0.0"),
        ] {
            assert_eq!(ClientKey::of(address.parse().unwrap()).to_string(), client, "{address}");
        }
    }

    #[test]
    fn a_key_is_short_and_plain() {
        for address in ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80:1234:5678:9abc::1", "255.255.255.255"] {
            let key = ClientKey::of(address.parse().unwrap()).to_string();
            assert!(key.len() <= 24 && key.bytes().all(|b| b"0123456789abcdef.:/".contains(&b)), "{key}");
        }
    }
}
