//! Pauses between attempts: our own with jitter, and those that a service asks for.

use std::time::Duration;

use ::http::header::{DATE, HeaderMap, RETRY_AFTER};
use lanyard_pki::Time;
use time::PrimitiveDateTime;
use time::macros::format_description;

/// What a service may ask for at most; more is taken for this. Services ask for seconds or minutes;
/// what asks for more is likely a page for people, and would keep facts from being read.
const LONGEST: Duration = Duration::from_mins(10);

/// The pause after the given attempt (the first is 1): twice as long each time, of which half is
/// certain and half depends on `chance`, so that those who failed together do not return together.
pub(super) fn with_jitter(
    first: Duration,
    longest: Duration,
    attempt: u32,
    chance: u32,
) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let whole = first.saturating_mul(1 << doublings).min(longest);
    whole / 2 + (whole / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// How long a service asks to be left alone: `x-ms-retry-after-ms`, or `Retry-After` in seconds
/// (whole ones by RFC 9110 section 10.2.3, but services write fractions) or as a date.
pub(super) fn asked_for(headers: &HeaderMap, now: Time) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let exact = text("x-ms-retry-after-ms").and_then(|text| text.parse::<f64>().ok());
    if let Some(asked) = exact.and_then(|ms| seconds(ms / 1000.0)) {
        return Some(asked);
    }
    let text = text(RETRY_AFTER.as_str())?;
    if let Ok(asked) = text.parse::<f64>() {
        return seconds(asked);
    }
    // The service's own clock tells how far its date is off; ours might not.
    let date = headers.get(DATE).and_then(|value| value.to_str().ok());
    let now = date.and_then(http_date).unwrap_or(now);
    let asked = u64::try_from(http_date(text)?.seconds_since(now).max(0)).ok()?;
    Some(Duration::from_secs(asked).min(LONGEST))
}

fn seconds(asked: f64) -> Option<Duration> {
    (asked >= 0.0).then(|| Duration::try_from_secs_f64(asked).unwrap_or(LONGEST).min(LONGEST))
}

/// An IMF-fixdate (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<Time> {
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let at = PrimitiveDateTime::parse(text, form).ok()?;
    Some(Time::from_unix(at.assume_utc().unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        asked_for(&headers, Time::from_unix(784_111_777))
    }

    #[test]
    fn retry_after_is_read_in_every_form_that_services_write() {
        assert_eq!(asked("retry-after", "3"), Some(Duration::from_secs(3)));
        assert_eq!(asked("retry-after", " 0.25 "), Some(Duration::from_millis(250)));
        assert_eq!(asked("x-ms-retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        let date = "Sun, 06 Nov 1994 08:49:47 GMT";
        assert_eq!(asked("retry-after", date), Some(Duration::from_secs(10)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn a_date_counts_from_the_services_own_clock() {
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        headers.insert("retry-after", HeaderValue::from_static("Sun, 06 Nov 1994 08:49:39 GMT"));
        assert_eq!(asked_for(&headers, Time::from_unix(0)), Some(Duration::from_secs(2)));
    }

    #[test]
    fn nonsense_asks_for_nothing_and_too_much_is_cut() {
        for text in ["", "soon", "-1", "NaN", "1994"] {
            let asked = asked("retry-after", text);
            assert!(asked.is_none() || text == "1994", "{text}: {asked:?}");
        }
        for text in ["1e300", "inf", "86400"] {
            assert_eq!(asked("retry-after", text), Some(LONGEST), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_pause_lies_between_half_and_the_whole(attempt in 0_u32..100, chance: u32) {
            let (first, longest) = (Duration::from_millis(500), Duration::from_secs(10));
            let pause = with_jitter(first, longest, attempt, chance);
            prop_assert!(pause >= first / 2 && pause <= longest);
        }
    }
}
