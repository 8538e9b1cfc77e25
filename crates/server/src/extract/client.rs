//! The address of the client, behind a trusted proxy too.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use crate::config::unit::AddressRange;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address; none on a socket of the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Client(pub Option<IpAddr>);

impl Client {
    /// Whether the client is on this machine or in a private network.
    pub fn is_local(self) -> bool {
        match self.0 {
            None => true,
            Some(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
            Some(IpAddr::V6(v6)) => {
                v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_default())
    }
}

/// The client behind `peer`: walks `X-Forwarded-For` from its end for as long as the addresses are trusted proxies.
pub fn client_of(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    trusted: &[AddressRange],
) -> Client {
    let Some(peer) = peer else { return Client(None) };
    let mut client = peer.ip().to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    if trusted.is_empty() || !is_trusted(client) {
        return Client(Some(client));
    }
    let lists: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    Client(Some(client))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append(FORWARDED_FOR, list.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        client_of(Some(peer), &headers, &trusted).0.unwrap()
    }

    #[test]
    fn a_stranger_cannot_choose_his_address() {
        let stranger: IpAddr = "203.0.113.9".parse().unwrap();
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], &[]), stranger);
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), stranger);
        assert_eq!(client("10.0.0.1", &["198.51.100.1, 203.0.113.9"], &["10.0.0.0/8"]), stranger);
        assert_eq!(
            client("10.0.0.1", &["198.51.100.1", "203.0.113.9, 10.0.0.2"], &["10.0.0.0/8"]),
            stranger
        );
    }

    #[test]
    fn an_unreadable_hop_ends_the_walk_at_the_proxy_that_wrote_it() {
        assert_eq!(
            client("10.0.0.1", &["what"], &["10.0.0.0/8"]),
            "10.0.0.1".parse::<IpAddr>().unwrap()
        );
        assert_eq!(
            client("::ffff:10.0.0.1", &[], &["10.0.0.0/8"]),
            "10.0.0.1".parse::<IpAddr>().unwrap()
        );
    }

    #[test]
    fn local_is_this_machine_and_private_networks() {
        for local in ["127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fd00::1", "fe80::1"] {
            assert!(Client(Some(local.parse().unwrap())).is_local(), "{local}");
        }
        assert!(!Client(Some("203.0.113.9".parse().unwrap())).is_local());
        assert!(!Client(Some("2001:db8::1".parse().unwrap())).is_local());
    }
}
