//! How many refused requests the audit trail takes: anyone may be refused as often as he likes, and must not fill a disk
//! by that.
//!
//! Every refusal is counted and logged all the same. What a door holds back by itself (a rate, a queue) never comes here.

use std::sync::{Mutex, PoisonError};

use lanyard_pki::Time;

/// Refusals that are recorded however fast they come.
const AT_ONCE: i64 = 200;

/// Seconds after which another one may be recorded: some ten megabytes a day at worst.
const EVERY: i64 = 2;

/// The refusals of a running program.
#[derive(Debug)]
pub(crate) struct Refusals(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many may be recorded now.
    left: i64,
    /// Up to when `left` was counted.
    counted: Option<Time>,
    /// How many were not recorded since the last one that was.
    unrecorded: u64,
}

impl Refusals {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { left: AT_ONCE, counted: None, unrecorded: 0 }))
    }

    /// Whether one more is recorded: then, how many before it were not.
    pub(crate) fn record(&self, now: Time) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock may be set: back counts as no time, far ahead fills up once.
        let passed = state.counted.map_or(0, |counted| now.seconds_since(counted)) / EVERY;
        if passed > 0 {
            state.left = state.left.saturating_add(passed).min(AT_ONCE);
        }
        if passed != 0 || state.counted.is_none() {
            state.counted = Some(now);
        }
        if state.left == 0 {
            state.unrecorded += 1;
            return None;
        }
        state.left -= 1;
        Some(std::mem::take(&mut state.unrecorded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix(1_800_000_000);

    #[test]
    fn a_flood_is_recorded_at_its_beginning_and_then_now_and_then_with_what_was_left_out() {
        let refusals = Refusals::new();
        for _ in 0..AT_ONCE {
            assert_eq!(refusals.record(NOW), Some(0));
        }
        for _ in 0..1_000 {
            assert_eq!(refusals.record(NOW), None);
        }
        assert_eq!(refusals.record(NOW.plus(EVERY - 1)), None);
        assert_eq!(refusals.record(NOW.plus(EVERY)), Some(1_001));
        assert_eq!(refusals.record(NOW.plus(EVERY)), None);
        let later = NOW.plus(1_000 * EVERY * AT_ONCE);
        let recorded = (0..2 * AT_ONCE).filter(|_| refusals.record(later).is_some()).count();
        assert_eq!(
            i64::try_from(recorded),
            Ok(AT_ONCE),
            "quiet times are not saved up without end"
        );
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing_for_good() {
        let refusals = Refusals::new();
        while refusals.record(NOW).is_some() {}
        let before = NOW.plus(-86_400);
        assert_eq!(refusals.record(before), None);
        assert!(refusals.record(before.plus(EVERY)).is_some());
    }
}
