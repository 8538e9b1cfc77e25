//! `SignedData` (RFC 5652, 5) as received. Whose signature it is, and whether that is enough, is for
//! the protocol to say.

use super::{CmsError, SignerInfo, content_info};
use crate::{
    Oid, oid,
    tlv::{Reader, Tag},
};

/// A `SignedData` that was received, borrowed from its DER.
#[derive(Clone, Debug)]
pub struct SignedData<'a> {
    /// What the content is.
    pub content_type: Oid,
    /// The content; degenerate messages have none.
    pub content: Option<&'a [u8]>,
    /// The certificates as received, in their order.
    pub certificates: Vec<&'a [u8]>,
    /// The CRLs as received, in their order.
    pub crls: Vec<&'a [u8]>,
    /// The signers; degenerate messages have none.
    pub signers: Vec<SignerInfo<'a>>,
}

impl<'a> SignedData<'a> {
    /// Reads a `ContentInfo` with signed data. The input is DER.
    pub fn from_der(der: &'a [u8]) -> Result<Self, CmsError> {
        let mut fields = content_info(der, oid::SIGNED_DATA)?;
        fields.small_integer()?;
        fields.set()?;
        let (content_type, content) = encapsulated(fields.sequence()?)?;
        let certificates = choices(fields.context(0)?)?;
        let crls = choices(fields.context(1)?)?;
        let mut infos = fields.set()?;
        fields.finish()?;
        let mut signers = Vec::new();
        while !infos.is_empty() {
            signers.push(SignerInfo::read(infos.sequence()?)?);
        }
        Ok(Self { content_type, content, certificates, crls, signers })
    }
}

/// `EncapsulatedContentInfo`: the content is the octets inside the OCTET STRING.
fn encapsulated(mut info: Reader<'_>) -> Result<(Oid, Option<&[u8]>), CmsError> {
    let content_type = info.oid()?;
    let content = match info.context(0)? {
        None => None,
        Some(mut explicit) => {
            let content = explicit.octet_string()?;
            explicit.finish()?;
            Some(content)
        }
    };
    info.finish()?;
    Ok((content_type, content))
}

/// The plain members of `CertificateSet` or `RevocationInfoChoices`; the tagged other kinds are
/// passed over.
fn choices(set: Option<Reader<'_>>) -> Result<Vec<&[u8]>, CmsError> {
    let mut members = Vec::new();
    let mut set = set.unwrap_or_else(|| Reader::new(&[]));
    while !set.is_empty() {
        let member = set.any()?;
        if member.tag == Tag::SEQUENCE {
            members.push(member.bytes);
        }
    }
    Ok(members)
}
