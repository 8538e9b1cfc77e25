//! The client's side: what an authority announces, requests to it, and its replies.
//!
//! ```text
//! CaCertificates ─► Outgoing ─► (sent) ─► Expected ─► Reply ─► SealedReply ─► Issued
//! ```
//!
//! Whether the announced authority is the right one is for the caller to say, who knows its fingerprint.

mod announced;
mod identity;
mod reply;

use lanyard_pki::{
    Certificate, Digest, KeyAlgorithm, PublicKey, SignatureAlgorithm,
    cms::{
        CertificateId, ContentCipher, EnvelopeError, EnvelopeSecrets, EnvelopedData,
        IssuerAndSerialNumber, KeyTransport, SigningInput, UnsignedMessage,
    },
    key::KeyError,
    oid,
};
use thiserror::Error;

pub use announced::{AnnouncedError, CaCertificates};
pub use identity::self_signed;
pub use reply::{Expected, Issued, Reply, ReplyRefused, SealedReply};

use crate::{
    Capabilities, Capability, MessageType, SenderNonce, TransactionId,
    attribute::MessageAttributes,
    server::{IssuerAndSubject, Purpose},
};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// A certificate for this PKCS#10 request
    Certificate {
        /// Its DER.
        csr: &'a [u8],
        /// Whether the signer's certificate is an older one of the same authority.
        purpose: Purpose,
    },
    /// What became of an earlier request with the same transaction id
    Poll(&'a IssuerAndSubject),
    /// A certificate that was issued
    GetCert(&'a IssuerAndSerialNumber),
    /// The CRL that would list this certificate
    GetCrl(&'a IssuerAndSerialNumber),
}

/// The algorithms of a request, which its reply will mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The digest under the signature.
    pub digest: Digest,
    /// The content cipher.
    pub cipher: ContentCipher,
    /// How the content key is padded.
    pub transport: KeyTransport,
}

impl Suite {
    /// The best that the server announces and that every server of its kind has.
    #[must_use]
    pub fn for_server(capabilities: Capabilities) -> Self {
        let digest = if capabilities.contains(Capability::Sha256) {
            Digest::Sha256
        } else if capabilities.contains(Capability::Sha512) {
            Digest::Sha512
        } else {
            Digest::Sha1
        };
        let cipher = if capabilities.contains(Capability::Aes) {
            ContentCipher::Aes128
        } else {
            ContentCipher::TripleDes
        };
        Self { digest, cipher, transport: KeyTransport::Pkcs1 }
    }

    /// How `key` signs with the digest of this suite. Keys on curves and Ed25519 choose for themselves.
    #[must_use]
    pub fn signature_algorithm(&self, key: &PublicKey) -> SignatureAlgorithm {
        match key.algorithm() {
            KeyAlgorithm::Rsa { .. } => SignatureAlgorithm::RsaPkcs1(self.digest),
            KeyAlgorithm::P256 => SignatureAlgorithm::Ecdsa(Digest::Sha256),
            KeyAlgorithm::P384 => SignatureAlgorithm::Ecdsa(Digest::Sha384),
            KeyAlgorithm::P521 => SignatureAlgorithm::Ecdsa(Digest::Sha512),
            KeyAlgorithm::Ed25519 => SignatureAlgorithm::Ed25519,
        }
    }
}

/// Everything about one request.
#[derive(Clone, Debug)]
pub struct RequestInput<'a> {
    /// What is asked for.
    pub asked: Asked<'a>,
    /// The same for a request and for the polls after it.
    pub transaction_id: TransactionId,
    /// Fresh for each message.
    pub nonce: SenderNonce,
    /// The certificate of the key that signs: self-signed, or the one to renew.
    pub signer: &'a Certificate,
    /// The certificate to encrypt to ([`CaCertificates::encryption`]).
    pub recipient: &'a Certificate,
    /// With what.
    pub suite: &'a Suite,
}

/// Why a request cannot be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// The signer's or the authority's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The content cannot be encrypted to the authority's key.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

/// A request that waits for its signature.
#[derive(Clone, Debug)]
pub struct Outgoing {
    unsigned: UnsignedMessage,
    expected: Expected,
}

impl Outgoing {
    /// Encrypts what is asked for and puts the message together.
    pub fn new(input: &RequestInput<'_>, secrets: &EnvelopeSecrets) -> Result<Self, RequestError> {
        let (message_type, content) = input.asked.content();
        let envelope = EnvelopedData::to_key(
            &content,
            input.suite.cipher,
            &CertificateId::of(input.recipient),
            &input.suite.transport,
            input.recipient.public_key()?,
            secrets,
        )?;
        let attributes = MessageAttributes {
            message_type,
            transaction_id: input.transaction_id.clone(),
            sender_nonce: Some(input.nonce.clone()),
            recipient_nonce: None,
            status: None,
            fail_info: None,
            fail_info_text: None,
        };
        let unsigned = UnsignedMessage::new(SigningInput {
            content_type: oid::DATA,
            content: Some(&envelope),
            certificates: &[input.signer.as_der()],
            signer: CertificateId::of(input.signer),
            algorithm: input.suite.signature_algorithm(input.signer.public_key()?),
            attributes: attributes.to_cms(),
        });
        let expected =
            Expected::new(input.transaction_id.clone(), input.nonce.returned(), input.signer);
        Ok(Self { unsigned, expected })
    }

    /// The octets to sign with the key of the signer's certificate.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        self.unsigned.tbs()
    }

    /// The algorithm to sign with.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.unsigned.algorithm()
    }

    /// The message to send, and what its reply has to fit.
    #[must_use]
    pub fn assemble(self, signature: &[u8]) -> (Vec<u8>, Expected) {
        (self.unsigned.assemble(signature), self.expected)
    }
}

impl Asked<'_> {
    fn content(&self) -> (MessageType, Vec<u8>) {
        match self {
            Self::Certificate { csr, purpose: Purpose::Initial } => {
                (MessageType::PkcsReq, csr.to_vec())
            }
            Self::Certificate { csr, purpose: Purpose::Renewal } => {
                (MessageType::RenewalReq, csr.to_vec())
            }
            Self::Poll(id) => (MessageType::CertPoll, id.to_der()),
            Self::GetCert(id) => (MessageType::GetCert, id.to_der()),
            Self::GetCrl(id) => (MessageType::GetCrl, id.to_der()),
        }
    }
}

impl TransactionId {
    /// From 16 fresh random octets, in hexadecimal.
    #[must_use]
    pub fn from_random(octets: [u8; 16]) -> Self {
        Self::from_hex(&octets)
    }

    /// The SHA-256 of a key in hexadecimal: the same for every request with it, as RFC 8894, 3.2.1.1
    /// suggests for clients without a store.
    #[must_use]
    pub fn of_key(key: &PublicKey) -> Self {
        Self::from_hex(&key.fingerprint())
    }
}
