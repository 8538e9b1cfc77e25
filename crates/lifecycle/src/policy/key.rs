//! Which keys are certified. A weak key is told from one of an unsupported kind.

use lanyard_pki::{KeyAlgorithm, PublicKey};

use super::rsa;
use crate::refusal::{Refusal, UnsupportedKey, WeakKey};

/// A kind of key, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
    /// The curve P-521.
    P521,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Rsa, Self::P256, Self::P384, Self::P521, Self::Ed25519];

    /// The kind of a key.
    #[must_use]
    pub const fn of(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Rsa { .. } => Self::Rsa,
            KeyAlgorithm::P256 => Self::P256,
            KeyAlgorithm::P384 => Self::P384,
            KeyAlgorithm::P521 => Self::P521,
            KeyAlgorithm::Ed25519 => Self::Ed25519,
        }
    }

    /// The usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Ed25519 => "Ed25519",
        }
    }
}

/// Which keys are certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRules {
    /// Kinds that are certified.
    pub kinds: Vec<KeyKind>,
    /// The least and the most bits of an RSA modulus.
    pub rsa_bits: (u32, u32),
    /// The least RSA public exponent.
    pub rsa_exponent: u64,
}

impl Default for KeyRules {
    /// All kinds; RSA from 2048 to 8192 bits with an exponent of 65537 or more (SP 800-56B section
    /// 6.2).
    fn default() -> Self {
        Self { kinds: KeyKind::ALL.to_vec(), rsa_bits: (2048, 8192), rsa_exponent: 65_537 }
    }
}

impl KeyRules {
    pub(super) fn check(&self, key: &PublicKey) -> Result<(), Refusal> {
        let kind = KeyKind::of(key.algorithm());
        if !self.kinds.contains(&kind) {
            let unsupported = UnsupportedKey::NotAllowedHere { algorithm: kind.name() };
            return Err(Refusal::UnsupportedKey(unsupported));
        }
        match key.algorithm() {
            KeyAlgorithm::Rsa { bits } => self.check_rsa(bits, key),
            _ => Ok(()),
        }
    }

    fn check_rsa(&self, bits: u32, key: &PublicKey) -> Result<(), Refusal> {
        let (least, most) = self.rsa_bits;
        if bits < least {
            return Err(Refusal::WeakKey(WeakKey::RsaTooShort { bits, least }));
        }
        if bits > most {
            return Err(Refusal::UnsupportedKey(UnsupportedKey::RsaTooLong { bits, most }));
        }
        rsa::check(key, self.rsa_exponent).map_err(Refusal::WeakKey)
    }
}
