//! The rate of wrong challenges, by address: guessing a challenge over the network takes for ever.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::{ComeBack, network_of};
use crate::config::LimitsSection;

/// After how many wrong challenges addresses that have recovered are forgotten.
const SWEEP_EVERY: usize = 4096;

/// The guard of a running server.
pub type ChallengeGuard = Guard<DefaultClock>;

/// Remembers who sent wrong challenges.
#[derive(Debug)]
pub struct Guard<C: Clock> {
    limiter: RateLimiter<IpAddr, DashMapStateStore<IpAddr>, C, NoOpMiddleware<C::Instant>>,
    barred: Mutex<Barred<C::Instant>>,
    clock: C,
}

#[derive(Debug)]
struct Barred<I> {
    until: HashMap<IpAddr, I>,
    since_sweep: usize,
}

impl ChallengeGuard {
    /// A guard with these limits.
    pub fn new(limits: &LimitsSection) -> Self {
        Self::with_clock(limits, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Guard<C> {
    /// A guard that goes by `clock`.
    pub fn with_clock(limits: &LimitsSection, clock: C) -> Self {
        let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(at_least_one(limits.wrong_challenges_a_minute))
            .allow_burst(at_least_one(limits.wrong_challenges_at_once));
        Self {
            limiter: RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()),
            barred: Mutex::new(Barred { until: HashMap::new(), since_sweep: 0 }),
            clock,
        }
    }

    /// Whether this address may try, or when it may again.
    pub fn check(&self, address: IpAddr) -> Result<(), ComeBack> {
        let key = network_of(address);
        let now = self.clock.now();
        let mut barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = barred.until.get(&key).copied() else { return Ok(()) };
        if until <= now {
            barred.until.remove(&key);
            return Ok(());
        }
        let left = Duration::from(until.duration_since(now));
        Err(ComeBack { seconds: left.as_secs().saturating_add(1) })
    }

    /// Notes a wrong challenge from this address.
    pub fn wrong(&self, address: IpAddr) {
        let key = network_of(address);
        let refused = self.limiter.check_key(&key).err().map(|until| until.earliest_possible());
        let now = self.clock.now();
        let mut barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = refused {
            barred.until.insert(key, until);
        }
        barred.since_sweep += 1;
        if barred.since_sweep >= SWEEP_EVERY {
            barred.since_sweep = 0;
            barred.until.retain(|_, until| *until > now);
            self.limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn guard() -> (Guard<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limits = LimitsSection {
            wrong_challenges_a_minute: 6,
            wrong_challenges_at_once: 3,
            ..LimitsSection::default()
        };
        (Guard::with_clock(&limits, clock.clone()), clock)
    }

    #[test]
    fn an_address_that_guesses_is_barred_until_its_rate_allows_another_try() {
        let (guard, clock) = guard();
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..3 {
            guard.wrong(address);
            assert_eq!(guard.check(address), Ok(()));
        }
        guard.wrong(address);
        let back = guard.check(address).unwrap_err();
        assert!((1..=11).contains(&back.seconds), "{back:?}");
        assert_eq!(guard.check(IpAddr::from([192, 0, 2, 2])), Ok(()), "others are not concerned");
        clock.advance(Duration::from_secs(11));
        assert_eq!(guard.check(address), Ok(()));
    }

    #[test]
    fn an_ipv6_client_cannot_change_its_address_to_guess_on() {
        let (guard, _clock) = guard();
        for last in 0..4_u16 {
            guard.wrong(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]));
        }
        assert!(guard.check(IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9])).is_err());
        assert!(guard.check(IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1])).is_ok());
    }
}
