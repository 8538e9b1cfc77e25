//! The one place that reads the time of day; everything else is told what time it is.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use lanyard_pki::Time;

/// Tells the time, in whole seconds.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> Time;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the clock that all others ask")]
    fn now(&self) -> Time {
        let seconds = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_secs()).map_or(i64::MIN, i64::wrapping_neg)
            }
        };
        Time::from_unix(seconds)
    }
}

/// A clock that stands still until it is moved: years of a fleet pass in seconds.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Time) -> Self {
        Self(AtomicI64::new(now.unix()))
    }

    /// Moves on by so many seconds (back, when negative) and shows the new time.
    pub fn advance(&self, seconds: i64) -> Time {
        Time::from_unix(self.0.fetch_add(seconds, Ordering::SeqCst).saturating_add(seconds))
    }

    /// Shows `now` from here on.
    pub fn set(&self, now: Time) {
        self.0.store(now.unix(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_unix(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_moved() {
        let clock = ManualClock::new(Time::from_unix(1_000));
        assert_eq!(clock.now(), clock.now());
        assert_eq!(clock.advance(86_400), Time::from_unix(87_400));
        assert_eq!(clock.now(), Time::from_unix(87_400));
        clock.set(Time::from_unix(5));
        assert_eq!(clock.now(), Time::from_unix(5));
    }

    #[test]
    fn the_system_clock_shows_an_instant_after_this_was_written() {
        assert!(SystemClock.now() > "2026-01-01T00:00:00Z".parse().unwrap());
    }
}
