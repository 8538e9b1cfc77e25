//! The signature that completes a copy of a certificate for the linter, before the real key has signed.
//!
//! Of the right length and shape, and nobody's: see the decision record on issuance.

use lanyard_pki::KeyAlgorithm;

/// Fills numbers with; its first bit is clear, so that a number of it is positive and below any modulus.
const PATTERN: u8 = 0x5a;

/// Octets in the shape of a signature of such a key.
pub(crate) fn signature(key: KeyAlgorithm) -> Vec<u8> {
    match key {
        KeyAlgorithm::Rsa { bits } => vec![PATTERN; bits.div_ceil(8) as usize],
        KeyAlgorithm::P256 => ecdsa(32),
        KeyAlgorithm::P384 => ecdsa(48),
        KeyAlgorithm::P521 => ecdsa(65),
        KeyAlgorithm::Ed25519 => vec![PATTERN; 64],
    }
}

/// `SEQUENCE { r INTEGER, s INTEGER }` of RFC 3279 section 2.2.3, both numbers of `octets` octets.
fn ecdsa(octets: u8) -> Vec<u8> {
    let number = std::iter::once(PATTERN).cycle().take(usize::from(octets));
    let integer = || [0x02, octets].into_iter().chain(number.clone());
    let length = 2 * (octets + 2);
    let header = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    header.into_iter().chain(integer()).chain(integer()).collect()
}
