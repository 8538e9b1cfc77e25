//! A CertRep as received (RFC 8894, 3.3.2): checked against what it answers, then opened.

use lanyard_pki::{
    Certificate, PublicKey,
    ber::BerError,
    cms::{
        CmsError, ContentCipher, EncryptedContent, EnvelopedData, KeyTransport,
        KeyTransportRecipient, PasswordRecipient, SignedData,
    },
};
use thiserror::Error;

use super::CaCertificates;
use crate::{
    FailInfo, MessageError, MessageType, PkiStatus, Policy, RecipientNonce, Tolerance,
    TransactionId,
    message::{Distrust, Message, normalised},
};

/// What a reply has to fit.
#[derive(Clone, Debug)]
pub struct Expected {
    transaction_id: TransactionId,
    nonce: RecipientNonce,
    recipient: Certificate,
}

/// Why a reply is not the one that was expected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReplyRefused {
    /// Not a pkiMessage.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Its signature is not to be believed.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// It answers another message.
    #[error("the reply is to another message: its {0} differs")]
    Other(&'static str),
    /// It says neither yes nor no.
    #[error("the reply carries no pkiStatus")]
    NoStatus,
    /// It says no and not why.
    #[error("the reply is a failure without failInfo")]
    NoFailInfo,
    /// Its envelope is not for us.
    #[error("the envelope of the reply is not encrypted to our key or challenge")]
    NotForUs,
    /// Its envelope does not open.
    #[error("the envelope of the reply does not open")]
    Envelope,
    /// A part of the envelope is not BER.
    #[error(transparent)]
    Ber(#[from] BerError),
}

impl From<CmsError> for ReplyRefused {
    fn from(error: CmsError) -> Self {
        Self::Distrust(Distrust::Cms(error))
    }
}

/// What an authority says.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Granted, and encrypted
    Success(Box<SealedReply>),
    /// To be decided; ask again with [`super::Asked::Poll`]
    Pending,
    /// Refused
    Failure {
        /// In a word.
        fail_info: FailInfo,
        /// In some more words, if the authority uses them.
        text: Option<String>,
    },
}

impl Expected {
    /// For a reply to the message with this transaction id and nonce, signed with the key of the
    /// certificate `recipient`.
    #[must_use]
    pub fn new(
        transaction_id: TransactionId,
        nonce: RecipientNonce,
        recipient: &Certificate,
    ) -> Self {
        Self { transaction_id, nonce, recipient: recipient.clone() }
    }

    /// Reads a reply and checks that it is signed by the authority and answers the request.
    pub fn reply(
        &self,
        octets: &[u8],
        authority: &CaCertificates,
        policy: &Policy,
    ) -> Result<Reply, ReplyRefused> {
        let message = Message::parse(octets, policy)?;
        let attributes = &message.attributes;
        if attributes.message_type != MessageType::CertRep {
            return Err(MessageError::Unexpected(attributes.message_type).into());
        }
        let vouched = |signer: &Certificate| authority.vouches_for(signer);
        let believed = message.verify(policy, authority.all(), vouched)?;
        if attributes.transaction_id != self.transaction_id {
            return Err(ReplyRefused::Other("transaction id"));
        }
        if attributes.recipient_nonce.as_ref() != Some(&self.nonce) {
            return Err(ReplyRefused::Other("nonce"));
        }
        match attributes.status.ok_or(ReplyRefused::NoStatus)? {
            PkiStatus::Pending => Ok(Reply::Pending),
            PkiStatus::Failure => Ok(Reply::Failure {
                fail_info: attributes.fail_info.ok_or(ReplyRefused::NoFailInfo)?,
                text: attributes.fail_info_text.clone(),
            }),
            PkiStatus::Success => {
                let content = believed.content.ok_or(CmsError::NoContent)?;
                self.sealed(&content, policy).map(Box::new).map(Reply::Success)
            }
        }
    }

    fn sealed(&self, content: &[u8], policy: &Policy) -> Result<SealedReply, ReplyRefused> {
        let mut tolerances = crate::Tolerances::none();
        let der = normalised(content, policy, Tolerance::BerEnvelope, &mut tolerances)?;
        let envelope = EnvelopedData::from_der(&der)?;
        let key = envelope.key_transports().find(|info| info.id.names(&self.recipient)).cloned();
        let password = envelope.passwords().next().cloned();
        if key.is_none() && password.is_none() {
            return Err(ReplyRefused::NotForUs);
        }
        Ok(SealedReply { key, password, content: envelope.content, policy: *policy })
    }
}

/// A granted request, still encrypted: to the key that signed it, or under the challenge password.
#[derive(Clone, Debug)]
pub struct SealedReply {
    key: Option<KeyTransportRecipient>,
    password: Option<PasswordRecipient>,
    content: EncryptedContent,
    policy: Policy,
}

impl SealedReply {
    /// The content key to decrypt with our private key, and how it is padded; none where the reply is
    /// under the challenge password.
    #[must_use]
    pub fn encrypted_key(&self) -> Option<(&KeyTransport, &[u8])> {
        self.key.as_ref().map(|info| (&info.transport, info.encrypted_key.as_slice()))
    }

    /// What the content is encrypted with.
    #[must_use]
    pub const fn cipher(&self) -> ContentCipher {
        self.content.cipher
    }

    /// Octets of the content key.
    #[must_use]
    pub const fn key_len(&self) -> usize {
        self.content.cipher.key_len()
    }

    /// Opens it with the content key.
    pub fn decrypted(&self, key: &[u8]) -> Result<Issued, ReplyRefused> {
        let plain = self.content.open(key).map_err(|_| ReplyRefused::Envelope)?;
        let mut tolerances = crate::Tolerances::none();
        let der = normalised(&plain, &self.policy, Tolerance::BerEnvelope, &mut tolerances)?;
        let data = SignedData::from_der(&der)?;
        let certificates: Result<Vec<_>, _> =
            data.certificates.iter().map(|der| Certificate::from_der(der)).collect();
        Ok(Issued {
            certificates: certificates.map_err(CmsError::from)?,
            crls: data.crls.iter().map(|crl| crl.to_vec()).collect(),
        })
    }

    /// Opens it with the challenge password of the request.
    pub fn with_password(&self, challenge: &[u8]) -> Result<Issued, ReplyRefused> {
        let recipient = self.password.as_ref().ok_or(ReplyRefused::NotForUs)?;
        let key =
            recipient.unwrap_key(challenge, self.key_len()).map_err(|_| ReplyRefused::Envelope)?;
        self.decrypted(&key)
    }
}

/// What was granted.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificates in their order.
    pub certificates: Vec<Certificate>,
    /// CRLs, as received.
    pub crls: Vec<Vec<u8>>,
}

impl Issued {
    /// The certificate for this key.
    #[must_use]
    pub fn for_key(&self, key: &PublicKey) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| certificate.spki_der() == key.spki_der())
    }
}
