//! `[ocsp]`: certificate status by OCSP.

use garde::Validate;
use lanyard_pki::KeyAlgorithm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::{Size, Span};

/// Certificate status by OCSP (RFC 6960).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct OcspSection {
    /// Which key signs answers.
    pub responder: Responder,
    /// The key of a delegated responder.
    pub key: ResponderKeySetting,
    /// How long a delegated responder's certificate is valid. Key and certificate live in memory; new ones take their
    /// place half way, and no answer is good past their end: twice the longest freshness below is right.
    pub responder_validity: Span,
    /// How long a client may rely on the answer *good*.
    #[garde(custom(a_minute_or_more))]
    pub good_for: Span,
    /// How long a client may rely on the answer *on hold*.
    #[garde(custom(a_minute_or_more))]
    pub hold_for: Span,
    /// How long a client may rely on the answer *revoked*.
    #[garde(custom(a_minute_or_more))]
    pub revoked_for: Span,
    /// Memory for signed answers. An answer is dropped the moment something about its certificate changes.
    pub answer_memory: Size,
    /// Memory for what the store says of certificates: 128MiB have room for a million.
    pub record_memory: Size,
}

impl Default for OcspSection {
    fn default() -> Self {
        Self {
            responder: Responder::default(),
            key: ResponderKeySetting::default(),
            responder_validity: Span::days(14),
            good_for: Span::seconds(600),
            hold_for: Span::seconds(300),
            revoked_for: Span::days(7),
            answer_memory: Size::mebibytes(64),
            record_memory: Size::mebibytes(128),
        }
    }
}

/// Which key signs OCSP answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Responder {
    /// A short-lived key that the CA certifies for it, made and renewed in memory.
    #[default]
    Delegated,
    /// The CA's own key.
    Ca,
}

/// The key of a delegated responder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum ResponderKeySetting {
    /// RSA-2048 below an RSA CA, whose clients may know nothing else; else P-256.
    #[default]
    #[serde(rename = "automatic")]
    Automatic,
    /// RSA, 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// ECDSA on P-256: some twenty signatures in the time of one with RSA-2048.
    #[serde(rename = "p-256")]
    P256,
    /// ECDSA on P-384.
    #[serde(rename = "p-384")]
    P384,
}

impl ResponderKeySetting {
    /// The algorithm; none leaves the choice to the authority.
    pub fn algorithm(self) -> Option<KeyAlgorithm> {
        match self {
            Self::Automatic => None,
            Self::Rsa2048 => Some(KeyAlgorithm::Rsa { bits: 2048 }),
            Self::P256 => Some(KeyAlgorithm::P256),
            Self::P384 => Some(KeyAlgorithm::P384),
        }
    }
}

pub(super) fn a_minute_or_more(span: &Span, _: &()) -> garde::Result {
    if *span < Span::minutes(1) {
        return Err(garde::Error::new("must be a minute (1min) or more"));
    }
    Ok(())
}
