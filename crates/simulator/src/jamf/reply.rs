//! Answers of Jamf Pro: JSON of the Pro API, XML, JSON or a page of HTML of the Classic API.

use super::tree::Node;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: StatusCode,
    content: &'static str,
    body: Bytes,
    cookie: Option<String>,
}

impl Reply {
    /// The same answer, which also sets a cookie.
    #[must_use]
    pub fn with_cookie(self, cookie: String) -> Self {
        Self { cookie: Some(cookie), ..self }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        if !self.content.is_empty() {
            let content = HeaderValue::from_static(self.content);
            response.headers_mut().insert(header::CONTENT_TYPE, content);
        }
        if let Some(cookie) = self.cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

fn reply(status: StatusCode, content: &'static str, body: impl Into<Bytes>) -> Reply {
    Reply { status, content, body: body.into(), cookie: None }
}

/// JSON.
pub(super) fn json_reply(status: StatusCode, body: &Value) -> Reply {
    reply(status, "application/json", body.to_string())
}

/// Nothing.
pub(super) fn empty() -> Reply {
    reply(StatusCode::NO_CONTENT, "", Bytes::new())
}

/// An error of the Pro API.
pub(super) fn error(
    status: StatusCode,
    code: &str,
    field: Option<&str>,
    description: &str,
) -> Reply {
    json_reply(
        status,
        &json!({
            "httpStatus": status.as_u16(),
            "traceId": uuid::Uuid::new_v4().simple().to_string(),
            "errors": [{ "code": code, "field": field, "description": description, "id": "0" }],
        }),
    )
}

/// No token, or none that is valid.
pub(super) fn unauthorized() -> Reply {
    error(StatusCode::UNAUTHORIZED, "INVALID_TOKEN", None, "Unauthorized")
}

/// A privilege is missing.
pub(super) fn forbidden() -> Reply {
    error(StatusCode::FORBIDDEN, "INVALID_PRIVILEGE", None, "Forbidden")
}

/// There is no object with this id.
pub(super) fn no_such_object(id: &str) -> Reply {
    let description = format!("Object with id {id} does not exist");
    error(StatusCode::NOT_FOUND, "INVALID_ID", Some("id"), &description)
}

/// What the Classic API's caller takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Unless something else is asked for.
    Xml,
    /// `Accept: application/json`
    Json,
}

/// A document of the Classic API.
pub(super) fn document(status: StatusCode, format: Format, tree: &Node) -> Reply {
    match format {
        Format::Xml => reply(status, "application/xml;charset=UTF-8", tree.xml()),
        Format::Json => reply(status, "application/json;charset=UTF-8", tree.json().to_string()),
    }
}

/// A page for people, which is what the Classic API shows where something is wrong.
pub(crate) fn page(status: StatusCode, text: &str) -> Reply {
    let title = status.canonical_reason().unwrap_or_default();
    let code = status.as_u16();
    let body = format!(
        "<html>\n<head>\n   <title>Status page</title>\n</head>\n<body style=\"font-family: \
         sans-serif;\">\n<p style=\"font-size: 1.2em;font-weight: bold;margin: 1em 0px;\">{title}\
         </p>\n<p>{text}</p>\n<p>Error {code}</p>\n</body>\n</html>\n"
    );
    reply(status, "text/html;charset=UTF-8", body)
}
