//! `EnvelopedData` (RFC 5652, 6): content under a key that its recipients can find.
//!
//! Key agreement and key-encryption-key recipients are skipped over: no SCEP client sends them.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{
    CertificateId, CipherError, CmsError, ContentCipher, KeyTransport, PasswordKey,
    PasswordRecipient, content_info, write_content_info,
};
use crate::{
    PublicKey,
    key::WrapError,
    oid,
    tlv::{DerError, Reader, Tag, Writer},
};

/// An `EnvelopedData` that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopedData {
    /// Whom the content key is encrypted for.
    pub recipients: Vec<Recipient>,
    /// The content.
    pub content: EncryptedContent,
}

/// `EncryptedContentInfo` with content of type data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedContent {
    /// What it is encrypted with.
    pub cipher: ContentCipher,
    /// The initialisation vector.
    pub iv: Vec<u8>,
    /// The octets.
    pub octets: Vec<u8>,
}

/// A `RecipientInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// By RSA key transport.
    KeyTransport(KeyTransportRecipient),
    /// By password.
    Password(PasswordRecipient),
    /// By another way, which is not supported.
    Other,
}

/// `KeyTransRecipientInfo` (RFC 5652, 6.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTransportRecipient {
    /// The certificate with the RSA key.
    pub id: CertificateId,
    /// The padding.
    pub transport: KeyTransport,
    /// The content key, encrypted.
    pub encrypted_key: Vec<u8>,
}

impl EnvelopedData {
    /// Reads a `ContentInfo` with enveloped data. The input is DER.
    pub fn from_der(der: &[u8]) -> Result<Self, CmsError> {
        let mut fields = content_info(der, oid::ENVELOPED_DATA)?;
        fields.small_integer()?;
        fields.context(0)?;
        let mut infos = fields.set()?;
        let mut recipients = Vec::new();
        while !infos.is_empty() {
            recipients.push(Recipient::read(&mut infos)?);
        }
        let content = EncryptedContent::read(&mut fields)?;
        fields.context(1)?;
        fields.finish()?;
        Ok(Self { recipients, content })
    }

    /// The recipients by key transport, in their order.
    pub fn key_transports(&self) -> impl Iterator<Item = &KeyTransportRecipient> {
        self.recipients.iter().filter_map(|recipient| match recipient {
            Recipient::KeyTransport(info) => Some(info),
            _ => None,
        })
    }

    /// The recipients by password, in their order.
    pub fn passwords(&self) -> impl Iterator<Item = &PasswordRecipient> {
        self.recipients.iter().filter_map(|recipient| match recipient {
            Recipient::Password(info) => Some(info),
            _ => None,
        })
    }

    /// Encrypts `content` to the RSA `key` of the certificate that `id` names.
    pub fn to_key(
        content: &[u8],
        cipher: ContentCipher,
        id: &CertificateId,
        transport: &KeyTransport,
        key: &PublicKey,
        secrets: &EnvelopeSecrets,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let content_key = secrets.content_key(cipher)?;
        let length = key.modulus_len().ok_or(WrapError::NotRsa)?;
        let block = Zeroizing::new(
            transport.pad(&content_key, length, &secrets.wrap).map_err(WrapError::from)?,
        );
        let encrypted_key = key.encrypt_block(&block)?;
        let encrypted = EncryptedContent::seal(content, cipher, &content_key, secrets)?;
        Ok(write(0, &encrypted, |w| {
            w.sequence(|w| {
                w.small_integer(id.recipient_version());
                id.write(w);
                w.raw(&transport.identifier());
                w.octet_string(&encrypted_key);
            });
        }))
    }

    /// Encrypts `content` under a key derived from a password (RFC 3211).
    pub fn to_password(
        content: &[u8],
        cipher: ContentCipher,
        password: &PasswordKey,
        secrets: &EnvelopeSecrets,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let content_key = secrets.content_key(cipher)?;
        let recipient = password.wrap(&content_key, &secrets.wrap)?;
        let encrypted = EncryptedContent::seal(content, cipher, &content_key, secrets)?;
        // With a pwri recipient the version is 3 (RFC 5652, 6.1).
        Ok(write(3, &encrypted, |w| recipient.write(w)))
    }
}

/// Why content could not be encrypted. These are our own doing or the recipient's key's.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The recipient's key cannot encrypt, or is too small.
    #[error(transparent)]
    Key(#[from] WrapError),
    /// The cipher did not take its key or vector.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

impl EncryptedContent {
    /// Decrypts with the content key.
    pub fn open(&self, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        self.cipher.decrypt(key, &self.iv, &self.octets)
    }

    fn seal(
        content: &[u8],
        cipher: ContentCipher,
        key: &[u8],
        secrets: &EnvelopeSecrets,
    ) -> Result<Self, CipherError> {
        let iv = secrets.iv.get(..cipher.block_len()).ok_or(CipherError)?;
        Ok(Self { cipher, iv: iv.to_vec(), octets: cipher.encrypt(key, iv, content)? })
    }

    fn read(fields: &mut Reader<'_>) -> Result<Self, CmsError> {
        let mut info = fields.sequence()?;
        let found = info.oid()?;
        if found != oid::DATA {
            return Err(CmsError::ContentType { expected: oid::DATA, found });
        }
        let (cipher, iv) = ContentCipher::from_identifier(info.expect(Tag::SEQUENCE)?.bytes)?;
        let octets = info.optional(Tag::context(0))?.ok_or(CmsError::NoContent)?;
        info.finish()?;
        Ok(Self { cipher, iv, octets: octets.contents.to_vec() })
    }
}

impl Recipient {
    fn read(infos: &mut Reader<'_>) -> Result<Self, CmsError> {
        let info = infos.any()?;
        match info.tag {
            Tag::SEQUENCE => {
                let mut fields = info.reader();
                fields.small_integer()?;
                let id = CertificateId::read(fields.any()?)?;
                let transport = KeyTransport::from_identifier(fields.expect(Tag::SEQUENCE)?.bytes)?;
                let encrypted_key = fields.octet_string()?.to_vec();
                fields.finish()?;
                Ok(Self::KeyTransport(KeyTransportRecipient { id, transport, encrypted_key }))
            }
            PASSWORD => PasswordRecipient::read(info.reader()).map(Self::Password),
            AGREEMENT | KEY_ENCRYPTION | OTHER => Ok(Self::Other),
            found => Err(DerError::Unexpected { expected: Tag::SEQUENCE, found }.into()),
        }
    }
}

const AGREEMENT: Tag = Tag::context_constructed(1);
const KEY_ENCRYPTION: Tag = Tag::context_constructed(2);
const PASSWORD: Tag = Tag::context_constructed(3);
const OTHER: Tag = Tag::context_constructed(4);

/// The randomness of one envelope. Never used twice.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EnvelopeSecrets {
    key: [u8; 32],
    iv: [u8; 16],
    wrap: [u8; 64],
}

impl EnvelopeSecrets {
    /// Octets of randomness that an envelope takes.
    pub const LEN: usize = 112;

    /// From fresh random octets.
    #[must_use]
    pub fn from_random(random: &[u8; Self::LEN]) -> Self {
        let mut secrets = Self { key: [0; 32], iv: [0; 16], wrap: [0; 64] };
        let places = secrets.key.iter_mut().chain(&mut secrets.iv).chain(&mut secrets.wrap);
        for (place, octet) in places.zip(random) {
            *place = *octet;
        }
        secrets
    }

    fn content_key(&self, cipher: ContentCipher) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        cipher.key_from(&self.key).ok_or(CipherError)
    }
}

impl std::fmt::Debug for EnvelopeSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvelopeSecrets(redacted)")
    }
}

fn write(version: u64, content: &EncryptedContent, recipient: impl FnOnce(&mut Writer)) -> Vec<u8> {
    write_content_info(oid::ENVELOPED_DATA, |w| {
        w.small_integer(version);
        w.set(recipient);
        w.sequence(|w| {
            w.oid(oid::DATA);
            w.raw(&content.cipher.identifier(&content.iv));
            w.value(Tag::context(0), &content.octets);
        });
    })
}
