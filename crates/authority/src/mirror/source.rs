//! A directory's feeds in memory: who is asked, when again after a failure, and what is being asked right now.

use std::sync::{Arc, Mutex, PoisonError};

use lanyard_directory::{Connector, FeedKind, Ignorance, Why};
use lanyard_pki::Time;
use lanyard_store::{FeedKey, HeldLease};
use tokio::sync::{Notify, Semaphore};

use super::flight::Flights;
use super::settings::DirectorySettings;
use super::vouch::LastRead;
use crate::settings::seconds;

/// The first pause after a failure, in seconds; each further one is twice as long.
const FIRST_PAUSE: i64 = 5;

/// The longest pause after a failure, in seconds.
const LONGEST_PAUSE: i64 = 300;

/// A directory that is mirrored.
#[derive(Debug)]
pub(super) struct MirroredDirectory {
    pub(super) settings: DirectorySettings,
    pub(super) connectors: Vec<Arc<dyn Connector>>,
    /// One for each kind of object that a connector serves.
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) flights: Flights,
    /// A place for each look-up under way.
    pub(super) permits: Arc<Semaphore>,
}

/// Where objects of one kind come from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) key: FeedKey,
    pub(super) how: FeedKind,
    pub(super) connector: Arc<dyn Connector>,
    /// Lets whoever reads the feed look at what is due at once: a person asks.
    pub(super) wake: Notify,
    /// Lets whoever reads the feed look at what is due after a rest: something is said to have changed.
    pub(super) hint: Notify,
    pub(super) reading: Backoff,
    pub(super) proving: Backoff,
    pub(super) last_read: LastRead,
}

impl MirroredDirectory {
    pub(super) fn new(settings: DirectorySettings, connectors: Vec<Arc<dyn Connector>>) -> Self {
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for connector in &connectors {
            for feed in connector.feeds() {
                // Where two connectors serve a kind, the first is asked.
                if sources.iter().all(|known| known.key.kind != feed.kind) {
                    sources.push(Arc::new(Source {
                        key: FeedKey { directory: settings.id, kind: feed.kind },
                        how: feed.how,
                        connector: Arc::clone(connector),
                        wake: Notify::new(),
                        hint: Notify::new(),
                        reading: Backoff::default(),
                        proving: Backoff::default(),
                        last_read: LastRead::default(),
                    }));
                }
            }
        }
        let at_once = settings.look_ups_at_once.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(at_once));
        Self { settings, connectors, sources, flights: Flights::default(), permits }
    }

    /// The name of the lease that its feeds are read under.
    pub(super) fn lease(&self) -> String {
        format!("mirror {}", self.settings.id)
    }

    /// How often a feed's rounds begin, in seconds.
    pub(super) fn interval(&self, how: FeedKind) -> i64 {
        seconds(match how {
            FeedKind::Delta => self.settings.change_interval,
            FeedKind::Sweep | FeedKind::LookupOnly => self.settings.sweep_interval,
        })
    }
}

/// The lease that a step is done under.
#[derive(Debug, Clone)]
pub(super) struct Held(pub(super) HeldLease);

/// When to try again after failures.
#[derive(Debug, Default)]
pub(super) struct Backoff(Mutex<Failures>);

#[derive(Debug, Default, Clone, Copy)]
struct Failures {
    in_a_row: u32,
    until: Option<Time>,
}

impl Backoff {
    /// Until when nothing is tried.
    pub(super) fn until(&self, now: Time) -> Option<Time> {
        self.failures().until.filter(|until| *until > now)
    }

    /// It works again.
    pub(super) fn clear(&self) {
        *self.failures() = Failures::default();
    }

    /// It failed: each pause is twice the one before, and no shorter than the service asks for.
    pub(super) fn failed(&self, ignorance: &Ignorance, now: Time) {
        let mut failures = self.failures();
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.in_a_row.min(16)).min(LONGEST_PAUSE);
        let asked = match ignorance.why {
            Why::Throttled { retry_after: Some(after) }
            | Why::BreakerOpen { retry_after: after } => seconds(after),
            _ => 0,
        };
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        failures.until = Some(now.plus(pause.max(asked)));
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Failures> {
        // What is inside is two numbers, whole whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn trouble(why: Why) -> Ignorance {
        Ignorance::new("Microsoft Graph", "read changes", why, "")
    }

    #[test]
    fn pauses_grow_up_to_a_limit_and_end_with_the_first_success() {
        let (backoff, now) = (Backoff::default(), Time::from_unix(1_000));
        assert_eq!(backoff.until(now), None);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            backoff.failed(&trouble(Why::Unreachable), now);
            pauses.push(backoff.until(now).unwrap().seconds_since(now));
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(backoff.until(now.plus(300)), None);
        backoff.clear();
        assert_eq!(backoff.until(now), None);
    }

    #[test]
    fn a_service_that_asks_for_more_time_gets_it() {
        let (backoff, now) = (Backoff::default(), Time::from_unix(1_000));
        let retry_after = Some(Duration::from_mins(2));
        backoff.failed(&trouble(Why::Throttled { retry_after }), now);
        assert_eq!(backoff.until(now), Some(now.plus(120)));
    }
}
