//! `SignerInfo` and its signed attributes (RFC 5652, 5.3 and 5.4), verified over the octets received.

use super::{CertificateId, CmsError};
use crate::{
    Digest, Oid, PublicKey, SignatureAlgorithm,
    algorithm::read_digest_identifier,
    oid,
    tlv::{Reader, Tag, Tlv, Writer},
};

/// A `SignerInfo` that was received.
#[derive(Clone, Debug)]
pub struct SignerInfo<'a> {
    /// The signer's certificate.
    pub id: CertificateId,
    /// What the content was digested with.
    pub digest: Digest,
    /// What is signed beside the content.
    pub attributes: Option<Attributes<'a>>,
    /// How the signature was made.
    pub algorithm: SignatureAlgorithm,
    /// How the message names that algorithm.
    pub algorithm_oid: Oid,
    signature: &'a [u8],
}

/// The order of the signed attributes under the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeOrder {
    /// The order in which they were sent, which should be the sorted one.
    AsSent,
    /// Sorted as DER demands, though they were sent otherwise.
    Sorted,
}

impl<'a> SignerInfo<'a> {
    /// Verifies the signature with `key`, over `content` of type `content_type`.
    ///
    /// The attributes are tried in the order they were sent, then sorted: RFC 5652 signs DER, but
    /// some encoders sort before they sign and not when they send, others the other way round.
    pub fn verify(
        &self,
        content_type: Oid,
        content: &[u8],
        key: &PublicKey,
    ) -> Result<AttributeOrder, CmsError> {
        let verify = |signed: &[u8]| {
            key.verify(self.algorithm, signed, self.signature).map_err(|_| CmsError::BadSignature)
        };
        let Some(attributes) = &self.attributes else {
            return verify(content).map(|()| AttributeOrder::AsSent);
        };
        let stated = attributes.single(oid::CONTENT_TYPE)?.oid()?;
        if stated != content_type {
            return Err(CmsError::ContentType { expected: content_type, found: stated });
        }
        let stated = attributes.single(oid::MESSAGE_DIGEST)?;
        if stated.tag != Tag::OCTET_STRING || stated.contents != self.digest.of(content) {
            return Err(CmsError::DigestMismatch);
        }
        let as_sent = attributes.to_set();
        if verify(&as_sent).is_ok() {
            return Ok(AttributeOrder::AsSent);
        }
        let sorted = attributes.to_sorted_set();
        if sorted == as_sent {
            return Err(CmsError::BadSignature);
        }
        verify(&sorted).map(|()| AttributeOrder::Sorted)
    }

    pub(super) fn read(mut fields: Reader<'a>) -> Result<Self, CmsError> {
        fields.small_integer()?;
        let id = CertificateId::read(fields.any()?)?;
        let digest = fields.expect(Tag::SEQUENCE)?;
        let digest = read_digest_identifier(digest.bytes).ok_or_else(|| unknown_digest(digest))?;
        let attributes = fields.context(0)?.map(Attributes::read).transpose()?;
        let identifier = fields.expect(Tag::SEQUENCE)?;
        let algorithm_oid = identifier.reader().oid()?;
        let algorithm = signature_algorithm(identifier, algorithm_oid, digest)?;
        let signature = fields.octet_string()?;
        fields.context(1)?;
        fields.finish()?;
        Ok(Self { id, digest, attributes, algorithm, algorithm_oid, signature })
    }
}

/// What a signature algorithm means beside a digest algorithm: RFC 3370, 3.2 names the key alone and
/// leaves the digest to the other field, later documents and many clients name both.
fn signature_algorithm(
    identifier: Tlv<'_>,
    oid: Oid,
    digest: Digest,
) -> Result<SignatureAlgorithm, CmsError> {
    match oid {
        oid::RSA_ENCRYPTION => Ok(SignatureAlgorithm::RsaPkcs1(digest)),
        oid::EC_PUBLIC_KEY => Ok(SignatureAlgorithm::Ecdsa(digest)),
        _ => Ok(SignatureAlgorithm::from_identifier(identifier.bytes)?),
    }
}

fn unknown_digest(identifier: Tlv<'_>) -> CmsError {
    match identifier.reader().oid() {
        Ok(oid) => CmsError::Algorithm { kind: "digest", oid },
        Err(error) => error.into(),
    }
}

/// Signed attributes as received.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    octets: &'a [u8],
    members: Vec<Member<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Member<'a> {
    oid: Oid,
    values: Reader<'a>,
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The only value of the attribute `oid`.
    pub fn single(&self, oid: Oid) -> Result<Tlv<'a>, CmsError> {
        self.optional(oid)?.ok_or(CmsError::AttributeMissing(oid))
    }

    /// The only value of the attribute `oid`, if it is there.
    pub fn optional(&self, oid: Oid) -> Result<Option<Tlv<'a>>, CmsError> {
        let mut named = self.members.iter().filter(|member| member.oid == oid);
        let Some(member) = named.next() else { return Ok(None) };
        let mut values = member.values;
        let value = values.any().map_err(|_| CmsError::AttributeCount(oid))?;
        if named.next().is_some() || !values.is_empty() {
            return Err(CmsError::AttributeCount(oid));
        }
        Ok(Some(value))
    }

    fn read(set: Reader<'a>) -> Result<Self, CmsError> {
        let octets = set.rest();
        let mut rest = set;
        let mut members = Vec::new();
        while !rest.is_empty() {
            let member = rest.expect(Tag::SEQUENCE)?;
            let mut fields = member.reader();
            let oid = fields.oid()?;
            let values = fields.set()?;
            fields.finish()?;
            members.push(Member { oid, values, bytes: member.bytes });
        }
        Ok(Self { octets, members })
    }

    /// The octets under the signature: the tag of a SET in place of `[0]` (RFC 5652, 5.4).
    fn to_set(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(self.octets.len() + 8);
        w.value(Tag::SET, self.octets);
        w.finish()
    }

    fn to_sorted_set(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(self.octets.len() + 8);
        w.set_of(Tag::SET, self.members.iter().map(|member| member.bytes.to_vec()).collect());
        w.finish()
    }
}
