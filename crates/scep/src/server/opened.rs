//! What was in the envelope: the request itself (RFC 8894, 3.3).

use lanyard_pki::{
    Certificate, Name,
    cms::{ContentCipher, IssuerAndSerialNumber, KeyTransport, PasswordKey},
    csr::{CertificationRequest, ChallengePassword, RequestError},
    tlv::{DerError, Reader, Tag, Writer},
};

use super::{Reason, Reply, Verified};
use crate::{MessageType, SenderNonce, Tolerance, Tolerances, TransactionId, message::normalised};

/// A request that was verified and opened, and the reply that waits for a decision.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is asked for.
    pub request: Request,
    /// Whose signature it carries; self-signed, or to be looked up.
    pub signer: Certificate,
    /// The nonce of the request.
    pub sender_nonce: SenderNonce,
    /// The way back.
    pub reply: Reply,
    /// What had to be overlooked.
    pub tolerances: Tolerances,
}

/// What a client asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// A certificate
    Certificate {
        /// The request for it.
        csr: CertificationRequest,
        /// Whether it is the first one.
        purpose: Purpose,
    },
    /// What became of an earlier request
    Poll(IssuerAndSubject),
    /// A certificate that was issued
    GetCert(IssuerAndSerialNumber),
    /// The CRL that would list this certificate
    GetCrl(IssuerAndSerialNumber),
}

/// Whether a certificate is asked for on the strength of an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// By a challenge password or a person's approval
    Initial,
    /// By the certificate that signed the request. That it is one of ours is not checked here
    Renewal,
}

/// `IssuerAndSubject` (RFC 8894, 3.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerAndSubject {
    /// The authority's name.
    pub issuer: Name,
    /// The requester's name.
    pub subject: Name,
}

impl IssuerAndSubject {
    /// Reads the one value that `der` is.
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::entered(der, Tag::SEQUENCE)?;
        let issuer = Name::from_der(fields.expect(Tag::SEQUENCE)?.bytes)?;
        let subject = Name::from_der(fields.expect(Tag::SEQUENCE)?.bytes)?;
        fields.finish()?;
        Ok(Self { issuer, subject })
    }

    /// Its DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        Writer::sequence_of(|w| {
            w.raw(self.issuer.as_der());
            w.raw(self.subject.as_der());
        })
    }
}

impl Opened {
    /// The transaction it belongs to.
    #[must_use]
    pub const fn transaction_id(&self) -> &TransactionId {
        self.reply.to().transaction_id()
    }

    /// The challenge password of a request for a certificate.
    #[must_use]
    pub fn challenge_password(&self) -> Option<ChallengePassword> {
        match &self.request {
            Request::Certificate { csr, .. } => csr.challenge_password(),
            _ => None,
        }
    }

    /// Whether the signer's certificate names itself as its issuer: nobody vouches for it then.
    #[must_use]
    pub fn signer_is_self_issued(&self) -> bool {
        self.signer.is_self_issued()
    }

    /// Whether a reply could be encrypted only under a challenge that the request does not carry. To be
    /// asked before anything is issued: without a challenge from elsewhere the client could not read it.
    #[must_use]
    pub fn lacks_challenge(&self) -> bool {
        self.reply.needs_password() && self.challenge_password().is_none()
    }

    /// The key for a reply to a client whose key cannot decrypt, out of its challenge password
    /// (RFC 8894, 3.1). It may be kept while the request is pending.
    ///
    /// `None` when the request carries no challenge.
    #[must_use]
    pub fn password_key(&self, salt: [u8; PasswordKey::SALT]) -> Option<PasswordKey> {
        let challenge = self.challenge_password()?;
        Some(PasswordKey::derive(challenge.expose(), salt, PasswordKey::ITERATIONS))
    }

    pub(super) fn read(
        verified: Verified,
        cipher: ContentCipher,
        transport: KeyTransport,
        plain: &[u8],
    ) -> Result<Self, Reason> {
        let mut tolerances = verified.tolerances;
        let plain = normalised(plain, &verified.policy, Tolerance::BerEnvelope, &mut tolerances)
            .map_err(|_| Reason::Envelope)?;
        let renews = !verified.signer.is_self_issued();
        let request = match verified.message_type {
            MessageType::PkcsReq | MessageType::RenewalReq => {
                let csr = CertificationRequest::from_der(&plain).map_err(|error| match error {
                    RequestError::Malformed(_) => Reason::Envelope,
                    other => Reason::Request(other),
                })?;
                let purpose = match verified.message_type {
                    MessageType::PkcsReq if !renews => Purpose::Initial,
                    MessageType::PkcsReq => {
                        tolerances.note(Tolerance::PkcsReqAsRenewal);
                        Purpose::Renewal
                    }
                    _ => Purpose::Renewal,
                };
                Request::Certificate { csr, purpose }
            }
            MessageType::CertPoll => {
                Request::Poll(IssuerAndSubject::from_der(&plain).map_err(|_| Reason::Envelope)?)
            }
            MessageType::GetCert => Request::GetCert(issuer_and_serial(&plain)?),
            MessageType::GetCrl => Request::GetCrl(issuer_and_serial(&plain)?),
            MessageType::CertRep => return Err(Reason::Envelope),
        };
        let signer = verified.signer;
        let reply = Reply::new(verified.reply_to, signer.clone(), cipher, transport);
        Ok(Self { request, signer, sender_nonce: verified.sender_nonce, reply, tolerances })
    }
}

fn issuer_and_serial(der: &[u8]) -> Result<IssuerAndSerialNumber, Reason> {
    IssuerAndSerialNumber::from_der(der).map_err(|_| Reason::Envelope)
}
