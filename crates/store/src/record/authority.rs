//! CAs and registration authorities: certificates whose keys the installation holds.

use std::fmt;

use lanyard_lifecycle::id::Scope;
use lanyard_pki::Time;

/// A CA's number in this installation, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaId(pub i64);

impl fmt::Display for CaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where a CA is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaState {
    /// Its key exists, its certificate was asked for elsewhere.
    Requested,
    /// Complete, and announced as the next one (GetNextCACert).
    Next,
    /// The one that issues. There is at most one an organization.
    Current,
    /// Issues no more; answers for what it issued.
    Retired,
}

/// A CA to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCa {
    /// Who owns it.
    pub scope: Scope,
    /// What people call it.
    pub name: String,
    /// `Requested` without certificate, else `Next` or `Current`. Recording a `Current` one
    /// retires the one before.
    pub state: CaState,
    /// SHA-1 of the subjectPublicKey BIT STRING (RFC 5280 4.2.1.2 (1)); unique.
    pub key_identifier: [u8; 20],
    /// Where the signer finds the key.
    pub key_reference: String,
    /// The PKCS#10 that was sent elsewhere.
    pub request: Option<Vec<u8>>,
    /// Certificate and chain, unless it is only requested.
    pub material: Option<CaMaterial>,
    /// Now, by the caller's clock.
    pub created_at: Time,
}

/// A CA's certificate and what leads up to its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaMaterial {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The certificates above it, its issuer first.
    pub chain: Vec<Vec<u8>>,
    /// Start of validity.
    pub not_before: Time,
    /// End of validity.
    pub not_after: Time,
}

/// A CA, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ca {
    /// Its number.
    pub id: CaId,
    /// What it was recorded with; `state` and `material` as they are now.
    pub record: NewCa,
    /// When it became current.
    pub activated_at: Option<Time>,
    /// When it was retired.
    pub retired_at: Option<Time>,
}

/// A registration authority certificate's number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RaId(pub i64);

/// Where a registration authority certificate is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RaState {
    /// Announced and used.
    Current,
    /// No longer announced; messages to it are still opened.
    Retired,
}

/// A registration authority certificate to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRaCertificate {
    /// The CA that it stands for.
    pub ca: CaId,
    /// Who owns it.
    pub scope: Scope,
    /// The certificate.
    pub certificate: Vec<u8>,
    /// Where the signer finds the key.
    pub key_reference: String,
    /// Start of validity.
    pub not_before: Time,
    /// End of validity.
    pub not_after: Time,
    /// Now, by the caller's clock.
    pub created_at: Time,
}

/// A registration authority certificate, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaCertificate {
    /// Its number.
    pub id: RaId,
    /// What it was recorded with.
    pub record: NewRaCertificate,
    /// Where it is in its life.
    pub state: RaState,
}
