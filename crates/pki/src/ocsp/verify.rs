//! `OCSPResponse` as received by our client and by the load generator: read, and its signature checked.

use super::{CertId, CertStatus, CrlReason, ResponseStatus};
use crate::{
    Certificate, Name, PublicKey, SignatureAlgorithm, Time,
    algorithm::AlgorithmError,
    key::KeyError,
    oid,
    tlv::{DerError, Reader, Tag},
};

/// A successful response, borrowed from its octets.
#[derive(Clone, Debug)]
pub struct ReceivedResponse<'a> {
    /// Who says he answers.
    pub responder: ResponderId<'a>,
    /// When it was signed.
    pub produced_at: Time,
    /// What is said.
    pub answers: Vec<ReceivedAnswer<'a>>,
    /// The nonce, without its OCTET STRING.
    pub nonce: Option<&'a [u8]>,
    /// The certificates that came along, as received.
    pub certificates: Vec<&'a [u8]>,
    /// How it is signed.
    pub algorithm: SignatureAlgorithm,
    tbs: &'a [u8],
    signature: &'a [u8],
}

/// `ResponderID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponderId<'a> {
    /// The DER of a name.
    ByName(&'a [u8]),
    /// The SHA-1 of a key.
    ByKey(&'a [u8]),
}

impl ResponderId<'_> {
    fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::ByName(name) => {
                Name::from_der(name).is_ok_and(|name| name.matches(certificate.subject()))
            }
            Self::ByKey(hash) => {
                certificate.public_key().is_ok_and(|key| key.key_identifier() == **hash)
            }
        }
    }
}

/// What a response says about one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedAnswer<'a> {
    /// Which.
    pub id: CertId<'a>,
    /// Its status.
    pub status: CertStatus,
    /// When that was known.
    pub this_update: Time,
    /// Until when it may be believed.
    pub next_update: Option<Time>,
}

/// Why a response is no answer to trust.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ResponseError {
    /// Not an `OCSPResponse`.
    #[error("the OCSP response cannot be read: {0}")]
    Malformed(#[from] DerError),
    /// The responder does not answer.
    #[error("the responder answers {0}")]
    Status(ResponseStatus),
    /// The issuer's or the responder's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Signed in a way that is not supported.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// The signature is not by that key.
    #[error("the signature of the OCSP response does not verify")]
    BadSignature,
    /// Signed by nobody whom the issuer made a responder.
    #[error("the OCSP response is not signed by the issuer or a responder of it: {0}")]
    Responder(&'static str),
}

impl<'a> ReceivedResponse<'a> {
    /// Reads a response; [`ResponseError::Status`] when it carries no answer.
    pub fn from_der(der: &'a [u8]) -> Result<Self, ResponseError> {
        let mut fields = Reader::entered(der, Tag::SEQUENCE)?;
        let number = fields.expect(Tag::ENUMERATED)?.small_integer()?;
        let status = ResponseStatus::from_number(number)
            .ok_or(DerError::Value("an OCSP response status that is not assigned"))?;
        if status != ResponseStatus::Successful {
            return Err(ResponseError::Status(status));
        }
        let absent = DerError::Value("a successful response without an answer");
        let mut bytes = fields.context(0)?.ok_or(absent)?.sequence()?;
        fields.finish()?;
        if bytes.oid()? != oid::OCSP_BASIC {
            return Err(DerError::Value("a response that is not the basic one").into());
        }
        let basic = bytes.octet_string()?;
        bytes.finish()?;
        Self::read_basic(Reader::entered(basic, Tag::SEQUENCE)?)
    }

    fn read_basic(mut basic: Reader<'a>) -> Result<Self, ResponseError> {
        let tbs = basic.expect(Tag::SEQUENCE)?;
        let algorithm = SignatureAlgorithm::from_identifier(basic.expect(Tag::SEQUENCE)?.bytes)?;
        let signature = basic.bit_string()?;
        let certificates = match basic.context(0)? {
            None => Vec::new(),
            Some(mut explicit) => members(explicit.sequence()?)?,
        };
        basic.finish()?;
        let mut data = tbs.reader();
        data.context(0)?;
        let responder = read_responder(&mut data)?;
        let produced_at = data.time()?;
        let mut list = data.sequence()?;
        let mut answers = Vec::new();
        while !list.is_empty() {
            answers.push(ReceivedAnswer::read(list.sequence()?)?);
        }
        let nonce = match data.context(1)? {
            None => None,
            Some(mut extensions) => read_nonce(extensions.sequence()?)?,
        };
        data.finish()?;
        let tbs = tbs.bytes;
        Ok(Self { responder, produced_at, answers, nonce, certificates, algorithm, tbs, signature })
    }

    /// Checks that `issuer` signed the response, or a responder whom it made one (RFC 6960, 4.2.2.2):
    /// whose certificate came along, was signed by the issuer's own key, is for OCSP signing and valid
    /// at `now`.
    pub fn verify(&self, issuer: &Certificate, now: Time) -> Result<(), ResponseError> {
        let issuer_key = issuer.public_key()?;
        if self.responder.names(issuer) {
            return self.signed_with(issuer_key);
        }
        let absent = ResponseError::Responder("its certificate is missing");
        let delegate = self
            .certificates
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .find(|certificate| self.responder.names(certificate))
            .ok_or(absent)?;
        let signs_ocsp = delegate
            .extended_key_usage()?
            .is_some_and(|purposes| purposes.0.contains(&oid::OCSP_SIGNING));
        if !signs_ocsp {
            return Err(ResponseError::Responder("its certificate is not for OCSP signing"));
        }
        if !delegate.is_valid_at(now) {
            return Err(ResponseError::Responder("its certificate is not valid now"));
        }
        let by_issuer = delegate.issuer().matches(issuer.subject())
            && delegate.verify_signed_by(issuer_key).is_ok();
        if !by_issuer {
            return Err(ResponseError::Responder("its certificate is not by the issuer"));
        }
        self.signed_with(delegate.public_key()?)
    }

    /// Whether the response was signed with `key`. Whose key it should be is the caller's business;
    /// see [`ReceivedResponse::verify`].
    pub fn signed_with(&self, key: &PublicKey) -> Result<(), ResponseError> {
        key.verify(self.algorithm, self.tbs, self.signature)
            .map_err(|_| ResponseError::BadSignature)
    }
}

impl<'a> ReceivedAnswer<'a> {
    fn read(mut fields: Reader<'a>) -> Result<Self, DerError> {
        let id = CertId::read(fields.expect(Tag::SEQUENCE)?)?;
        let status = read_status(&mut fields)?;
        let this_update = fields.time()?;
        let next_update = match fields.context(0)? {
            None => None,
            Some(mut explicit) => Some(explicit.time()?),
        };
        fields.context(1)?;
        fields.finish()?;
        Ok(Self { id, status, this_update, next_update })
    }
}

fn read_status(fields: &mut Reader<'_>) -> Result<CertStatus, DerError> {
    const GOOD: Tag = Tag::context(0);
    const REVOKED: Tag = Tag::context_constructed(1);
    const UNKNOWN: Tag = Tag::context(2);
    let value = fields.any()?;
    match value.tag {
        GOOD => Ok(CertStatus::Good),
        UNKNOWN => Ok(CertStatus::Unknown),
        REVOKED => {
            let mut info = value.reader();
            let at = info.time()?;
            let reason = match info.context(0)? {
                None => None,
                Some(mut reason) => {
                    let number = reason.expect(Tag::ENUMERATED)?.small_integer()?;
                    u8::try_from(number).ok().and_then(CrlReason::from_number)
                }
            };
            Ok(CertStatus::Revoked { at, reason })
        }
        _ => Err(DerError::Value("a certificate status that is not assigned")),
    }
}

fn read_responder<'a>(data: &mut Reader<'a>) -> Result<ResponderId<'a>, DerError> {
    const BY_NAME: Tag = Tag::context_constructed(1);
    let value = data.any()?;
    let mut inside = value.reader();
    let responder = if value.tag == BY_NAME {
        ResponderId::ByName(inside.expect(Tag::SEQUENCE)?.bytes)
    } else {
        ResponderId::ByKey(inside.octet_string()?)
    };
    inside.finish()?;
    Ok(responder)
}

fn members(mut list: Reader<'_>) -> Result<Vec<&[u8]>, DerError> {
    let mut members = Vec::new();
    while !list.is_empty() {
        members.push(list.expect(Tag::SEQUENCE)?.bytes);
    }
    Ok(members)
}

fn read_nonce(mut extensions: Reader<'_>) -> Result<Option<&[u8]>, DerError> {
    let mut nonce = None;
    while !extensions.is_empty() {
        let mut extension = extensions.sequence()?;
        let oid = extension.oid()?;
        extension.optional(Tag::BOOLEAN)?;
        let value = extension.octet_string()?;
        if oid == oid::OCSP_NONCE {
            nonce = Some(Reader::new(value).octet_string()?);
        }
    }
    Ok(nonce)
}
