//! Certificate revocation lists, and the entries that they are made from.

use lanyard_lifecycle::{id::Scope, revocation::Standing};
use lanyard_pki::{SerialNumber, Time};

use super::{CaId, StatusSequence};

/// A CRL number (RFC 5280 5.2.3). Full and delta CRLs of a CA and partition share one numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlNumber(pub i64);

/// A part of a CA's certificates with a CRL of its own; 0 is the complete CRL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlPartition(pub u16);

impl CrlPartition {
    /// All certificates of the CA.
    pub const COMPLETE: Self = Self(0);
}

/// Whether a CRL stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrlKind {
    /// Stands alone.
    Full,
    /// Lists the changes since a full one (RFC 5280 5.2.4).
    Delta {
        /// The full CRL's number.
        base: CrlNumber,
    },
}

/// A CRL to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCrl {
    /// The CA that signed it.
    pub ca: CaId,
    /// Who owns it.
    pub scope: Scope,
    /// The part of the certificates that it covers.
    pub partition: CrlPartition,
    /// Full or delta.
    pub kind: CrlKind,
    /// Its number, reserved before.
    pub number: CrlNumber,
    /// When it was made.
    pub this_update: Time,
    /// When the next one comes at the latest.
    pub next_update: Time,
    /// Every change up to here is in it.
    pub sequence: StatusSequence,
    /// How many certificates it lists.
    pub entries: u64,
    /// The signed list.
    pub der: Vec<u8>,
}

/// A CRL, as stored.
pub type Crl = NewCrl;

/// A certificate that is on hold or revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedEntry {
    /// The certificate.
    pub serial: SerialNumber,
    /// The CRL partition that its distribution point names.
    pub crl_partition: CrlPartition,
    /// On hold or revoked.
    pub standing: Standing,
    /// See [`Summary::invalidity_date`](super::Summary::invalidity_date).
    pub invalidity_date: Option<Time>,
    /// End of validity.
    pub not_after: Time,
}
