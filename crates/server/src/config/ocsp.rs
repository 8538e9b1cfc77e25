//! `[ocsp]`: certificate status by OCSP.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authority::KeySetting;
use super::unit::Span;

/// Certificate status by OCSP (RFC 6960).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct OcspSection {
    /// Which key signs answers.
    pub responder: Responder,
    /// The key of a delegated responder.
    pub key: KeySetting,
    /// How long a delegated responder's certificate is valid. Key and certificate live in memory and are made anew.
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
    /// Signed answers kept in memory, by number. An answer is dropped the moment something about its certificate changes.
    pub cached_answers: usize,
}

impl Default for OcspSection {
    fn default() -> Self {
        Self {
            responder: Responder::default(),
            key: KeySetting::P256,
            responder_validity: Span::days(7),
            good_for: Span::seconds(600),
            hold_for: Span::seconds(300),
            revoked_for: Span::days(7),
            cached_answers: 100_000,
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

pub(super) fn a_minute_or_more(span: &Span, _: &()) -> garde::Result {
    if *span < Span::minutes(1) {
        return Err(garde::Error::new("must be a minute (1min) or more"));
    }
    Ok(())
}
