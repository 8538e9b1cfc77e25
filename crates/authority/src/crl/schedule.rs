//! When a CRL is made anew, for how long it holds, and which full CRL the deltas begin at.
//!
//! Decisions from what is published and what has changed; nothing is made here.

use std::time::Duration;

use lanyard_pki::Time;
use lanyard_store::{CrlNumber, StatusSequence};

use crate::status::settings::CrlSettings;

/// What a schedule needs to know of a CRL that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) number: CrlNumber,
    pub(crate) this_update: Time,
    pub(crate) next_update: Time,
    /// Every change up to here is in it.
    pub(crate) sequence: StatusSequence,
    pub(crate) entries: u64,
}

/// When a CRL made at `now` is to be made anew at the latest.
pub(crate) fn due_at(made: &Made, settings: &CrlSettings) -> Time {
    let regular = made.this_update.plus(interval(settings));
    // However the settings are chosen, a client finds the next one before this one ends.
    let span = made.next_update.seconds_since(made.this_update);
    regular.min(made.this_update.plus(span / 4 * 3))
}

/// Whether a CRL is to be made now: there is none, something has changed, its time has come, or the clock was set back
/// behind it.
pub(crate) fn is_due(
    made: Option<&Made>,
    changed: StatusSequence,
    settings: &CrlSettings,
    now: Time,
) -> bool {
    made.is_none_or(|made| {
        changed > made.sequence || now >= due_at(made, settings) || now < made.this_update
    })
}

/// thisUpdate to nextUpdate, in seconds, within the CA's own validity.
pub(crate) fn next_update(now: Time, validity: Duration, ca_not_after: Time) -> Time {
    now.plus(seconds(validity).max(1)).min(ca_not_after)
}

/// Whether the full CRL just made begins a new row of deltas: there was none, it has lasted its interval, or its deltas
/// have grown to half of what a full one holds.
pub(crate) fn begins_deltas(
    base: Option<&Made>,
    made: &Made,
    changes: u64,
    settings: &CrlSettings,
) -> bool {
    base.is_none_or(|base| {
        made.this_update >= base.this_update.plus(interval(settings))
            || made.this_update < base.this_update
            || changes > made.entries / 2
    })
}

/// The end of validity from which on certificates are listed: one that has ended is listed once more in a CRL made on
/// time after its end (RFC 5280 section 3.3).
pub(crate) fn lists_from(now: Time, before: Option<&Made>, settings: &CrlSettings) -> Time {
    let regular = now.plus(-interval(settings));
    before.map_or(regular, |before| regular.min(before.this_update))
}

/// Seconds between two full CRLs when nothing changes.
fn interval(settings: &CrlSettings) -> i64 {
    seconds(settings.interval).max(1)
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::days;

    const NOW: Time = Time::from_unix(1_800_000_000);
    const DAY: i64 = 86_400;

    fn made(at: Time) -> Made {
        Made {
            number: CrlNumber(7),
            this_update: at,
            next_update: at.plus(7 * DAY),
            sequence: StatusSequence(40),
            entries: 100,
        }
    }

    fn due(made: Option<&Made>, changed: i64, now: Time) -> bool {
        is_due(made, StatusSequence(changed), &CrlSettings::default(), now)
    }

    #[test]
    fn a_crl_is_made_at_first_on_change_and_on_time() {
        assert!(due(None, 0, NOW));
        assert!(!due(Some(&made(NOW)), 40, NOW));
        assert!(due(Some(&made(NOW)), 41, NOW));
        assert!(!due(Some(&made(NOW)), 40, NOW.plus(DAY - 1)));
        assert!(due(Some(&made(NOW)), 40, NOW.plus(DAY)));
        assert!(due(Some(&made(NOW)), 40, NOW.plus(-1)), "the clock was set back");
    }

    #[test]
    fn a_crl_is_made_before_the_last_one_ends_whatever_the_interval() {
        let settings = CrlSettings { interval: days(90), ..CrlSettings::default() };
        assert_eq!(due_at(&made(NOW), &settings), NOW.plus(7 * DAY / 4 * 3));
    }

    #[test]
    fn a_crl_does_not_outlive_its_ca() {
        let week = days(7);
        assert_eq!(next_update(NOW, week, NOW.plus(30 * DAY)), NOW.plus(7 * DAY));
        assert_eq!(next_update(NOW, week, NOW.plus(DAY)), NOW.plus(DAY));
    }

    #[test]
    fn deltas_begin_anew_when_their_base_is_old_or_they_are_long() {
        let settings = CrlSettings::default();
        let base = made(NOW);
        assert!(begins_deltas(None, &base, 0, &settings));
        assert!(!begins_deltas(Some(&base), &made(NOW.plus(DAY - 1)), 50, &settings));
        assert!(begins_deltas(Some(&base), &made(NOW.plus(DAY)), 0, &settings));
        assert!(begins_deltas(Some(&base), &made(NOW.plus(1)), 51, &settings));
    }

    #[test]
    fn a_certificate_is_listed_once_more_after_its_end() {
        let settings = CrlSettings::default();
        assert_eq!(lists_from(NOW, None, &settings), NOW.plus(-DAY));
        let before = made(NOW.plus(-60));
        assert_eq!(lists_from(NOW, Some(&before), &settings), NOW.plus(-DAY));
        let before = made(NOW.plus(-3 * DAY));
        assert_eq!(lists_from(NOW, Some(&before), &settings), NOW.plus(-3 * DAY));
    }
}
