//! What a CA says of itself: GetCACaps, GetCACert, GetNextCACert.

use std::sync::Arc;

use http::StatusCode;
use lanyard_authority::scep::ScepIdentity;
use lanyard_authority::settings::Endpoint;
use lanyard_lifecycle::policy::RenewalRules;
use lanyard_pki::Certificate;
use lanyard_scep::server::{CaCertAnswer, ca_certificates, next_ca_certificates};
use lanyard_scep::{Capabilities, Capability};

use crate::app::App;
use crate::problem::Problem;

/// The capabilities, a line each. The next CA's certificate is announced once there is one, renewal where it is allowed.
pub(super) fn capabilities(app: &App, endpoint: &Endpoint) -> Vec<u8> {
    let mut ours = Capabilities::ours();
    if app.authority.cas().next(endpoint.scope.organization).is_some() {
        ours = ours.with(Capability::GetNextCaCert);
    }
    if endpoint.policy.renewal == RenewalRules::Off {
        ours = ours.without(Capability::Renewal);
    }
    ours.to_string().into_bytes()
}

/// The certificates that clients are to know.
pub(super) fn certificates(app: &App, endpoint: &Endpoint) -> Result<CaCertAnswer, Problem> {
    let identity = identity(app, endpoint)?;
    let announced: Vec<&[u8]> = identity.announced.iter().map(Certificate::as_der).collect();
    Ok(ca_certificates(&announced))
}

/// The next CA's certificate and those above it, signed by the present one.
pub(super) async fn next_certificates(app: &App, endpoint: &Endpoint) -> Result<Vec<u8>, Problem> {
    let cas = app.authority.cas();
    let none = |detail| Problem::new(StatusCode::NOT_FOUND).detail(detail);
    let next = cas
        .next(endpoint.scope.organization)
        .ok_or_else(|| none("No next authority is prepared."))?;
    let present = cas
        .current(endpoint.scope.organization)
        .ok_or_else(|| none("No authority issues here."))?;
    let certificates: Vec<&[u8]> = next.path().map(Certificate::as_der).collect();
    let unsigned =
        next_ca_certificates(&certificates, &present.certificate, present.signature_algorithm);
    let signature = present.signer.sign(unsigned.algorithm(), unsigned.tbs()).await;
    let signature = signature
        .map_err(|error| super::exchange::fault("sign the next authority's announcement", error))?;
    Ok(unsigned.assemble(&signature))
}

/// Who receives and answers at an endpoint.
pub(super) fn identity(app: &App, endpoint: &Endpoint) -> Result<Arc<ScepIdentity>, Problem> {
    app.authority.scep_identity(&endpoint.scope).ok_or_else(|| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE)
            .detail(
                "This authority has no certificate yet, or no key that can receive SCEP messages.",
            )
            .retry_after(60)
    })
}
