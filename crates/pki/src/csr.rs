//! Certification requests (PKCS #10, RFC 2986): read as received, and built for our own client.
//!
//! A request brings a key and claims. Which of them are granted is decided in `lifecycle`.

mod build;
mod challenge;
mod validity;

pub use build::RequestBuilder;
pub use challenge::ChallengePassword;
pub use validity::{PeriodUnit, RequestedValidity};

use crate::{
    DerError, GeneralName, Name, Oid, PublicKey, SignatureAlgorithm,
    algorithm::AlgorithmError,
    digest,
    extension::{Extensions, SubjectAltName},
    key::{BadSignature, KeyError},
    name::decode_string,
    oid,
    tlv::{Reader, Tag, Tlv},
    unsigned::Frame,
};
use std::{fmt, ops::Range, sync::Arc};

/// Why bytes are no certification request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not a CertificationRequest.
    #[error("the certification request cannot be read: {0}")]
    Malformed(#[from] DerError),
    /// A key that we cannot use.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A signature algorithm that we do not know.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
}

/// One attribute of a request, with the DER of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestAttribute {
    /// Which.
    pub oid: Oid,
    /// The DER of each value, in the order received.
    pub values: Vec<Vec<u8>>,
}

/// A certification request. Cheap to clone.
#[derive(Clone)]
pub struct CertificationRequest(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    info: Range<usize>,
    subject: Name,
    public_key: PublicKey,
    attributes: Vec<RequestAttribute>,
    algorithm: SignatureAlgorithm,
    signature: Range<usize>,
}

impl Frame for CertificationRequest {}

impl CertificationRequest {
    /// Reads exactly one request. Attributes need not be sorted, nor be there at all, and the version is
    /// read over: clients differ in all three.
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let mut outer = Reader::entered(der, Tag::SEQUENCE)?;
        let info = outer.expect(Tag::SEQUENCE)?;
        let algorithm = outer.expect(Tag::SEQUENCE)?;
        let signature = outer.bit_string()?;
        outer.finish()?;

        let mut fields = info.reader();
        fields.expect(Tag::INTEGER)?;
        let subject = Name::from_der(fields.expect(Tag::SEQUENCE)?.bytes)?;
        let spki = fields.expect(Tag::SEQUENCE)?;
        let attributes = match fields.context(0)? {
            Some(attributes) => read_attributes(attributes)?,
            None => Vec::new(),
        };
        fields.finish()?;

        let start = info.bytes.as_ptr() as usize - der.as_ptr() as usize;
        Ok(Self(Arc::new(Parts {
            info: start..start + info.bytes.len(),
            subject,
            public_key: PublicKey::from_spki_der(spki.bytes)?,
            attributes,
            algorithm: SignatureAlgorithm::from_identifier(algorithm.bytes)?,
            signature: der.len() - signature.len()..der.len(),
            der: der.to_vec(),
        })))
    }

    /// All of it, as received.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// What is signed, as received.
    pub fn info_der(&self) -> &[u8] {
        self.0.der.get(self.0.info.clone()).unwrap_or_default()
    }

    /// The subject asked for.
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    /// The key to certify.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// All attributes, in the order received.
    pub fn attributes(&self) -> &[RequestAttribute] {
        &self.0.attributes
    }

    /// The algorithm of its signature.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm
    }

    /// SHA-256 of the request.
    pub fn fingerprint(&self) -> [u8; 32] {
        digest::sha256(self.as_der())
    }

    /// Proof of possession: checks the signature, made with the very key, over the bytes as received.
    pub fn verify(&self) -> Result<(), BadSignature> {
        let signature = self.0.der.get(self.0.signature.clone()).unwrap_or_default();
        self.0.public_key.verify(self.0.algorithm, self.info_der(), signature)
    }

    fn values(&self, oid: Oid) -> impl Iterator<Item = &[u8]> {
        self.0
            .attributes
            .iter()
            .filter(move |attribute| attribute.oid == oid)
            .flat_map(|attribute| attribute.values.iter().map(Vec::as_slice))
    }

    /// The challenge password, in whatever string type and of whatever length it was sent.
    pub fn challenge_password(&self) -> Option<ChallengePassword> {
        let value = Reader::new(self.values(oid::CHALLENGE_PASSWORD).next()?).any().ok()?;
        Some(ChallengePassword::from_value(value))
    }

    /// The extensions asked for, under the attribute of PKCS #9 or that of Windows; none if absent.
    pub fn requested_extensions(&self) -> Result<Extensions, DerError> {
        self.values(oid::EXTENSION_REQUEST)
            .chain(self.values(oid::MS_CERT_EXTENSIONS))
            .next()
            .map_or(Ok(Extensions::default()), Extensions::from_der)
    }

    /// The subject alternative names asked for; none if absent.
    pub fn requested_alt_names(&self) -> Result<Vec<GeneralName>, DerError> {
        let names = self.requested_extensions()?.decode::<SubjectAltName>()?;
        Ok(names.unwrap_or_default().0)
    }

    /// How long the certificate is asked to be valid, by the name and value pairs of Windows. They may
    /// come in either order, in one attribute or two, and with the unit and the count swapped, as
    /// Android sends them.
    pub fn requested_validity(&self) -> Option<RequestedValidity> {
        let pairs = self.values(oid::MS_ENROLLMENT_NAME_VALUE_PAIR).filter_map(|value| {
            let mut fields = Reader::entered(value, Tag::SEQUENCE).ok()?;
            let mut text = || {
                let value: Tlv<'_> = fields.any().ok()?;
                decode_string(value.tag, value.contents)
            };
            Some((text()?, text()?))
        });
        RequestedValidity::from_pairs(pairs)
    }
}

fn read_attributes(mut reader: Reader<'_>) -> Result<Vec<RequestAttribute>, DerError> {
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        let mut attribute = reader.sequence()?;
        let oid = attribute.oid()?;
        let mut set = attribute.set()?;
        attribute.finish()?;
        let mut values = Vec::new();
        while !set.is_empty() {
            values.push(set.any()?.bytes.to_vec());
        }
        attributes.push(RequestAttribute { oid, values });
    }
    Ok(attributes)
}

impl PartialEq for CertificationRequest {
    fn eq(&self, other: &Self) -> bool {
        self.as_der() == other.as_der()
    }
}

impl Eq for CertificationRequest {}

impl fmt::Debug for CertificationRequest {
    /// Not the attributes: the challenge password is one of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificationRequest({}, {})", self.subject(), self.public_key().algorithm())
    }
}

#[cfg(test)]
mod tests;
