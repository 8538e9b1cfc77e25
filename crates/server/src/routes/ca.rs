//! `/ca`: the authorities' certificates, as DER, as PEM, and with those above them.
//!
//! `/ca` is the current one, `/ca/<key identifier>` any: certificates name the latter, so that it is found for as long as
//! they live.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use lanyard_authority::Ca;
use lanyard_lifecycle::id::OrganizationId;
use lanyard_pki::pem;
use lanyard_store::CaState;

use crate::app::App;
use crate::problem::Problem;

/// How long a copy may be kept: a next CA is announced long before it issues.
const KEPT: &str = "public, max-age=3600";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/ca",
            get(|State(app): State<Arc<App>>| async move { render(&app, None, Form::Der) }),
        )
        .route("/ca/{which}", get(one))
        .route("/ca/{which}/{form}", get(in_form))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The certificate.
    Der,
    /// The certificate, PEM.
    Pem,
    /// The certificate and those above it, PEM.
    Chain,
}

impl Form {
    fn named(name: &str) -> Option<Self> {
        match name {
            "der" => Some(Self::Der),
            "pem" => Some(Self::Pem),
            "chain" => Some(Self::Chain),
            _ => None,
        }
    }
}

async fn one(State(app): State<Arc<App>>, Path(which): Path<String>) -> Result<Response, Problem> {
    match Form::named(&which) {
        Some(form) => render(&app, None, form),
        None => render(&app, Some(&which), Form::Der),
    }
}

async fn in_form(
    State(app): State<Arc<App>>,
    Path((which, form)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let form = Form::named(&form).ok_or_else(no_such_ca)?;
    render(&app, Some(&which), form)
}

fn render(app: &App, which: Option<&str>, form: Form) -> Result<Response, Problem> {
    let cas = app.authority.cas();
    let found = match which {
        None => cas.current(OrganizationId::DEFAULT),
        Some(which) => hex::decode(which).ok().and_then(|key| cas.by_key_identifier(&key)),
    };
    let ca = found.ok_or_else(no_such_ca)?;
    let (media_type, body) = match form {
        Form::Der => ("application/pkix-cert", ca.certificate.as_der().to_vec()),
        Form::Pem => ("application/x-pem-file", pem_of(ca).into_bytes()),
        Form::Chain => ("application/x-pem-file", chain_of(ca).into_bytes()),
    };
    Ok(([(CONTENT_TYPE, media_type), (CACHE_CONTROL, KEPT)], body).into_response())
}

fn no_such_ca() -> Problem {
    Problem::new(StatusCode::NOT_FOUND).detail("There is no such authority here.")
}

/// An authority's certificate, PEM.
pub fn pem_of(ca: &Ca) -> String {
    pem::encode(pem::CERTIFICATE, ca.certificate.as_der())
}

/// An authority's certificate and those above it, PEM.
pub fn chain_of(ca: &Ca) -> String {
    ca.path().map(|certificate| pem::encode(pem::CERTIFICATE, certificate.as_der())).collect()
}

/// What an authority does now, in a word.
pub fn state_name(state: CaState) -> &'static str {
    match state {
        CaState::Requested => "requested",
        CaState::Next => "next",
        CaState::Current => "current",
        CaState::Retired => "retired",
    }
}
