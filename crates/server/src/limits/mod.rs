//! What holds clients back: a queue for SCEP, a rate for wrong challenges, sizes and times for bodies.

pub mod body;
mod challenges;
mod turnstile;

use std::net::{IpAddr, Ipv6Addr};

pub use challenges::{ChallengeGuard, Guard};
pub use turnstile::{Turn, Turnstile};

/// Whom an address stands for: itself, or the /64 that an IPv6 client has to itself.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The client is to come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComeBack {
    /// In how many seconds (Retry-After).
    pub seconds: u64,
}
