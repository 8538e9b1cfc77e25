//! Certificates as received: parsed leniently, kept octet for octet.
//!
//! Signers of SCEP messages carry certificates that a CA would never issue (version 1, serial numbers of
//! 32 octets, unsorted SETs); they are read all the same. How ours are written is in
//! [`crate::profile`], what is wrong with one in [`crate::lint`].

mod link;

pub use link::LinkError;

use crate::{
    DerError, Name, PublicKey, SerialNumber, SignatureAlgorithm, Time,
    algorithm::AlgorithmError,
    digest,
    extension::{
        AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints,
        ExtendedKeyUsage, Extensions, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
    },
    key::{BadSignature, KeyError},
    tlv::{Reader, Tag, Tlv},
    unsigned::Frame,
};
use std::{fmt, ops::Range, sync::Arc};

/// A certificate (RFC 5280, 4.1). Cheap to clone.
#[derive(Clone)]
pub struct Certificate(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    tbs: Range<usize>,
    version: u8,
    serial: SerialNumber,
    inner_algorithm: Range<usize>,
    outer_algorithm: Range<usize>,
    issuer: Name,
    not_before: Time,
    not_after: Time,
    subject: Name,
    public_key: Result<PublicKey, KeyError>,
    spki: Range<usize>,
    extensions: Extensions,
    signature: Range<usize>,
}

impl Frame for Certificate {}

impl Certificate {
    /// Reads exactly one certificate. A key that we cannot use is no obstacle here; see
    /// [`Certificate::public_key`].
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        let place = |value: Tlv<'_>| {
            let start = value.bytes.as_ptr() as usize - der.as_ptr() as usize;
            start..start + value.bytes.len()
        };
        let mut outer = Reader::entered(der, Tag::SEQUENCE)?;
        let tbs = outer.expect(Tag::SEQUENCE)?;
        let outer_algorithm = place(outer.expect(Tag::SEQUENCE)?);
        let signature = outer.bit_string()?;
        outer.finish()?;

        let mut fields = tbs.reader();
        let version = match fields.context(0)? {
            None => 1,
            Some(mut version) => match version.small_integer()? {
                number @ 0..=2 => u8::try_from(number + 1).unwrap_or(1),
                _ => return Err(DerError::Value("a certificate of a version above 3")),
            },
        };
        let serial = fields.serial_number()?;
        let inner_algorithm = place(fields.expect(Tag::SEQUENCE)?);
        let issuer = Name::from_der(fields.expect(Tag::SEQUENCE)?.bytes)?;
        let mut validity = fields.sequence()?;
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        validity.finish()?;
        let subject = Name::from_der(fields.expect(Tag::SEQUENCE)?.bytes)?;
        let spki = fields.expect(Tag::SEQUENCE)?;
        fields.optional(Tag::context(1))?;
        fields.optional(Tag::context(2))?;
        let extensions = match fields.context(3)? {
            None => Extensions::default(),
            Some(explicit) => Extensions::from_der(explicit.rest())?,
        };
        fields.finish()?;

        Ok(Self(Arc::new(Parts {
            tbs: place(tbs),
            version,
            serial,
            inner_algorithm,
            outer_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            public_key: PublicKey::from_spki_der(spki.bytes),
            spki: place(spki),
            extensions,
            signature: der.len() - signature.len()..der.len(),
            der: der.to_vec(),
        })))
    }

    fn octets(&self, range: &Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).unwrap_or_default()
    }

    /// All of it, as received.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// What is signed, as received.
    pub fn tbs_der(&self) -> &[u8] {
        self.octets(&self.0.tbs)
    }

    /// 1, 2 or 3.
    pub fn version(&self) -> u8 {
        self.0.version
    }

    /// The serial number.
    pub fn serial(&self) -> &SerialNumber {
        &self.0.serial
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// Whom it is about.
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    /// The first second of its validity.
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// The last second of its validity.
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// Whether `at` lies within its validity, both ends included.
    pub fn is_valid_at(&self, at: Time) -> bool {
        (self.0.not_before..=self.0.not_after).contains(&at)
    }

    /// The subject's key, or why it cannot be used.
    pub fn public_key(&self) -> Result<&PublicKey, KeyError> {
        self.0.public_key.as_ref().map_err(Clone::clone)
    }

    /// The SubjectPublicKeyInfo as received, whatever key it is.
    pub fn spki_der(&self) -> &[u8] {
        self.octets(&self.0.spki)
    }

    /// The algorithm of its signature.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, AlgorithmError> {
        SignatureAlgorithm::from_identifier(self.octets(&self.0.outer_algorithm))
    }

    /// Whether the algorithm that is signed along is the one that is stated beside the signature.
    pub fn algorithms_agree(&self) -> bool {
        self.octets(&self.0.inner_algorithm) == self.octets(&self.0.outer_algorithm)
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        self.octets(&self.0.signature)
    }

    /// All extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// What the key may be used for; `None` means anything.
    pub fn key_usage(&self) -> Result<Option<KeyUsages>, DerError> {
        self.0.extensions.decode()
    }

    /// The purposes of the key; `None` means any.
    pub fn extended_key_usage(&self) -> Result<Option<ExtendedKeyUsage>, DerError> {
        self.0.extensions.decode()
    }

    /// Whether it is an authority's; absent is an end entity's.
    pub fn basic_constraints(&self) -> Result<BasicConstraints, DerError> {
        Ok(self.0.extensions.decode()?.unwrap_or(BasicConstraints::EndEntity))
    }

    /// Whether it says that it is an authority's.
    pub fn is_authority(&self) -> bool {
        matches!(self.basic_constraints(), Ok(BasicConstraints::Authority { .. }))
    }

    /// Alternative names of the subject; none if absent.
    pub fn subject_alt_names(&self) -> Result<Vec<crate::GeneralName>, DerError> {
        Ok(self.0.extensions.decode::<SubjectAltName>()?.unwrap_or_default().0)
    }

    /// The issuer's key identifier.
    pub fn authority_key_identifier(&self) -> Result<Option<AuthorityKeyIdentifier>, DerError> {
        self.0.extensions.decode()
    }

    /// The subject's key identifier, as the extension has it.
    pub fn subject_key_identifier(&self) -> Result<Option<Vec<u8>>, DerError> {
        Ok(self.0.extensions.decode::<SubjectKeyIdentifier>()?.map(|identifier| identifier.0))
    }

    /// Where the issuer answers; nowhere if absent.
    pub fn authority_info_access(&self) -> Result<AuthorityInfoAccess, DerError> {
        Ok(self.0.extensions.decode()?.unwrap_or_default())
    }

    /// Where the CRL is; nowhere if absent.
    pub fn crl_distribution_points(&self) -> Result<CrlDistributionPoints, DerError> {
        Ok(self.0.extensions.decode()?.unwrap_or_default())
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        digest::sha256(self.as_der())
    }

    /// SHA-1 of the certificate, which Windows and Intune call its thumbprint.
    pub fn fingerprint_sha1(&self) -> [u8; 20] {
        digest::sha1(self.as_der())
    }

    /// Checks the signature, and that both statements of its algorithm agree (RFC 5280, 4.1.1.2).
    pub fn verify_signed_by(&self, key: &PublicKey) -> Result<(), BadSignature> {
        let algorithm = self.signature_algorithm().map_err(|_| BadSignature)?;
        if !self.algorithms_agree() {
            return Err(BadSignature);
        }
        key.verify(algorithm, self.tbs_der(), self.signature())
    }

    /// Whether subject and issuer are the same name. Says nothing about the signature.
    pub fn is_self_issued(&self) -> bool {
        self.0.subject.matches(&self.0.issuer)
    }

    /// Whether its own key signed it.
    pub fn is_self_signed(&self) -> bool {
        self.is_self_issued()
            && self.public_key().is_ok_and(|key| self.verify_signed_by(key).is_ok())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.as_der() == other.as_der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject(), self.serial())
    }
}

#[cfg(test)]
mod tests;
