//! A pkiMessage as received (RFC 8894, 3.2), before anyone believes it: what both sides have in common.

use lanyard_pki::{
    Certificate, Digest,
    ber::{self, BerError, Limits},
    cms::{AttributeOrder, CmsError, ContentCipher, KeyTransport, SignedData, SignerInfo},
    key::KeyError,
    oid,
};
use std::borrow::Cow;
use thiserror::Error;

use crate::{AttributeError, Tolerance, Tolerances, attribute::MessageAttributes};

/// What is accepted at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether broken algorithms are.
    pub legacy: Legacy,
    /// The most octets of a message.
    pub octets: usize,
}

/// Whether single DES and MD5 are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legacy {
    /// They are not
    #[default]
    Refused,
    /// They are
    Allowed,
}

impl Policy {
    /// Octets that no honest message comes near: one with an RSA-8192 key and a long challenge has
    /// some ten thousand.
    pub const OCTETS: usize = 64 * 1024;
}

impl Default for Policy {
    fn default() -> Self {
        Self { legacy: Legacy::Refused, octets: Self::OCTETS }
    }
}

/// Why octets are no pkiMessage that could be answered in kind.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MessageError {
    /// Not BER.
    #[error(transparent)]
    Ber(#[from] BerError),
    /// Not signed data.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// Not SCEP's attributes.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// Signed by nobody, or by several.
    #[error("a pkiMessage has one signer, here are {0}")]
    Signers(usize),
    /// A reply where a request was due, or the other way round.
    #[error("a message of type {0} is not expected here")]
    Unexpected(crate::MessageType),
    /// A request without a nonce.
    #[error("the message carries no senderNonce")]
    NoSenderNonce,
}

/// Why a message is not to be believed, or not to be opened.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Distrust {
    /// No certificate of its signer came along.
    #[error("the certificate of the signer is missing")]
    NoCertificate,
    /// The signer's key cannot be used.
    #[error("the signer's key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The signature, or what is signed, is wrong.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The signer is not the one that was expected.
    #[error("the message is signed by somebody else than the authority")]
    Stranger,
    /// A digest that is not accepted.
    #[error("{0} is not accepted")]
    Digest(Digest),
    /// A cipher that is not accepted.
    #[error("{0} is not accepted")]
    Cipher(ContentCipher),
}

/// A message that was read and not verified. Holds DER of its own.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    der: Vec<u8>,
    pub(crate) attributes: MessageAttributes,
    pub(crate) digest: Digest,
    pub(crate) tolerances: Tolerances,
}

/// What a verified message turned out to hold.
#[derive(Clone, Debug)]
pub(crate) struct Believed {
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) signer: Certificate,
    pub(crate) tolerances: Tolerances,
}

impl Message {
    pub(crate) fn parse(octets: &[u8], policy: &Policy) -> Result<Self, MessageError> {
        let mut tolerances = Tolerances::none();
        let der = normalised(octets, policy, Tolerance::BerOutside, &mut tolerances)?;
        let data = SignedData::from_der(&der)?;
        let [signer] = data.signers.as_slice() else {
            return Err(MessageError::Signers(data.signers.len()));
        };
        let missing = CmsError::AttributeMissing(oid::SCEP_MESSAGE_TYPE);
        let attributes = MessageAttributes::read(signer.attributes.as_ref().ok_or(missing)?)?;
        let digest = signer.digest;
        Ok(Self { attributes, digest, tolerances, der: der.into_owned() })
    }

    /// Finds the certificate of the signer, among those that came along or the `known` ones, and checks
    /// the signature with its key, if `accept` has nothing against it.
    pub(crate) fn verify(
        &self,
        policy: &Policy,
        known: &[Certificate],
        accept: impl FnOnce(&Certificate) -> bool,
    ) -> Result<Believed, Distrust> {
        let data = SignedData::from_der(&self.der)?;
        let signer = data.signers.first().ok_or(Distrust::NoCertificate)?;
        let sent = data.certificates.iter().filter_map(|der| Certificate::from_der(der).ok());
        let certificate = known
            .iter()
            .cloned()
            .chain(sent)
            .find(|certificate| signer.id.names(certificate))
            .ok_or(Distrust::NoCertificate)?;
        if !accept(&certificate) {
            return Err(Distrust::Stranger);
        }
        let mut tolerances = self.tolerances.and(check_digests(signer, policy)?);
        if is_rsa_with_digest(signer.algorithm_oid) {
            tolerances.note(Tolerance::SignatureNamesDigest);
        }
        if certificate.serial().as_bytes().len() > 20 {
            tolerances.note(Tolerance::LongSerialNumber);
        }
        let content = data.content.unwrap_or_default();
        let order = signer.verify(data.content_type, content, certificate.public_key()?)?;
        if order == AttributeOrder::Sorted {
            tolerances.note(Tolerance::UnsortedAttributes);
        }
        Ok(Believed { content: data.content.map(<[u8]>::to_vec), signer: certificate, tolerances })
    }
}

/// Whether the digests are accepted: that of the content, and the same one under the signature.
fn check_digests(signer: &SignerInfo<'_>, policy: &Policy) -> Result<Tolerances, Distrust> {
    if signer.algorithm.digest().is_some_and(|digest| digest != signer.digest) {
        return Err(Distrust::Cms(CmsError::Parameters("the signature algorithm")));
    }
    match (signer.digest, policy.legacy) {
        (Digest::Md5, Legacy::Refused) => Err(Distrust::Digest(Digest::Md5)),
        (Digest::Md5, Legacy::Allowed) => Ok(Tolerances::none().with(Tolerance::Md5)),
        (Digest::Sha1, _) => Ok(Tolerances::none().with(Tolerance::Sha1)),
        _ => Ok(Tolerances::none()),
    }
}

fn is_rsa_with_digest(oid: lanyard_pki::Oid) -> bool {
    matches!(
        oid,
        oid::MD5_WITH_RSA
            | oid::SHA1_WITH_RSA
            | oid::SHA224_WITH_RSA
            | oid::SHA256_WITH_RSA
            | oid::SHA384_WITH_RSA
            | oid::SHA512_WITH_RSA
    )
}

/// DER of what may be BER, noting if it was.
pub(crate) fn normalised<'a>(
    octets: &'a [u8],
    policy: &Policy,
    tolerance: Tolerance,
    tolerances: &mut Tolerances,
) -> Result<Cow<'a, [u8]>, BerError> {
    let der = ber::normalise(octets, Limits::of_octets(policy.octets))?;
    if matches!(der, Cow::Owned(_)) {
        tolerances.note(tolerance);
    }
    Ok(der)
}

/// Whether the cipher and the key transport of an envelope are accepted, noting what they need.
pub(crate) fn check_envelope(
    cipher: ContentCipher,
    transport: &KeyTransport,
    policy: &Policy,
    tolerances: &mut Tolerances,
) -> Result<(), Distrust> {
    match (cipher, policy.legacy) {
        (ContentCipher::Des, Legacy::Refused) => return Err(Distrust::Cipher(cipher)),
        (ContentCipher::Des, Legacy::Allowed) => tolerances.note(Tolerance::SingleDes),
        (ContentCipher::TripleDes, _) => tolerances.note(Tolerance::TripleDes),
        _ => {}
    }
    if let KeyTransport::Oaep { digest, mask, .. } = transport {
        tolerances.note(Tolerance::Oaep);
        for digest in [*digest, *mask] {
            if digest == Digest::Md5 && policy.legacy == Legacy::Refused {
                return Err(Distrust::Digest(digest));
            }
        }
    }
    Ok(())
}
