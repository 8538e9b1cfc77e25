//! Counts the open connections of each address, or of each /64 of IPv6.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::unit::AddressRange;
use crate::limits::network_of;

/// Open connections by network ([`network_of`]); a limit of 0 counts nothing.
#[derive(Debug)]
pub(super) struct Peers {
    limit: usize,
    /// They have no limit: they speak for many.
    proxies: Vec<AddressRange>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    peers: Arc<Peers>,
    network: IpAddr,
}

impl Peers {
    pub(super) fn new(limit: usize, proxies: Vec<AddressRange>) -> Self {
        Self { limit, proxies, open: Mutex::default() }
    }

    /// A place for one more connection from `address`, unless it has as many as it may.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Option<Place>, TooMany> {
        let address = address.to_canonical();
        if self.limit == 0 || self.proxies.iter().any(|proxy| proxy.contains(address)) {
            return Ok(None);
        }
        let network = network_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= self.limit {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Some(Place { peers: Arc::clone(self), network }))
    }
}

/// The address has as many connections as it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_places_back_and_does_not_take_those_of_others() {
        let peers = Arc::new(Peers::new(2, Vec::new()));
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = peers.admit(one).unwrap();
        let _second = peers.admit(one).unwrap();
        assert_eq!(peers.admit(one).unwrap_err(), TooMany);
        assert!(peers.admit(other).is_ok());
        drop(first);
        assert!(peers.admit(one).is_ok());
    }

    #[test]
    fn an_ipv6_client_has_no_more_places_under_its_other_addresses() {
        let peers = Arc::new(Peers::new(1, Vec::new()));
        let first = peers.admit("2001:db8:0:1::1".parse().unwrap()).unwrap();
        let same_network = "2001:db8:0:1:9:9:9:9".parse().unwrap();
        assert_eq!(peers.admit(same_network).unwrap_err(), TooMany);
        assert!(peers.admit("2001:db8:0:2::1".parse().unwrap()).is_ok());
        drop(first);
        assert!(peers.admit(same_network).is_ok());
    }

    #[test]
    fn a_trusted_proxy_may_have_as_many_as_it_needs_and_its_neighbour_may_not() {
        let peers = Arc::new(Peers::new(1, vec!["10.0.0.1/32".parse().unwrap()]));
        let mapped = "::ffff:10.0.0.1".parse().unwrap();
        let places: Vec<_> = [IpAddr::from([10, 0, 0, 1]), mapped]
            .into_iter()
            .cycle()
            .take(4)
            .map(|proxy| peers.admit(proxy).unwrap())
            .collect();
        assert!(places.iter().all(Option::is_none), "nothing is counted");
        let neighbour = IpAddr::from([10, 0, 0, 2]);
        let _only = peers.admit(neighbour).unwrap();
        assert_eq!(peers.admit(neighbour).unwrap_err(), TooMany);
    }
}
