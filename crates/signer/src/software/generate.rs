//! New keys, as PKCS #8. The randomness is aws-lc's own.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use lanyard_pki::KeyAlgorithm;
use zeroize::Zeroizing;

use super::form::KeyFormError;

pub(super) fn pkcs8(algorithm: KeyAlgorithm) -> Result<Zeroizing<Vec<u8>>, KeyFormError> {
    let cannot = |_| KeyFormError::CannotMake(algorithm);
    let ec = |curve: &'static EcdsaSigningAlgorithm| {
        let pair = EcdsaKeyPair::generate(curve).map_err(cannot)?;
        let document = pair.to_pkcs8v1().map_err(cannot)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    };
    match algorithm {
        KeyAlgorithm::Rsa { bits } => {
            let size = match bits {
                2048 => KeySize::Rsa2048,
                3072 => KeySize::Rsa3072,
                4096 => KeySize::Rsa4096,
                8192 => KeySize::Rsa8192,
                _ => return Err(KeyFormError::CannotMake(algorithm)),
            };
            let pair = aws_lc_rs::rsa::KeyPair::generate(size).map_err(cannot)?;
            let document = pair.as_der().map_err(cannot)?;
            Ok(Zeroizing::new(document.as_ref().to_vec()))
        }
        KeyAlgorithm::P256 => ec(&ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyAlgorithm::P384 => ec(&ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyAlgorithm::P521 => ec(&ECDSA_P521_SHA512_ASN1_SIGNING),
        KeyAlgorithm::Ed25519 => {
            let pair = Ed25519KeyPair::generate().map_err(cannot)?;
            let document = pair.to_pkcs8v1().map_err(cannot)?;
            Ok(Zeroizing::new(document.as_ref().to_vec()))
        }
    }
}
