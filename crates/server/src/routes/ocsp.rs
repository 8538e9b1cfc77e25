//! `/ocsp`, by GET and POST (RFC 6960 appendix A, RFC 5019), without the web framework.
//!
//! This is the busiest path by far and most of its answers are at hand: what a framework costs is worth a third here.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use lanyard_authority::answer::Answer;
use lanyard_pki::ocsp::{OcspRequest, ResponseStatus};
use lanyard_pki::url_base64;
use metrics::{Counter, Histogram, counter};
use tracing::{Instrument as _, Level, Span};

use crate::app::App;
use crate::extract::Client;
use crate::limits::body;
use crate::observe;
use crate::problem::Problem;

const ANSWERS: &str = "lanyard_ocsp_answers_total";
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/ocsp-response");
const NOT_STORED: HeaderValue = HeaderValue::from_static("no-store");

/// What is counted about OCSP, looked up once.
#[derive(Debug)]
pub struct Counters {
    successful: Counter,
    malformed: Counter,
    unauthorized: Counter,
    try_later: Counter,
    seconds: Histogram,
}

impl Default for Counters {
    fn default() -> Self {
        let counter = |status: &'static str| counter!(ANSWERS, "status" => status);
        Self {
            successful: counter("successful"),
            malformed: counter("malformedRequest"),
            unauthorized: counter("unauthorized"),
            try_later: counter("tryLater"),
            seconds: observe::request_seconds("/ocsp"),
        }
    }
}

/// What follows `/ocsp` in a path, where the path is ours. Slashes may be doubled anywhere before the message; one
/// never begins with a slash.
pub fn path(path: &str) -> Option<&str> {
    let rest = path.trim_start_matches('/').strip_prefix("ocsp")?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}

/// Answers an OCSP request.
pub async fn answer(
    app: &Arc<App>,
    request: Request<Incoming>,
    client: Client,
) -> Response<Full<Bytes>> {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let der = match parts.method {
        Method::POST => {
            let limit = app.config.limits.ocsp_body.octets();
            match body::read(body, limit, app.config.listen.body_timeout.into()).await {
                Ok(der) => der,
                Err(error) => {
                    observe::refused("ocsp", error.reason());
                    return Problem::from(error).render();
                }
            }
        }
        Method::GET => message(path(parts.uri.path()).unwrap_or_default()),
        _ => return only_get_and_post(),
    };
    let answer = match span(&der, client) {
        None => app.authority.answer(&der).await,
        Some(span) => {
            let answer = app.authority.answer(&der).instrument(span.clone()).await;
            span.in_scope(
                || tracing::debug!(status = ?answer.status(), "Answered an OCSP request"),
            );
            answer
        }
    };
    count(&app.ocsp, &answer, client);
    let response = render(app, &answer, &parts.method, &parts.headers);
    app.ocsp.seconds.record(began.elapsed());
    response
}

/// What the log says about a request, where it says so much; for everybody else it costs the look at a level.
fn span(der: &[u8], client: Client) -> Option<Span> {
    if !tracing::enabled!(Level::DEBUG) {
        return None;
    }
    Some(tracing::debug_span!(
        "ocsp",
        cert.serial = serials(der),
        client.address = client.0.map(tracing::field::display),
    ))
}

/// The serial numbers that a request asks about; none of what cannot be read.
fn serials(der: &[u8]) -> String {
    let request = OcspRequest::from_der(der).ok();
    let asked = request.iter().flat_map(OcspRequest::requests);
    let serials = asked.filter_map(|single| single.id.serial().ok());
    serials.map(|serial| serial.to_string()).collect::<Vec<_>>().join(" ")
}

/// The request in a path: base64, percent-encoded or not. What is neither becomes an empty request, which is malformed.
fn message(text: &str) -> Bytes {
    url_base64::decode(text).map(|(octets, _)| Bytes::from(octets)).unwrap_or_default()
}

fn count(counters: &Counters, answer: &Answer, client: Client) {
    match answer.status() {
        ResponseStatus::Successful => &counters.successful,
        ResponseStatus::MalformedRequest => &counters.malformed,
        ResponseStatus::Unauthorized => &counters.unauthorized,
        _ => &counters.try_later,
    }
    .increment(1);
    if answer.is_crowded_out() {
        observe::refused("ocsp", "too many under way");
    }
    if let Some(fault) = answer.fault() {
        observe::fault("ocsp");
        tracing::error!(
            fault.id = %fault.id(),
            client.address = client.0.map(tracing::field::display),
            "An OCSP request got tryLater: {}",
            fault.report()
        );
    }
}

fn render(app: &App, answer: &Answer, method: &Method, asked: &HeaderMap) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.der()));
    let headers = response.headers_mut();
    headers.reserve(6);
    headers.insert(CONTENT_TYPE, MEDIA_TYPE);
    let Some(caching) = answer.caching() else {
        headers.insert(CACHE_CONTROL, NOT_STORED);
        return response;
    };
    let age = caching.max_age(app.now());
    let control = format!("max-age={age},public,no-transform,must-revalidate");
    let texts = [
        (CACHE_CONTROL, Bytes::from(control)),
        (LAST_MODIFIED, caching.last_modified.clone()),
        (EXPIRES, caching.expires.clone()),
        (ETAG, caching.etag.clone()),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_maybe_shared(text) {
            headers.insert(name, value);
        }
    }
    let known = asked.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == &caching.etag[..]);
    if method == Method::GET && known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Full::default();
    }
    response
}

fn only_get_and_post() -> Response<Full<Bytes>> {
    let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED)
        .detail("OCSP is asked by GET or POST.")
        .render::<Full<Bytes>>();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_found_however_the_client_joins_it() {
        assert_eq!(path("/ocsp"), Some(""));
        assert_eq!(path("/ocsp/"), Some(""));
        assert_eq!(path("//ocsp//MFEw"), Some("MFEw"));
        assert_eq!(path("/ocsp/MFEw//ab/cd"), Some("MFEw//ab/cd"), "slashes of the message stay");
        assert_eq!(path("/ocspx"), None);
        assert_eq!(path("/static"), None);
    }

    #[test]
    fn a_message_is_decoded_from_every_form_that_clients_send() {
        let der = [0xfb, 0xff, 0xbf];
        for text in ["%2B/%2B/", "+/+/", "%2b%2F%2b%2F"] {
            assert_eq!(message(text), Bytes::copy_from_slice(&der), "{text}");
        }
        assert_eq!(message("%zz"), Bytes::new());
    }
}
