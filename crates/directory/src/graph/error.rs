//! What Graph says when it does not have what was asked for. This is the only place that decides
//! what proves an absence.

use ::http::StatusCode;
use serde::Deserialize;

use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};

/// Which of the services behind Graph answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// The directory: users and devices.
    Directory,
    /// Intune: managed devices.
    DeviceManagement,
    /// Entra ID Protection: risky users.
    Protection,
}

/// Whether an answer proves that the object asked for does not exist.
///
/// Proof is status 404 with Graph's error document, `{"error":{"code",…}}`, and the code
/// `Request_ResourceNotFound`. Intune and Entra ID Protection have a code of their own,
/// `ResourceNotFound`, which Graph's gateway also gives for an address that it does not know
/// ("Invalid version"). It counts from Intune only where the message is the service's own document
/// (a JSON text with `_version`), which the gateway never writes. It never counts for users and
/// devices. A 404 with HTML, with nothing, or with any other code proves nothing.
pub fn is_not_found(answer: &Answer, workload: Workload) -> bool {
    if answer.status != StatusCode::NOT_FOUND {
        return false;
    }
    let Some(Envelope { error }) = answer.any_json() else { return false };
    match (error.code.as_str(), workload) {
        ("Request_ResourceNotFound", _) => true,
        ("ResourceNotFound", Workload::DeviceManagement) => {
            serde_json::from_str::<ServiceDocument>(&error.message).is_ok()
        }
        // That a user is not at risk is asked of a collection that other calls have just read.
        ("ResourceNotFound" | "NotFound", Workload::Protection) => {
            !error.message.to_ascii_lowercase().contains("invalid version")
        }
        _ => false,
    }
}

/// Whether an answer says that a cursor is too old, or is none: the round starts again.
pub fn is_expired_cursor(answer: &Answer) -> bool {
    if answer.status == StatusCode::GONE {
        return true;
    }
    let expired = |code: String| EXPIRED.iter().any(|known| code.eq_ignore_ascii_case(known));
    answer.status.is_client_error() && answer.error_code().is_some_and(expired)
}

const EXPIRED: [&str; 5] = [
    "resyncRequired",
    "syncStateNotFound",
    "syncStateInvalid",
    "Directory_ExpiredPageToken",
    "Request_ExpiredPageToken",
];

/// An answer inside a batch, as the service's client would have judged it had it come alone.
///
/// # Errors
/// For 401, 403, 408, 429 and everything from 500 on.
pub fn settled(answer: Answer, permission: &'static str) -> Result<Answer, Ignorance> {
    let mut refusal = match answer.status.as_u16() {
        401 | 408 | 425 | 429 | 500.. => answer.refusal(),
        403 => {
            let mut refusal = answer.refusal();
            refusal.why = Why::Forbidden { permission: Some(permission) };
            refusal
        }
        ..=199 | 300..=399 => answer.unreadable("an answer of no use inside a batch"),
        _ => return Ok(answer),
    };
    match answer.status.as_u16() {
        429 => refusal.why = Why::Throttled { retry_after: answer.retry_after() },
        status @ (408 | 425) => refusal.why = Why::Failing { status },
        _ => {}
    }
    Err(refusal)
}

#[derive(Deserialize)]
struct Envelope {
    error: Described,
}

#[derive(Deserialize)]
struct Described {
    code: String,
    #[serde(default)]
    message: String,
}

/// What Intune writes into the message of its errors.
#[derive(Deserialize)]
struct ServiceDocument {
    #[serde(rename = "_version")]
    _version: u32,
}
