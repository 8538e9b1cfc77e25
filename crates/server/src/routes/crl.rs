//! `/crl/<token>` and `/crl/pem/<token>`: the revocation lists as published last; without the token where they are public.
//!
//! Behind the token, the address of one list: nothing for the current CA's complete list, `<key identifier>` for another
//! CA's, `3` for a partition, `delta` for the changes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use lanyard_authority::crl::{CrlAddress, CrlForm};
use lanyard_lifecycle::id::OrganizationId;
use lanyard_store::CrlPartition;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::config::CrlAccess;
use crate::observe;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/crl", get(whole)).route("/crl/{*rest}", get(part))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Der,
    Pem,
}

async fn whole(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    serve(&app, "", &headers)
}

async fn part(
    State(app): State<Arc<App>>,
    Path(rest): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    serve(&app, &rest, &headers)
}

fn serve(app: &App, rest: &str, asked: &HeaderMap) -> Result<Response, Problem> {
    let (form, rest) = match rest.strip_prefix("pem") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            (Form::Pem, rest.trim_start_matches('/'))
        }
        _ => (Form::Der, rest),
    };
    let address = authorised(app, rest)
        .and_then(|address| address.parse::<CrlAddress>().ok())
        .ok_or_else(no_such_list)?;
    let crl = app.authority.crl(address).ok_or_else(|| missing(app, address))?;
    let body = match form {
        Form::Der => crl.der.clone(),
        Form::Pem => crl.pem(),
    };
    let known = asked.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == &crl.caching.etag[..]);
    let known = known && form == Form::Der;
    let mut response = Response::new(if known { Body::empty() } else { Body::from(body) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let media_type = match form {
        Form::Der => "application/pkix-crl",
        Form::Pem => "application/x-pem-file",
    };
    let age = crl.max_age(app.now()).min(MOST_SECONDS);
    let texts = [
        (CONTENT_TYPE, Bytes::from_static(media_type.as_bytes())),
        (CACHE_CONTROL, Bytes::from(format!("max-age={age}, public, no-transform"))),
        (LAST_MODIFIED, crl.caching.last_modified.clone()),
        (EXPIRES, crl.caching.expires.clone()),
        (ETAG, crl.caching.etag.clone()),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_maybe_shared(text) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

fn no_such_list() -> Problem {
    observe::refused("crl", "no such list");
    Problem::new(StatusCode::NOT_FOUND).detail("There is no such list.")
}

/// A complete list is there for every authority, soon after the start at the latest; others are there or not.
fn missing(app: &App, address: CrlAddress) -> Problem {
    let cas = app.authority.cas();
    let known = match address.ca {
        None => cas.current(OrganizationId::DEFAULT).is_some(),
        Some(ca) => cas.by_key_identifier(&ca).is_some(),
    };
    if known && address.partition == CrlPartition::COMPLETE && address.form == CrlForm::Full {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE)
            .detail("The list is being made.")
            .retry_after(1);
    }
    no_such_list()
}

/// A list may change before its end: copies are to be asked for again after this long.
const MOST_SECONDS: u64 = 300;

/// The list's address, when the token before it is right or none is needed.
fn authorised<'r>(app: &App, rest: &'r str) -> Option<&'r str> {
    let (token, after) = rest.split_once('/').unwrap_or((rest, ""));
    if bool::from(token.as_bytes().ct_eq(app.crl_token.expose_secret().as_bytes())) {
        return Some(after);
    }
    (app.config.crl.access == CrlAccess::Public).then_some(rest)
}
