//! Keys and signatures for the tests of this crate. The keys are fixtures and worth nothing.

use crate::{Certificate, Digest, PublicKey, SignatureAlgorithm, Unsigned, pem, unsigned::Frame};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self as lc, KeyPair},
};

/// A file below `tests/data`.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// The PKCS #8 of a fixture key.
pub(crate) fn private_key(name: &str) -> Vec<u8> {
    let text = String::from_utf8(data(&format!("keys/{name}.pem"))).unwrap();
    pem::decode(pem::PRIVATE_KEY, &text).unwrap()
}

/// The certificate in a file of PEM below `tests/data`.
pub(crate) fn certificate(name: &str) -> Certificate {
    let der = pem::der_or_pem(&[pem::CERTIFICATE], &data(name)).unwrap();
    Certificate::from_der(&der).unwrap()
}

/// The public half of a fixture key.
pub(crate) fn public_key(name: &str) -> PublicKey {
    let key = private_key(name);
    let spki = if name.starts_with("rsa") {
        let pair = lc::RsaKeyPair::from_pkcs8(&key).unwrap();
        assert_ne!(pair.public_modulus_len(), KeySize::Rsa8192.len(), "too slow for a fixture");
        return public_from_pkcs1(pair.public_key().as_ref());
    } else if name == "ed25519" {
        let pair = lc::Ed25519KeyPair::from_pkcs8(&key).unwrap();
        PublicKey::from_point(crate::KeyAlgorithm::Ed25519, pair.public_key().as_ref())
    } else {
        let (algorithm, signing) = curve(name);
        let pair = lc::EcdsaKeyPair::from_pkcs8(signing, &key).unwrap();
        PublicKey::from_point(algorithm, pair.public_key().as_ref())
    };
    spki.unwrap()
}

fn public_from_pkcs1(der: &[u8]) -> PublicKey {
    let mut fields = crate::tlv::Reader::new(der).sequence().unwrap();
    let modulus = fields.unsigned_integer().unwrap();
    PublicKey::from_rsa_components(modulus, fields.unsigned_integer().unwrap()).unwrap()
}

fn curve(name: &str) -> (crate::KeyAlgorithm, &'static lc::EcdsaSigningAlgorithm) {
    match name {
        "p256" => (crate::KeyAlgorithm::P256, &lc::ECDSA_P256_SHA256_ASN1_SIGNING),
        "p384" => (crate::KeyAlgorithm::P384, &lc::ECDSA_P384_SHA384_ASN1_SIGNING),
        _ => (crate::KeyAlgorithm::P521, &lc::ECDSA_P521_SHA512_ASN1_SIGNING),
    }
}

/// The algorithm that a fixture key signs with here.
pub(crate) fn algorithm(name: &str) -> SignatureAlgorithm {
    match name {
        "p256" => SignatureAlgorithm::Ecdsa(Digest::Sha256),
        "p384" => SignatureAlgorithm::Ecdsa(Digest::Sha384),
        "p521" => SignatureAlgorithm::Ecdsa(Digest::Sha512),
        "ed25519" => SignatureAlgorithm::Ed25519,
        _ => SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
    }
}

/// A signature by a fixture key with [`algorithm`]. With RSA and Ed25519 it is always the same.
pub(crate) fn sign(name: &str, message: &[u8]) -> Vec<u8> {
    let key = private_key(name);
    let random = SystemRandom::new();
    match algorithm(name) {
        SignatureAlgorithm::Ed25519 => {
            let pair = lc::Ed25519KeyPair::from_pkcs8(&key).unwrap();
            pair.sign(message).as_ref().to_vec()
        }
        SignatureAlgorithm::Ecdsa(_) => {
            let pair = lc::EcdsaKeyPair::from_pkcs8(curve(name).1, &key).unwrap();
            pair.sign(&random, message).unwrap().as_ref().to_vec()
        }
        _ => {
            let pair = lc::RsaKeyPair::from_pkcs8(&key).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&lc::RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
            signature
        }
    }
}

/// Signs with a fixture key.
pub(crate) fn signed<T: Frame>(unsigned: Unsigned<T>, key: &str) -> Vec<u8> {
    let signature = sign(key, unsigned.tbs());
    unsigned.assemble(&signature)
}
