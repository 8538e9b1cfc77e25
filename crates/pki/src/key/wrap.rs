//! Encrypting a content key to an RSA key: PKCS #1 v1.5 and OAEP. Randomness is an argument.
//!
//! The way back, where timing matters, is in [`crate::padding`].

use super::{Parsed, PublicKey};
use crate::Digest;

/// Why a content key cannot be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrapError {
    /// Only RSA keys decrypt.
    #[error("content keys can be encrypted to RSA keys only")]
    NotRsa,
    /// The content key does not fit into the modulus with its padding.
    #[error("the content key is too long for the RSA key")]
    TooLong,
    /// Fewer random octets than the padding takes.
    #[error("the padding takes {0} random octets")]
    Randomness(usize),
}

impl PublicKey {
    /// How many octets an RSA block of this key has; `None` for other keys.
    pub fn modulus_len(&self) -> Option<usize> {
        match &self.parsed {
            Parsed::Rsa(key) => Some(key.modulus_len()),
            Parsed::Other(_) => None,
        }
    }

    /// RSAES-PKCS1-v1_5 (RFC 8017, 7.2.1). `random` fills the padding, with its zeros passed over:
    /// 64 octets more than [`PublicKey::modulus_len`] are ample.
    pub fn wrap_pkcs1(&self, cek: &[u8], random: &[u8]) -> Result<Vec<u8>, WrapError> {
        let length = self.modulus_len().ok_or(WrapError::NotRsa)?;
        let filling =
            length.checked_sub(cek.len() + 3).filter(|n| *n >= 8).ok_or(WrapError::TooLong)?;
        let mut block = Vec::with_capacity(length);
        block.extend([0, 2]);
        block.extend(random.iter().filter(|octet| **octet != 0).take(filling));
        if block.len() != filling + 2 {
            return Err(WrapError::Randomness(filling));
        }
        block.push(0);
        block.extend(cek);
        self.apply(&block)
    }

    /// RSAES-OAEP (RFC 8017, 7.1.1) with an empty label and MGF1 of the same digest. `seed` has at least
    /// as many octets as the digest; those beyond are not used.
    pub fn wrap_oaep(&self, digest: Digest, cek: &[u8], seed: &[u8]) -> Result<Vec<u8>, WrapError> {
        let length = self.modulus_len().ok_or(WrapError::NotRsa)?;
        let hash = digest.octets();
        let seed = seed.get(..hash).ok_or(WrapError::Randomness(hash))?;
        let filling = length.checked_sub(cek.len() + 2 * hash + 2).ok_or(WrapError::TooLong)?;
        let mut data = digest.of(&[]);
        data.resize(hash + filling, 0);
        data.push(1);
        data.extend(cek);
        xor(&mut data, &mgf1(digest, seed, length - hash - 1));
        let mut seed = seed.to_vec();
        xor(&mut seed, &mgf1(digest, &data, hash));
        self.apply(&[&[0], &seed[..], &data].concat())
    }

    fn apply(&self, block: &[u8]) -> Result<Vec<u8>, WrapError> {
        match &self.parsed {
            Parsed::Rsa(key) => key.apply(block).ok_or(WrapError::TooLong),
            Parsed::Other(_) => Err(WrapError::NotRsa),
        }
    }
}

/// The mask generation function MGF1 (RFC 8017, B.2.1).
fn mgf1(digest: Digest, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length + digest.octets());
    let mut counter = 0u32;
    while mask.len() < length {
        mask.extend(digest.of_parts(&[seed, &counter.to_be_bytes()]));
        counter += 1;
    }
    mask.truncate(length);
    mask
}

fn xor(data: &mut [u8], mask: &[u8]) {
    data.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
}
