//! Public keys as certificates carry them: parsed once, kept as received, and what they can do.
//!
//! Private keys are in `signer`. Which sizes and algorithms are good enough is decided in `lifecycle`.

mod rsa_raw;
mod verify;
mod wrap;

pub use verify::BadSignature;
pub use wrap::WrapError;

use crate::{
    Oid, digest, oid,
    tlv::{DerError, Reader, Tag, Writer},
};
use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use rsa_raw::RsaPublic;
use std::{fmt, sync::Arc};

/// RSA moduli that can be read, in bits.
pub const RSA_BITS: std::ops::RangeInclusive<u32> = 1024..=16384;

/// What kind of key, and how large where that varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyAlgorithm {
    /// RSA with a modulus of so many bits
    Rsa {
        /// Bits of the modulus
        bits: u32,
    },
    /// The NIST curve P-256 (secp256r1)
    P256,
    /// The NIST curve P-384 (secp384r1)
    P384,
    /// The NIST curve P-521 (secp521r1)
    P521,
    /// Ed25519 (RFC 8032), for signatures only
    Ed25519,
}

impl KeyAlgorithm {
    /// Whether content keys can be encrypted to it directly.
    pub const fn can_encipher(self) -> bool {
        matches!(self, Self::Rsa { .. })
    }

    /// The identifier of the named curve.
    pub const fn curve(self) -> Option<Oid> {
        match self {
            Self::P256 => Some(oid::P256),
            Self::P384 => Some(oid::P384),
            Self::P521 => Some(oid::P521),
            Self::Rsa { .. } | Self::Ed25519 => None,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::P521 => f.write_str("P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// Why bytes are no public key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a SubjectPublicKeyInfo, or an RSA key that is no RSAPublicKey.
    #[error("the public key cannot be read: {0}")]
    Malformed(#[from] DerError),
    /// Neither RSA, nor an EC key, nor Ed25519.
    #[error("public keys of algorithm {0} are not supported")]
    Algorithm(Oid),
    /// An EC key on another curve.
    #[error("the elliptic curve {0} is not supported")]
    Curve(Oid),
    /// The point is compressed, not on the curve, or of the wrong length.
    #[error("the public key is not an uncompressed point of its curve")]
    Point,
    /// An RSA modulus that is too small, too large or even.
    #[error("an RSA modulus of {0} bits; odd ones of 1024 to 16384 bits can be used")]
    Modulus(u32),
    /// An RSA exponent that is even, below 3 or above 33 bits.
    #[error("the RSA exponent is not an odd number from 3 to 2^33")]
    Exponent,
}

/// A public key that was checked, with the DER of its SubjectPublicKeyInfo as received.
#[derive(Clone)]
pub struct PublicKey {
    spki: Arc<[u8]>,
    bits_at: usize,
    algorithm: KeyAlgorithm,
    parsed: Parsed,
}

#[derive(Clone)]
enum Parsed {
    Rsa(Arc<RsaPublic>),
    Other(ParsedPublicKey),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo: RSA from 1024 to 16384 bits, P-256, P-384, P-521, Ed25519.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::entered(spki, Tag::SEQUENCE)?;
        let mut identifier = reader.sequence()?;
        let bits = reader.bit_string()?;
        reader.finish()?;
        let (algorithm, parsed) = match identifier.oid()? {
            oid::RSA_ENCRYPTION => {
                if identifier.optional(Tag::NULL)?.is_some_and(|null| !null.contents.is_empty()) {
                    return Err(DerError::Value("a NULL with contents").into());
                }
                identifier.finish()?;
                read_rsa(bits)?
            }
            oid::EC_PUBLIC_KEY => read_point(identifier, bits)?,
            oid::ED25519 => {
                identifier.finish()?;
                (KeyAlgorithm::Ed25519, parse(&ED25519, 32, bits)?)
            }
            other => return Err(KeyError::Algorithm(other)),
        };
        Ok(Self { spki: spki.into(), bits_at: spki.len() - bits.len(), algorithm, parsed })
    }

    /// From the big-endian modulus and exponent of an RSA key.
    pub fn from_rsa_components(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let key = Writer::sequence_of(|w| {
            w.unsigned_integer(modulus);
            w.unsigned_integer(exponent);
        });
        Self::from_spki_der(&Writer::sequence_of(|w| {
            w.sequence(|w| {
                w.oid(oid::RSA_ENCRYPTION);
                w.null();
            });
            w.bit_string(&key);
        }))
    }

    /// From an uncompressed point (`04 ‖ x ‖ y`) on the curve of `algorithm`, or from the 32 octets of
    /// an Ed25519 key. [`KeyError::Point`] for RSA.
    pub fn from_point(algorithm: KeyAlgorithm, point: &[u8]) -> Result<Self, KeyError> {
        let curve = match algorithm {
            KeyAlgorithm::Rsa { .. } => return Err(KeyError::Point),
            KeyAlgorithm::Ed25519 => None,
            _ => algorithm.curve(),
        };
        Self::from_spki_der(&Writer::sequence_of(|w| {
            w.sequence(|w| match curve {
                Some(curve) => {
                    w.oid(oid::EC_PUBLIC_KEY);
                    w.oid(curve);
                }
                None => w.oid(oid::ED25519),
            });
            w.bit_string(point);
        }))
    }

    /// What kind of key.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The SubjectPublicKeyInfo as received.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The contents of the BIT STRING: an RSAPublicKey, a point, or 32 octets of Ed25519.
    pub fn key_bits(&self) -> &[u8] {
        self.spki.get(self.bits_at..).unwrap_or_default()
    }

    /// SHA-1 of the BIT STRING's contents: the key identifier of RFC 5280, 4.2.1.2 (1), and OCSP's
    /// key hash.
    pub fn key_identifier(&self) -> [u8; 20] {
        digest::sha1(self.key_bits())
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fn fingerprint(&self) -> [u8; 32] {
        digest::sha256(&self.spki)
    }
}

fn read_rsa(bits: &[u8]) -> Result<(KeyAlgorithm, Parsed), KeyError> {
    let mut key = Reader::entered(bits, Tag::SEQUENCE)?;
    let (modulus, exponent) = (key.unsigned_integer()?, key.unsigned_integer()?);
    key.finish()?;
    let length = bit_length(modulus);
    if !RSA_BITS.contains(&length) || modulus.last().is_none_or(|octet| octet & 1 == 0) {
        return Err(KeyError::Modulus(length));
    }
    let odd = exponent.last().is_some_and(|octet| octet & 1 == 1);
    if !odd || exponent == [1] || bit_length(exponent) > 33 {
        return Err(KeyError::Exponent);
    }
    let key = RsaPublic::parse(bits).ok_or(KeyError::Exponent)?;
    Ok((KeyAlgorithm::Rsa { bits: length }, Parsed::Rsa(Arc::new(key))))
}

fn read_point(
    mut parameters: Reader<'_>,
    point: &[u8],
) -> Result<(KeyAlgorithm, Parsed), KeyError> {
    let (algorithm, octets) = match parameters.oid()? {
        oid::P256 => (KeyAlgorithm::P256, 65),
        oid::P384 => (KeyAlgorithm::P384, 97),
        oid::P521 => (KeyAlgorithm::P521, 133),
        other => return Err(KeyError::Curve(other)),
    };
    parameters.finish()?;
    let verification = verify::ecdsa(algorithm).map(|(algorithm, _)| algorithm);
    let verification = verification.ok_or(KeyError::Point)?;
    Ok((algorithm, parse(verification, octets, point)?))
}

fn parse(
    algorithm: &'static dyn aws_lc_rs::signature::VerificationAlgorithm,
    octets: usize,
    bits: &[u8],
) -> Result<Parsed, KeyError> {
    if bits.len() != octets {
        return Err(KeyError::Point);
    }
    ParsedPublicKey::new(algorithm, bits).map(Parsed::Other).map_err(|_| KeyError::Point)
}

/// Bits of a magnitude without leading zeros.
fn bit_length(magnitude: &[u8]) -> u32 {
    let octets = u32::try_from(magnitude.len()).unwrap_or(u32::MAX / 8);
    magnitude.first().map_or(0, |first| octets * 8 - first.leading_zeros())
}

impl PartialEq for PublicKey {
    /// The same SubjectPublicKeyInfo, octet for octet.
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.algorithm, hex::encode(self.fingerprint()))
    }
}

#[cfg(test)]
mod tests;
