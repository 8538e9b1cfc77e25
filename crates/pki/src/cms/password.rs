//! `PasswordRecipientInfo` (RFC 3211; RFC 5652, 6.2.4): a content key under a password, derived with
//! PBKDF2. RFC 8894 uses it where the requester's key cannot decrypt, with the challenge password.

use aws_lc_rs::pbkdf2;
use std::{fmt, num::NonZeroU32};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{CipherError, CmsError, ContentCipher};
use crate::{
    Oid, oid,
    tlv::{Reader, Tag, Writer},
};

/// A `PasswordRecipientInfo` that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRecipient {
    derivation: Derivation,
    cipher: ContentCipher,
    iv: Vec<u8>,
    encrypted_key: Vec<u8>,
}

/// The parameters of PBKDF2 (RFC 8018, A.2).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Derivation {
    salt: Vec<u8>,
    iterations: NonZeroU32,
    hmac: Oid,
}

/// A key derived from a password, with what another needs to derive it again.
///
/// It may be kept in place of the password: who learns it can read what is encrypted under it and
/// nothing more.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PasswordKey {
    key: Vec<u8>,
    salt: Vec<u8>,
    #[zeroize(skip)]
    iterations: NonZeroU32,
}

/// Iterations beyond which we do not follow: a message must not buy minutes of our time.
const MOST_ITERATIONS: u32 = 5_000_000;

/// What our own keys are used with.
const CIPHER: ContentCipher = ContentCipher::Aes256;

impl PasswordKey {
    /// Iterations for passwords that people or administrators choose.
    pub const ITERATIONS: NonZeroU32 = match NonZeroU32::new(100_000) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    };

    /// Octets of salt.
    pub const SALT: usize = 16;

    /// Derives a key with PBKDF2 and HMAC-SHA-256. `salt` is fresh and random.
    #[must_use]
    pub fn derive(password: &[u8], salt: [u8; Self::SALT], iterations: NonZeroU32) -> Self {
        let mut key = vec![0; CIPHER.key_len()];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, password, &mut key);
        Self { key, salt: salt.to_vec(), iterations }
    }

    /// Wraps a content key (RFC 3211, 2.3.1). `random` are 64 octets: vector and filler.
    pub(super) fn wrap(
        &self,
        content_key: &[u8],
        random: &[u8],
    ) -> Result<PasswordRecipient, CipherError> {
        let block = CIPHER.block_len();
        let (iv, filler) = random.split_at_checked(block).ok_or(CipherError)?;
        let check = content_key.first_chunk::<3>().ok_or(CipherError)?.map(|octet| !octet);
        let length = u8::try_from(content_key.len()).map_err(|_| CipherError)?;
        let mut octets = Zeroizing::new(vec![length]);
        octets.extend_from_slice(&check);
        octets.extend_from_slice(content_key);
        let wanted = octets.len().next_multiple_of(block).max(2 * block);
        let missing = wanted - octets.len();
        octets.extend(filler.iter().copied().take(missing));
        if octets.len() != wanted {
            return Err(CipherError);
        }
        CIPHER.encrypt_blocks(&self.key, iv, &mut octets)?;
        let last = octets.get(wanted - block..).unwrap_or_default().to_vec();
        CIPHER.encrypt_blocks(&self.key, &last, &mut octets)?;
        Ok(PasswordRecipient {
            derivation: Derivation {
                salt: self.salt.clone(),
                iterations: self.iterations,
                hmac: oid::HMAC_WITH_SHA256,
            },
            cipher: CIPHER,
            iv: iv.to_vec(),
            encrypted_key: octets.to_vec(),
        })
    }
}

impl fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordKey(redacted, {} iterations)", self.iterations)
    }
}

impl PasswordRecipient {
    /// The content key of `length` octets, if this is the password (RFC 3211, 2.3.2).
    pub fn unwrap_key(
        &self,
        password: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let block = self.cipher.block_len();
        let mut octets = Zeroizing::new(self.encrypted_key.clone());
        let count = octets.len();
        if count < 2 * block || !count.is_multiple_of(block) || count < length + 4 {
            return Err(CipherError);
        }
        let key = self.derivation.key(password, self.cipher)?;
        // The last block, decrypted under the one before it, is the vector of the outer layer.
        let (head, last) = octets.split_at_mut_checked(count - block).ok_or(CipherError)?;
        let before = head.get(head.len() - block..).ok_or(CipherError)?;
        self.cipher.decrypt_blocks(&key, before, last)?;
        let outer_iv = last.to_vec();
        self.cipher.decrypt_blocks(&key, &outer_iv, head)?;
        self.cipher.decrypt_blocks(&key, &self.iv, &mut octets)?;
        let (&stated, rest) = octets.split_first().ok_or(CipherError)?;
        let (check, rest) = rest.split_first_chunk::<3>().ok_or(CipherError)?;
        let content_key = rest.get(..length).ok_or(CipherError)?;
        let mut good = usize::from(stated).ct_eq(&length);
        for (inverse, octet) in check.iter().zip(content_key) {
            good &= (!inverse).ct_eq(octet);
        }
        if bool::from(good & Choice::from(u8::from(length >= 3))) {
            Ok(Zeroizing::new(content_key.to_vec()))
        } else {
            Err(CipherError)
        }
    }

    pub(super) fn read(mut fields: Reader<'_>) -> Result<Self, CmsError> {
        const BEYOND: CmsError = CmsError::Parameters("PWRI-KEK");
        fields.small_integer()?;
        let mut derivation = fields.context(0)?.ok_or(BEYOND)?;
        let oid = derivation.oid()?;
        if oid != oid::PBKDF2 {
            return Err(CmsError::Algorithm { kind: "key derivation", oid });
        }
        let mut parameters = derivation.sequence()?;
        derivation.finish()?;
        let mut encryption = fields.sequence()?;
        let oid = encryption.oid()?;
        if oid != oid::PWRI_KEK {
            return Err(CmsError::Algorithm { kind: "key wrapping", oid });
        }
        let inner = encryption.expect(Tag::SEQUENCE)?;
        encryption.finish()?;
        let (cipher, iv) = ContentCipher::from_identifier(inner.bytes)?;
        let derivation = Derivation::read(&mut parameters, cipher)?;
        let encrypted_key = fields.octet_string()?.to_vec();
        fields.finish()?;
        Ok(Self { derivation, cipher, iv, encrypted_key })
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.context(3, |w| {
            w.small_integer(0);
            w.context(0, |w| self.derivation.write(w));
            w.sequence(|w| {
                w.oid(oid::PWRI_KEK);
                w.raw(&self.cipher.identifier(&self.iv));
            });
            w.octet_string(&self.encrypted_key);
        });
    }
}

impl Derivation {
    fn key(
        &self,
        password: &[u8],
        cipher: ContentCipher,
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let algorithm = match self.hmac {
            oid::HMAC_WITH_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
            oid::HMAC_WITH_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
            oid::HMAC_WITH_SHA384 => pbkdf2::PBKDF2_HMAC_SHA384,
            oid::HMAC_WITH_SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
            _ => return Err(CipherError),
        };
        let mut key = Zeroizing::new(vec![0; cipher.key_len()]);
        pbkdf2::derive(algorithm, self.iterations, &self.salt, password, &mut key);
        Ok(key)
    }

    fn read(parameters: &mut Reader<'_>, cipher: ContentCipher) -> Result<Self, CmsError> {
        const BEYOND: CmsError = CmsError::Parameters("PBKDF2");
        let salt = parameters.octet_string()?.to_vec();
        let iterations = u32::try_from(parameters.small_integer()?)
            .ok()
            .filter(|count| *count <= MOST_ITERATIONS)
            .and_then(NonZeroU32::new)
            .ok_or(BEYOND)?;
        if parameters.peek() == Some(Tag::INTEGER)
            && usize::try_from(parameters.small_integer()?) != Ok(cipher.key_len())
        {
            return Err(BEYOND);
        }
        let hmac = match parameters.optional(Tag::SEQUENCE)? {
            None => oid::HMAC_WITH_SHA1,
            Some(prf) => prf.reader().oid()?,
        };
        parameters.finish()?;
        Ok(Self { salt, iterations, hmac })
    }

    fn write(&self, w: &mut Writer) {
        w.oid(oid::PBKDF2);
        w.sequence(|w| {
            w.octet_string(&self.salt);
            w.small_integer(self.iterations.get().into());
            w.sequence(|w| {
                w.oid(self.hmac);
                w.null();
            });
        });
    }
}
