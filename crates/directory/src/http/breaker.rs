//! The circuit breaker: a service that keeps failing is left alone for a while, then tried by one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Breaker {
    failures: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Failed attempts since the last good one.
    failed: u32,
    /// How often in a row it has opened.
    opened: u32,
    open_until: Option<Instant>,
    /// Whether somebody is trying a service that was left alone.
    trial: bool,
}

/// The right to one attempt, which ends with a report. Dropped without one (the asker went away)
/// it says nothing of the service.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    trial: bool,
}

const MOST_DOUBLINGS: u32 = 3;

impl Breaker {
    pub(super) const fn new(failures: u32, pause: Duration) -> Self {
        let state = State { failed: 0, opened: 0, open_until: None, trial: false };
        Self { failures, pause, state: Mutex::new(state) }
    }

    /// A permit, or how long there is none.
    pub(super) fn permit(&self, now: Instant) -> Result<Permit<'_>, Duration> {
        let mut state = self.state();
        match state.open_until {
            None => Ok(Permit { breaker: self, trial: false }),
            Some(until) if now < until => Err(until - now),
            // One is trying; the others hear soon.
            Some(_) if state.trial => Err(self.pause.min(Duration::from_secs(1))),
            Some(_) => {
                state.trial = true;
                Ok(Permit { breaker: self, trial: true })
            }
        }
    }

    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.state().open_until.is_some_and(|until| now < until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every field is written on its own and means something whatever the others are.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// How the attempt went.
    pub(super) fn report(self, in_trouble: bool, now: Instant) {
        let mut state = self.breaker.state();
        if !in_trouble {
            // An answer to a request that was sent before the breaker opened shows that the
            // service lives, too.
            *state = State { trial: state.trial, ..State::default() };
            return;
        }
        state.failed = state.failed.saturating_add(1);
        let opens =
            self.trial || (state.open_until.is_none() && state.failed >= self.breaker.failures);
        if opens {
            let doublings = state.opened.min(MOST_DOUBLINGS);
            state.opened = state.opened.saturating_add(1);
            state.open_until = Some(now + self.breaker.pause * (1 << doublings));
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.trial {
            self.breaker.state().trial = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(8);

    fn opened(now: Instant) -> Breaker {
        let breaker = Breaker::new(3, PAUSE);
        for _ in 0..3 {
            breaker.permit(now).unwrap().report(true, now);
        }
        breaker
    }

    #[tokio::test]
    async fn it_opens_after_so_many_failures_in_a_row() {
        let now = Instant::now();
        let breaker = Breaker::new(3, PAUSE);
        for in_trouble in [true, true, false, true, true] {
            breaker.permit(now).unwrap().report(in_trouble, now);
        }
        assert!(!breaker.is_open(now));
        breaker.permit(now).unwrap().report(true, now);
        assert_eq!(breaker.permit(now).unwrap_err(), PAUSE);
        assert!(breaker.is_open(now));
    }

    #[tokio::test]
    async fn after_its_pause_one_tries_and_a_good_answer_closes_it() {
        let now = Instant::now();
        let breaker = opened(now);
        let later = now + PAUSE;
        let trial = breaker.permit(later).unwrap();
        assert!(breaker.permit(later).is_err());
        trial.report(false, later);
        assert!(breaker.permit(later).is_ok() && breaker.permit(later).is_ok());
    }

    #[tokio::test]
    async fn a_failed_trial_doubles_the_pause_up_to_eight_times() {
        let mut now = Instant::now();
        let breaker = opened(now);
        for factor in [2, 4, 8, 8] {
            now += breaker.permit(now).unwrap_err();
            breaker.permit(now).unwrap().report(true, now);
            assert_eq!(breaker.permit(now).unwrap_err(), PAUSE * factor);
        }
    }

    #[tokio::test]
    async fn a_trial_that_was_given_up_leaves_the_next_one_to_try() {
        let now = Instant::now();
        let breaker = opened(now);
        let later = now + PAUSE;
        drop(breaker.permit(later).unwrap());
        assert!(breaker.permit(later).is_ok());
    }
}
