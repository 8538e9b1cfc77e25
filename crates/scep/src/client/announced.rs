//! The answers to GetCACert and GetNextCACert (RFC 8894, 4.2.1 and 4.7.1), read.

use lanyard_pki::{
    Certificate,
    ber::BerError,
    cms::{CmsError, SignedData},
    extension::KeyUsages,
    tlv::DerError,
};
use thiserror::Error;

use crate::{
    Policy, Tolerance, Tolerances,
    message::{Distrust, normalised},
};

/// Why an answer announces no authority.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AnnouncedError {
    /// Not BER.
    #[error(transparent)]
    Ber(#[from] BerError),
    /// Neither a certificate nor signed data.
    #[error("the answer is neither a certificate nor certificates in CMS: {0}")]
    Cms(#[from] CmsError),
    /// A certificate in it cannot be read.
    #[error("an announced certificate cannot be read: {0}")]
    Certificate(#[from] DerError),
    /// Nothing in it.
    #[error("the answer announces no certificate")]
    Empty,
    /// The announcement of the next authority is not signed by the present one.
    #[error("the next authority is not announced by the present one: {0}")]
    Distrust(#[from] Distrust),
}

/// The certificates of an authority as announced, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaCertificates {
    certificates: Vec<Certificate>,
}

impl CaCertificates {
    /// Reads the body of a GetCACert answer: one certificate, or several in degenerate signed data.
    /// Content types are not asked, as servers mix them up.
    pub fn from_answer(body: &[u8]) -> Result<Self, AnnouncedError> {
        if let Ok(certificate) = Certificate::from_der(body) {
            return Ok(Self { certificates: vec![certificate] });
        }
        let mut tolerances = Tolerances::none();
        let der = normalised(body, &Policy::default(), Tolerance::BerOutside, &mut tolerances)?;
        Self::from_certificates(&SignedData::from_der(&der)?.certificates)
    }

    /// Reads the body of a GetNextCACert answer, which one of the `present` authority's certificates
    /// must have signed.
    pub fn from_next_answer(body: &[u8], present: &Self) -> Result<Self, AnnouncedError> {
        let mut tolerances = Tolerances::none();
        let der = normalised(body, &Policy::default(), Tolerance::BerOutside, &mut tolerances)?;
        let data = SignedData::from_der(&der)?;
        let content = data.content.ok_or(CmsError::NoContent)?;
        let signer = data.signers.first().ok_or(Distrust::NoCertificate)?;
        let certificate = present
            .certificates
            .iter()
            .find(|certificate| signer.id.names(certificate))
            .ok_or(Distrust::NoCertificate)?;
        let key = certificate.public_key().map_err(Distrust::from)?;
        signer.verify(data.content_type, content, key).map_err(Distrust::from)?;
        Self::from_certificates(&SignedData::from_der(content)?.certificates)
    }

    fn from_certificates(ders: &[&[u8]]) -> Result<Self, AnnouncedError> {
        let certificates: Result<Vec<_>, _> =
            ders.iter().map(|der| Certificate::from_der(der)).collect();
        match certificates? {
            none if none.is_empty() => Err(AnnouncedError::Empty),
            certificates => Ok(Self { certificates }),
        }
    }

    /// All of them, in their order.
    #[must_use]
    pub fn all(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The one to encrypt to: a registration authority's for choice, then any whose key usage is key
    /// encipherment, then any with an RSA key, as many authorities name no such usage.
    #[must_use]
    pub fn encryption(&self) -> Option<&Certificate> {
        let rsa = |certificate: &&Certificate| {
            certificate.public_key().is_ok_and(|key| key.algorithm().can_encipher())
        };
        let enciphers = |certificate: &&Certificate| match certificate.key_usage() {
            Ok(Some(usages)) => usages.contains(KeyUsages::KEY_ENCIPHERMENT),
            _ => false,
        };
        let candidates = || self.certificates.iter().filter(rsa);
        candidates()
            .find(|certificate| !certificate.is_authority() && enciphers(certificate))
            .or_else(|| candidates().find(enciphers))
            .or_else(|| candidates().next())
    }

    /// The one that issues: the first authority's, or the only one there is.
    #[must_use]
    pub fn authority(&self) -> Option<&Certificate> {
        let issues = |certificate: &&Certificate| certificate.is_authority();
        self.certificates.iter().find(issues).or_else(|| self.certificates.first())
    }

    /// Whether `certificate` is announced, or issued by an authority that is.
    pub(super) fn vouches_for(&self, certificate: &Certificate) -> bool {
        self.certificates.iter().any(|announced| {
            announced == certificate
                || (certificate.issuer().matches(announced.subject())
                    && announced.is_authority()
                    && announced
                        .public_key()
                        .is_ok_and(|key| certificate.verify_signed_by(key).is_ok()))
        })
    }
}
