//! Refusals of Graph, in its envelope.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::entra::BearerError;
use crate::tenant::{NoTenant, Time};

/// A request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct GraphError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// When to come again, where the service says so.
    pub(super) retry_after: Option<Duration>,
    /// Where to start again.
    pub(super) location: Option<String>,
}

impl GraphError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, location: None }
    }

    /// There is no such object.
    pub(super) fn not_found(what: &str) -> Self {
        let message = format!(
            "Resource '{what}' does not exist or one of its queried reference-property objects are \
             not present."
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
    }

    /// Intune has no such object, and says so as its services do: JSON inside a string of JSON.
    pub(super) fn not_managed(activity: Uuid) -> Self {
        let message = format!(
            "{{\r\n  \"_version\": 3,\r\n  \"Message\": \"An error has occurred - Operation ID (for \
             customer support): 00000000-0000-0000-0000-000000000000 - Activity ID: {activity}\",\r\n  \
             \"CustomApiErrorPhrase\": \"\",\r\n  \"RetryAfter\": null,\r\n  \
             \"ErrorSourceService\": \"\",\r\n  \"HttpHeaders\": \"{{}}\"\r\n}}"
        );
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    /// There is no such address.
    pub(super) fn no_segment(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{segment}'.");
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The request makes no sense.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The directory does not understand the request.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    /// A permission is missing.
    pub(super) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    }

    /// Too many requests.
    pub(super) fn throttled(retry_after: Option<Duration>) -> Self {
        let message = "Too many requests have been sent in a given amount of time.";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message);
        Self { retry_after, ..error }
    }

    /// The position of a delta query is not kept any more.
    pub(super) fn resync(location: String) -> Self {
        let message = "The delta token is expired: synchronise again from the beginning.";
        let error = Self::new(StatusCode::GONE, "syncStateNotFound", message);
        Self { location: Some(location), ..error }
    }

    /// The envelope.
    pub(super) fn body(&self, now: Time, request: Uuid, client_request: &str) -> Value {
        json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": now.to_string().trim_end_matches('Z'),
                "request-id": request,
                "client-request-id": client_request,
            },
        }})
    }
}

impl From<BearerError> for GraphError {
    fn from(error: BearerError) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", error.to_string())
    }
}

impl From<NoTenant> for GraphError {
    fn from(error: NoTenant) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", error.to_string())
    }
}
