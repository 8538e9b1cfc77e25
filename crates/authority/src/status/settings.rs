//! What an installation decides about status: freshness, who signs answers, memory, and its CRLs.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use lanyard_lifecycle::verdict::Freshness;
use lanyard_pki::KeyAlgorithm;

use crate::settings::days;

/// How status is answered.
#[derive(Debug, Clone)]
pub struct StatusSettings {
    /// How long an answer may be relied on, by what it says.
    pub freshness: Freshness,
    /// Who signs OCSP answers.
    pub responder: ResponderSettings,
    /// How much memory what is known may take.
    pub memory: MemorySettings,
    /// Certificate revocation lists.
    pub crl: CrlSettings,
    /// OCSP answers that may be made at a time. Who asks for one more is told to try later; answers that are at hand are
    /// given out all the same. The default is 1024.
    pub answers_under_way: usize,
}

impl Default for StatusSettings {
    fn default() -> Self {
        Self {
            freshness: Freshness::default(),
            responder: ResponderSettings::default(),
            memory: MemorySettings::default(),
            crl: CrlSettings::default(),
            answers_under_way: 1024,
        }
    }
}

/// Who signs OCSP answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponderSettings {
    /// The CA or a responder that it delegates to.
    pub signer: ResponderSigner,
    /// How long a delegated responder's certificate is valid. A new one takes its place half way, and no answer is good
    /// past it: twice the longest freshness lets every answer last as long as it may. The default is 14 days.
    pub validity: Duration,
}

impl Default for ResponderSettings {
    fn default() -> Self {
        Self { signer: ResponderSigner::Delegated(ResponderKey::Automatic), validity: days(14) }
    }
}

/// Whose key signs OCSP answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponderSigner {
    /// A responder whose key is made in memory and never leaves it.
    Delegated(ResponderKey),
    /// The CA itself.
    Ca,
}

/// A delegated responder's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponderKey {
    /// RSA-2048 below an RSA CA, whose clients may know nothing else; else P-256.
    Automatic,
    /// This one. P-256 makes some twenty signatures in the time of one with RSA-2048.
    Is(KeyAlgorithm),
}

/// Limits of memory, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySettings {
    /// Signed OCSP answers. The default is 64 MiB.
    pub answers: u64,
    /// What the store says of certificates. The default is 128 MiB: room for a million certificates.
    pub records: u64,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self { answers: 64 << 20, records: 128 << 20 }
    }
}

/// Certificate revocation lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrlSettings {
    /// How long a CRL may be relied on: nextUpdate. The default is 7 days.
    pub validity: Duration,
    /// After how long a CRL is made anew even if nothing has changed. The default is a day.
    pub interval: Duration,
    /// Entries from which on delta CRLs are made beside a full one. None makes no deltas. The default is 10,000.
    pub delta_from: Option<NonZeroU32>,
    /// How many partitions the certificates issued from now on are spread over, by serial number; each has a CRL of its own.
    /// None leads every certificate to the complete CRL.
    pub partitions: Option<NonZeroU16>,
}

impl Default for CrlSettings {
    fn default() -> Self {
        Self {
            validity: days(7),
            interval: days(1),
            delta_from: NonZeroU32::new(10_000),
            partitions: None,
        }
    }
}
