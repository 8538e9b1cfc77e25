//! The server's side: from the octets of a request to those of its reply, one type a stage, each
//! consumed by the next, so that none can be left out.
//!
//! ```text
//! octets ─► Message ─► Verified ─► NeedsDecryption ─► Opened { request, reply }
//! ```
//!
//! Whether the requester may have what he asks for, and what was already answered to him, is decided
//! elsewhere, between `Opened` and its `reply`.

mod announce;
mod opened;
mod reply;

use lanyard_pki::{
    Certificate,
    cms::{CmsError, EncryptedContent, EnvelopedData, KeyTransport, KeyTransportRecipient},
};
use thiserror::Error;

pub use announce::{CaCertAnswer, ca_certificates, next_ca_certificates};
pub use opened::{IssuerAndSubject, Opened, Purpose, Request};
pub use reply::{Granted, Reply, ReplyError, ReplyTo};

use crate::{
    FailInfo, MessageType, SenderNonce, Tolerance, Tolerances, TransactionId,
    message::{self, Distrust, MessageError, Policy, check_envelope, normalised},
};

/// A request that was read and not verified.
#[derive(Clone, Debug)]
pub struct Message {
    received: message::Message,
    sender_nonce: SenderNonce,
    policy: Policy,
}

impl Message {
    /// Reads a request. What fails here cannot be answered in kind: the door says 400.
    pub fn parse(octets: &[u8], policy: Policy) -> Result<Self, MessageError> {
        let message = message::Message::parse(octets, &policy)?;
        if message.attributes.message_type == MessageType::CertRep {
            return Err(MessageError::Unexpected(MessageType::CertRep));
        }
        let sender_nonce =
            message.attributes.sender_nonce.clone().ok_or(MessageError::NoSenderNonce)?;
        Ok(Self { received: message, sender_nonce, policy })
    }

    /// What the message is for.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        self.received.attributes.message_type
    }

    /// The transaction it belongs to.
    #[must_use]
    pub const fn transaction_id(&self) -> &TransactionId {
        &self.received.attributes.transaction_id
    }

    /// Its nonce.
    #[must_use]
    pub const fn sender_nonce(&self) -> &SenderNonce {
        &self.sender_nonce
    }

    /// What a reply without an envelope needs: for refusals before anything was believed.
    #[must_use]
    pub fn reply_to(&self) -> ReplyTo {
        ReplyTo::new(
            self.transaction_id().clone(),
            self.sender_nonce.returned(),
            self.received.digest,
        )
    }

    /// Finds the signer's certificate in the message and checks the signature with its key.
    ///
    /// That the certificate itself is worth anything is not said: it may be self-signed, or issued by
    /// anyone.
    pub fn verify(self) -> Result<Verified, Rejected> {
        let reply_to = self.reply_to();
        let believed = self.received.verify(&self.policy, &[], |_| true).and_then(|believed| {
            let content = believed.content.ok_or(CmsError::NoContent)?;
            Ok((believed.signer, content, believed.tolerances))
        });
        match believed {
            Ok((signer, content, tolerances)) => Ok(Verified {
                reply_to,
                message_type: self.received.attributes.message_type,
                sender_nonce: self.sender_nonce,
                signer,
                content,
                tolerances,
                policy: self.policy,
            }),
            Err(distrust) => Err(Rejected::new(distrust, reply_to)),
        }
    }
}

/// A request whose signature is the one of the certificate that it carries.
#[derive(Clone, Debug)]
pub struct Verified {
    reply_to: ReplyTo,
    message_type: MessageType,
    sender_nonce: SenderNonce,
    signer: Certificate,
    content: Vec<u8>,
    tolerances: Tolerances,
    policy: Policy,
}

impl Verified {
    /// What the message is for.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// The signer's certificate.
    #[must_use]
    pub const fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// The nonce of the request.
    #[must_use]
    pub const fn sender_nonce(&self) -> &SenderNonce {
        &self.sender_nonce
    }

    /// What a reply without an envelope needs.
    #[must_use]
    pub const fn reply_to(&self) -> &ReplyTo {
        &self.reply_to
    }

    /// What had to be overlooked so far.
    #[must_use]
    pub const fn tolerances(&self) -> Tolerances {
        self.tolerances
    }

    /// Opens the envelope as far as it goes without a private key.
    ///
    /// `identities` are the certificates whose keys can decrypt here: the present one and, for
    /// clients that asked before it changed, earlier ones.
    pub fn envelope(self, identities: &[&Certificate]) -> Result<NeedsDecryption, Rejected> {
        let mut tolerances = self.tolerances;
        match self.read_envelope(identities, &mut tolerances) {
            Ok((identity, recipient, content)) => Ok(NeedsDecryption {
                verified: Self { tolerances, ..self },
                identity,
                recipient,
                content,
            }),
            Err(reason) => Err(Rejected::new(reason, self.reply_to)),
        }
    }

    fn read_envelope(
        &self,
        identities: &[&Certificate],
        tolerances: &mut Tolerances,
    ) -> Result<(usize, KeyTransportRecipient, EncryptedContent), Reason> {
        let tolerance = Tolerance::BerEnvelope;
        let der = normalised(&self.content, &self.policy, tolerance, tolerances)
            .map_err(|_| Reason::Envelope)?;
        let envelope = EnvelopedData::from_der(&der).map_err(Distrust::Cms)?;
        let found = envelope.key_transports().find_map(|recipient| {
            let named = identities.iter().position(|identity| recipient.id.names(identity))?;
            Some((named, recipient.clone()))
        });
        let (identity, recipient) = found.ok_or(Reason::NotForUs)?;
        let cipher = envelope.content.cipher;
        check_envelope(cipher, &recipient.transport, &self.policy, tolerances)?;
        Ok((identity, recipient, envelope.content))
    }
}

/// A request that waits for its content key.
#[derive(Clone, Debug)]
pub struct NeedsDecryption {
    verified: Verified,
    identity: usize,
    recipient: KeyTransportRecipient,
    content: EncryptedContent,
}

impl NeedsDecryption {
    /// Which of the identities given to [`Verified::envelope`] it is encrypted to.
    #[must_use]
    pub const fn identity(&self) -> usize {
        self.identity
    }

    /// How the content key is padded.
    #[must_use]
    pub const fn transport(&self) -> &KeyTransport {
        &self.recipient.transport
    }

    /// The content key, encrypted.
    #[must_use]
    pub fn encrypted_key(&self) -> &[u8] {
        &self.recipient.encrypted_key
    }

    /// Octets of the content key. Where the padding is wrong, as many random ones take its place
    /// (RFC 3218), so that what follows fails alike.
    #[must_use]
    pub const fn key_len(&self) -> usize {
        self.content.cipher.key_len()
    }

    /// What a reply without an envelope needs, if decryption itself is out of order.
    #[must_use]
    pub const fn reply_to(&self) -> &ReplyTo {
        &self.verified.reply_to
    }

    /// Decrypts the content with the content key. Whatever is wrong with either, the requester learns
    /// only `badMessageCheck`.
    pub fn decrypted(self, key: &[u8]) -> Result<Opened, Rejected> {
        let reply_to = self.verified.reply_to.clone();
        let opened = match self.content.open(key) {
            Ok(plain) => {
                Opened::read(self.verified, self.content.cipher, self.recipient.transport, &plain)
            }
            Err(_) => Err(Reason::Envelope),
        };
        opened.map_err(|reason| Rejected::new(reason, reply_to))
    }
}

/// A request that is refused before anyone has to decide about it, and what its reply needs.
#[derive(Clone, Debug, Error)]
#[error("{reason}")]
pub struct Rejected {
    /// What the requester is told.
    pub fail_info: FailInfo,
    /// What the operator is told.
    pub reason: Reason,
    /// What the reply needs.
    pub reply_to: Box<ReplyTo>,
}

/// Why a request is refused, for logs.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// Its signature or its algorithms are not accepted.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// It is encrypted to another key than ours.
    #[error("the envelope is not encrypted to any key of ours")]
    NotForUs,
    /// Its envelope does not open, or holds something else than it should. There is deliberately no
    /// telling which.
    #[error("the envelope does not open")]
    Envelope,
    /// The certification request in it has a key or a signature of a kind that is not supported.
    #[error("the certification request cannot be used: {0}")]
    Request(lanyard_pki::csr::RequestError),
}

impl Reason {
    /// What the requester is told (RFC 8894, 3.2.1.4).
    #[must_use]
    pub const fn fail_info(&self) -> FailInfo {
        match self {
            Self::Request(_)
            | Self::Distrust(
                Distrust::Digest(_)
                | Distrust::Cipher(_)
                | Distrust::Key(_)
                | Distrust::Cms(
                    CmsError::Algorithm { .. } | CmsError::Parameters(_) | CmsError::Signature(_),
                ),
            ) => FailInfo::BadAlg,
            Self::Distrust(Distrust::NoCertificate | Distrust::Stranger | Distrust::Cms(_))
            | Self::NotForUs
            | Self::Envelope => FailInfo::BadMessageCheck,
        }
    }
}

impl Rejected {
    fn new(reason: impl Into<Reason>, reply_to: ReplyTo) -> Self {
        let reason = reason.into();
        Self { fail_info: reason.fail_info(), reason, reply_to: Box::new(reply_to) }
    }
}
