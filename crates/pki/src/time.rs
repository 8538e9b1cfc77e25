//! Instants as X.509 writes them: whole seconds of UTC between the years 0 and 9999.
//!
//! The clock is elsewhere; an instant is an argument.

use crate::tlv::{DerError, Tag};
use std::{fmt, str::FromStr};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime};

/// An instant: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// 9999-12-31T23:59:59Z: "no well-defined end" (RFC 5280, 4.1.2.5).
    pub const NO_WELL_DEFINED_END: Self = Self(253_402_300_799);
    /// The first instant of the year 0, the earliest that can be written.
    pub const MIN: Self = Self(-62_167_219_200);
    /// The first instant that is written as GeneralizedTime: 2050-01-01T00:00:00Z.
    const GENERALIZED_FROM: Self = Self(2_524_608_000);
    /// The first instant that UTCTime can write: 1950-01-01T00:00:00Z.
    const UTC_TIME_FROM: Self = Self(-631_152_000);

    /// From seconds since 1970. What lies beyond the years 0 to 9999 becomes the nearest instant that
    /// can be written.
    pub const fn from_unix(seconds: i64) -> Self {
        if seconds < Self::MIN.0 {
            Self::MIN
        } else if seconds > Self::NO_WELL_DEFINED_END.0 {
            Self::NO_WELL_DEFINED_END
        } else {
            Self(seconds)
        }
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// So many seconds later (or earlier), at most the ends of what can be written.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to `self`; negative when `earlier` is the later one.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The calendar's view, UTC.
    pub fn calendar(self) -> OffsetDateTime {
        // The range of `Time` lies within the calendar's, so that the fallback is never taken.
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// `YYYYMMDDHHMMSSZ`
    pub fn generalized(self) -> String {
        self.generalized_octets().map(char::from).iter().collect()
    }

    /// The contents of a GeneralizedTime, without an allocation.
    pub fn generalized_octets(self) -> [u8; 15] {
        let at = self.calendar();
        let year = u16::try_from(at.year()).unwrap_or(0);
        let [century, year] = [year / 100, year % 100].map(two_digits);
        let [month, day] = [u8::from(at.month()), at.day()].map(|n| two_digits(n.into()));
        let [hour, minute, second] =
            [at.hour(), at.minute(), at.second()].map(|n| two_digits(n.into()));
        let [[c1, c0], [y1, y0], [m1, m0], [d1, d0]] = [century, year, month, day];
        let [[h1, h0], [n1, n0], [s1, s0]] = [hour, minute, second];
        [c1, c0, y1, y0, m1, m0, d1, d0, h1, h0, n1, n0, s1, s0, b'Z']
    }

    /// Whether RFC 5280, 4.1.2.5, writes it as UTCTime: from 1950 to 2049.
    pub fn is_utc_time(self) -> bool {
        (Self::UTC_TIME_FROM..Self::GENERALIZED_FROM).contains(&self)
    }

    /// Tag and contents by RFC 5280, 4.1.2.5: UTCTime from 1950 to 2049, else GeneralizedTime.
    pub fn to_der_contents(self) -> (Tag, String) {
        let mut text = self.generalized();
        if self.is_utc_time() {
            (Tag::UTC_TIME, text.split_off(2))
        } else {
            (Tag::GENERALIZED_TIME, text)
        }
    }

    /// Reads the contents of a UTCTime (`YYMMDDHHMMSSZ`, years 1950 to 2049) or GeneralizedTime
    /// (`YYYYMMDDHHMMSSZ`). Which of the two a year calls for is for the linter to say.
    pub fn from_der_contents(tag: Tag, contents: &[u8]) -> Result<Self, DerError> {
        const MALFORMED: DerError = DerError::Value("a time that is not in the form of RFC 5280");
        let (year, rest) = match tag {
            Tag::UTC_TIME => {
                let (year, rest) = contents.split_first_chunk::<2>().ok_or(MALFORMED)?;
                let year = decimal(year).ok_or(MALFORMED)?;
                (year + if year < 50 { 2000 } else { 1900 }, rest)
            }
            Tag::GENERALIZED_TIME => {
                let (year, rest) = contents.split_first_chunk::<4>().ok_or(MALFORMED)?;
                (decimal(year).ok_or(MALFORMED)?, rest)
            }
            found => return Err(DerError::Unexpected { expected: Tag::UTC_TIME, found }),
        };
        let &[m1, m0, d1, d0, h1, h0, n1, n0, s1, s0, b'Z'] = rest else {
            return Err(MALFORMED);
        };
        let two = |tens, ones| decimal(&[tens, ones]).and_then(|value| u8::try_from(value).ok());
        let read = || {
            let month = Month::try_from(two(m1, m0)?).ok()?;
            let date = Date::from_calendar_date(year, month, two(d1, d0)?).ok()?;
            let time = time::Time::from_hms(two(h1, h0)?, two(n1, n0)?, two(s1, s0)?).ok()?;
            Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
        };
        read().map(Self).ok_or(MALFORMED)
    }
}

/// A number below 100 as two digits.
fn two_digits(number: u16) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or(0))
}

fn decimal(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + i32::from(digit - b'0'))
    })
}

impl fmt::Display for Time {
    /// RFC 3339: `2026-11-21T07:40:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.calendar();
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a time of RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time like 2026-11-21T07:40:00Z")]
pub struct ParseTimeError;

impl FromStr for Time {
    type Err = ParseTimeError;

    /// Reads RFC 3339, any offset; fractions of a second are cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
            .map(|at| Self::from_unix(at.unix_timestamp()))
            .map_err(|_| ParseTimeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_year_decides_between_utc_time_and_generalized_time() {
        let last = Time::from_unix(2_524_607_999);
        assert_eq!(last.to_der_contents(), (Tag::UTC_TIME, "491231235959Z".into()));
        let next = last.plus(1);
        assert_eq!(next.to_der_contents(), (Tag::GENERALIZED_TIME, "20500101000000Z".into()));
        let old = Time::from_unix(-631_152_001);
        assert_eq!(old.to_der_contents(), (Tag::GENERALIZED_TIME, "19491231235959Z".into()));
        assert_eq!(Time::NO_WELL_DEFINED_END.generalized(), "99991231235959Z");
        assert_eq!(Time::MIN.generalized(), "00000101000000Z");
    }

    #[test]
    fn what_is_not_whole_seconds_of_utc_is_refused() {
        for text in ["491231235959", "4912312359Z", "491231235959+0000", "491331235959Z", "", "Z"] {
            assert!(Time::from_der_contents(Tag::UTC_TIME, text.as_bytes()).is_err(), "{text}");
        }
        for text in ["20500101000000.5Z", "20500101000060Z", "20500230000000Z", "2050010100000aZ"] {
            let read = Time::from_der_contents(Tag::GENERALIZED_TIME, text.as_bytes());
            assert!(read.is_err(), "{text}");
        }
        assert!(Time::from_der_contents(Tag::IA5_STRING, b"491231235959Z").is_err());
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_the_calendar() {
        assert_eq!(Time::from_unix(0).plus(i64::MAX), Time::NO_WELL_DEFINED_END);
        assert_eq!(Time::from_unix(0).plus(i64::MIN), Time::MIN);
    }

    #[test]
    fn rfc_3339_is_written_and_read() {
        let time: Time = "2026-11-21T08:40:00.75+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-21T07:40:00Z");
        assert_eq!("yesterday".parse::<Time>(), Err(ParseTimeError));
    }

    proptest! {
        #[test]
        fn every_instant_survives_its_encoding(seconds in Time::MIN.0..=Time::NO_WELL_DEFINED_END.0) {
            let time = Time::from_unix(seconds);
            let (tag, text) = time.to_der_contents();
            prop_assert_eq!(Time::from_der_contents(tag, text.as_bytes()), Ok(time));
            let text = time.generalized();
            prop_assert_eq!(Time::from_der_contents(Tag::GENERALIZED_TIME, text.as_bytes()), Ok(time));
            prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
        }

        #[test]
        fn hostile_contents_never_panic(tag in any::<u8>(), bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            let _ = Time::from_der_contents(Tag(tag), &bytes);
        }
    }
}
