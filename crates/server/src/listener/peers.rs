//! Counts the open connections of each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Open connections by address; a limit of 0 counts nothing.
#[derive(Debug)]
pub(super) struct Peers {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Peers {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, open: Mutex::default() }
    }

    /// A place for one more connection from `address`, unless it has as many as it may.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Option<Place>, TooMany> {
        if self.limit == 0 {
            return Ok(None);
        }
        let address = address.to_canonical();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.limit {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Some(Place { peers: Arc::clone(self), address }))
    }
}

/// The address has as many connections as it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_places_back_and_does_not_take_those_of_others() {
        let peers = Arc::new(Peers::new(2));
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = peers.admit(one).unwrap();
        let _second = peers.admit(one).unwrap();
        assert_eq!(peers.admit(one).unwrap_err(), TooMany);
        assert!(peers.admit(other).is_ok());
        drop(first);
        assert!(peers.admit(one).is_ok());
    }
}
