//! Problem documents (RFC 9457): how doors that have no error form of their own say that they do not answer.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::limits::ComeBack;
use crate::limits::body::BodyError;

/// A problem, in words for people and with a status for programs.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(serialize_with = "number")]
    status: StatusCode,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with the status's own title.
    pub fn new(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self { status, title, detail: None, fault: None, retry_after: None }
    }

    /// Says what is wrong with this request.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the fault of ours under which the log has the cause.
    #[must_use]
    pub fn fault(mut self, id: impl Into<String>) -> Self {
        self.fault = Some(id.into());
        self
    }

    /// Says when to come again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The document's text and media type, as a response with any body.
    pub fn render<B: From<Bytes>>(&self) -> http::Response<B> {
        let document = serde_json::to_vec(self).unwrap_or_default();
        let mut response = http::Response::new(B::from(Bytes::from(document)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.render()
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::new(error.status()).detail(error.to_string())
    }
}

impl From<ComeBack> for Problem {
    fn from(back: ComeBack) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS)
            .detail(format!("Try again in {} seconds.", back.seconds))
            .retry_after(back.seconds)
    }
}
