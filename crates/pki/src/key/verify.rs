//! Checking signatures, the old algorithms included; whether those count is decided elsewhere.

use super::{KeyAlgorithm, Parsed, PublicKey};
use crate::{Digest, SignatureAlgorithm, algorithm, tlv::Writer};
use aws_lc_rs::{
    digest as lc,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
        EcdsaVerificationAlgorithm,
    },
};

/// The signature was not made by this key over this message with this algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl PublicKey {
    /// Checks `signature` over `message`. MD5 and SHA-1 work here, and RSA from 1024 bits.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        match (&self.parsed, algorithm.digest()) {
            (Parsed::Other(key), None) => {
                if self.algorithm != KeyAlgorithm::Ed25519 {
                    return Err(BadSignature);
                }
                key.verify_sig(message, signature).map_err(|_| BadSignature)
            }
            (_, Some(digest)) => self.verify_digest(algorithm, &digest.of(message), signature),
            (Parsed::Rsa(_), None) => Err(BadSignature),
        }
    }

    /// As [`PublicKey::verify`], for a message whose digest is at hand already. Never for Ed25519.
    pub fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        hash: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let good = match (&self.parsed, algorithm) {
            (Parsed::Rsa(key), SignatureAlgorithm::RsaPkcs1(digest)) => {
                let expected = pkcs1_block(digest, hash, key.modulus_len());
                let opened = key.apply(signature);
                matches!((opened, expected), (Some(opened), Some(expected)) if opened == expected)
            }
            (Parsed::Rsa(key), SignatureAlgorithm::RsaPss(digest)) => {
                key.verifies_pss(digest, hash, signature)
            }
            (Parsed::Other(key), SignatureAlgorithm::Ecdsa(digest))
                if hash.len() == digest.octets() =>
            {
                ecdsa(self.algorithm).is_some_and(|(_, container)| {
                    fitted(hash, container)
                        .is_some_and(|hash| key.verify_digest_sig(&hash, signature).is_ok())
                })
            }
            _ => false,
        };
        if good { Ok(()) } else { Err(BadSignature) }
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017, 9.2): the one block that a signature over `hash` may open to. Comparing
/// with it leaves no room for the mistakes that parsing the block invites.
fn pkcs1_block(digest: Digest, hash: &[u8], length: usize) -> Option<Vec<u8>> {
    if hash.len() != digest.octets() {
        return None;
    }
    let info = Writer::sequence_of(|w| {
        algorithm::write_digest_identifier(w, digest);
        w.octet_string(hash);
    });
    let filling = length.checked_sub(info.len() + 3).filter(|octets| *octets >= 8)?;
    let mut block = Vec::with_capacity(length);
    block.extend([0, 1]);
    block.resize(2 + filling, 0xff);
    block.push(0);
    block.extend(info);
    Some(block)
}

/// The verification that is used for all digests on a curve, and the digest that it is made for.
pub(super) fn ecdsa(
    key: KeyAlgorithm,
) -> Option<(&'static EcdsaVerificationAlgorithm, &'static lc::Algorithm)> {
    match key {
        KeyAlgorithm::P256 => Some((&ECDSA_P256_SHA256_ASN1, &lc::SHA256)),
        KeyAlgorithm::P384 => Some((&ECDSA_P384_SHA384_ASN1, &lc::SHA384)),
        KeyAlgorithm::P521 => Some((&ECDSA_P521_SHA512_ASN1, &lc::SHA512)),
        KeyAlgorithm::Rsa { .. } | KeyAlgorithm::Ed25519 => None,
    }
}

/// A digest of any length as one of the length that `container` has. ECDSA uses the leftmost bits of a
/// digest as a number (FIPS 186-5, 6.4.1), as many as the group's order has: octets beyond those of
/// the container do not count, and zeros before a shorter digest leave the number as it is.
fn fitted(hash: &[u8], container: &'static lc::Algorithm) -> Option<lc::Digest> {
    let wanted = container.output_len();
    let counted = hash.get(..wanted).unwrap_or(hash);
    let mut octets = vec![0; wanted - counted.len()];
    octets.extend(counted);
    lc::Digest::import_less_safe(&octets, container).ok()
}
