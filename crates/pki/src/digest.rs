//! Message digests by name. MD5 and SHA-1 work here; whether they are wanted is decided elsewhere.

use crate::{Oid, oid};
use aws_lc_rs::digest as lc;
use std::fmt;

/// A digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Digest {
    /// RFC 1321; old SCEP clients only
    Md5,
    /// FIPS 180-4
    Sha1,
    /// FIPS 180-4
    Sha224,
    /// FIPS 180-4
    Sha256,
    /// FIPS 180-4
    Sha384,
    /// FIPS 180-4
    Sha512,
}

impl Digest {
    /// All of them, weakest first.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The digest of `bytes`.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        self.of_parts(&[bytes])
    }

    /// The digest of several pieces as if they were one.
    pub fn of_parts(self, parts: &[&[u8]]) -> Vec<u8> {
        let Some(algorithm) = self.library() else {
            use md5::Digest as _;
            let mut state = md5::Md5::new();
            for part in parts {
                state.update(part);
            }
            return state.finalize().to_vec();
        };
        let mut state = lc::Context::new(algorithm);
        for part in parts {
            state.update(part);
        }
        state.finish().as_ref().to_vec()
    }

    fn library(self) -> Option<&'static lc::Algorithm> {
        match self {
            Self::Md5 => None,
            Self::Sha1 => Some(&lc::SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha224 => Some(&lc::SHA224),
            Self::Sha256 => Some(&lc::SHA256),
            Self::Sha384 => Some(&lc::SHA384),
            Self::Sha512 => Some(&lc::SHA512),
        }
    }

    /// Octets of a digest.
    pub const fn octets(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The object identifier of the digest itself.
    pub const fn oid(self) -> Oid {
        match self {
            Self::Md5 => oid::MD5,
            Self::Sha1 => oid::SHA1,
            Self::Sha224 => oid::SHA224,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    /// The digest with this object identifier.
    pub fn from_oid(oid: Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.oid() == oid)
    }
}

/// SHA-1 of `bytes`, for key identifiers and CertIDs.
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = lc::digest(&lc::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    digest.as_ref().try_into().unwrap_or_default()
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    lc::digest(&lc::SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example "abc" of RFC 1321, A.5, and of the FIPS 180-4 example values.
    #[test]
    fn published_examples_come_out() {
        let expected = [
            "900150983cd24fb0d6963f7d28e17f72",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ];
        for (digest, expected) in Digest::ALL.into_iter().zip(expected) {
            assert_eq!(hex::encode(digest.of(b"abc")), expected, "{digest}");
            assert_eq!(digest.of_parts(&[b"a", b"", b"bc"]), digest.of(b"abc"));
            assert_eq!(digest.of(b"abc").len(), digest.octets());
            assert_eq!(Digest::from_oid(digest.oid()), Some(digest));
        }
        assert_eq!(sha1(b"abc")[..], Digest::Sha1.of(b"abc"));
        assert_eq!(sha256(b"abc")[..], Digest::Sha256.of(b"abc"));
    }
}
