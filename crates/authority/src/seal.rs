//! Seals what must not lie open in the store and its back-ups: a request that waits for a person carries the challenge.
//!
//! The key follows from the installation's secret, which is kept apart from the store.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// What was sealed with another key, for another purpose, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not sealed with this installation's secret, or was changed")]
pub(crate) struct Broken;

/// AES-256-GCM under one key.
pub(crate) struct Seal(LessSafeKey);

impl Seal {
    /// With this key.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 has keys of 32 octets");
        Self(LessSafeKey::new(key))
    }

    /// Seals `plain`, which opens again only beside the same `about`. `nonce` is random and never used again.
    pub(crate) fn seal(
        &self,
        plain: &[u8],
        about: &[u8],
        nonce: [u8; NONCE_LEN],
    ) -> Result<Vec<u8>, Broken> {
        let mut sealed = plain.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(unique, Aad::from(about), &mut sealed)
            .map_err(|_| Broken)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What was sealed.
    pub(crate) fn open(&self, sealed: &[u8], about: &[u8]) -> Result<Vec<u8>, Broken> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Broken)?;
        let mut octets = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(about), &mut octets);
        let length = opened.map_err(|_| Broken)?.len();
        octets.truncate(length);
        Ok(octets)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_beside_the_same_words_and_unchanged() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal(b"open sesame", b"t1", [1; NONCE_LEN]).unwrap();
        assert_eq!(seal.open(&sealed, b"t1").unwrap(), b"open sesame");
        assert!(!sealed.windows(6).any(|part| part == b"sesame"));
        assert_eq!(seal.open(&sealed, b"t2"), Err(Broken));
        assert_eq!(Seal::new(&[8; 32]).open(&sealed, b"t1"), Err(Broken));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal.open(&changed, b"t1"), Err(Broken), "octet {at}");
            assert_eq!(seal.open(&sealed[..at], b"t1"), Err(Broken), "cut at {at}");
        }
    }
}
