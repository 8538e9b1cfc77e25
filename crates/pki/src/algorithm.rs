//! Signature algorithms and their identifiers, both ways.
//!
//! Which of them are wanted is policy and decided elsewhere.

use crate::{
    Digest, Oid, oid,
    tlv::{DerError, Reader, Tag, Writer},
};
use std::fmt;

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2)
    RsaPkcs1(Digest),
    /// RSASSA-PSS (RFC 8017, 8.1) with MGF1 of the same digest and, where we sign, a salt as long as
    /// the digest
    RsaPss(Digest),
    /// ECDSA; the signature is the DER of `r` and `s` (RFC 3279, 2.2.3)
    Ecdsa(Digest),
    /// Ed25519 (RFC 8032), which digests by itself
    Ed25519,
}

const RSA: [(Digest, Oid); 6] = [
    (Digest::Md5, oid::MD5_WITH_RSA),
    (Digest::Sha1, oid::SHA1_WITH_RSA),
    (Digest::Sha224, oid::SHA224_WITH_RSA),
    (Digest::Sha256, oid::SHA256_WITH_RSA),
    (Digest::Sha384, oid::SHA384_WITH_RSA),
    (Digest::Sha512, oid::SHA512_WITH_RSA),
];

const ECDSA: [(Digest, Oid); 5] = [
    (Digest::Sha1, oid::ECDSA_WITH_SHA1),
    (Digest::Sha224, oid::ECDSA_WITH_SHA224),
    (Digest::Sha256, oid::ECDSA_WITH_SHA256),
    (Digest::Sha384, oid::ECDSA_WITH_SHA384),
    (Digest::Sha512, oid::ECDSA_WITH_SHA512),
];

/// An AlgorithmIdentifier that names no signature algorithm that we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlgorithmError {
    /// Not an AlgorithmIdentifier.
    #[error("the algorithm identifier cannot be read: {0}")]
    Malformed(#[from] DerError),
    /// An identifier that is not ours.
    #[error("signature algorithm {0} is not supported")]
    Unsupported(Oid),
    /// RSASSA-PSS or ecdsa-with-Specified with parameters beyond what is supported.
    #[error("the parameters of signature algorithm {0} are not supported")]
    Parameters(Oid),
}

impl SignatureAlgorithm {
    /// The digest that the message goes through first; none for Ed25519.
    pub const fn digest(self) -> Option<Digest> {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss(digest) | Self::Ecdsa(digest) => Some(digest),
            Self::Ed25519 => None,
        }
    }

    /// Its object identifier.
    pub fn oid(self) -> Oid {
        let among = |table: &[(Digest, Oid)], digest| {
            table.iter().find(|(listed, _)| *listed == digest).map(|(_, oid)| *oid)
        };
        match self {
            Self::RsaPkcs1(digest) => among(&RSA, digest).unwrap_or(oid::RSA_ENCRYPTION),
            Self::RsaPss(_) => oid::RSASSA_PSS,
            Self::Ecdsa(digest) => among(&ECDSA, digest).unwrap_or(oid::ECDSA_WITH_SPECIFIED),
            Self::Ed25519 => oid::ED25519,
        }
    }

    /// The DER of its AlgorithmIdentifier (RFC 3279, 4055, 5758, 8410).
    pub fn identifier(self) -> Vec<u8> {
        Writer::sequence_of(|w| {
            w.oid(self.oid());
            match self {
                Self::RsaPkcs1(_) => {
                    w.null();
                }
                Self::RsaPss(digest) => write_pss_parameters(w, digest),
                Self::Ecdsa(digest) if self.oid() == oid::ECDSA_WITH_SPECIFIED => {
                    write_digest_identifier(w, digest);
                }
                Self::Ecdsa(_) | Self::Ed25519 => {}
            }
        })
    }

    /// Reads the DER of an AlgorithmIdentifier. NULL and absent parameters count alike, as clients mix
    /// them up.
    pub fn from_identifier(der: &[u8]) -> Result<Self, AlgorithmError> {
        let mut reader = Reader::entered(der, Tag::SEQUENCE)?;
        let oid = reader.oid()?;
        let among = |table: &[(Digest, Oid)]| {
            table.iter().find(|(_, listed)| *listed == oid).map(|(digest, _)| *digest)
        };
        let known = if let Some(digest) = among(&RSA) {
            Self::RsaPkcs1(digest)
        } else if let Some(digest) = among(&ECDSA) {
            Self::Ecdsa(digest)
        } else if oid == oid::ED25519 {
            Self::Ed25519
        } else if oid == oid::RSASSA_PSS {
            return read_pss_parameters(reader).map(Self::RsaPss);
        } else if oid == oid::ECDSA_WITH_SPECIFIED {
            return read_digest_identifier(reader.any()?.bytes)
                .map(Self::Ecdsa)
                .ok_or(AlgorithmError::Parameters(oid));
        } else {
            return Err(AlgorithmError::Unsupported(oid));
        };
        reader.optional(Tag::NULL)?;
        reader.finish()?;
        Ok(known)
    }
}

/// Appends the AlgorithmIdentifier of a digest, with NULL parameters as RFC 4055, 2.1 has them.
pub fn write_digest_identifier(w: &mut Writer, digest: Digest) {
    w.sequence(|w| {
        w.oid(digest.oid());
        w.null();
    });
}

/// Reads the AlgorithmIdentifier of a digest, with NULL parameters or none.
pub fn read_digest_identifier(der: &[u8]) -> Option<Digest> {
    let mut reader = Reader::entered(der, Tag::SEQUENCE).ok()?;
    let digest = Digest::from_oid(reader.oid().ok()?)?;
    reader.optional(Tag::NULL).ok()?;
    reader.is_empty().then_some(digest)
}

/// RSASSA-PSS-params (RFC 4055, 3.1); what equals its default is left out.
fn write_pss_parameters(w: &mut Writer, digest: Digest) {
    w.sequence(|w| {
        if digest != Digest::Sha1 {
            w.context(0, |w| write_digest_identifier(w, digest));
            w.context(1, |w| {
                w.sequence(|w| {
                    w.oid(oid::MGF1);
                    write_digest_identifier(w, digest);
                });
            });
            w.context(2, |w| w.small_integer(digest.octets() as u64));
        }
    });
}

/// The digest of RSASSA-PSS-params whose mask generation uses the same. The salt's length is found
/// while verifying.
fn read_pss_parameters(mut reader: Reader<'_>) -> Result<Digest, AlgorithmError> {
    let beyond = || AlgorithmError::Parameters(oid::RSASSA_PSS);
    let mut fields = reader.sequence()?;
    reader.finish()?;
    let digest = match fields.context(0)? {
        None => Digest::Sha1,
        Some(hash) => read_digest_identifier(hash.rest()).ok_or_else(beyond)?,
    };
    let mask_digest = match fields.context(1)? {
        None => Digest::Sha1,
        Some(mut mask) => {
            let mut mask = mask.sequence()?;
            if mask.oid()? != oid::MGF1 {
                return Err(beyond());
            }
            read_digest_identifier(mask.rest()).ok_or_else(beyond)?
        }
    };
    if let Some(mut salt) = fields.context(2)? {
        salt.small_integer()?;
    }
    if let Some(mut trailer) = fields.context(3)?
        && trailer.small_integer()? != 1
    {
        return Err(beyond());
    }
    fields.finish()?;
    if digest == mask_digest { Ok(digest) } else { Err(beyond()) }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(digest) => write!(f, "RSA with {digest}"),
            Self::RsaPss(digest) => write!(f, "RSASSA-PSS with {digest}"),
            Self::Ecdsa(digest) => write!(f, "ECDSA with {digest}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_reads_back() {
        let with_digest = Digest::ALL.into_iter().flat_map(|digest| {
            [
                SignatureAlgorithm::RsaPkcs1(digest),
                SignatureAlgorithm::RsaPss(digest),
                SignatureAlgorithm::Ecdsa(digest),
            ]
        });
        for algorithm in with_digest.chain([SignatureAlgorithm::Ed25519]) {
            let der = algorithm.identifier();
            assert_eq!(SignatureAlgorithm::from_identifier(&der), Ok(algorithm), "{algorithm}");
        }
    }

    /// RFC 4055, 3.1 and 6: rSASSA-PSS-SHA256-Params; RFC 5758, 3.2; RFC 8410, 3.
    #[test]
    fn identifiers_have_the_published_form() {
        let hex = |algorithm: SignatureAlgorithm| hex::encode(algorithm.identifier());
        assert_eq!(
            hex(SignatureAlgorithm::RsaPkcs1(Digest::Sha256)),
            "300d06092a864886f70d01010b0500"
        );
        assert_eq!(hex(SignatureAlgorithm::Ecdsa(Digest::Sha384)), "300a06082a8648ce3d040303");
        assert_eq!(hex(SignatureAlgorithm::Ed25519), "300506032b6570");
        assert_eq!(
            hex(SignatureAlgorithm::RsaPss(Digest::Sha256)),
            "304106092a864886f70d01010a3034a00f300d06096086480165030402010500\
             a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
        );
        assert_eq!(hex(SignatureAlgorithm::RsaPss(Digest::Sha1)), "300d06092a864886f70d01010a3000");
    }

    #[test]
    fn pss_with_two_different_digests_is_refused() {
        let der = hex::decode(
            "303006092a864886f70d01010a3023a00d300b0609608648016503040201\
             a112301006092a864886f70d01010830030601aa",
        )
        .unwrap();
        assert!(SignatureAlgorithm::from_identifier(&der).is_err());
        let mixed = Writer::sequence_of(|w| {
            w.oid(oid::RSASSA_PSS);
            w.sequence(|w| w.context(0, |w| write_digest_identifier(w, Digest::Sha256)));
        });
        assert_eq!(
            SignatureAlgorithm::from_identifier(&mixed),
            Err(AlgorithmError::Parameters(oid::RSASSA_PSS))
        );
    }

    #[test]
    fn an_unknown_algorithm_is_named() {
        let der = Writer::sequence_of(|w| {
            w.oid(oid::RSA_ENCRYPTION);
            w.null();
        });
        let refusal = SignatureAlgorithm::from_identifier(&der).unwrap_err();
        assert!(refusal.to_string().contains("1.2.840.113549.1.1.1"), "{refusal}");
    }
}
