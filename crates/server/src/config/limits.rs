//! `[limits]`: what a client may ask for before it is told to wait or to stop.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::{Size, Span};

/// What a client may ask for before it is told to wait or to stop.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct LimitsSection {
    /// The largest SCEP message.
    #[garde(custom(a_kibibyte_or_more))]
    pub scep_body: Size,
    /// The largest OCSP request.
    #[garde(custom(a_kibibyte_or_more))]
    pub ocsp_body: Size,
    /// OCSP answers made at a time: those that are not at hand, or carry a nonce. Who asks for one more is told to try
    /// later; answers at hand are given out all the same.
    #[garde(range(min = 1))]
    pub ocsp_under_way: usize,
    /// SCEP messages worked on at a time.
    #[garde(range(min = 1))]
    pub scep_concurrency: usize,
    /// SCEP messages that may wait for their turn; more are answered 429 with Retry-After.
    pub scep_queue: usize,
    /// How long a SCEP message may wait for its turn before it is answered 429.
    pub scep_queue_wait: Span,
    /// Wrong challenges that one address (IPv6: one /64) may send a minute. More, and SCEP from there is answered 429
    /// until the minute has room again.
    #[garde(range(min = 1))]
    pub wrong_challenges_a_minute: u32,
    /// Wrong challenges that one address may send at once before the rate counts.
    #[garde(range(min = 1))]
    pub wrong_challenges_at_once: u32,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            scep_body: Size::kibibytes(128),
            ocsp_body: Size::kibibytes(16),
            ocsp_under_way: 1024,
            scep_concurrency: 50,
            scep_queue: 500,
            scep_queue_wait: Span::seconds(20),
            wrong_challenges_a_minute: 10,
            wrong_challenges_at_once: 20,
        }
    }
}

fn a_kibibyte_or_more(size: &Size, _: &()) -> garde::Result {
    if *size < Size::kibibytes(1) {
        return Err(garde::Error::new("must be 1KiB or more"));
    }
    Ok(())
}
