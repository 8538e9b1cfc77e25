//! What Graph says when it does not have what was asked for. This is the only place that decides
//! what proves an absence.

use ::http::StatusCode;
use serde_json::Value;

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
/// `ResourceNotFound` (`NotFound`), which Graph's gateway also gives for an address that it does not
/// know ("Invalid version"). It counts from Intune only where the message is the service's own
/// document (a JSON text with `_version`), which the gateway never writes, and from Entra ID
/// Protection where the message is not the gateway's. It never counts for users and devices. A 404
/// with HTML, with nothing, or with any other code proves nothing.
pub fn is_not_found(answer: &Answer, workload: Workload) -> bool {
    if answer.status != StatusCode::NOT_FOUND {
        return false;
    }
    // Read as values: what reads a document into fields takes a list of the fields for one, too.
    let Some(body) = answer.any_json::<Value>() else { return false };
    let error = body.get("error");
    let word = |name| error.and_then(|error| error.get(name)).and_then(Value::as_str);
    let message = word("message").unwrap_or_default();
    match (word("code"), workload) {
        (Some("Request_ResourceNotFound"), _) => true,
        (Some("ResourceNotFound"), Workload::DeviceManagement) => {
            let document = serde_json::from_str::<Value>(message).ok();
            document.is_some_and(|document| document.get("_version").is_some_and(Value::is_u64))
        }
        // Who is not at risk loses nothing by it, and the gateway is told apart by its words.
        (Some("ResourceNotFound" | "NotFound"), Workload::Protection) => {
            !message.to_ascii_lowercase().contains("invalid version")
        }
        _ => false,
    }
}

/// Whether the answer to a link that Graph gave earlier says that the link leads nowhere any more:
/// the round starts again.
///
/// Besides 410 and the codes for it, that is what 400 means, and 404 with Graph's error document:
/// the link is asked for as it was given, so that asking again would be refused again for ever.
/// Nothing is lost by it, since no absence follows from a round that starts again.
pub fn is_expired_cursor(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::GONE | StatusCode::BAD_REQUEST => return true,
        StatusCode::NOT_FOUND if is_described(answer) => return true,
        _ => {}
    }
    let expired = |code: String| EXPIRED.iter().any(|known| code.eq_ignore_ascii_case(known));
    answer.status.is_client_error() && answer.error_code().is_some_and(expired)
}

/// Whether the body is Graph's error document, and not what something in between says.
pub fn is_described(answer: &Answer) -> bool {
    let code = |body: Value| body.get("error")?.get("code").map(Value::is_string);
    answer.any_json().and_then(code).unwrap_or(false)
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

#[cfg(test)]
mod tests {
    use ::http::Response;
    use bytes::Bytes;
    use lanyard_pki::Time;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const WORKLOADS: [Workload; 3] =
        [Workload::Directory, Workload::DeviceManagement, Workload::Protection];

    fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
        let mut response = Response::new(body.into());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Answer::new("Microsoft Graph", "look up", Time::from_unix(0), response)
    }

    /// Documents like those of errors, with the words that matter in every place.
    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!("Request_ResourceNotFound")),
            Just(json!("ResourceNotFound")),
            Just(json!("{\"_version\":3}")),
            Just(json!("")),
            Just(json!(404)),
            Just(Value::Null),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = prop_oneof![Just("error"), Just("code"), Just("message"), Just("x")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn only_the_documented_form_with_status_404_is_a_proof(
            status in prop_oneof![3 => Just(404_u16), 1 => 200_u16..600],
            body in document(),
        ) {
            let (code, message) = (&body["error"]["code"], &body["error"]["message"]);
            let documented = code == "Request_ResourceNotFound";
            let intunes = code == "ResourceNotFound" && message == "{\"_version\":3}";
            let answer = answer(status, body.to_string());
            for workload in WORKLOADS {
                if !is_not_found(&answer, workload) {
                    continue;
                }
                prop_assert_eq!(status, 404);
                let proven = match workload {
                    Workload::Directory => documented,
                    Workload::DeviceManagement => documented || intunes,
                    Workload::Protection => documented || code == "ResourceNotFound",
                };
                prop_assert!(proven, "{:?} by {}", workload, body);
            }
        }

        #[test]
        fn no_octets_are_taken_for_a_proof_by_chance(
            status in 100_u16..600,
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let answer = answer(status, body);
            for workload in WORKLOADS {
                prop_assert!(!is_not_found(&answer, workload));
            }
            let _ = (is_expired_cursor(&answer), answer.explanation(), answer.error_code());
        }
    }

    #[test]
    fn the_documented_form_is_a_proof() {
        let body = json!({ "error": { "code": "Request_ResourceNotFound", "message": "gone" } });
        for workload in WORKLOADS {
            assert!(is_not_found(&answer(404, body.to_string()), workload));
        }
    }
}
