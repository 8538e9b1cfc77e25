//! RSA encryption padding without the RSA: PKCS#1 v1.5 and OAEP (RFC 8017, 7.1 and 7.2), both ways.
//!
//! Removal takes the same time and the same path whatever the block holds, and cannot fail on it:
//! the length of the message is known beforehand, and where the padding is wrong the caller's random
//! octets come back instead (RFC 3218, 2.3.2). What was wrong then shows only where the content does
//! not decrypt, as it would for any wrong key. The modular arithmetic is elsewhere.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Digest;

/// Octets of randomness that [`pad_pkcs1`] wants at least.
pub const PKCS1_RANDOM: usize = 16;

/// The fewest padding octets of PKCS#1 v1.5.
const PKCS1_FEWEST: usize = 8;

/// The parameters of RSAES-OAEP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oaep<'a> {
    /// Hashes the label and sets the length of the seed.
    pub digest: Digest,
    /// The hash inside the mask generation function MGF1; the same one as a rule.
    pub mask: Digest,
    /// The label, empty as a rule.
    pub label: &'a [u8],
}

impl Oaep<'_> {
    /// OAEP with one hash throughout and an empty label.
    #[must_use]
    pub const fn of(digest: Digest) -> Self {
        Self { digest, mask: digest, label: &[] }
    }

    /// Octets of the block that are not message.
    const fn overhead(&self) -> usize {
        2 * self.digest.octets() + 2
    }
}

/// The lengths do not fit together. Never about what a block holds.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PaddingError {
    /// The modulus is too small for the message and its padding.
    #[error("{message} octets do not fit into an RSA block of {block}")]
    TooLong {
        /// Octets of the message.
        message: usize,
        /// Octets of the modulus.
        block: usize,
    },
    /// Too little randomness was handed in.
    #[error("{given} random octets were given where {needed} are needed")]
    Random {
        /// What was given.
        given: usize,
        /// What is needed.
        needed: usize,
    },
}

/// `message` padded to `length` octets, ready for the public operation (RFC 8017, 7.2.1).
///
/// The non-zero octets are drawn from SHA-256 over `random`, of which there must be at least
/// [`PKCS1_RANDOM`].
pub fn pad_pkcs1(message: &[u8], length: usize, random: &[u8]) -> Result<Vec<u8>, PaddingError> {
    if random.len() < PKCS1_RANDOM {
        return Err(PaddingError::Random { given: random.len(), needed: PKCS1_RANDOM });
    }
    let filler = length
        .checked_sub(message.len() + 3)
        .filter(|filler| *filler >= PKCS1_FEWEST)
        .ok_or(PaddingError::TooLong { message: message.len(), block: length })?;
    let stream = (0u32..).flat_map(|counter| mask_block(Digest::Sha256, random, counter));
    let mut block = Vec::with_capacity(length);
    block.extend_from_slice(&[0, 2]);
    block.extend(stream.filter(|octet| *octet != 0).take(filler));
    block.push(0);
    block.extend_from_slice(message);
    Ok(block)
}

/// The message of a PKCS#1 v1.5 block as the private operation returned it, or `fallback`.
///
/// A message of another length than `fallback` counts as wrong padding.
pub fn unpad_pkcs1_ct(block: &[u8], fallback: &[u8]) -> Result<Zeroizing<Vec<u8>>, PaddingError> {
    let too_long = PaddingError::TooLong { message: fallback.len(), block: block.len() };
    let filler = block
        .len()
        .checked_sub(fallback.len() + 3)
        .filter(|filler| *filler >= PKCS1_FEWEST)
        .ok_or(too_long)?;
    let (head, rest) = block.split_at_checked(2).ok_or(too_long)?;
    let (padding, rest) = rest.split_at_checked(filler).ok_or(too_long)?;
    let (end, message) = rest.split_at_checked(1).ok_or(too_long)?;
    let mut good = head.ct_eq(&[0, 2]) & end.ct_eq(&[0]);
    for octet in padding {
        good &= !octet.ct_eq(&0);
    }
    Ok(choose(good, message, fallback))
}

/// `message` padded to `length` octets with `seed`, as long as the digest (RFC 8017, 7.1.1).
pub fn pad_oaep(
    message: &[u8],
    length: usize,
    oaep: Oaep<'_>,
    seed: &[u8],
) -> Result<Vec<u8>, PaddingError> {
    let hash = oaep.digest.octets();
    let seed = seed.get(..hash).ok_or(PaddingError::Random { given: seed.len(), needed: hash })?;
    let zeros = length
        .checked_sub(message.len() + oaep.overhead())
        .ok_or(PaddingError::TooLong { message: message.len(), block: length })?;
    let mut data = Zeroizing::new(oaep.digest.of(oaep.label));
    data.resize(hash + zeros, 0);
    data.push(1);
    data.extend_from_slice(message);
    xor_mask(&mut data, oaep.mask, seed);
    let mut masked_seed = seed.to_vec();
    xor_mask(&mut masked_seed, oaep.mask, &data);
    let mut block = Vec::with_capacity(length);
    block.push(0);
    block.extend_from_slice(&masked_seed);
    block.extend_from_slice(&data);
    Ok(block)
}

/// The message of an OAEP block as the private operation returned it, or `fallback`.
///
/// A message of another length than `fallback` counts as wrong padding.
pub fn unpad_oaep_ct(
    block: &[u8],
    oaep: Oaep<'_>,
    fallback: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PaddingError> {
    let hash = oaep.digest.octets();
    let too_long = PaddingError::TooLong { message: fallback.len(), block: block.len() };
    let zeros = block.len().checked_sub(fallback.len() + oaep.overhead()).ok_or(too_long)?;
    let (lead, rest) = block.split_at_checked(1).ok_or(too_long)?;
    let (masked_seed, masked_data) = rest.split_at_checked(hash).ok_or(too_long)?;
    let mut seed = Zeroizing::new(masked_seed.to_vec());
    xor_mask(&mut seed, oaep.mask, masked_data);
    let mut data = Zeroizing::new(masked_data.to_vec());
    xor_mask(&mut data, oaep.mask, &seed);
    let (label, rest) = data.split_at_checked(hash).ok_or(too_long)?;
    let (padding, rest) = rest.split_at_checked(zeros).ok_or(too_long)?;
    let (end, message) = rest.split_at_checked(1).ok_or(too_long)?;
    let mut good = lead.ct_eq(&[0]) & label.ct_eq(&oaep.digest.of(oaep.label)) & end.ct_eq(&[1]);
    for octet in padding {
        good &= octet.ct_eq(&0);
    }
    Ok(choose(good, message, fallback))
}

fn choose(good: Choice, message: &[u8], fallback: &[u8]) -> Zeroizing<Vec<u8>> {
    let octets = message.iter().zip(fallback);
    Zeroizing::new(octets.map(|(m, f)| u8::conditional_select(f, m, good)).collect())
}

/// MGF1 (RFC 8017, B.2.1) over `seed`, added to `octets`.
fn xor_mask(octets: &mut [u8], digest: Digest, seed: &[u8]) {
    for (counter, chunk) in (0u32..).zip(octets.chunks_mut(digest.octets())) {
        for (octet, mask) in chunk.iter_mut().zip(mask_block(digest, seed, counter)) {
            *octet ^= mask;
        }
    }
}

fn mask_block(digest: Digest, seed: &[u8], counter: u32) -> Vec<u8> {
    digest.of_parts(&[seed, &counter.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FALLBACK: [u8; 16] = [0x5a; 16];
    const DIGESTS: [Digest; 4] = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];

    fn unpadded(block: &[u8]) -> Vec<u8> {
        unpad_pkcs1_ct(block, &FALLBACK).unwrap().to_vec()
    }

    #[test]
    fn a_pkcs1_block_has_its_markers_and_no_zero_in_between() {
        let block = pad_pkcs1(&[7; 16], 256, &[1; 32]).unwrap();
        assert_eq!((block.len(), &block[..2], block[239]), (256, &[0, 2][..], 0));
        assert!(block[2..239].iter().all(|octet| *octet != 0));
        assert_eq!(unpadded(&block), [7; 16]);
        assert_ne!(block, pad_pkcs1(&[7; 16], 256, &[2; 32]).unwrap());
    }

    #[test]
    fn whatever_is_wrong_with_a_pkcs1_block_the_fallback_comes_back() {
        let good = pad_pkcs1(&[7; 16], 128, &[1; 32]).unwrap();
        for (at, octet) in [(0, 1), (1, 1), (1, 0), (2, 0), (60, 0), (110, 0), (111, 1)] {
            let mut block = good.clone();
            block[at] = octet;
            assert_eq!(unpadded(&block), FALLBACK, "octet {at} as {octet}");
        }
        assert_eq!(unpadded(&pad_pkcs1(&[7; 15], 128, &[1; 32]).unwrap()), FALLBACK);
        assert_eq!(unpadded(&pad_pkcs1(&[7; 17], 128, &[1; 32]).unwrap()), FALLBACK);
    }

    #[test]
    fn lengths_that_cannot_be_are_an_error_of_the_caller() {
        let too_long = |message, block| PaddingError::TooLong { message, block };
        assert_eq!(pad_pkcs1(&[0; 118], 128, &[0; 16]), Err(too_long(118, 128)));
        assert!(pad_pkcs1(&[0; 117], 128, &[0; 16]).is_ok());
        assert_eq!(unpad_pkcs1_ct(&[0; 26], &FALLBACK), Err(too_long(16, 26)));
        let random = PaddingError::Random { given: 15, needed: 16 };
        assert_eq!(pad_pkcs1(&[0; 16], 128, &[0; 15]), Err(random));
        let sha512 = Oaep::of(Digest::Sha512);
        assert_eq!(pad_oaep(&[], 128, sha512, &[0; 64]), Err(too_long(0, 128)));
        assert_eq!(unpad_oaep_ct(&[0; 128], sha512, &FALLBACK), Err(too_long(16, 128)));
    }

    #[test]
    fn whatever_is_wrong_with_an_oaep_block_the_fallback_comes_back() {
        for oaep in DIGESTS.map(Oaep::of) {
            let good = pad_oaep(&[7; 16], 256, oaep, &[9; 64]).unwrap();
            assert_eq!(unpad_oaep_ct(&good, oaep, &FALLBACK).unwrap()[..], [7; 16]);
            for at in 0..256 {
                let mut block = good.clone();
                block[at] ^= 1;
                let result = unpad_oaep_ct(&block, oaep, &FALLBACK).unwrap();
                // A flipped bit of the masked message is a flipped bit of the message, but it
                // changes the seed too, and with it all of the padding.
                assert_eq!(result[..], FALLBACK, "octet {at}");
            }
            let other = Oaep { label: b"other", ..oaep };
            assert_eq!(unpad_oaep_ct(&good, other, &FALLBACK).unwrap()[..], FALLBACK);
        }
    }

    proptest! {
        #[test]
        fn oaep_with_any_pair_of_hashes_reads_back(
            digest in prop::sample::select(&DIGESTS[..]),
            mask in prop::sample::select(&DIGESTS[..]),
            label in proptest::collection::vec(any::<u8>(), 0..20),
            message in proptest::collection::vec(any::<u8>(), 0..64),
            seed in any::<[u8; 32]>(),
        ) {
            let oaep = Oaep { digest, mask, label: &label };
            let seed = [seed, seed].concat();
            let block = pad_oaep(&message, 256, oaep, &seed).unwrap();
            let fallback = vec![0x5a; message.len()];
            prop_assert_eq!(&unpad_oaep_ct(&block, oaep, &fallback).unwrap()[..], &message[..]);
        }

        #[test]
        fn random_blocks_never_panic(block in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpad_pkcs1_ct(&block, &FALLBACK);
            let _ = unpad_oaep_ct(&block, Oaep::of(Digest::Sha1), &FALLBACK);
        }
    }
}
