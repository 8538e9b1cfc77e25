//! The HTTPS listener's certificate from our own authority: kept between starts, made anew when a third is left.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lanyard_authority::{Actor, Authority, Error, Outcome, Proof, Request};
use lanyard_lifecycle::id::OrganizationId;
use lanyard_pki::csr::RequestBuilder;
use lanyard_pki::extension::{Criticality, ExtensionValue as _, Extensions, SubjectAltName};
use lanyard_pki::profile::{CertificateInput, Issuer, Profile};
use lanyard_pki::{
    Certificate, CertificationRequest, Digest, GeneralName, KeyAlgorithm, Name, SerialNumber,
    SignatureAlgorithm, Time, oid, pem,
};
use lanyard_signer::{KeyName, Signer as _, SoftwareKey};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::app::App;
use crate::config::Config;
use crate::listener::tls::{ListenerCertificate, TlsError, certified_key};
use crate::settings::LISTENER_ENDPOINT;

/// The name of its key among the key files.
const KEY: &str = "listener";

/// How often it is looked at whether the certificate is due, or the authority another one.
const LOOK: Duration = Duration::from_mins(1);

/// How long a provisional certificate is valid, in seconds.
const PROVISIONAL: i64 = 30 * DAY;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// The most characters of a common name (RFC 5280 appendix A.1).
const LONGEST_COMMON_NAME: usize = 64;

/// Why the listener has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum OwnCertificateError {
    /// The authority did not issue it.
    #[error("the authority did not issue the listener's certificate: {}", report(.0))]
    Refused(Error),
    /// Its key could not be made.
    #[error("the listener's key: {0}")]
    Key(String),
    /// It could not be written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It is of no use to TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

fn report(error: &Error) -> String {
    match error {
        Error::Refused(refusal) => refusal.to_string(),
        Error::Fault(fault) => fault.report(),
    }
}

/// The listener's certificate: the one of the last start while it serves, else a new one, else one that vouches for
/// itself until the authority issues.
pub async fn certificate(app: &App) -> Result<CertifiedKey, OwnCertificateError> {
    if let Some(kept) = kept(app).await {
        return Ok(kept);
    }
    match new(app).await {
        Err(OwnCertificateError::Refused(Error::Refused(refusal))) => {
            tracing::warn!(%refusal, "The HTTPS listener vouches for itself until the authority issues");
            provisional(app).await
        }
        issued => issued,
    }
}

async fn new(app: &App) -> Result<CertifiedKey, OwnCertificateError> {
    let pkcs8 = new_key().await?;
    let chain = issue(&app.authority, &names(app), &pkcs8).await?;
    write(app, &pkcs8, &chain).await?;
    Ok(from_parts(&pkcs8, chain)?)
}

async fn new_key() -> Result<Zeroizing<Vec<u8>>, OwnCertificateError> {
    let pkcs8 = tokio::task::spawn_blocking(|| SoftwareKey::generate_pkcs8(KeyAlgorithm::P256));
    pkcs8
        .await
        .map_err(|error| OwnCertificateError::Key(error.to_string()))?
        .map_err(|error| OwnCertificateError::Key(error.to_string()))
}

/// A certificate that vouches for itself: HTTPS answers while the authority waits for its own.
async fn provisional(app: &App) -> Result<CertifiedKey, OwnCertificateError> {
    let unusable = |error: &dyn std::fmt::Display| OwnCertificateError::Key(error.to_string());
    let pkcs8 = new_key().await?;
    let key = SoftwareKey::from_pkcs8(&pkcs8).map_err(|error| unusable(&error))?;
    let names = names(app);
    let subject = subject(&names)?;
    let identifier = key.public_key().key_identifier();
    let issuer = Issuer { subject: &subject, key_identifier: &identifier };
    let mut serial: [u8; 16] = lanyard_authority::entropy::random(&*app.world.entropy);
    serial[0] = serial[0] & 0x7f | 0x40;
    let serial = SerialNumber::from_bytes(&serial).map_err(|error| unusable(&error))?;
    let now = app.now();
    let validity = (now.plus(-DAY), now.plus(PROVISIONAL));
    let algorithm = SignatureAlgorithm::Ecdsa(Digest::Sha256);
    let input = CertificateInput {
        subject_alt_names: names.iter().map(|name| general_name(name)).collect(),
        ..CertificateInput::new(
            issuer,
            serial,
            validity,
            subject.clone(),
            key.public_key(),
            algorithm,
        )
    };
    let unsigned = Profile::tls_server().certificate(&input).map_err(|error| unusable(&error))?;
    let signature = key.sign(algorithm, unsigned.tbs()).await.map_err(|error| unusable(&error))?;
    let certificate = CertificateDer::from(unsigned.assemble(&signature));
    Ok(from_parts(&pkcs8, vec![certificate])?)
}

/// The first name that is short enough for a common name.
fn subject(names: &[String]) -> Result<Name, OwnCertificateError> {
    let common = names.iter().find(|name| name.len() <= LONGEST_COMMON_NAME);
    Name::from_attributes(common.map(|name| (oid::COMMON_NAME, name)))
        .map_err(|error| OwnCertificateError::Key(error.to_string()))
}

/// Makes a new certificate whenever one is due.
pub async fn keep(app: Arc<App>, shown: Arc<ListenerCertificate>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        if serving(&app).await.is_some() {
            continue;
        }
        match new(&app).await {
            Ok(certificate) => {
                shown.replace(certificate);
                tracing::info!("The listener's certificate was renewed");
            }
            Err(OwnCertificateError::Refused(Error::Refused(refusal))) => {
                tracing::debug!(%refusal, "The listener's certificate was not renewed");
            }
            Err(error) => {
                tracing::error!(%error, "The listener's certificate could not be renewed");
            }
        }
    }
}

/// The names of the listener, the first one its most public.
fn names(app: &App) -> Vec<String> {
    let mut names: Vec<String> = app.addresses.host().into_iter().collect();
    names.extend(app.config.tls.names.iter().cloned());
    names.extend([
        crate::address::machine_name(),
        "localhost".into(),
        "127.0.0.1".into(),
        "::1".into(),
    ]);
    let mut seen = Vec::new();
    names.retain(|name| {
        let new = !seen.contains(name);
        seen.push(name.clone());
        new
    });
    names
}

fn general_name(name: &str) -> GeneralName {
    match name.parse::<IpAddr>() {
        Ok(address) => GeneralName::Ip(address),
        Err(_) => GeneralName::Dns(name.to_owned()),
    }
}

async fn issue(
    authority: &Authority,
    names: &[String],
    pkcs8: &[u8],
) -> Result<Vec<CertificateDer<'static>>, OwnCertificateError> {
    let unusable = |error: &dyn std::fmt::Display| OwnCertificateError::Key(error.to_string());
    let key = SoftwareKey::from_pkcs8(pkcs8).map_err(|error| unusable(&error))?;
    let subject = subject(names)?;
    let mut request = RequestBuilder::new(subject, key.public_key().clone());
    let mut extensions = Extensions::none();
    let alternative = SubjectAltName(names.iter().map(|name| general_name(name)).collect());
    extensions.push(alternative.extension(Criticality::NonCritical));
    request.extensions = extensions;
    let algorithm =
        key.algorithms().first().copied().ok_or_else(|| unusable(&"it signs nothing"))?;
    let unsigned = request.build(algorithm);
    let signature = key.sign(algorithm, unsigned.tbs()).await.map_err(|error| unusable(&error))?;
    let csr = CertificationRequest::from_der(&unsigned.assemble(&signature))
        .map_err(|error| unusable(&error))?;
    let request = Request {
        endpoint: LISTENER_ENDPOINT,
        csr,
        proof: Proof::Vouched,
        transaction: None,
        actor: Actor::System,
    };
    match authority.issue(request).await.map_err(OwnCertificateError::Refused)? {
        Outcome::Issued(issued) => {
            let above = issued.ca.path().filter(|one| !one.is_self_signed());
            let chain = std::iter::once(issued.certificate.clone())
                .chain(above.map(|one| one.as_der().to_vec()));
            Ok(chain.map(CertificateDer::from).collect())
        }
        Outcome::Pending(_) => {
            Err(OwnCertificateError::Key("its certificate waits for approval".into()))
        }
    }
}

/// Key and certificate of an earlier start, while they serve.
async fn kept(app: &App) -> Option<CertifiedKey> {
    let chain = serving(app).await?;
    let (keys, name) = (app.key_files.clone(), key_name().ok()?);
    let pkcs8 = tokio::task::spawn_blocking(move || keys.pkcs8(&name)).await.ok()?;
    from_parts(&pkcs8.ok()?, chain).ok()
}

/// The certificate of before with its chain, while it serves: by the current authority, for all names, more than a third
/// left. A file that holds the key too, as it once did, does not.
async fn serving(app: &App) -> Option<Vec<CertificateDer<'static>>> {
    let text = Zeroizing::new(tokio::fs::read_to_string(file(&app.config)).await.ok()?);
    let blocks = pem::decode_all(&text).ok()?;
    if blocks.iter().any(|block| block.label != pem::CERTIFICATE) {
        return None;
    }
    let certificate = Certificate::from_der(&blocks.first()?.der).ok()?;
    let cas = app.authority.cas();
    let issuer = cas.current(OrganizationId::DEFAULT)?;
    let named = certificate.subject_alt_names().ok()?;
    let serves = names(app).iter().all(|name| named.contains(&general_name(name)))
        && app.now() < due(&certificate)
        && certificate.verify_signed_by(issuer.signer.public_key()).is_ok();
    let chain = blocks.into_iter().map(|block| CertificateDer::from(block.der));
    serves.then(|| chain.collect())
}

/// When a new one is to be made: a third of the validity before the end.
fn due(certificate: &Certificate) -> Time {
    let validity = certificate.not_after().seconds_since(certificate.not_before());
    certificate.not_after().plus(-validity / 3)
}

fn from_parts(pkcs8: &[u8], chain: Vec<CertificateDer<'static>>) -> Result<CertifiedKey, TlsError> {
    certified_key(chain, &PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.to_vec())))
}

/// Where the certificate is kept between starts; its key is among the key files.
pub fn file(config: &Config) -> PathBuf {
    config.data.join("listener.pem")
}

fn key_name() -> Result<KeyName, OwnCertificateError> {
    KeyName::new(KEY).map_err(|error| OwnCertificateError::Key(error.to_string()))
}

/// Keeps key and chain for the next start. Killed in between, the key fits no certificate, and both are made anew.
async fn write(
    app: &App,
    pkcs8: &Zeroizing<Vec<u8>>,
    chain: &[CertificateDer<'_>],
) -> Result<(), OwnCertificateError> {
    let (keys, name, pkcs8) = (app.key_files.clone(), key_name()?, pkcs8.clone());
    let path = file(&app.config);
    let text: String = chain.iter().map(|one| pem::encode(pem::CERTIFICATE, one)).collect();
    let written = tokio::task::spawn_blocking(move || {
        let kept = keys.put(&name, &pkcs8);
        kept.map_err(|error| OwnCertificateError::Key(error.to_string()))?;
        crate::file::write_private(&path, text.as_bytes())
            .map_err(|cause| OwnCertificateError::File { path, cause })
    });
    written.await.map_err(|error| OwnCertificateError::Key(error.to_string()))?
}
