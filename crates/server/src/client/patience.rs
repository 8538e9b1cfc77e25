//! What a client does when a server has too much to do: it comes again when it is told to, but not for ever.
//!
//! What is asked is not known here.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use lanyard_pki::Time;

/// How often a server is asked the same at most.
const ATTEMPTS: u32 = 10;

/// How long to wait where a server has too much to do and does not say until when.
const UNTOLD: Duration = Duration::from_secs(10);

/// How long a client lets a server put it off.
#[derive(Clone)]
pub struct Patience {
    most: Duration,
    told: Arc<dyn Fn(&PutOff) + Send + Sync>,
}

/// A server has put the client off, and the client is going to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutOff {
    /// What it answered.
    pub status: StatusCode,
    /// When the client comes again.
    pub again_in: Duration,
}

impl fmt::Display for PutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, again_in } = self;
        write!(f, "The server answers {status}; coming again in {} s.", again_in.as_secs())
    }
}

impl Patience {
    /// No answer but the first counts.
    pub fn none() -> Self {
        Self::of(Duration::ZERO, |_| {})
    }

    /// Waits so long for one answer, all in all; `told` hears of every time.
    pub fn of(most: Duration, told: impl Fn(&PutOff) + Send + Sync + 'static) -> Self {
        Self { most, told: Arc::new(told) }
    }

    /// The patience for one answer.
    pub(super) fn begin(&self) -> Waiting<'_> {
        Waiting { patience: self, asked: 1, waited: Duration::ZERO }
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("most", &self.most).finish_non_exhaustive()
    }
}

/// Waiting for one answer.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    patience: &'a Patience,
    asked: u32,
    waited: Duration,
}

/// What to do about an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Take it as it is.
    Take,
    /// Ask again after this.
    Again(Duration),
    /// Ask no more: it would take too long.
    GiveUp(GivenUp),
}

/// Why a client that was put off does not come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp {
    /// How often it asked.
    pub asked: u32,
    /// How long it waited.
    pub waited: Duration,
    /// When the server wants to be asked again, where it said so.
    pub again_in: Option<Duration>,
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, waited, again_in } = self;
        let times = if *asked == 1 { "once" } else { "every time" };
        write!(f, "{times} ({asked} in {} s)", waited.as_secs())?;
        if let Some(again_in) = again_in {
            write!(f, "; it wants to be asked again in {} s", again_in.as_secs())?;
        }
        Ok(())
    }
}

impl Waiting<'_> {
    /// What to do about an answer with this status and these headers.
    pub(super) fn next(&mut self, status: StatusCode, headers: &HeaderMap, now: Time) -> Next {
        let told = retry_after(headers, now);
        let put_off = match (status, told) {
            (StatusCode::TOO_MANY_REQUESTS, told) => told.unwrap_or(UNTOLD),
            (StatusCode::SERVICE_UNAVAILABLE, Some(told)) => told,
            _ => return Next::Take,
        };
        if self.patience.most.is_zero() {
            return Next::Take;
        }
        let waited = self.waited.saturating_add(put_off);
        if waited > self.patience.most || self.asked == ATTEMPTS {
            let (asked, waited) = (self.asked, self.waited);
            return Next::GiveUp(GivenUp { asked, waited, again_in: told });
        }
        (self.asked, self.waited) = (self.asked + 1, waited);
        (self.patience.told)(&PutOff { status, again_in: put_off });
        Next::Again(put_off)
    }
}

/// Retry-After in either form (RFC 9110 section 10.2.3). A date that has passed is now; what is neither is not there.
fn retry_after(headers: &HeaderMap, now: Time) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()) {
        // More seconds than can be counted are for ever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let at = Time::from_unix(i64::try_from(at.as_secs()).ok()?);
    Some(Duration::from_secs(u64::try_from(at.seconds_since(now)).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http::HeaderValue;

    use super::*;

    /// Fri, 15 Jan 2027 08:00:00 GMT.
    const NOW: Time = Time::from_unix(1_800_000_000);

    fn headers(retry_after: Option<&str>) -> HeaderMap {
        let value = |text| (RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        retry_after.map(value).into_iter().collect()
    }

    #[test]
    fn a_server_says_when_to_come_again_in_seconds_or_by_date() {
        for (text, expected) in [
            ("0", Some(0)),
            ("17", Some(17)),
            ("Fri, 15 Jan 2027 08:01:30 GMT", Some(90)),
            ("Friday, 15-Jan-27 08:00:05 GMT", Some(5)),
            ("Fri Jan 15 08:00:07 2027", Some(7)),
            ("Fri, 15 Jan 2027 07:59:00 GMT", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let told = retry_after(&headers(Some(text)), NOW);
            assert_eq!(told, expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn only_an_answer_that_puts_off_is_waited_for() {
        let patience = Patience::of(Duration::from_mins(5), |_| {});
        let next = |status, told| patience.begin().next(status, &headers(told), NOW);
        let again = |seconds| Next::Again(Duration::from_secs(seconds));
        assert_eq!(next(StatusCode::TOO_MANY_REQUESTS, Some("3")), again(3));
        assert_eq!(next(StatusCode::TOO_MANY_REQUESTS, None), again(10));
        assert_eq!(next(StatusCode::SERVICE_UNAVAILABLE, Some("3")), again(3));
        assert_eq!(next(StatusCode::SERVICE_UNAVAILABLE, None), Next::Take);
        assert_eq!(next(StatusCode::OK, Some("3")), Next::Take);
        let first = Patience::none();
        let taken = first.begin().next(StatusCode::TOO_MANY_REQUESTS, &headers(None), NOW);
        assert_eq!(taken, Next::Take);
    }

    #[test]
    fn patience_ends_with_its_time_or_its_attempts() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let lines = heard.clone();
        let patience = Patience::of(Duration::from_secs(30), move |put_off| {
            lines.lock().unwrap().push(put_off.to_string());
        });
        let busy = StatusCode::TOO_MANY_REQUESTS;
        let mut waiting = patience.begin();
        for seconds in ["20", "10"] {
            let next = waiting.next(busy, &headers(Some(seconds)), NOW);
            assert!(matches!(next, Next::Again(_)), "{next:?}");
        }
        let Next::GiveUp(given_up) = waiting.next(busy, &headers(Some("1")), NOW) else {
            panic!("more than 30 s")
        };
        let text = "every time (3 in 30 s); it wants to be asked again in 1 s";
        assert_eq!(given_up.to_string(), text);
        let line = "The server answers 429 Too Many Requests; coming again in 20 s.";
        assert_eq!(heard.lock().unwrap()[0], line);

        let mut waiting = patience.begin();
        let next = (0..20).map(|_| waiting.next(busy, &headers(Some("0")), NOW));
        let asked_again = next.take_while(|next| matches!(next, Next::Again(_))).count();
        assert_eq!(asked_again, 9);
    }
}
