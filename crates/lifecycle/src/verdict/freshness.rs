//! How long an answer may be relied on.

use std::time::Duration;

use lanyard_pki::Time;

use super::{State, Verdict};

/// How long a verdict may be cached, by what it says. Settings; the default is 10 minutes, 5
/// minutes and 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// A good certificate.
    pub good: Duration,
    /// A certificate on hold, one whose revocation may pass, and one that is not known.
    pub on_hold: Duration,
    /// A certificate that is revoked for good; never past the certificate's end.
    pub permanent: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            good: Duration::from_mins(10),
            on_hold: Duration::from_mins(5),
            permanent: Duration::from_hours(7 * 24),
        }
    }
}

impl Freshness {
    /// Until when an answer given at `now` may be relied on (`nextUpdate`); none for a verdict that
    /// is no answer.
    ///
    /// Never past the instant at which the verdict may change by itself, and for a lasting one
    /// never past `not_after`, the certificate's end, unless that is past already. Never before
    /// `now`.
    #[must_use]
    pub fn until(&self, verdict: &Verdict, not_after: Option<Time>, now: Time) -> Option<Time> {
        let after = |span: Duration| now.plus(i64::try_from(span.as_secs()).unwrap_or(i64::MAX));
        let until = match verdict.state {
            State::Good => after(self.good),
            State::Revoked { .. } if verdict.is_lasting() => {
                let end = not_after.filter(|end| *end > now);
                end.map_or(after(self.permanent), |end| end.min(after(self.permanent)))
            }
            // A revocation that may pass is told for no longer than a hold.
            State::Revoked { .. } | State::OnHold { .. } | State::Unknown => after(self.on_hold),
            State::Undecided => return None,
        };
        Some(verdict.next_change.map_or(until, |change| until.min(change)).max(now))
    }
}
