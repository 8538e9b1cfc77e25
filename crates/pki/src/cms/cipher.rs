//! Content ciphers in CBC mode with the padding of RFC 5652, 6.3. Single DES and triple DES are here
//! because old SCEP clients speak nothing else; whether they may is decided elsewhere.

use aws_lc_rs::{
    cipher::{
        AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey,
        EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    error::Unspecified,
    iv::FixedLength,
};
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

use super::CmsError;
use crate::{
    Oid, oid,
    tlv::{Reader, Tag, Writer},
};

/// A cipher for content, always in CBC mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentCipher {
    /// DES with 56 bits: broken, only ever by explicit setting
    Des,
    /// Triple DES with two or three keys
    TripleDes,
    /// AES with 128 bits
    Aes128,
    /// AES with 192 bits
    Aes192,
    /// AES with 256 bits
    Aes256,
}

/// Content does not decrypt with this key, or key and vector have the wrong length. On purpose there
/// is nothing more to know.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the content does not decrypt with this key")]
pub struct CipherError;

impl From<Unspecified> for CipherError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

impl ContentCipher {
    /// All of them, weakest first.
    pub const ALL: [Self; 5] =
        [Self::Des, Self::TripleDes, Self::Aes128, Self::Aes192, Self::Aes256];

    /// Octets of a key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 => 16,
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Octets of a block, and of an initialisation vector.
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Self::Des | Self::TripleDes => 8,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
        }
    }

    /// Its object identifier.
    #[must_use]
    pub const fn oid(self) -> Oid {
        match self {
            Self::Des => oid::DES_CBC,
            Self::TripleDes => oid::DES_EDE3_CBC,
            Self::Aes128 => oid::AES128_CBC,
            Self::Aes192 => oid::AES192_CBC,
            Self::Aes256 => oid::AES256_CBC,
        }
    }

    /// Reads an `AlgorithmIdentifier` with its initialisation vector.
    pub fn from_identifier(der: &[u8]) -> Result<(Self, Vec<u8>), CmsError> {
        let mut fields = Reader::entered(der, Tag::SEQUENCE)?;
        let oid = fields.oid()?;
        let cipher = Self::ALL
            .into_iter()
            .find(|cipher| cipher.oid() == oid)
            .ok_or(CmsError::Algorithm { kind: "content cipher", oid })?;
        let iv = fields.octet_string()?.to_vec();
        fields.finish()?;
        if iv.len() != cipher.block_len() {
            return Err(CmsError::Parameters("the content cipher"));
        }
        Ok((cipher, iv))
    }

    /// The DER of its `AlgorithmIdentifier` with an initialisation vector.
    #[must_use]
    pub fn identifier(self, iv: &[u8]) -> Vec<u8> {
        Writer::sequence_of(|w| {
            w.oid(self.oid());
            w.octet_string(iv);
        })
    }

    /// A key for it out of random octets: as many as it wants, with odd parity for DES.
    ///
    /// `None` when there are too few.
    #[must_use]
    pub fn key_from(self, random: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut key = Zeroizing::new(random.get(..self.key_len())?.to_vec());
        if matches!(self, Self::Des | Self::TripleDes) {
            for octet in key.iter_mut() {
                *octet = (*octet & 0xfe) | u8::from((*octet >> 1).count_ones() % 2 == 0);
            }
        }
        Some(key)
    }

    /// Encrypts with padding.
    pub fn encrypt(self, key: &[u8], iv: &[u8], content: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut octets = content.to_vec();
        let start = self.encryption_context(iv)?;
        PaddedBlockEncryptingKey::cbc_pkcs7(self.unbound(key)?)?
            .less_safe_encrypt(&mut octets, start)?;
        Ok(octets)
    }

    /// Decrypts and takes the padding off.
    pub fn decrypt(
        self,
        key: &[u8],
        iv: &[u8],
        content: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let mut octets = Zeroizing::new(content.to_vec());
        let start = self.decryption_context(iv)?;
        let plain = PaddedBlockDecryptingKey::cbc_pkcs7(self.unbound(key)?)?
            .decrypt(&mut octets, start)?
            .len();
        octets.truncate(plain);
        Ok(octets)
    }

    /// Encrypts whole blocks in place, without padding.
    pub(super) fn encrypt_blocks(
        self,
        key: &[u8],
        iv: &[u8],
        blocks: &mut [u8],
    ) -> Result<(), CipherError> {
        let start = self.encryption_context(iv)?;
        EncryptingKey::cbc(self.unbound(key)?)?.less_safe_encrypt(blocks, start)?;
        Ok(())
    }

    /// Decrypts whole blocks in place, without padding.
    pub(super) fn decrypt_blocks(
        self,
        key: &[u8],
        iv: &[u8],
        blocks: &mut [u8],
    ) -> Result<(), CipherError> {
        let start = self.decryption_context(iv)?;
        DecryptingKey::cbc(self.unbound(key)?)?.decrypt(blocks, start)?;
        Ok(())
    }

    fn unbound(self, key: &[u8]) -> Result<UnboundCipherKey, CipherError> {
        if key.len() != self.key_len() {
            return Err(CipherError);
        }
        // Triple DES with two keys comes as K1, K2, K1; the library has it under its own name.
        let two_keys = self == Self::TripleDes && key.get(..8) == key.get(16..);
        let key = if two_keys { key.get(..16).unwrap_or_default() } else { key };
        Ok(UnboundCipherKey::new(self.library(two_keys), key)?)
    }

    #[expect(deprecated, reason = "old SCEP clients have no other cipher")]
    fn library(self, two_keys: bool) -> &'static Algorithm {
        use aws_lc_rs::cipher::{
            DES_EDE_FOR_LEGACY_USE_ONLY, DES_EDE3_FOR_LEGACY_USE_ONLY, DES_FOR_LEGACY_USE_ONLY,
        };
        match self {
            Self::Des => &DES_FOR_LEGACY_USE_ONLY,
            Self::TripleDes if two_keys => &DES_EDE_FOR_LEGACY_USE_ONLY,
            Self::TripleDes => &DES_EDE3_FOR_LEGACY_USE_ONLY,
            Self::Aes128 => &AES_128,
            Self::Aes192 => &AES_192,
            Self::Aes256 => &AES_256,
        }
    }

    fn encryption_context(self, iv: &[u8]) -> Result<EncryptionContext, CipherError> {
        match self.block_len() {
            8 => Ok(EncryptionContext::Iv64(fixed(iv)?)),
            _ => Ok(EncryptionContext::Iv128(fixed(iv)?)),
        }
    }

    fn decryption_context(self, iv: &[u8]) -> Result<DecryptionContext, CipherError> {
        match self.block_len() {
            8 => Ok(DecryptionContext::Iv64(fixed(iv)?)),
            _ => Ok(DecryptionContext::Iv128(fixed(iv)?)),
        }
    }
}

fn fixed<const N: usize>(iv: &[u8]) -> Result<FixedLength<N>, CipherError> {
    <[u8; N]>::try_from(iv).map(FixedLength::from).map_err(|_| CipherError)
}

impl fmt::Display for ContentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Des => "DES-CBC",
            Self::TripleDes => "3DES-CBC",
            Self::Aes128 => "AES-128-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes256 => "AES-256-CBC",
        })
    }
}
