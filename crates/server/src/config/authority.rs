//! `[authority]`: the CA that the first start makes, and what holds for every certificate.

use garde::Validate;
use lanyard_pki::{KeyAlgorithm, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::Span;

/// The certificate authority that the first start makes, and what holds for every certificate.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct AuthoritySection {
    /// The CA's subject, most significant part last, as in RFC 4514: `CN=Example Device CA,O=Example,C=DE`.
    #[garde(custom(a_name))]
    pub subject: String,
    /// The CA's key.
    pub key: KeySetting,
    /// Who certifies the CA.
    pub certified_by: CertifiedBySetting,
    /// How long the CA is valid when it certifies itself.
    #[garde(custom(at_least_a_day))]
    pub validity: Span,
    /// How many CAs may follow below it (path length); without it, any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_length: Option<u8>,
    /// The longest validity of an end entity's certificate, whatever was asked for.
    #[garde(custom(at_least_a_day))]
    pub maximum_validity: Span,
    /// How far back certificates begin, for clients whose clock is behind.
    pub clock_skew: Span,
}

impl Default for AuthoritySection {
    fn default() -> Self {
        Self {
            subject: "CN=Lanyard Device CA".into(),
            key: KeySetting::default(),
            certified_by: CertifiedBySetting::default(),
            validity: Span::days(3650),
            path_length: None,
            maximum_validity: Span::days(730),
            clock_skew: Span::minutes(1440),
        }
    }
}

/// The CA's key.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum KeySetting {
    /// RSA, 2048 bits.
    #[serde(rename = "rsa-2048")]
    #[value(name = "rsa-2048")]
    Rsa2048,
    /// RSA, 3072 bits.
    #[serde(rename = "rsa-3072")]
    #[value(name = "rsa-3072")]
    Rsa3072,
    /// RSA, 4096 bits.
    #[default]
    #[serde(rename = "rsa-4096")]
    #[value(name = "rsa-4096")]
    Rsa4096,
    /// ECDSA on P-256.
    #[serde(rename = "p-256")]
    #[value(name = "p-256")]
    P256,
    /// ECDSA on P-384.
    #[serde(rename = "p-384")]
    #[value(name = "p-384")]
    P384,
    /// ECDSA on P-521.
    #[serde(rename = "p-521")]
    #[value(name = "p-521")]
    P521,
}

impl From<KeySetting> for KeyAlgorithm {
    fn from(setting: KeySetting) -> Self {
        match setting {
            KeySetting::Rsa2048 => Self::Rsa { bits: 2048 },
            KeySetting::Rsa3072 => Self::Rsa { bits: 3072 },
            KeySetting::Rsa4096 => Self::Rsa { bits: 4096 },
            KeySetting::P256 => Self::P256,
            KeySetting::P384 => Self::P384,
            KeySetting::P521 => Self::P521,
        }
    }
}

/// Who certifies the CA.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum CertifiedBySetting {
    /// The CA certifies itself: a root.
    #[default]
    Itself,
    /// Another CA: `lanyard ca request` writes the request, `lanyard ca import` takes its answer.
    Another,
}

fn a_name(subject: &str, _: &()) -> garde::Result {
    subject.parse::<Name>().map(|_| ()).map_err(|error| garde::Error::new(error.to_string()))
}

pub(super) fn at_least_a_day(span: &Span, _: &()) -> garde::Result {
    if *span < Span::days(1) {
        return Err(garde::Error::new("must be a day (1d) or more"));
    }
    Ok(())
}
