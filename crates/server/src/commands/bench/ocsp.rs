//! OCSP as a load: requests made beforehand, each answer read, every so many verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::{StatusCode, Uri};
use lanyard_pki::ocsp::{CertStatus, IssuerHashes, ReceivedResponse, request};
use lanyard_pki::{Certificate, Digest, PublicKey, SerialNumber, pem};

use super::load::{Exchange, Traffic};
use super::{LoadArgs, random};

/// Ask an OCSP responder as often as it answers.
#[derive(Debug, Args)]
pub struct OcspArgs {
    /// The responder's address, as it stands in certificates
    #[arg(long, value_name = "URL")]
    url: Uri,
    /// The certificate of the CA that issued the certificates asked for (PEM or DER)
    #[arg(long, value_name = "FILE")]
    issuer: PathBuf,
    /// A certificate to ask for (PEM or DER); may be given several times
    #[arg(long, value_name = "FILE")]
    certificate: Vec<PathBuf>,
    /// A serial number to ask for, in hexadecimal; may be given several times
    #[arg(long, value_name = "SERIAL")]
    serial: Vec<SerialNumber>,
    /// A file with a serial number on each line
    #[arg(long, value_name = "FILE")]
    serials: Option<PathBuf>,
    /// Put a nonce of its own into each request, so that no answer can come from a cache
    #[arg(long)]
    nonce: bool,
    /// Ask by GET instead of POST
    #[arg(long)]
    get: bool,
    /// The digest of the CertIDs
    #[arg(long, value_enum, default_value_t = CertIdDigest::Sha1)]
    digest: CertIdDigest,
    /// Verify one answer in so many; the others are read only
    #[arg(long, value_name = "N", default_value_t = 100)]
    verify_every: u64,
    /// Count whatever comes with status 200 as an answer: for servers that speak no OCSP, to compare with
    #[arg(long)]
    any_answer: bool,
    /// How the load is made
    #[command(flatten)]
    pub(super) load: LoadArgs,
}

/// The digest of CertIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CertIdDigest {
    /// SHA-1, as RFC 5019 wants
    Sha1,
    /// SHA-256
    Sha256,
}

impl OcspArgs {
    /// The responder's address.
    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    /// The load in words.
    pub(super) fn what(&self) -> String {
        let method = if self.get { "GET" } else { "POST" };
        let nonce = if self.nonce { " with nonce" } else { "" };
        format!("OCSP by {method}{nonce}")
    }

    /// Makes the requests.
    pub(super) fn traffic(&self) -> Result<Arc<dyn Traffic>> {
        if self.nonce && self.get {
            bail!("--nonce and --get do not go together: RFC 5019 wants GET without a nonce");
        }
        let issuer = certificate(&self.issuer)?;
        let key = issuer.public_key().context("the issuer's key")?.clone();
        let hashes = IssuerHashes::of(issuer.subject().as_der(), key.key_bits());
        let digest = match self.digest {
            CertIdDigest::Sha1 => Digest::Sha1,
            CertIdDigest::Sha256 => Digest::Sha256,
        };
        let ids = self
            .serial_numbers()?
            .iter()
            .map(|serial| hashes.cert_id(digest, serial).context("no CertID with that digest"))
            .collect::<Result<Vec<_>>>()?;
        let path = self.url.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let requests = ids
            .iter()
            .map(|id| {
                let body = request(&[id], None);
                if self.get {
                    let path = format!("{}/{}", path.trim_end_matches('/'), in_url(&body));
                    Exchange { path, body: None }
                } else {
                    Exchange { path: path.clone(), body: Some((body.into(), OCSP_REQUEST)) }
                }
            })
            .collect();
        Ok(Arc::new(Asking {
            path,
            ids,
            requests,
            nonce: self.nonce.then(random::octets::<16>).transpose()?,
            issuer: key,
            verify_every: self.verify_every.max(1),
            any_answer: self.any_answer,
        }))
    }

    fn serial_numbers(&self) -> Result<Vec<SerialNumber>> {
        let mut serials = self.serial.clone();
        for file in &self.certificate {
            serials.push(certificate(file)?.serial().clone());
        }
        if let Some(file) = &self.serials {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let serial = line.parse();
                serials.push(serial.with_context(|| format!("{line} is no serial number"))?);
            }
        }
        if serials.is_empty() {
            bail!("name what to ask for with --certificate, --serial or --serials");
        }
        Ok(serials)
    }
}

const OCSP_REQUEST: &str = "application/ocsp-request";

struct Asking {
    path: String,
    ids: Vec<Vec<u8>>,
    requests: Vec<Exchange>,
    /// What the nonces of this load begin with; the number of the request follows.
    nonce: Option<[u8; 16]>,
    issuer: PublicKey,
    verify_every: u64,
    any_answer: bool,
}

impl Asking {
    fn index(&self, n: u64) -> usize {
        usize::try_from(n % self.ids.len() as u64).unwrap_or(0)
    }

    fn nonce(&self, n: u64) -> Option<Vec<u8>> {
        self.nonce.map(|begin| [&begin[..], &n.to_be_bytes()].concat())
    }
}

impl Traffic for Asking {
    fn request(&self, n: u64) -> Option<Exchange> {
        let index = self.index(n);
        match self.nonce(n) {
            None => self.requests.get(index).cloned(),
            Some(nonce) => {
                let body = request(&[self.ids.get(index)?], Some(&nonce));
                Some(Exchange { path: self.path.clone(), body: Some((body.into(), OCSP_REQUEST)) })
            }
        }
    }

    fn judge(&self, n: u64, status: StatusCode, body: &Bytes) -> Result<(), String> {
        if status != StatusCode::OK {
            return Err(format!("HTTP {status}"));
        }
        if self.any_answer {
            return Ok(());
        }
        let response = ReceivedResponse::from_der(body).map_err(|error| error.to_string())?;
        let answer = response.answers.first().ok_or("an answer about nothing")?;
        if answer.status == CertStatus::Unknown {
            return Err("the responder does not know the certificate".into());
        }
        if self.nonce.is_some() && response.nonce != self.nonce(n).as_deref() {
            return Err("the answer has another nonce".into());
        }
        if n.is_multiple_of(self.verify_every) {
            verify(&response, &self.issuer)?;
        }
        Ok(())
    }
}

/// Whether the issuer itself or a responder that it certified signed `response`.
fn verify(response: &ReceivedResponse<'_>, issuer: &PublicKey) -> Result<(), String> {
    let Some(der) = response.certificates.first() else {
        return response.signed_with(issuer).map_err(|error| error.to_string());
    };
    let certificate = Certificate::from_der(der).map_err(|error| error.to_string())?;
    certificate.verify_signed_by(issuer).map_err(|_| "the responder is not certified by the CA")?;
    let key = certificate.public_key().map_err(|error| error.to_string())?;
    response.signed_with(key).map_err(|error| error.to_string())
}

/// A certificate from a file, PEM or DER.
pub(super) fn certificate(file: &Path) -> Result<Certificate> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let der = pem::der_or_pem(&["CERTIFICATE"], &bytes)
        .with_context(|| format!("{} holds no certificate", file.display()))?;
    Certificate::from_der(&der).with_context(|| format!("{} holds no certificate", file.display()))
}

/// A request as RFC 6960, A.1 puts it into a URL.
fn in_url(request: &[u8]) -> String {
    STANDARD.encode(request).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_in_a_url_is_read_back() {
        let octets: Vec<u8> = (0..=255).collect();
        let (read, deviations) = lanyard_pki::url_base64::decode(&in_url(&octets)).expect("valid");
        assert_eq!(read, octets);
        assert_eq!(deviations, []);
    }
}
