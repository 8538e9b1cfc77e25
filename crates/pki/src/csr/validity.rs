//! The validity that a request asks for by Windows' name and value pairs.

use crate::Time;
use time::{Date, Month};

/// A unit of time, as Windows names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodUnit {
    /// `Seconds`
    Seconds,
    /// `Minutes`
    Minutes,
    /// `Hours`
    Hours,
    /// `Days`
    Days,
    /// `Weeks`
    Weeks,
    /// `Months`, of the calendar
    Months,
    /// `Years`, of the calendar
    Years,
}

impl PeriodUnit {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Seconds, "Seconds"),
        (Self::Minutes, "Minutes"),
        (Self::Hours, "Hours"),
        (Self::Days, "Days"),
        (Self::Weeks, "Weeks"),
        (Self::Months, "Months"),
        (Self::Years, "Years"),
    ];

    fn from_name(name: &str) -> Option<Self> {
        let named = |(_, listed): &&(Self, &str)| listed.eq_ignore_ascii_case(name);
        Self::NAMES.iter().find(named).map(|(unit, _)| *unit)
    }

    /// The name that Windows has for it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(unit, _)| *unit == self).map_or("", |(_, name)| name)
    }
}

/// So many units of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedValidity {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: PeriodUnit,
}

impl RequestedValidity {
    /// From the names and values of all pairs. Whichever of the two values is a number is the count.
    pub(super) fn from_pairs(pairs: impl Iterator<Item = (String, String)>) -> Option<Self> {
        let (mut count, mut unit) = (None, None);
        for (name, value) in pairs {
            let value = match [name.trim(), value.trim()] {
                [name, value] if names_validity(name) => value,
                [value, name] if names_validity(name) => value,
                _ => continue,
            };
            match value.parse::<u32>() {
                Ok(number) => count = count.or(Some(number)),
                Err(_) => unit = unit.or(PeriodUnit::from_name(value)),
            }
        }
        Some(Self { count: count?, unit: unit? })
    }

    /// The instant that is so much later. A day that the later month does not have becomes its last.
    pub fn after(self, start: Time) -> Time {
        let count = i64::from(self.count);
        match self.unit {
            PeriodUnit::Seconds => start.plus(count),
            PeriodUnit::Minutes => start.plus(count * 60),
            PeriodUnit::Hours => start.plus(count * 3600),
            PeriodUnit::Days => start.plus(count * 86_400),
            PeriodUnit::Weeks => start.plus(count * 604_800),
            PeriodUnit::Months => months_after(start, count),
            PeriodUnit::Years => months_after(start, count * 12),
        }
    }
}

/// Whether a text is the name of one of the two pairs.
fn names_validity(text: &str) -> bool {
    matches!(text, "ValidityPeriod" | "ValidityPeriodUnits")
}

fn months_after(start: Time, months: i64) -> Time {
    let at = start.calendar();
    let total = i64::from(at.year()) * 12 + i64::from(u8::from(at.month())) - 1 + months;
    let date = || {
        let year = i32::try_from(total.div_euclid(12)).ok()?;
        let month = u8::try_from(total.rem_euclid(12) + 1).ok()?;
        let month = Month::try_from(month).ok()?;
        let day = at.day().min(month.length(year));
        Date::from_calendar_date(year, month, day).ok()
    };
    date().map_or(Time::NO_WELL_DEFINED_END, |date| {
        Time::from_unix(date.with_time(at.time()).assume_utc().unix_timestamp())
    })
}
