//! Time of day and randomness, as the program that uses the connectors gives them.

use std::fmt;
use std::sync::Arc;

use lanyard_pki::Time;

/// Where the time of day and random bytes come from. Cheap to clone.
///
/// Deadlines, pauses and the lifetimes of tokens do not hang on the time of day: a clock that is
/// put right must not expire them.
#[derive(Clone)]
pub struct Ambient {
    now: Arc<dyn Fn() -> Time + Send + Sync>,
    fill: Arc<Fill>,
}

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Ambient {
    /// From a clock and a source of random bytes fit for secrets.
    pub fn new(
        now: impl Fn() -> Time + Send + Sync + 'static,
        fill: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), fill: Arc::new(fill) }
    }

    /// The time of day.
    pub fn now(&self) -> Time {
        (self.now)()
    }

    /// So many random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes);
        bytes
    }

    /// A random UUID (version 4).
    pub fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.random()).into_uuid()
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ambient(now {})", self.now())
    }
}
