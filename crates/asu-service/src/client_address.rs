//! Which address a request came from, through the proxies that the operator trusts.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, request::Parts},
};
use serde::{Deserialize, Deserializer, de};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The most hops that are followed; nobody has as many proxies.
const MAX_HOPS: usize = 16;

/// Addresses and networks (`"10.0.0.0/8"`, `"::1"`) whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone)]
pub struct TrustedProxies(Arc<[Network]>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected an address or a network such as \"10.0.0.0/8\", not {text:?}");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), |prefix| prefix.parse().map_err(|_| expected()))?;
        if prefix > longest { Err(expected()) } else { Ok(Self { address, prefix }) }
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let rest = 32 - u32::from(self.prefix);
                network.to_bits().checked_shr(rest) == address.to_bits().checked_shr(rest)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let rest = 128 - u32::from(self.prefix);
                network.to_bits().checked_shr(rest) == address.to_bits().checked_shr(rest)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let networks: Result<Vec<Network>, String> = texts.iter().map(|text| text.parse()).collect();
        networks.map(|networks| Self(networks.into())).map_err(de::Error::custom)
    }
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// True if somebody who is not trusted says whom a request comes from: a client that tells stories, or a proxy that the
    /// operator forgot.
    pub(crate) fn disbelieve(&self, parts: &Parts) -> bool {
        parts.headers.contains_key(X_FORWARDED_FOR) && !self.trust(peer(parts).to_canonical())
    }

    /// Walks `X-Forwarded-For` from the right, the only end that a client cannot write to, while the hop is trusted.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = peer.to_canonical();
        let values: Vec<&str> =
            headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
        let hops = values.iter().rev().flat_map(|value| value.rsplit(',')).take(MAX_HOPS);
        for hop in hops {
            let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
            if !self.trust(address) {
                break;
            }
            address = next.to_canonical();
        }
        address
    }
}

/// An extractor that never fails: the address of the client, 0.0.0.0 where there is no connection (in a test).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(
    /// The address; IPv4 also where the connection came over an IPv6 socket.
    pub IpAddr,
);

impl ClientAddress {
    pub(crate) fn of(parts: &Parts, proxies: &TrustedProxies) -> Self {
        Self(proxies.client(peer(parts), &parts.headers))
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().copied();
        Ok(known.unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// Who is at the other end of the connection.
fn peer(parts: &Parts) -> IpAddr {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = TrustedProxies(trusted.iter().map(|text| text.parse().unwrap()).collect());
        let headers = forwarded.iter().map(|value| (X_FORWARDED_FOR, value.parse().unwrap())).collect::<HeaderMap>();
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client(&[], "192.0.2.1", &["203.0.113.5"]), "192.0.2.1");
        assert_eq!(client(&["192.0.2.0/24"], "192.0.2.1", &["203.0.113.5"]), "203.0.113.5");
        assert_eq!(client(&["192.0.2.0/24"], "::ffff:192.0.2.1", &["203.0.113.5"]), "203.0.113.5");
        // The client wrote the left part itself.
        assert_eq!(client(&["192.0.2.1"], "192.0.2.1", &["10.9.9.9, 203.0.113.5"]), "203.0.113.5");
        let two = ["10.0.0.0/8", "192.0.2.1"];
        assert_eq!(client(&two, "192.0.2.1", &["198.51.100.7, 203.0.113.5", "10.0.0.3"]), "203.0.113.5");
        assert_eq!(client(&["0.0.0.0/0"], "192.0.2.1", &["nonsense"]), "192.0.2.1");
        assert_eq!(client(&["fd00::/8"], "fd12::1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn networks_are_checked_when_read() {
        for text in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/", "10.0.0.0/8/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
