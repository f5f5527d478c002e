//! Asking a running process how it is, for container images that have no shell and no curl.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

/// The largest answer that is read.
const MAX_ANSWER: u64 = 64 * 1024;

/// Why a process is not known to be well.
#[derive(Debug, thiserror::Error)]
pub enum HealthcheckError {
    /// The settings do not say where the process listens.
    #[error("{address:?} is not an address that can be asked; is the port 0?")]
    Address {
        /// The setting `listen`.
        address: String,
    },
    /// Nobody answers.
    #[error("no answer from {address}")]
    NoAnswer {
        /// Who was asked.
        address: SocketAddr,
        /// Why there is none.
        source: io::Error,
    },
    /// It says itself that it is not well.
    #[error("{address} is not well: {answer}")]
    Unwell {
        /// Who was asked.
        address: SocketAddr,
        /// The answer's status line and body.
        answer: String,
    },
}

/// Asks the process that listens on `listen` for `path`, and waits up to `timeout` each to connect, send and receive.
///
/// # Errors
/// Anything but a status of 200.
pub fn healthcheck(listen: &str, path: &str, timeout: Duration) -> Result<(), HealthcheckError> {
    let address = askable(listen).ok_or_else(|| HealthcheckError::Address { address: listen.to_owned() })?;
    let answer = ask(address, path, timeout).map_err(|source| HealthcheckError::NoAnswer { address, source })?;
    let mut words = answer.split_ascii_whitespace();
    match (words.next(), words.next()) {
        (Some(version), Some("200")) if version.starts_with("HTTP/1.") => Ok(()),
        _ => Err(HealthcheckError::Unwell { address, answer: summary(&answer) }),
    }
}

/// Who listens on all addresses is asked on the loopback.
fn askable(listen: &str) -> Option<SocketAddr> {
    let mut address = listen.to_socket_addrs().ok()?.next()?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    (address.port() != 0).then_some(address)
}

fn ask(address: SocketAddr, path: &str, timeout: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn summary(answer: &str) -> String {
    let status = answer.lines().next().unwrap_or("nothing");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    format!("{status} {body}").trim_end().to_owned()
}
