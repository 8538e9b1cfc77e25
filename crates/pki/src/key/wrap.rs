//! Encrypting a content key to an RSA key. Randomness is an argument.
//!
//! The padding, and the way back where timing matters, are in [`crate::padding`].

use zeroize::Zeroizing;

use super::{Parsed, PublicKey};
use crate::{
    Digest,
    padding::{Oaep, PaddingError, pad_oaep, pad_pkcs1},
};

/// Why a content key cannot be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrapError {
    /// Only RSA keys decrypt.
    #[error("content keys can be encrypted to RSA keys only")]
    NotRsa,
    /// The content key does not fit, or too little randomness was given.
    #[error(transparent)]
    Padding(#[from] PaddingError),
    /// The block is not as long as the modulus, or its number is larger.
    #[error("the block is no number below the modulus")]
    Block,
}

impl PublicKey {
    /// How many octets an RSA block of this key has; `None` for other keys.
    pub fn modulus_len(&self) -> Option<usize> {
        match &self.parsed {
            Parsed::Rsa(key) => Some(key.modulus_len()),
            Parsed::Other(_) => None,
        }
    }

    /// RSAES-PKCS1-v1_5 (RFC 8017, 7.2.1). The padding is drawn from `random`, at least
    /// [`crate::padding::PKCS1_RANDOM`] octets.
    pub fn wrap_pkcs1(&self, cek: &[u8], random: &[u8]) -> Result<Vec<u8>, WrapError> {
        let length = self.modulus_len().ok_or(WrapError::NotRsa)?;
        self.encrypt_block(&Zeroizing::new(pad_pkcs1(cek, length, random)?))
    }

    /// RSAES-OAEP (RFC 8017, 7.1.1) with an empty label and MGF1 of the same digest. `seed` has at least
    /// as many octets as the digest; those beyond are not used.
    pub fn wrap_oaep(&self, digest: Digest, cek: &[u8], seed: &[u8]) -> Result<Vec<u8>, WrapError> {
        let length = self.modulus_len().ok_or(WrapError::NotRsa)?;
        self.encrypt_block(&Zeroizing::new(pad_oaep(cek, length, Oaep::of(digest), seed)?))
    }

    /// The bare public operation on a block that was padded, as long as the modulus.
    pub fn encrypt_block(&self, block: &[u8]) -> Result<Vec<u8>, WrapError> {
        match &self.parsed {
            Parsed::Rsa(key) => key.apply(block).ok_or(WrapError::Block),
            Parsed::Other(_) => Err(WrapError::NotRsa),
        }
    }
}
