//! One question to a service, before it is asked.

use std::fmt;
use std::time::Duration;

use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use ::http::{Method, Uri};
use bytes::Bytes;
use serde::Serialize;
use url::Url;

use crate::token::Tokens;

/// A question: what, where, and how often it may be asked.
///
/// Addresses, headers and bodies hold names of people and secrets and are never shown.
#[derive(Clone)]
pub struct Call<'a> {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) tokens: Option<&'a Tokens>,
    pub(super) permission: Option<&'static str>,
    pub(super) retry: Retry,
    pub(super) deadline: Option<Duration>,
    pub(super) attempt: Option<Duration>,
}

/// Whether a call that was not answered may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Always: doing it twice is doing it once.
    Always,
    /// Only when it surely was not carried out: no connection, 429, 503.
    Unprocessed,
    /// Never.
    Never,
}

impl<'a> Call<'a> {
    /// A GET for JSON. `operation` says what for in a few words ("look up a user"), for people and
    /// metrics: a constant, never with names or ids.
    pub fn get(operation: &'static str, url: &Url) -> Self {
        Self::new(operation, Method::GET, url)
    }

    /// A POST, PATCH or DELETE that is not sent again when it may have been carried out, until
    /// [`Call::retry`] says otherwise; a GET that always may.
    pub fn new(operation: &'static str, method: Method, url: &Url) -> Self {
        // What `Url` writes is a subset of what `Uri` reads, but for absurd lengths; the transport
        // refuses the empty address.
        let uri = Uri::try_from(url.as_str()).unwrap_or_default();
        let retry = if method == Method::GET { Retry::Always } else { Retry::Unprocessed };
        let headers =
            HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self {
            operation,
            method,
            uri,
            headers,
            body: Bytes::new(),
            tokens: None,
            permission: None,
            retry,
            deadline: None,
            attempt: None,
        }
    }

    /// With a JSON body.
    ///
    /// # Errors
    /// When `body` has no JSON form, such as a map with keys that are no strings.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.body = serde_json::to_vec(body)?.into();
        Ok(self.header(CONTENT_TYPE, "application/json; charset=utf-8"))
    }

    /// With a form as body.
    #[must_use]
    pub fn form<'f>(mut self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body = form.into();
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// With a header in place of any of that name. A value that no header can have is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(mut value) = HeaderValue::try_from(value.as_ref()) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// With a bearer token. A token that is refused is dropped, unless it is new, and the call made
    /// once more with another.
    #[must_use]
    pub const fn bearer(mut self, tokens: &'a Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Names the permission that it needs, for the message when it is missing.
    #[must_use]
    pub const fn permission(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }

    /// Says when it may be sent again.
    #[must_use]
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// With a deadline other than the service's.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// With a patience for each attempt other than the service's.
    #[must_use]
    pub const fn each_within(mut self, attempt: Duration) -> Self {
        self.attempt = Some(attempt);
        self
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
