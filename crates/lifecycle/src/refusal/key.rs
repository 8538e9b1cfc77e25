//! In which way a key is refused.

use std::fmt;

/// In which way a key is too weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakKey {
    /// An RSA modulus that is too short.
    RsaTooShort {
        /// Bits of the modulus.
        bits: u32,
        /// Bits it should have at least.
        least: u32,
    },
    /// An RSA public exponent that no sound key has.
    RsaExponent,
    /// An RSA modulus with the fingerprint of keys whose factors are guessable (ROCA,
    /// CVE-2017-15361).
    Roca,
    /// An RSA modulus with a small factor.
    RsaSmallFactor {
        /// The factor.
        factor: u16,
    },
}

/// In which way a key is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsupportedKey {
    /// An RSA modulus that is too long.
    RsaTooLong {
        /// Bits of the modulus.
        bits: u32,
        /// Bits it may have at most.
        most: u32,
    },
    /// A kind of key that this endpoint's rules leave out.
    NotAllowedHere {
        /// The kind's usual name.
        algorithm: &'static str,
    },
    /// A kind of key that is issued for nowhere.
    Unknown,
}

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaTooShort { bits, least } => {
                write!(f, "RSA with {bits} bits, where at least {least} are needed")
            }
            Self::RsaExponent => f.write_str("RSA with an unsound public exponent"),
            Self::Roca => f.write_str("RSA whose factors are guessable (CVE-2017-15361)"),
            Self::RsaSmallFactor { factor } => write!(f, "RSA with the factor {factor}"),
        }
    }
}

impl fmt::Display for UnsupportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaTooLong { bits, most } => {
                write!(f, "RSA with {bits} bits, where at most {most} are taken")
            }
            Self::NotAllowedHere { algorithm } => {
                write!(f, "{algorithm} is left out by this endpoint's rules")
            }
            Self::Unknown => {
                f.write_str("only RSA, the curves P-256, P-384 and P-521, and Ed25519 are")
            }
        }
    }
}
