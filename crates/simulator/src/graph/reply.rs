//! Answers of Graph: status, headers, body.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::error::GraphError;
use super::throttle::Used;
use crate::Shared;

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Value>,
}

/// What a request came to.
pub(super) type Outcome = Result<(StatusCode, Option<Value>), GraphError>;

impl Reply {
    /// The answer to a request that `client_request` is the client's name for.
    pub(super) fn of(shared: &Shared, outcome: Outcome, client_request: &str) -> Self {
        let request = shared.world.fresh_guid();
        let own = request.to_string();
        let client_request = if client_request.is_empty() { own.as_str() } else { client_request };
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set("request-id", &own);
        set("client-request-id", client_request);
        let (status, body) = match outcome {
            Ok((status, body)) => (status, body),
            Err(error) => {
                if let Some(wait) = error.retry_after {
                    set("retry-after", &wait.as_secs_f64().ceil().max(1.0).to_string());
                }
                if let Some(location) = &error.location {
                    set("location", location);
                }
                let body = error.body(shared.world.now(), request, client_request);
                (error.status, Some(body))
            }
        };
        Self { status, headers, body }
    }

    /// Says what the request used of its limit.
    pub(super) fn with_usage(mut self, used: Option<Used>) -> Self {
        if let Some(used) = used {
            self.headers.insert("x-ms-resource-unit", HeaderValue::from(used.units));
            let share =
                used.share.and_then(|share| HeaderValue::try_from(format!("{share:.2}")).ok());
            if let Some(share) = share {
                self.headers.insert("x-ms-throttle-limit-percentage", share);
                let scope = HeaderValue::from_static("Tenant_Application/ReadWrite");
                self.headers.insert("x-ms-throttle-scope", scope);
            }
        }
        self
    }

    /// As an answer to a request of its own.
    pub(super) fn into_response(self) -> Response {
        let mut response = match self.body {
            // The number of objects, as plain text.
            Some(Value::Number(number)) => {
                let mut response = (self.status, number.to_string()).into_response();
                let text = HeaderValue::from_static("text/plain");
                response.headers_mut().extend(self.headers);
                response.headers_mut().insert(header::CONTENT_TYPE, text);
                return response;
            }
            Some(body) => (self.status, Json(body)).into_response(),
            None => self.status.into_response(),
        };
        response.headers_mut().extend(self.headers);
        if response.headers().get(header::CONTENT_TYPE).is_some() {
            let json = "application/json;odata.metadata=minimal;odata.streaming=true;\
                        IEEE754Compatible=false;charset=utf-8";
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(json));
        }
        response
    }
}
