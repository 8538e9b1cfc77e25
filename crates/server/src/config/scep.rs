//! `[scep]`: what holds for every endpoint that speaks SCEP.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authority::at_least_a_day;
use super::unit::Span;

/// Enrollment by SCEP (RFC 8894), for every endpoint that speaks it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ScepSection {
    /// Which key receives and answers SCEP messages.
    pub identity: ScepIdentity,
    /// Bits of the registration authority's RSA key, where there is one.
    #[garde(custom(an_rsa_size))]
    pub ra_key_bits: u32,
    /// How long a registration authority's certificate is valid. A new one is made when a third is left.
    #[garde(custom(at_least_a_day))]
    pub ra_validity: Span,
    /// Whether requests under single DES or MD5 are taken. Both are broken: only for clients that know nothing else.
    pub broken_algorithms: BrokenAlgorithms,
}

impl Default for ScepSection {
    fn default() -> Self {
        Self {
            identity: ScepIdentity::default(),
            ra_key_bits: 2048,
            ra_validity: Span::days(30),
            broken_algorithms: BrokenAlgorithms::default(),
        }
    }
}

/// Which key receives and answers SCEP messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ScepIdentity {
    /// The CA itself when its key can decrypt (RSA), else a registration authority.
    #[default]
    Automatic,
    /// The CA itself. A CA whose key cannot decrypt then offers no SCEP.
    Ca,
    /// A registration authority with a short-lived RSA certificate: the CA's key signs certificates and nothing else.
    Ra,
}

/// Whether single DES and MD5 are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum BrokenAlgorithms {
    /// Refused with badAlg.
    #[default]
    Refused,
    /// Taken, and answered in kind.
    Accepted,
}

fn an_rsa_size(bits: &u32, _: &()) -> garde::Result {
    if !(2048..=8192).contains(bits) || !bits.is_multiple_of(256) {
        return Err(garde::Error::new("must be 2048 to 8192, a multiple of 256"));
    }
    Ok(())
}
