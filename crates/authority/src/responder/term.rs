//! The term of a delegated responder: how long its certificate is valid and when the next one is made.
//!
//! Making it is not done here.

use std::time::Duration;

use lanyard_pki::Time;

/// A responder certificate's validity and the moment from which another takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    /// Backdated, for clients whose clock is behind.
    pub(crate) not_before: Time,
    /// No answer is good past it.
    pub(crate) not_after: Time,
    /// Half way: so the answers that may be relied on longest have the other half before them.
    pub(crate) renew_at: Time,
}

impl Term {
    /// The term of a responder made at `now`, within its CA's own validity; none when the CA's has ended or not begun,
    /// so that nothing it signs is worth anything.
    pub(crate) fn beginning(
        now: Time,
        validity: Duration,
        clock_skew: i64,
        ca: (Time, Time),
    ) -> Option<Self> {
        let (ca_not_before, ca_not_after) = ca;
        if now < ca_not_before || now >= ca_not_after {
            return None;
        }
        let seconds = i64::try_from(validity.as_secs()).unwrap_or(i64::MAX).max(2);
        let not_after = now.plus(seconds).min(ca_not_after);
        let half = not_after.seconds_since(now) / 2;
        // The last responder of a CA is kept to the end: another would end with it.
        let renew_at = if not_after == ca_not_after { not_after } else { now.plus(half) };
        let not_before = now.plus(clock_skew.saturating_neg()).max(ca_not_before);
        Some(Self { not_before, not_after, renew_at })
    }

    /// Whether another responder should be made.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        now >= self.renew_at
    }

    /// Whether the certificate is valid.
    pub(crate) fn holds(&self, now: Time) -> bool {
        self.not_before <= now && now < self.not_after
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::days;

    const NOW: Time = Time::from_unix(1_800_000_000);
    const DAY: i64 = 86_400;

    #[test]
    fn a_responder_is_renewed_half_way() {
        let ca = (NOW.plus(-DAY), NOW.plus(3650 * DAY));
        let term = Term::beginning(NOW, days(14), 3600, ca).unwrap();
        assert_eq!(term.not_before, NOW.plus(-3600));
        assert_eq!(term.not_after, NOW.plus(14 * DAY));
        assert_eq!(term.renew_at, NOW.plus(7 * DAY));
    }

    #[test]
    fn a_responder_never_outlives_its_ca() {
        let ca = (NOW.plus(-60), NOW.plus(DAY));
        let term = Term::beginning(NOW, days(14), 3600, ca).unwrap();
        assert_eq!(term, Term { not_before: ca.0, not_after: ca.1, renew_at: ca.1 });
    }

    #[test]
    fn a_ca_that_has_ended_has_no_responder() {
        assert_eq!(Term::beginning(NOW, days(14), 0, (NOW.plus(-DAY), NOW)), None);
        assert_eq!(Term::beginning(NOW, days(14), 0, (NOW.plus(1), NOW.plus(DAY))), None);
    }

    proptest! {
        #[test]
        fn a_term_lies_within_its_cas_and_is_due_before_it_ends(
            before in 0_i64..100 * DAY, left in 1_i64..4_000 * DAY,
            validity in 0_u64..1_000_000_000, skew in 0_i64..10 * DAY,
        ) {
            let ca = (NOW.plus(-before), NOW.plus(left));
            let term = Term::beginning(NOW, Duration::from_secs(validity), skew, ca).unwrap();
            prop_assert!(ca.0 <= term.not_before && term.not_after <= ca.1);
            prop_assert!(term.holds(NOW) && !term.is_due(NOW));
            prop_assert!(term.is_due(term.not_after));
        }
    }
}
