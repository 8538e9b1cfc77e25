//! How hard a service may be asked, and for how long.

use std::time::Duration;

/// How a service is to be treated.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// The least time between the beginnings of two requests.
    pub interval: Duration,
    /// How often one call is tried in all, the first time included.
    pub attempts: u32,
    /// How long one attempt may take.
    pub attempt_timeout: Duration,
    /// How long a call may take in all: waiting for a turn, token, attempts and pauses.
    pub deadline: Duration,
    /// About how long the pause after the first failed attempt is; each further one is twice as
    /// long.
    pub first_pause: Duration,
    /// The longest pause that we choose ourselves.
    pub longest_pause: Duration,
    /// The longest answer, in octets.
    pub largest_answer: usize,
    /// After how many failed attempts in a row the service is left alone.
    pub breaker_failures: u32,
    /// How long it is left alone then; doubled, up to eight times this, while it stays broken.
    pub breaker_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 16,
            interval: Duration::ZERO,
            attempts: 4,
            attempt_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(10),
            largest_answer: 16 << 20,
            breaker_failures: 8,
            breaker_pause: Duration::from_secs(8),
        }
    }
}
