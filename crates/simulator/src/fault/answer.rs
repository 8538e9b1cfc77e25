//! What a service says when it fails, each in its own words.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::response::{Html, IntoResponse as _, Response};
use futures_util::future::ready;
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::rule::{Fault, Kind, Service};
use crate::http_server::TearDown;
use crate::jamf;
use crate::tenant::World;

/// The answer of a fault that answers.
pub(super) fn instead(service: Service, path: &str, fault: &Fault, world: &World) -> Response {
    // The Classic API shows people a page where something is wrong.
    let is_classic = service == Service::Jamf && path.contains("/JSSResource/");
    let refuse = |service, status, world| {
        if is_classic { classic(status) } else { refuse(service, status, world) }
    };
    let status =
        |default| fault.status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(default);
    match fault.kind {
        Kind::Unauthorized => refuse(service, StatusCode::UNAUTHORIZED, world),
        Kind::Forbidden => refuse(service, StatusCode::FORBIDDEN, world),
        Kind::NotFound => refuse(service, StatusCode::NOT_FOUND, world),
        Kind::Throttled => {
            let mut response = refuse(service, StatusCode::TOO_MANY_REQUESTS, world);
            let after = fault.retry_after.map(|seconds| seconds.to_string());
            if let Some(after) = after.and_then(|after| HeaderValue::try_from(after).ok()) {
                response.headers_mut().insert(header::RETRY_AFTER, after);
            }
            response
        }
        Kind::ServerError if is_classic => classic(status(StatusCode::INTERNAL_SERVER_ERROR)),
        Kind::ServerError => internal(status(StatusCode::INTERNAL_SERVER_ERROR), world),
        Kind::Html => {
            let page = "<!DOCTYPE html><html><head><title>Service unavailable</title></head>\
                        <body><h1>Our services aren't available right now</h1></body></html>";
            (status(StatusCode::OK), Html(page)).into_response()
        }
        _ => torn_down(),
    }
}

/// Half of an answer under the length of a whole one.
pub(super) async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return torn_down() };
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = body.slice(..body.len() / 2);
    let broken = async {
        // What was written so far is on its way before the connection breaks.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
    };
    let pieces = stream::once(ready(Ok::<Bytes, _>(half))).chain(stream::once(broken));
    Response::from_parts(parts, Body::from_stream(pieces))
}

fn torn_down() -> Response {
    let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
    response.extensions_mut().insert(TearDown);
    response
}

/// An internal error as Intune's services write it: JSON inside a string of JSON.
fn internal(status: StatusCode, world: &World) -> Response {
    let id = world.fresh_guid();
    let message = format!(
        "{{\r\n  \"_version\": 3,\r\n  \"Message\": \"An internal server error has occurred - \
         Operation ID (for customer support): 00000000-0000-0000-0000-000000000000 - Activity ID: \
         {id}\",\r\n  \"CustomApiErrorPhrase\": \"\",\r\n  \"RetryAfter\": null,\r\n  \
         \"ErrorSourceService\": \"\",\r\n  \"HttpHeaders\": \"{{}}\"\r\n}}"
    );
    let body = json!({ "error": {
        "code": "InternalError",
        "message": message,
        "innerError": {
            "date": world.now().to_string(),
            "request-id": id,
            "client-request-id": id,
        },
    }});
    (status, Json(body)).into_response()
}

fn classic(status: StatusCode) -> Response {
    jamf::page(status, "The request could not be carried out.").into_response()
}

fn refuse(service: Service, status: StatusCode, world: &World) -> Response {
    let body = match service {
        Service::Entra | Service::Imds => entra(status, world),
        Service::Graph | Service::Intune => graph(status, world),
        Service::Jamf => json!({ "httpStatus": status.as_u16(), "errors": [{
            "code": status.canonical_reason().unwrap_or_default().to_uppercase().replace(' ', "_"),
            "field": "",
            "description": status.canonical_reason(),
            "id": "0",
        }]}),
    };
    (status, Json(body)).into_response()
}

fn graph(status: StatusCode, world: &World) -> Value {
    let (code, message) = match status {
        StatusCode::UNAUTHORIZED => {
            ("InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        }
        StatusCode::FORBIDDEN => {
            ("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        }
        StatusCode::NOT_FOUND => (
            "Request_ResourceNotFound",
            "Resource does not exist or one of its queried \
              reference-property objects are not present.",
        ),
        _ => ("TooManyRequests", "Too many requests."),
    };
    let id = world.fresh_guid();
    json!({ "error": { "code": code, "message": message, "innerError": {
        "date": world.now().to_string(), "request-id": id, "client-request-id": id,
    }}})
}

fn entra(status: StatusCode, world: &World) -> Value {
    let (error, number, text) = match status {
        StatusCode::TOO_MANY_REQUESTS => ("temporarily_unavailable", 90055, "too many requests"),
        StatusCode::NOT_FOUND => ("invalid_request", 90002, "the tenant was not found"),
        StatusCode::FORBIDDEN => ("access_denied", 53003, "access is blocked by a policy"),
        _ => ("invalid_client", 7_000_215, "an invalid client secret was provided"),
    };
    json!({
        "error": error,
        "error_description": format!("AADSTS{number}: {text}."),
        "error_codes": [number],
        "timestamp": world.now().to_string(),
        "trace_id": world.fresh_guid(),
        "correlation_id": world.fresh_guid(),
    })
}
