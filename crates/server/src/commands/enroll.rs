//! `lanyard enroll`: a certificate from any SCEP server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::{Criticality, ExtensionValue as _, Extensions, SubjectAltName};
use lanyard_pki::{Certificate, GeneralName, KeyAlgorithm, Name, pem};
use lanyard_signer::SoftwareKey;
use serde::Serialize;
use url::Url;

use super::read_file;
use crate::client::patience::Patience;
use crate::client::scep::{Order, Outcome, ScepClientError, ScepServer};
use crate::config::unit::Span;
use crate::exit::{ExitStatus, Failure};
use crate::file::{write_private, write_public};
use crate::output::Output;

/// Flags of `lanyard enroll`.
#[derive(Debug, Args)]
pub struct EnrollArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// The subject to ask for, as in CN=device-17,O=Example
    #[arg(long, value_name = "NAME", default_value = "")]
    subject: String,
    /// A DNS name to ask for; repeat for more
    #[arg(long, value_name = "NAME")]
    dns: Vec<String>,
    /// An e-mail address to ask for; repeat for more
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// A URI to ask for; repeat for more
    #[arg(long, value_name = "URI")]
    uri: Vec<String>,
    /// An IP address to ask for; repeat for more
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<std::net::IpAddr>,
    /// A user principal name to ask for
    #[arg(long, value_name = "NAME")]
    upn: Option<String>,
    /// The key file (PKCS #8, PEM). One that does not exist is made, private to its owner
    #[arg(long, value_name = "FILE", default_value = "key.pem")]
    key: PathBuf,
    /// The kind of key to make
    #[arg(long, value_enum, default_value = "rsa-2048")]
    key_type: KeyType,
    /// Where to write the certificate
    #[arg(long, value_name = "FILE", default_value = "certificate.pem")]
    out: PathBuf,
    /// Where to write the authority's certificates
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
}

/// Which SCEP server, by what it is known, and what it wants to hear.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// The server's SCEP address, as in `http://ca.example.com/static`
    #[arg(long, value_name = "URL")]
    url: Url,
    /// The SHA-256 or SHA-1 fingerprint of the authority's certificate
    #[arg(long, value_name = "HEX", required_unless_present_any = ["ca", "accept_any_ca"], value_parser = fingerprint)]
    ca_fingerprint: Option<String>,
    /// The authority's certificate, PEM or DER, instead of its fingerprint
    #[arg(long, value_name = "FILE", conflicts_with = "ca_fingerprint")]
    ca: Option<PathBuf>,
    /// Believe whatever authority the server announces: only where the way to it is safe
    #[arg(long, conflicts_with_all = ["ca_fingerprint", "ca"])]
    accept_any_ca: bool,
    /// A PEM file with the roots to trust for HTTPS, beside the system's
    #[arg(long, value_name = "FILE")]
    tls_roots: Option<PathBuf>,
    /// A file with the challenge
    #[arg(long, value_name = "FILE")]
    challenge_file: Option<PathBuf>,
    /// How long to wait for a person's decision
    #[arg(long, value_name = "SPAN", default_value = "1h")]
    wait: Span,
    /// How often to ask whether it was made
    #[arg(long, value_name = "SPAN", default_value = "30s")]
    poll: Span,
    /// How long to let a server that is overloaded put each question off (429, Retry-After); 0s: not at all
    #[arg(long, value_name = "SPAN", default_value = "5min")]
    patience: Span,
}

/// A kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyType {
    /// RSA, 2048 bits
    #[value(name = "rsa-2048")]
    Rsa2048,
    /// RSA, 3072 bits
    #[value(name = "rsa-3072")]
    Rsa3072,
    /// RSA, 4096 bits
    #[value(name = "rsa-4096")]
    Rsa4096,
    /// ECDSA on P-256; the server has to reply under the challenge (RFC 8894)
    #[value(name = "p-256")]
    P256,
    /// ECDSA on P-384; as P-256
    #[value(name = "p-384")]
    P384,
    /// ECDSA on P-521; as P-256
    #[value(name = "p-521")]
    P521,
    /// Ed25519; as P-256
    #[value(name = "ed25519")]
    Ed25519,
}

impl From<KeyType> for KeyAlgorithm {
    fn from(key: KeyType) -> Self {
        match key {
            KeyType::Rsa2048 => Self::Rsa { bits: 2048 },
            KeyType::Rsa3072 => Self::Rsa { bits: 3072 },
            KeyType::Rsa4096 => Self::Rsa { bits: 4096 },
            KeyType::P256 => Self::P256,
            KeyType::P384 => Self::P384,
            KeyType::P521 => Self::P521,
            KeyType::Ed25519 => Self::Ed25519,
        }
    }
}

/// What a client got.
#[derive(Debug, Serialize)]
pub(super) struct Obtained {
    /// The serial number.
    pub(super) serial: String,
    /// The subject.
    pub(super) subject: String,
    /// When it ends.
    pub(super) not_after: String,
    /// Where it was written.
    pub(super) certificate_file: PathBuf,
    /// Where its key is.
    pub(super) key_file: PathBuf,
}

impl Obtained {
    pub(super) fn new(certificate: &Certificate, certificate_file: &Path, key_file: &Path) -> Self {
        Self {
            serial: certificate.serial().to_string(),
            subject: certificate.subject().to_string(),
            not_after: certificate.not_after().to_string(),
            certificate_file: certificate_file.to_owned(),
            key_file: key_file.to_owned(),
        }
    }

    pub(super) fn sentence(&self) -> String {
        format!(
            "Got certificate {} for {}, valid until {}.\nCertificate: {}\nKey: {}",
            self.serial,
            self.subject,
            self.not_after,
            self.certificate_file.display(),
            self.key_file.display()
        )
    }
}

/// Gets a certificate.
pub async fn run(args: EnrollArgs, output: Output) -> Result<(), Failure> {
    let subject: Name = args.subject.parse().map_err(|error| {
        Failure::new(ExitStatus::Usage, format!("--subject {:?}: {error}", args.subject))
    })?;
    let alternative_names = args.alternative_names();
    let client = args.server.connect(output).await?;
    let key = if args.key.exists() {
        read_key(&args.key)?
    } else {
        let algorithm = args.key_type.into();
        let pkcs8 = output.progress("Making a key", new_key(algorithm)).await?;
        write_key(&args.key, &pkcs8)?;
        SoftwareKey::from_pkcs8(&pkcs8).map_err(|error| key_failure(&args.key, &error))?
    };
    let challenge = args.server.challenge()?;
    let order = Order {
        key: &key,
        subject,
        extensions: asked_names(alternative_names),
        challenge: challenge.as_ref(),
        validity: None,
        renews: None,
        now: SystemClock.now(),
    };
    let certificates = args.server.request(&client, &order, output).await?;
    if let Some(file) = &args.ca_out {
        let all: String =
            client.authority().all().iter().filter(|one| one.is_authority()).map(pem_of).collect();
        written(file, write_public(file, all.as_bytes()))?;
    }
    let obtained = save(&certificates, &args.out, &args.key)?;
    output.answer(&obtained, || obtained.sentence())
}

impl EnrollArgs {
    fn alternative_names(&self) -> Vec<GeneralName> {
        let dns = self.dns.iter().cloned().map(GeneralName::Dns);
        let email = self.email.iter().cloned().map(GeneralName::Email);
        let uri = self.uri.iter().cloned().map(GeneralName::Uri);
        let ip = self.ip.iter().copied().map(GeneralName::Ip);
        let upn = self.upn.iter().map(|name| GeneralName::upn(name));
        dns.chain(email).chain(uri).chain(ip).chain(upn).collect()
    }
}

impl ServerArgs {
    /// A server that was asked what it can do, whose authority is the expected one.
    pub(super) async fn connect(&self, output: Output) -> Result<ScepServer, Failure> {
        let known = match (&self.ca_fingerprint, &self.ca) {
            (Some(fingerprint), _) => Some(fingerprint.clone()),
            (None, Some(file)) => Some(hex::encode(read_certificate(file)?.fingerprint_sha256())),
            (None, None) => None,
        };
        let http = http_client(self.tls_roots.as_deref())?;
        let patience = Patience::of(self.patience.into(), move |put_off| {
            output.remark(&put_off.to_string());
        });
        let url = self.url.clone();
        ScepServer::discover_with(http, url, patience, known.as_deref()).await.map_err(failed)
    }

    pub(super) fn challenge(&self) -> Result<Option<ChallengePassword>, Failure> {
        let Some(file) = &self.challenge_file else { return Ok(None) };
        let text = zeroize::Zeroizing::new(read_file(file)?);
        let text = str::from_utf8(&text).map_err(|_| {
            Failure::new(ExitStatus::Usage, format!("{}: is not text", file.display()))
        })?;
        Ok(Some(ChallengePassword::new(text.trim_end_matches(['\n', '\r']))))
    }

    /// Asks for a certificate and waits for a decision as long as the flags say: the certificate, then what came with it.
    pub(super) async fn request(
        &self,
        client: &ScepServer,
        order: &Order<'_>,
        output: Output,
    ) -> Result<Vec<Certificate>, Failure> {
        let interval = Duration::from(self.poll);
        let mut left = Duration::from(self.wait);
        let mut told = false;
        let asking = client.request(order, |_| {
            left = left.checked_sub(interval)?;
            if !std::mem::replace(&mut told, true) {
                output.remark("The request waits for approval.");
            }
            Some(interval)
        });
        match output.progress("Waiting for the certificate", asking).await.map_err(failed)? {
            Outcome::Issued(issued, others) => Ok(std::iter::once(*issued).chain(others).collect()),
            Outcome::Pending(_) => Err(Failure::new(
                ExitStatus::Pending,
                "the request still waits for approval; run the same command again to ask what became of it",
            )),
        }
    }
}

/// A fingerprint without its colons.
fn fingerprint(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let hexadecimal = digits.chars().all(|c| c.is_ascii_hexdigit());
    if hexadecimal && matches!(digits.len(), 40 | 64) {
        return Ok(digits.to_ascii_lowercase());
    }
    Err("a fingerprint has 64 hexadecimal digits (SHA-256) or 40 (SHA-1)".to_owned())
}

/// The request for these alternative names.
pub(super) fn asked_names(names: Vec<GeneralName>) -> Extensions {
    let mut extensions = Extensions::none();
    if !names.is_empty() {
        extensions.push(SubjectAltName(names).extension(Criticality::NonCritical));
    }
    extensions
}

/// An HTTP client that trusts these roots beside the system's.
pub(super) fn http_client(roots: Option<&Path>) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("lanyard/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(15))
        .timeout(Duration::from_mins(1));
    if let Some(file) = roots {
        for root in reqwest::Certificate::from_pem_bundle(&read_file(file)?)? {
            builder = builder.add_root_certificate(root);
        }
    }
    Ok(builder.build()?)
}

/// A new key, PKCS #8.
pub(super) async fn new_key(
    algorithm: KeyAlgorithm,
) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    let made = tokio::task::spawn_blocking(move || SoftwareKey::generate_pkcs8(algorithm)).await?;
    made.map_err(|error| Failure::new(ExitStatus::Failed, error))
}

/// The key in a file: PKCS #8, PEM, not encrypted.
pub(super) fn read_key(path: &Path) -> Result<SoftwareKey, Failure> {
    let text = zeroize::Zeroizing::new(read_file(path)?);
    let text = str::from_utf8(&text).map_err(|error| key_failure(path, &error))?;
    let der = pem::decode(pem::PRIVATE_KEY, text).map_err(|error| key_failure(path, &error))?;
    let der = zeroize::Zeroizing::new(der);
    SoftwareKey::from_pkcs8(&der).map_err(|error| key_failure(path, &error))
}

fn key_failure(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let text = format!(
        "{}: {error}. A key file is PKCS #8 in PEM (BEGIN PRIVATE KEY), not encrypted",
        path.display()
    );
    Failure::new(ExitStatus::Failed, text)
}

/// Writes a key for its owner alone.
pub(super) fn write_key(path: &Path, pkcs8: &[u8]) -> Result<(), Failure> {
    let text = zeroize::Zeroizing::new(pem::encode(pem::PRIVATE_KEY, pkcs8));
    written(path, write_private(path, text.as_bytes()))
}

/// The certificate in a file, PEM or DER.
pub(super) fn read_certificate(path: &Path) -> Result<Certificate, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(ExitStatus::Failed, format!("{}: {error}", path.display()))
    };
    let der =
        pem::der_or_pem(&[pem::CERTIFICATE], &read_file(path)?).map_err(|error| wrong(&error))?;
    Certificate::from_der(&der).map_err(|error| wrong(&error))
}

/// Writes the certificate and those that came with it.
pub(super) fn save(
    certificates: &[Certificate],
    out: &Path,
    key: &Path,
) -> Result<Obtained, Failure> {
    let issued = certificates
        .first()
        .ok_or_else(|| Failure::new(ExitStatus::Failed, "the server granted nothing"))?;
    let above = certificates.iter().skip(1).filter(|one| !one.is_self_signed());
    let text: String = std::iter::once(issued).chain(above).map(pem_of).collect();
    written(out, write_public(out, text.as_bytes()))?;
    Ok(Obtained::new(issued, out, key))
}

fn pem_of(certificate: &Certificate) -> String {
    pem::encode(pem::CERTIFICATE, certificate.as_der())
}

fn written(path: &Path, outcome: std::io::Result<()>) -> Result<(), Failure> {
    outcome
        .map_err(|error| Failure::new(ExitStatus::Failed, format!("{}: {error}", path.display())))
}

/// A client's failure, with the exit status that it deserves.
#[expect(clippy::needless_pass_by_value, reason = "handed on by map_err")]
pub(super) fn failed(error: ScepClientError) -> Failure {
    let status = match &error {
        ScepClientError::Unreachable(..)
        | ScepClientError::Status { .. }
        | ScepClientError::PutOff { .. } => ExitStatus::Unreachable,
        ScepClientError::Refused { .. } | ScepClientError::Fingerprint(_) => ExitStatus::Refused,
        _ => ExitStatus::Failed,
    };
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Failure::new(status, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons() {
        assert_eq!(fingerprint(&["AA"; 32].join(":")), Ok("aa".repeat(32)));
        assert_eq!(fingerprint(&"00".repeat(20)), Ok("00".repeat(20)));
        assert!(fingerprint(&"00".repeat(16)).is_err(), "MD5 is no proof of anything");
        assert!(fingerprint("not hexadecimal").is_err());
    }
}
