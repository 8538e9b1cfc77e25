//! OCSP over HTTP as a client: what a responder says about one certificate, verified.

use lanyard_pki::ocsp::{
    CertId, CertStatus, IssuerHashes, ReceivedResponse, ResponseError, request,
};
use lanyard_pki::{Certificate, Digest, Time};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
pub enum OcspClientError {
    /// The responder does not answer.
    #[error("{0} does not answer: {1}")]
    Unreachable(Url, #[source] reqwest::Error),
    /// The issuer's key cannot be used.
    #[error("the issuer's certificate cannot be used: {0}")]
    Issuer(String),
    /// The response is none to trust.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// The response is about something else.
    #[error("the response {0}")]
    Other(&'static str),
}

/// What a responder says about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: CertStatus,
    /// When that was known to be so.
    pub this_update: Time,
    /// Until when it may be believed.
    pub next_update: Option<Time>,
}

/// Asks about a certificate with a nonce, and believes only its issuer or a responder of its issuer.
pub async fn ask(
    http: &Client,
    url: Url,
    certificate: &Certificate,
    issuer: &Certificate,
    nonce: [u8; 32],
    now: Time,
) -> Result<Said, OcspClientError> {
    let key = issuer.public_key().map_err(|error| OcspClientError::Issuer(error.to_string()))?;
    let hashes = IssuerHashes::of(issuer.subject().as_der(), key.key_bits());
    let id = hashes
        .cert_id(Digest::Sha256, certificate.serial())
        .ok_or_else(|| OcspClientError::Issuer("no digest".into()))?;
    let asked = request(&[&id], Some(&nonce));
    let unreachable = |error| OcspClientError::Unreachable(url.clone(), error);
    let response = http
        .post(url.clone())
        .header(CONTENT_TYPE, "application/ocsp-request")
        .body(asked)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(unreachable)?;
    let octets = response.bytes().await.map_err(unreachable)?;
    let received = ReceivedResponse::from_der(&octets)?;
    received.verify(issuer, now)?;
    if received.nonce != Some(&nonce[..]) {
        return Err(OcspClientError::Other("has another nonce: it is not to this question"));
    }
    let about =
        |answer: &CertId<'_>| answer.serial().is_ok_and(|serial| serial == *certificate.serial());
    let answer = received
        .answers
        .iter()
        .find(|answer| about(&answer.id) && hashes.named_by(&answer.id))
        .ok_or(OcspClientError::Other("says nothing about the certificate"))?;
    if answer.next_update.is_some_and(|until| until < now) {
        return Err(OcspClientError::Other("is outdated"));
    }
    Ok(Said {
        status: answer.status,
        this_update: answer.this_update,
        next_update: answer.next_update,
    })
}
