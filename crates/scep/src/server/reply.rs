//! CertRep (RFC 8894, 3.3.2): success, failure and pending, in the algorithms of the request.

use lanyard_pki::{
    Certificate, Digest, KeyAlgorithm, SignatureAlgorithm,
    cms::{
        CertificateId, ContentCipher, EnvelopeError, EnvelopeSecrets, EnvelopedData, KeyTransport,
        PasswordKey, SigningInput, UnsignedMessage, certificates_only,
    },
    key::KeyError,
    oid,
};
use thiserror::Error;

use crate::{
    FailInfo, MessageType, PkiStatus, RecipientNonce, SenderNonce, TransactionId,
    attribute::MessageAttributes,
};

/// Why there is no reply. None of it is the requester's doing, but for [`ReplyError::NoPassword`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReplyError {
    /// The replying identity's key, or the requester's, cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The envelope could not be made.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The requester's key cannot decrypt, and there is no challenge password to encrypt with.
    #[error(
        "the requester's key cannot decrypt a reply, and the request carries no challenge password"
    )]
    NoPassword,
}

/// What a reply without an envelope needs to know of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    transaction_id: TransactionId,
    recipient_nonce: RecipientNonce,
    digest: Digest,
}

impl ReplyTo {
    pub(super) const fn new(
        transaction_id: TransactionId,
        recipient_nonce: RecipientNonce,
        digest: Digest,
    ) -> Self {
        Self { transaction_id, recipient_nonce, digest }
    }

    /// The transaction.
    #[must_use]
    pub const fn transaction_id(&self) -> &TransactionId {
        &self.transaction_id
    }

    /// FAILURE, to be signed by `identity`. `text` says it to a person who reads the log of the
    /// client; it goes out in the clear.
    pub fn failure(
        &self,
        fail_info: FailInfo,
        text: Option<&str>,
        identity: &Certificate,
        nonce: SenderNonce,
    ) -> Result<UnsignedMessage, ReplyError> {
        let attributes = MessageAttributes {
            fail_info: Some(fail_info),
            fail_info_text: text.map(str::to_owned),
            ..self.attributes(PkiStatus::Failure, nonce)
        };
        self.signed(&attributes, NO_ENVELOPE, identity)
    }

    /// PENDING, to be signed by `identity`.
    pub fn pending(
        &self,
        identity: &Certificate,
        nonce: SenderNonce,
    ) -> Result<UnsignedMessage, ReplyError> {
        self.signed(&self.attributes(PkiStatus::Pending, nonce), NO_ENVELOPE, identity)
    }

    fn attributes(&self, status: PkiStatus, nonce: SenderNonce) -> MessageAttributes {
        MessageAttributes {
            message_type: MessageType::CertRep,
            transaction_id: self.transaction_id.clone(),
            sender_nonce: Some(nonce),
            recipient_nonce: Some(self.recipient_nonce.clone()),
            status: Some(status),
            fail_info: None,
            fail_info_text: None,
        }
    }

    fn signed(
        &self,
        attributes: &MessageAttributes,
        content: &[u8],
        identity: &Certificate,
    ) -> Result<UnsignedMessage, ReplyError> {
        let algorithm = match identity.public_key()?.algorithm() {
            KeyAlgorithm::Rsa { .. } => SignatureAlgorithm::RsaPkcs1(reply_digest(self.digest)),
            KeyAlgorithm::P256 => SignatureAlgorithm::Ecdsa(Digest::Sha256),
            KeyAlgorithm::P384 => SignatureAlgorithm::Ecdsa(Digest::Sha384),
            KeyAlgorithm::P521 => SignatureAlgorithm::Ecdsa(Digest::Sha512),
            KeyAlgorithm::Ed25519 => SignatureAlgorithm::Ed25519,
        };
        Ok(UnsignedMessage::new(SigningInput {
            content_type: oid::DATA,
            content: Some(content),
            certificates: &[identity.as_der()],
            signer: CertificateId::of(identity),
            algorithm,
            attributes: attributes.to_cms(),
        }))
    }
}

/// A reply without an envelope carries empty content, not none: both have the same digest, and
/// clients on OpenSSL take a message without content for one with its content elsewhere.
const NO_ENVELOPE: &[u8] = &[];

/// The digest under a reply: that of the request, but for MD5 (we do not sign with it, and every
/// client that has it has SHA-1) and SHA-224 (which signers leave out).
const fn reply_digest(request: Digest) -> Digest {
    match request {
        Digest::Md5 => Digest::Sha1,
        Digest::Sha224 => Digest::Sha256,
        other => other,
    }
}

/// The way back to a requester, with an envelope if there is something to send.
#[derive(Clone, Debug)]
pub struct Reply {
    to: ReplyTo,
    recipient: Certificate,
    cipher: ContentCipher,
    transport: KeyTransport,
}

/// What is granted.
#[derive(Clone, Copy, Debug)]
pub enum Granted<'a> {
    /// Certificates: the one that was asked for first, then those above it
    Certificates(&'a [&'a [u8]]),
    /// A CRL
    Crl(&'a [u8]),
}

impl Reply {
    pub(super) const fn new(
        to: ReplyTo,
        recipient: Certificate,
        cipher: ContentCipher,
        transport: KeyTransport,
    ) -> Self {
        Self { to, recipient, cipher, transport }
    }

    /// For replies without an envelope.
    #[must_use]
    pub const fn to(&self) -> &ReplyTo {
        &self.to
    }

    /// Whether [`Reply::success`] wants a password, because the requester's key cannot decrypt.
    #[must_use]
    pub fn needs_password(&self) -> bool {
        self.recipient.public_key().is_ok_and(|key| !key.algorithm().can_encipher())
    }

    /// SUCCESS, to be signed by `identity`: encrypted to the key that signed the request, or under
    /// `password` where that key cannot decrypt.
    pub fn success(
        &self,
        granted: Granted<'_>,
        password: Option<&PasswordKey>,
        identity: &Certificate,
        nonce: SenderNonce,
        secrets: &EnvelopeSecrets,
    ) -> Result<UnsignedMessage, ReplyError> {
        let content = match granted {
            Granted::Certificates(certificates) => certificates_only(certificates, &[]),
            Granted::Crl(crl) => certificates_only(&[], &[crl]),
        };
        let key = self.recipient.public_key()?;
        let envelope = if key.algorithm().can_encipher() {
            let id = CertificateId::of(&self.recipient);
            EnvelopedData::to_key(&content, self.cipher, &id, &self.transport, key, secrets)?
        } else {
            let password = password.ok_or(ReplyError::NoPassword)?;
            EnvelopedData::to_password(&content, self.cipher, password, secrets)?
        };
        let attributes = self.to.attributes(PkiStatus::Success, nonce);
        self.to.signed(&attributes, &envelope, identity)
    }
}
