//! The challenge password that a request must know.
//!
//! Where the expected one is kept, and how often a wrong one may be tried, is not known here.

use std::fmt;

use lanyard_pki::Digest;
use subtle::ConstantTimeEq;

use crate::refusal::Refusal;

/// Whether a challenge is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeRule {
    /// Every request needs the endpoint's challenge.
    Asked {
        /// The longest one that is looked at, in octets.
        longest: usize,
    },
    /// Anyone who reaches the endpoint may enroll.
    NotAsked,
}

impl Default for ChallengeRule {
    /// At most 1024 octets: the longest that management systems are known to generate are a few
    /// hundred.
    fn default() -> Self {
        Self::Asked { longest: 1024 }
    }
}

/// The challenge that came with a request, and the one it must be.
#[derive(Clone, Copy)]
pub struct Challenge<'a> {
    /// What came; none if the request carries no challenge attribute.
    pub given: Option<&'a [u8]>,
    /// What is expected; none if the endpoint has none configured.
    pub expected: Option<&'a [u8]>,
}

impl fmt::Debug for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (given, expected) = (self.given.is_some(), self.expected.is_some());
        write!(f, "Challenge(redacted, given: {given}, expected: {expected})")
    }
}

impl ChallengeRule {
    /// Whether one is asked for.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::Asked { .. })
    }

    /// Compares in a time that tells nothing of the expected challenge, not even its length.
    pub(super) fn check(&self, challenge: &Challenge<'_>) -> Result<(), Refusal> {
        let Self::Asked { longest } = *self else { return Ok(()) };
        let expected = challenge
            .expected
            .filter(|expected| !expected.is_empty())
            .ok_or(Refusal::NotConfigured)?;
        let given =
            challenge.given.filter(|given| !given.is_empty()).ok_or(Refusal::ChallengeMissing)?;
        if given.len() > longest {
            return Err(Refusal::ChallengeTooLong { limit: longest });
        }
        let (given, expected) = (Digest::Sha256.of(given), Digest::Sha256.of(expected));
        if given.ct_eq(&expected).into() { Ok(()) } else { Err(Refusal::WrongChallenge) }
    }
}
