//! The status page at `/`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use lanyard_authority::Ca;
use lanyard_pki::Time;
use lanyard_web::page::Page as _;
use lanyard_web::page::status::{Address, AuthorityCard, Link, StatusPage};

use super::ca::state_name;
use super::health::may_look;
use crate::app::App;
use crate::config::CrlAccess;
use crate::control::description::EnrollmentDoor;
use crate::extract::Client;
use crate::health::troubles;
use crate::problem::Problem;

/// Nothing runs, nothing comes from elsewhere, nobody frames the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(show))
}

async fn show(State(app): State<Arc<App>>, client: Client) -> Result<Response, Problem> {
    may_look(app.config.observe.status_page, client)?;
    let mut troubles = troubles(&app).await;
    troubles.extend(held_back(&app).await);
    let page = StatusPage {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        troubles,
        authorities: app.authority.cas().iter().map(|ca| card(ca)).collect(),
        addresses: addresses(&app),
    };
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "The status page could not be rendered");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
    })?;
    let headers = [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    Ok((headers, Html(html)).into_response())
}

/// What the brake holds back wants a person; the authority answers all the same.
async fn held_back(app: &App) -> Option<String> {
    // A store that does not answer is a trouble of its own.
    let waiting = app.authority.brake().await.ok()?.traffic.waiting;
    (waiting > 0).then(|| {
        format!(
            "Revocations of {waiting} certificates are held back: an administrator has to decide."
        )
    })
}

fn card(ca: &Ca) -> AuthorityCard {
    let certificate = &ca.certificate;
    AuthorityCard {
        subject: certificate.subject().to_string(),
        state: state_name(ca.state).to_owned(),
        key: ca.signer.public_key().algorithm().to_string(),
        not_before: minute(certificate.not_before()),
        not_after: minute(certificate.not_after()),
        sha256: grouped(&certificate.fingerprint_sha256()),
        sha1: grouped(&certificate.fingerprint_sha1()),
    }
}

fn addresses(app: &App) -> Vec<Address> {
    let text = |purpose: &str, path: &str| Address {
        purpose: purpose.to_owned(),
        url: app.addresses.of(path),
        link: Link::Text,
    };
    let link = |purpose: &str, path: &str| Address { link: Link::Followed, ..text(purpose, path) };
    let mut addresses = Vec::new();
    for door in EnrollmentDoor::of(app) {
        addresses.push(text("Enrollment by SCEP", &door.path));
    }
    addresses.push(text("Status by OCSP", "/ocsp"));
    addresses.push(link("CA certificate", "/ca"));
    if app.config.crl.access == CrlAccess::Public {
        addresses.push(link("Revocation list", "/crl"));
    }
    addresses
}

/// Date and time to the minute, for people.
fn minute(time: Time) -> String {
    let at = time.calendar();
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02} UTC",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute()
    )
}

/// A digest in groups of four digits, to compare by eye.
fn grouped(digest: &[u8]) -> String {
    let digits = hex::encode(digest);
    let groups: Vec<&str> =
        digits.as_bytes().chunks(4).filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(" ")
}
