//! Times as the services write them.

use lanyard_pki::Time;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An RFC 3339 time, the fraction of a second left out; none for what is none.
pub(crate) fn time(text: &str) -> Option<Time> {
    let at = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    Some(Time::from_unix(at.unix_timestamp()))
}

/// `2026-11-21T07:40:00Z`
pub(crate) fn text(at: Time) -> String {
    at.to_string()
}
