//! When Jamf Pro's "not found" is believed.
//!
//! A certificate is revoked for good when its object is gone, so that one answer is not enough:
//! proxies, wrong addresses and retired versions of the API answer 404 as well, and what the Classic
//! API writes into its 404 is documented nowhere. An object is absent when two different questions
//! agree:
//!
//! - Pro API: the object's own address answers 404 with the API's error document, and the list of
//!   the same version, filtered by the id, answers 200 and is empty.
//! - Classic API: the object's own address answers 404, whatever the body, and the list of the whole
//!   collection, fetched after the question was put, answers 200 and does not hold the id.
//!
//! And the account, where it is one and not an API client, has to be known to see the whole instance
//! (`sight.rs`). Everything else leaves the object unknown.

use ::http::StatusCode;

use super::wire::JamfId;
use super::wire::pro::{ErrorEnvelope, Page};
use crate::http::Answer;
use crate::ignorance::Ignorance;

/// The two questions got different answers.
pub(super) const CONTRADICTION: &str = "not found by its id, and yet listed";

/// Whether the object's own address says that there is none: the first of the two.
pub(super) fn pro_says_not_found(answer: &Answer) -> Result<(), Ignorance> {
    let envelope: Option<ErrorEnvelope> = answer.any_json();
    match envelope {
        Some(envelope)
            if answer.status == StatusCode::NOT_FOUND
                && envelope.http_status == StatusCode::NOT_FOUND.as_u16() =>
        {
            Ok(())
        }
        _ => Err(answer.refusal()),
    }
}

/// Whether the filtered list agrees: the second of the two.
pub(super) fn list_agrees<T>(
    answer: &Answer,
    id: JamfId,
    id_of: impl Fn(&T) -> JamfId,
) -> Result<(), Ignorance>
where
    T: serde::de::DeserializeOwned,
{
    let page: Page<T> = answer.json()?;
    if page.results.is_empty() && page.total_count == 0 {
        return Ok(());
    }
    let listed = page.results.into_iter().filter_map(super::wire::Entry::read);
    let contradiction = if listed.into_iter().any(|entry| id_of(&entry) == id) {
        CONTRADICTION
    } else {
        "the list took no notice of the filter"
    };
    Err(answer.unreadable(contradiction))
}
