//! Certificate revocation lists (RFC 5280, 5): built from a stream of entries, and read.
//!
//! Which certificates are listed, and when a list is made, is decided elsewhere.

mod build;
mod read;

pub use build::{CrlBuilder, CrlError};
pub use read::{Crl, Entries};

use crate::{CrlReason, SerialNumber, Time};
use std::fmt;

/// The number of a CRL: higher than that of every CRL before it with the same issuer and scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrlNumber(pub u64);

impl fmt::Display for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub revoked_at: Time,
    /// Why; *unspecified* is the same as none.
    pub reason: Option<CrlReason>,
    /// Since when the key is thought to be known to others.
    pub invalid_since: Option<Time>,
}

#[cfg(test)]
mod tests;
