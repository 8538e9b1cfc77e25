//! From PKCS #8 to a key that can be used.
//!
//! Encryption of files is not here, see `key_store`.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
};
use lanyard_pki::{Digest, PublicKey};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};

use super::Private;
use super::rsa_raw::RsaPrivate;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why there is no private key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormError {
    /// Not a PrivateKeyInfo.
    #[error("this is not a private key in the form PKCS #8")]
    NotPkcs8,
    /// A private key of a kind that is not supported.
    #[error("private keys of the algorithm {0} are not supported")]
    Algorithm(ObjectIdentifier),
    /// A size or kind of key that cannot be made.
    #[error("a key {0} cannot be made; RSA is made with 2048, 3072, 4096 or 8192 bits")]
    CannotMake(lanyard_pki::KeyAlgorithm),
    /// The parts of the key do not fit together.
    #[error("the private key is damaged: its parts do not fit together")]
    Inconsistent,
    /// The public half is outside of what is supported.
    #[error("the public half of the private key cannot be used: {0}")]
    Public(String),
    /// The system yields no random numbers.
    #[error("the system yields no random numbers")]
    NoRandomness,
}

pub(super) fn read(der: &[u8]) -> Result<(PublicKey, Private), KeyFormError> {
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyFormError::NotPkcs8)?;
    match info.algorithm.oid {
        RSA => read_rsa(info.private_key.as_bytes()),
        EC => {
            let curve = info.algorithm.parameters_oid().map_err(|_| KeyFormError::NotPkcs8)?;
            read_ec(der, curve)
        }
        ED25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .map_err(|_| KeyFormError::Inconsistent)?;
            Ok((spki(pair.public_key())?, Private::Ed25519(pair)))
        }
        other => Err(KeyFormError::Algorithm(other)),
    }
}

fn read_rsa(der: &[u8]) -> Result<(PublicKey, Private), KeyFormError> {
    let private = RsaPrivate::parse(der).ok_or(KeyFormError::Inconsistent)?;
    let pair = aws_lc_rs::rsa::KeyPair::from_der(der).map_err(|_| KeyFormError::Inconsistent)?;
    Ok((spki(pair.public_key())?, Private::Rsa(private)))
}

fn read_ec(der: &[u8], curve: ObjectIdentifier) -> Result<(PublicKey, Private), KeyFormError> {
    let (algorithm, digest): (&'static EcdsaSigningAlgorithm, _) = match curve {
        P256 => (&ECDSA_P256_SHA256_ASN1_SIGNING, Digest::Sha256),
        P384 => (&ECDSA_P384_SHA384_ASN1_SIGNING, Digest::Sha384),
        P521 => (&ECDSA_P521_SHA512_ASN1_SIGNING, Digest::Sha512),
        other => return Err(KeyFormError::Algorithm(other)),
    };
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(|_| KeyFormError::Inconsistent)?;
    Ok((spki(pair.public_key())?, Private::Ecdsa(digest, pair)))
}

fn spki(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Result<PublicKey, KeyFormError> {
    let der = key.as_der().map_err(|_| KeyFormError::Inconsistent)?;
    PublicKey::from_spki_der(der.as_ref()).map_err(|fault| KeyFormError::Public(fault.to_string()))
}
