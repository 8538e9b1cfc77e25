//! From when to when a certificate is valid.

use std::time::Duration;

use lanyard_pki::Time;
use lanyard_pki::csr::RequestedValidity;

use crate::refusal::Refusal;

/// A validity: first and last second, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first second.
    pub not_before: Time,
    /// The last second.
    pub not_after: Time,
}

/// What holds for the certificates of every endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest validity, counted from issuance on.
    pub longest: Duration,
    /// How long before its issuance a certificate begins to be valid, for devices whose clock is
    /// slow.
    pub clock_skew: Duration,
}

impl Default for Limits {
    /// 730 days, and a day.
    fn default() -> Self {
        Self { longest: Duration::from_hours(730 * 24), clock_skew: Duration::from_hours(24) }
    }
}

impl Limits {
    /// The end is the earliest of what is asked, what the endpoint and the installation allow, and
    /// the issuer's own end. The beginning is backdated, but never before the issuer's.
    pub(super) fn decide(
        &self,
        longest: Duration,
        issuer: Period,
        asked: Option<RequestedValidity>,
        now: Time,
    ) -> Result<Period, Refusal> {
        if now < issuer.not_before || issuer.not_after <= now {
            return Err(Refusal::AuthorityNotValid);
        }
        let allowed = now.plus(seconds(longest.min(self.longest)));
        let wanted = asked.map_or(allowed, |asked| asked.after(now));
        let not_after = allowed.min(wanted).min(issuer.not_after);
        if not_after <= now {
            return Err(Refusal::ValidityImpossible);
        }
        let not_before = now.plus(-seconds(self.clock_skew)).max(issuer.not_before);
        Ok(Period { not_before, not_after })
    }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use lanyard_pki::csr::PeriodUnit;
    use proptest::prelude::*;

    use super::*;

    const NOW: Time = Time::from_unix(1_800_000_000);
    const DAY: i64 = 86_400;

    fn issuer(from: i64, to: i64) -> Period {
        Period { not_before: NOW.plus(from), not_after: NOW.plus(to) }
    }

    const fn days(count: u32) -> RequestedValidity {
        RequestedValidity { count, unit: PeriodUnit::Days }
    }

    #[test]
    fn the_earliest_end_counts() {
        let endpoint = Duration::from_hours(100 * 24);
        let long_lived = issuer(-30 * DAY, 4000 * DAY);
        let cases = [
            (endpoint, long_lived, None, 100),
            (endpoint, long_lived, Some(days(10)), 10),
            (endpoint, long_lived, Some(days(1000)), 100),
            (Duration::MAX, long_lived, None, 730),
            (Duration::MAX, long_lived, Some(days(u32::MAX)), 730),
            (endpoint, issuer(-30 * DAY, 5 * DAY), Some(days(10)), 5),
        ];
        for (longest, issuer, asked, end) in cases {
            let period = Limits::default().decide(longest, issuer, asked, NOW).unwrap();
            assert_eq!(period.not_after, NOW.plus(end * DAY));
            assert_eq!(period.not_before, NOW.plus(-DAY));
        }
    }

    #[test]
    fn it_never_begins_before_its_issuer() {
        let fresh = issuer(-60, 10 * DAY);
        let period = Limits::default().decide(Duration::MAX, fresh, None, NOW).unwrap();
        assert_eq!(period.not_before, NOW.plus(-60));
    }

    #[test]
    fn an_authority_that_has_ended_or_not_begun_issues_nothing() {
        for outside in [issuer(-10, 0), issuer(-10, -1), issuer(1, 10)] {
            let refused = Limits::default().decide(Duration::MAX, outside, None, NOW);
            assert_eq!(refused, Err(Refusal::AuthorityNotValid));
        }
    }

    #[test]
    fn no_time_at_all_is_refused() {
        let none = Some(days(0));
        let refused = Limits::default().decide(Duration::MAX, issuer(-1, DAY), none, NOW);
        assert_eq!(refused, Err(Refusal::ValidityImpossible));
    }

    proptest! {
        #[test]
        fn it_lies_within_its_issuer_and_the_limits(
            from in 0_i64..10_000_000, to in 1_i64..1_000_000_000, count: u32,
            endpoint in 1_u64..100_000_000, longest in 1_u64..100_000_000, skew: u32,
        ) {
            let limits = Limits {
                longest: Duration::from_secs(longest),
                clock_skew: Duration::from_secs(u64::from(skew)),
            };
            let issuer = issuer(-from, to);
            let asked = Some(RequestedValidity { count, unit: PeriodUnit::Seconds });
            let decided = limits.decide(Duration::from_secs(endpoint), issuer, asked, NOW);
            prop_assert_eq!(decided.is_err(), count == 0);
            if let Ok(period) = decided {
                prop_assert!(issuer.not_before <= period.not_before && period.not_before <= NOW);
                prop_assert!(NOW < period.not_after && period.not_after <= issuer.not_after);
                let span = period.not_after.seconds_since(NOW).unsigned_abs();
                prop_assert!(span <= endpoint.min(longest).min(u64::from(count)));
            }
        }
    }
}
