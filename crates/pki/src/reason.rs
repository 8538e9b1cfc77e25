//! Why a certificate was revoked, as CRLs and OCSP write it.

use std::fmt;

/// The number of a `CRLReason` (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CrlReason(u8);

impl CrlReason {
    /// No reason; written by silence.
    pub const UNSPECIFIED: Self = Self(0);
    /// On hold, for now.
    pub const CERTIFICATE_HOLD: Self = Self(6);
    /// No longer revoked; in delta CRLs only.
    pub const REMOVE_FROM_CRL: Self = Self(8);

    /// 0 to 10 without 7, which is not assigned.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if number <= 10 && number != 7 { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for CrlReason {
    /// The name in RFC 5280.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "keyCompromise",
            2 => "cACompromise",
            3 => "affiliationChanged",
            4 => "superseded",
            5 => "cessationOfOperation",
            6 => "certificateHold",
            8 => "removeFromCRL",
            9 => "privilegeWithdrawn",
            10 => "aACompromise",
            _ => "unspecified",
        })
    }
}
