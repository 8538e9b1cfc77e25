//! A service's answer, read with suspicion: what claims to be JSON may be a proxy's page.

use std::fmt;
use std::time::Duration;

use ::http::header::{CONTENT_TYPE, HeaderMap};
use ::http::{Response, StatusCode};
use bytes::Bytes;
use lanyard_pki::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::pause;
use crate::ignorance::{Ignorance, Why};

/// What a service answered.
#[derive(Clone)]
pub struct Answer {
    service: &'static str,
    operation: &'static str,
    /// When it was asked: what the answer says was true then or later.
    pub asked: Time,
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

/// The forms in which the services describe errors. All are optional: nothing relies on them but
/// messages, and what a connector itself looks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Errors {
    /// Graph and Intune: an object; Entra's token endpoint: a word.
    error: Value,
    error_description: Option<String>,
    /// Jamf Pro.
    #[serde(rename = "errors")]
    list: Vec<Described>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Described {
    code: Option<String>,
    message: Option<String>,
    description: Option<String>,
    #[serde(rename = "Message")]
    inner: Option<String>,
}

impl Answer {
    pub(crate) fn new(
        service: &'static str,
        operation: &'static str,
        asked: Time,
        response: Response<Bytes>,
    ) -> Self {
        let (parts, body) = response.into_parts();
        Self { service, operation, asked, status: parts.status, headers: parts.headers, body }
    }

    /// The body of an answer of status 2xx, as JSON.
    ///
    /// # Errors
    /// For every other status, for HTML, JSON inside a string, lists, and every form but the one
    /// asked for. The message never quotes the body: it may hold a token.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Ignorance> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        // What reads an object into fields takes a list of the fields for one, too.
        if let Some(oddity) = self.oddity() {
            return Err(self.unreadable(oddity));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            self.unreadable(format!("not the documented form (line {line}, column {column})"))
        })
    }

    /// The body as JSON whatever the status; none when it is not JSON of that form.
    pub fn any_json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// That the service declined, with its own words.
    pub fn refusal(&self) -> Ignorance {
        let status = self.status.as_u16();
        let why = match status {
            401 => Why::Unauthorized,
            403 => Why::Forbidden { permission: None },
            500.. => Why::Failing { status },
            _ => Why::Refused { status },
        };
        Ignorance::new(self.service, self.operation, why, self.explanation())
    }

    /// That the answer cannot be read, and why.
    pub fn unreadable(&self, detail: impl AsRef<str>) -> Ignorance {
        Ignorance::new(self.service, self.operation, Why::Unreadable, detail)
    }

    /// The error's code as the service gives it; none when the body is not its error document.
    pub fn error_code(&self) -> Option<String> {
        let errors: Errors = self.any_json()?;
        match errors.error {
            Value::String(word) => Some(word),
            object @ Value::Object(_) => described(object).code,
            _ => errors.list.into_iter().next()?.code,
        }
    }

    /// The service's own words on what is wrong, or what its body is instead.
    pub fn explanation(&self) -> String {
        if let Some(oddity) = self.oddity() {
            return oddity.to_owned();
        }
        let Some(errors) = self.any_json::<Errors>() else {
            return "no error document".to_owned();
        };
        let (code, message) = match errors.error {
            Value::String(word) => (Some(word), errors.error_description),
            object @ Value::Object(_) => {
                let described = described(object);
                (described.code, described.message)
            }
            _ => match errors.list.into_iter().next() {
                Some(described) => (described.code, described.description.or(described.message)),
                None => (None, None),
            },
        };
        match (code, message.map(|text| unwrapped(&text))) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) => "no error document".to_owned(),
        }
    }

    /// How long the service asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        pause::asked_for(&self.headers, self.asked)
    }

    /// An answer that came inside this one.
    pub(crate) fn part(&self, status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let Self { service, operation, asked, .. } = *self;
        Self { service, operation, asked, status, headers, body }
    }

    /// The service's time of day, from the `Date` header.
    pub fn date(&self) -> Option<Time> {
        let date = self.headers.get(::http::header::DATE)?.to_str().ok()?;
        pause::http_date(date)
    }

    /// What the body is where JSON was to be.
    fn oddity(&self) -> Option<&'static str> {
        let content = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let html = content.is_some_and(|content| content.trim_start().starts_with("text/html"));
        let first = self.body.iter().find(|octet| !octet.is_ascii_whitespace());
        match first {
            None => Some("an empty body"),
            Some(b'<') => Some("HTML or XML instead of JSON: something in between answers"),
            _ if html => Some("HTML instead of JSON: something in between answers"),
            Some(b'"') => Some("a JSON text inside a string"),
            Some(b'[') => Some("a JSON list where an object was to be"),
            Some(_) => None,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("service", &self.service)
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn described(object: Value) -> Described {
    serde_json::from_value(object).unwrap_or_default()
}

/// The message inside a message that is itself a JSON text, as Intune writes them.
fn unwrapped(message: &str) -> String {
    match serde_json::from_str::<Described>(message) {
        Ok(Described { inner: Some(inner), .. } | Described { message: Some(inner), .. }) => inner,
        _ => message.to_owned(),
    }
}
