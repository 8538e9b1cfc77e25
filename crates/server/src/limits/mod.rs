//! What holds clients back: a queue for SCEP, a rate for wrong challenges, sizes and times for bodies.

pub mod body;
mod challenges;
mod turnstile;

pub use challenges::{ChallengeGuard, Guard};
pub use turnstile::{Turn, Turnstile};

/// The client is to come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComeBack {
    /// In how many seconds (Retry-After).
    pub seconds: u64,
}
