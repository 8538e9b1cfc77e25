//! A signed answer that may be given out again, and the facts about it that HTTP caches ask for (RFC 5019 section 6).
//!
//! How the facts are written into headers is the door's affair.

use aws_lc_rs::digest;
use bytes::Bytes;
use lanyard_pki::Time;

use crate::status::generations::{Generations, Stamp};

/// What an HTTP cache may know of a document that stays as it is for a while.
///
/// The texts are header values, written once when the document was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caching {
    /// When the document was made: thisUpdate.
    pub this_update: Time,
    /// Until when it may be relied on: nextUpdate.
    pub next_update: Time,
    /// `Last-Modified`: thisUpdate as an HTTP date.
    pub last_modified: Bytes,
    /// `Expires`: nextUpdate as an HTTP date.
    pub expires: Bytes,
    /// `ETag`: a strong one, with its quotes.
    pub etag: Bytes,
}

impl Caching {
    /// The facts about `document`, and the document: all in one allocation.
    pub(crate) fn of(document: Vec<u8>, this_update: Time, next_update: Time) -> (Bytes, Self) {
        let digest = digest::digest(&digest::SHA256, &document);
        let mut whole = document;
        let end = whole.len();
        whole.extend_from_slice(http_date(this_update).as_bytes());
        let modified = whole.len();
        whole.extend_from_slice(http_date(next_update).as_bytes());
        let expired = whole.len();
        whole.extend_from_slice(format!("\"{}\"", hex::encode(&digest.as_ref()[..16])).as_bytes());
        let whole = Bytes::from(whole);
        let caching = Self {
            this_update,
            next_update,
            last_modified: whole.slice(end..modified),
            expires: whole.slice(modified..expired),
            etag: whole.slice(expired..),
        };
        (whole.slice(..end), caching)
    }

    /// `max-age` for an answer that leaves at `now`, in seconds: until nextUpdate.
    pub fn max_age(&self, now: Time) -> u64 {
        u64::try_from(self.next_update.seconds_since(now)).unwrap_or(0)
    }
}

/// IMF-fixdate of RFC 9110 section 5.6.7.
fn http_date(time: Time) -> String {
    let at = time.calendar();
    let weekday = at.weekday().to_string();
    let month = at.month().to_string();
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        &weekday[..3],
        at.day(),
        &month[..3],
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// An answer with its signature, and for how long it is worth something.
#[derive(Debug)]
pub(crate) struct Signed {
    /// The OCSPResponse.
    pub(crate) der: Bytes,
    /// What HTTP caches may know of it.
    pub(crate) caching: Caching,
    /// What it was made from: the generation of every certificate in it.
    stamps: Box<[Stamp]>,
}

impl Signed {
    pub(crate) fn new(
        der: Vec<u8>,
        this_update: Time,
        next_update: Time,
        stamps: Box<[Stamp]>,
    ) -> Self {
        let (der, caching) = Caching::of(der, this_update, next_update);
        Self { der, caching, stamps }
    }

    /// Whether every certificate in it still stands as it says.
    pub(crate) fn is_true(&self, generations: &Generations) -> bool {
        self.stamps.iter().all(|stamp| generations.is_current(*stamp))
    }

    /// Whether it may be given out at `now`: true, and neither from the future nor outdated.
    pub(crate) fn is_current(&self, generations: &Generations, now: Time) -> bool {
        self.caching.this_update <= now
            && now < self.caching.next_update
            && self.is_true(generations)
    }

    /// Octets on the heap, roughly.
    pub(crate) fn weight(&self) -> u64 {
        (size_of::<Self>() + self.der.len() + size_of_val(&*self.stamps)) as u64 + TEXTS
    }
}

/// Two dates, a tag, what counts the references to them, and what the allocator keeps beside all that.
const TEXTS: u64 = 160;

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn dates_are_written_as_http_has_them() {
        assert_eq!(http_date(time("1994-11-06T08:49:37Z")), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(time("2026-09-01T00:00:00Z")), "Tue, 01 Sep 2026 00:00:00 GMT");
    }

    #[test]
    fn the_age_that_is_left_shrinks_to_nothing() {
        let (answer, caching) =
            Caching::of(b"answer".to_vec(), Time::from_unix(1_000), Time::from_unix(1_600));
        assert_eq!(&answer[..], b"answer");
        assert_eq!(&caching.last_modified[..], b"Thu, 01 Jan 1970 00:16:40 GMT");
        assert_eq!(&caching.expires[..], b"Thu, 01 Jan 1970 00:26:40 GMT");
        assert_eq!(caching.max_age(Time::from_unix(1_000)), 600);
        assert_eq!(caching.max_age(Time::from_unix(1_599)), 1);
        assert_eq!(caching.max_age(Time::from_unix(1_601)), 0);
    }

    #[test]
    fn the_tag_is_the_documents_own() {
        let tag = |document: &[u8]| {
            Caching::of(document.to_vec(), Time::from_unix(0), Time::from_unix(9)).1.etag
        };
        assert_eq!(tag(b"one"), tag(b"one"));
        assert_ne!(tag(b"one"), tag(b"two"));
        assert!(tag(b"one").starts_with(b"\"") && tag(b"one").ends_with(b"\""));
    }
}
