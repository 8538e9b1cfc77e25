//! Cryptographic Message Syntax (RFC 5652): signed data and enveloped data, read and written.
//!
//! Messages are DER by the time they come here ([`crate::ber`]). Certificates inside stay the octets
//! they came as, in the order they came in. Who may sign or decrypt is not decided here, and nothing
//! here holds a private key: a signature is asked for with [`UnsignedMessage`], a content key with
//! [`EnvelopedData::recipients`].

mod cipher;
mod enveloped;
mod key_transport;
mod password;
mod signed;
mod signer;
mod write;

use thiserror::Error;

pub use cipher::{CipherError, ContentCipher};
pub use enveloped::{
    EncryptedContent, EnvelopeError, EnvelopeSecrets, EnvelopedData, KeyTransportRecipient,
    Recipient,
};
pub use key_transport::KeyTransport;
pub use password::{PasswordKey, PasswordRecipient};
pub use signed::SignedData;
pub use signer::{AttributeOrder, Attributes, SignerInfo};
pub use write::{Attribute, SigningInput, UnsignedMessage, certificates_only};

use crate::{
    Certificate, Name, Oid, SerialNumber,
    algorithm::AlgorithmError,
    tlv::{DerError, Reader, Tag, Tlv, Writer},
};

/// Why a message cannot be read or does not verify.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CmsError {
    /// Not the structure it should be.
    #[error("the CMS message cannot be read: {0}")]
    Malformed(#[from] DerError),
    /// Another content type than was due.
    #[error("expected CMS content of type {expected}, found {found}")]
    ContentType {
        /// What was due.
        expected: Oid,
        /// What was there.
        found: Oid,
    },
    /// A digest, cipher, key transport or key derivation that is not supported.
    #[error("{kind} {oid} is not supported")]
    Algorithm {
        /// What the algorithm is for.
        kind: &'static str,
        /// Its identifier.
        oid: Oid,
    },
    /// Parameters of a supported algorithm that are not.
    #[error("the parameters of {0} are not supported")]
    Parameters(&'static str),
    /// The algorithm of a signature is not supported.
    #[error(transparent)]
    Signature(#[from] AlgorithmError),
    /// No content where there should be some.
    #[error("the CMS message carries no content")]
    NoContent,
    /// An attribute that must be there is not.
    #[error("the signed attribute {0} is missing")]
    AttributeMissing(Oid),
    /// An attribute that may be there once, with one value, is there otherwise.
    #[error("the signed attribute {0} must have exactly one value")]
    AttributeCount(Oid),
    /// The message digest attribute is not the digest of the content.
    #[error("the digest of the content is not the signed one")]
    DigestMismatch,
    /// The signature does not verify with the signer's key.
    #[error("the signature does not verify")]
    BadSignature,
}

/// Names one certificate: in `SignerIdentifier` and `RecipientIdentifier` (RFC 5652, 5.3 and 6.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateId {
    /// By its issuer and serial number.
    IssuerAndSerial(IssuerAndSerialNumber),
    /// By its subject key identifier.
    KeyIdentifier(Vec<u8>),
}

/// `IssuerAndSerialNumber` (RFC 5652, 10.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerAndSerialNumber {
    /// The issuer's name.
    pub issuer: Name,
    /// The serial number.
    pub serial: SerialNumber,
}

impl IssuerAndSerialNumber {
    /// Of this certificate.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        Self { issuer: certificate.issuer().clone(), serial: certificate.serial().clone() }
    }

    /// Whether it names `certificate`.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        self.serial == *certificate.serial() && self.issuer.matches(certificate.issuer())
    }

    /// Reads the one SEQUENCE that `der` is.
    pub fn from_der(der: &[u8]) -> Result<Self, CmsError> {
        let mut fields = Reader::entered(der, Tag::SEQUENCE)?;
        let value = Self::read(&mut fields)?;
        fields.finish()?;
        Ok(value)
    }

    /// Its DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        Writer::sequence_of(|w| {
            w.raw(self.issuer.as_der());
            w.serial_number(&self.serial);
        })
    }

    fn read(fields: &mut Reader<'_>) -> Result<Self, CmsError> {
        let issuer = Name::from_der(fields.expect(Tag::SEQUENCE)?.bytes)
            .map_err(|_| DerError::Value("an issuer's name that is malformed"))?;
        Ok(Self { issuer, serial: fields.serial_number()? })
    }
}

impl CertificateId {
    /// Names `certificate` by issuer and serial number.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        Self::IssuerAndSerial(IssuerAndSerialNumber::of(certificate))
    }

    /// Whether it names `certificate`. Without a subject key identifier a certificate goes by the one
    /// that its key would get.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(id) => id.names(certificate),
            Self::KeyIdentifier(id) => match certificate.subject_key_identifier() {
                Ok(Some(stated)) => stated == *id,
                Ok(None) => certificate.public_key().is_ok_and(|key| key.key_identifier() == **id),
                Err(_) => false,
            },
        }
    }

    fn read(value: Tlv<'_>) -> Result<Self, CmsError> {
        match value.tag {
            Tag::SEQUENCE => {
                IssuerAndSerialNumber::from_der(value.bytes).map(Self::IssuerAndSerial)
            }
            KEY_IDENTIFIER => Ok(Self::KeyIdentifier(value.contents.to_vec())),
            found => Err(DerError::Unexpected { expected: Tag::SEQUENCE, found }.into()),
        }
    }

    /// The version that a `SignerInfo` with this identifier carries (RFC 5652, 5.3).
    const fn signer_version(&self) -> u64 {
        match self {
            Self::IssuerAndSerial(_) => 1,
            Self::KeyIdentifier(_) => 3,
        }
    }

    /// The version that a `KeyTransRecipientInfo` with it carries (RFC 5652, 6.2.1).
    const fn recipient_version(&self) -> u64 {
        match self {
            Self::IssuerAndSerial(_) => 0,
            Self::KeyIdentifier(_) => 2,
        }
    }

    fn write(&self, w: &mut Writer) {
        match self {
            Self::IssuerAndSerial(id) => w.raw(&id.to_der()),
            Self::KeyIdentifier(id) => w.value(KEY_IDENTIFIER, id),
        }
    }
}

const KEY_IDENTIFIER: Tag = Tag::context(0);

/// Enters a `ContentInfo` that must hold `expected`.
fn content_info(der: &[u8], expected: Oid) -> Result<Reader<'_>, CmsError> {
    let mut info = Reader::entered(der, Tag::SEQUENCE)?;
    let found = info.oid()?;
    if found != expected {
        return Err(CmsError::ContentType { expected, found });
    }
    let mut content = info.context(0)?.ok_or(CmsError::NoContent)?;
    info.finish()?;
    let inside = content.sequence()?;
    content.finish()?;
    Ok(inside)
}

/// A `ContentInfo` around a SEQUENCE that `inside` writes.
fn write_content_info(oid: Oid, inside: impl FnOnce(&mut Writer)) -> Vec<u8> {
    Writer::sequence_of(|w| {
        w.oid(oid);
        w.context(0, |w| w.sequence(inside));
    })
}

#[cfg(test)]
mod tests;
