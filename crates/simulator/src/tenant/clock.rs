//! The simulator's time: that of the machine, or one that stands still, and either can be moved on.
//!
//! Tokens, challenges, deltas and limits all follow this one clock, so that an hour or a week is
//! rehearsed by asking for it.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// An instant, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// The instant this many seconds after 1970.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The instant this many milliseconds after 1970.
    pub const fn from_unix_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Whole seconds since 1970.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds since 1970.
    pub const fn unix_milliseconds(self) -> i64 {
        self.0
    }

    /// The instant `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(span)))
    }

    /// The instant `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(milliseconds(span)))
    }

    /// How long after `earlier` this is; nothing when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// As calendar and clock in UTC.
    pub fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Reads an RFC 3339 date and time.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }
}

/// RFC 3339 in UTC, with milliseconds only where there are some: as Graph writes dates.
impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        let text = self.date_time().format(whole).map_err(|_| fmt::Error)?;
        match self.0.rem_euclid(1000) {
            0 => write!(formatter, "{text}Z"),
            part => write!(formatter, "{text}.{part:03}Z"),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!("{text:?} is no date and time as in 2026-11-21T11:00:00Z"))
        })
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Where a clock starts, and whether it runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// Starts now and runs with the machine.
    #[default]
    Running,
    /// Starts here and moves only when it is told to.
    Manual(Time),
}

/// A clock that can be moved on.
#[derive(Debug)]
pub struct Clock {
    pace: Pace,
    ahead: AtomicI64,
}

impl Clock {
    /// A clock that has not been moved.
    pub const fn new(pace: Pace) -> Self {
        Self { pace, ahead: AtomicI64::new(0) }
    }

    /// The time.
    pub fn now(&self) -> Time {
        let base = match self.pace {
            Pace::Running => machine(),
            Pace::Manual(start) => start,
        };
        Time(base.0.saturating_add(self.ahead.load(Ordering::SeqCst)))
    }

    /// Moves the clock on. Directories do not run backwards, so neither does this.
    pub fn advance(&self, span: Duration) -> Time {
        let span = milliseconds(span);
        // A closure that always answers makes an update that always succeeds.
        let _ = self.ahead.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| {
            Some(ahead.saturating_add(span))
        });
        self.now()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator is the outside world, this is its clock"
)]
fn machine() -> Time {
    let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
    Time(i64::try_from(nanoseconds / 1_000_000).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_told_to() {
        let clock = Clock::new(Pace::Manual(Time::from_unix_seconds(1_800_000_000)));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now().unix_milliseconds(), 1_800_000_001_500);
    }

    #[test]
    fn a_running_clock_is_ahead_of_the_machine_by_what_it_was_moved() {
        let (plain, moved) = (Clock::new(Pace::Running), Clock::new(Pace::Running));
        moved.advance(Duration::from_hours(24));
        assert!(moved.now().since(plain.now()) > Duration::from_hours(23));
    }

    #[test]
    fn dates_are_written_and_read_as_graph_writes_them() {
        let time = Time::from_unix_milliseconds(1_795_255_383_250);
        assert_eq!(time.to_string(), "2026-11-21T10:03:03.250Z");
        assert_eq!(Time::parse("2026-11-21T10:03:03.25Z"), Some(time));
        assert_eq!(Time::from_unix_seconds(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Time::parse("yesterday"), None);
    }
}
