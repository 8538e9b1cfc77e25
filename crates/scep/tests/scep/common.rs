//! The authority of the fixtures: its certificate, and what its key does.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
        Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
    },
    signature::{self, EcdsaKeyPair, RsaKeyPair},
};
use lanyard_pki::{
    Certificate, Digest, SignatureAlgorithm,
    cms::{EnvelopeSecrets, KeyTransport, UnsignedMessage},
    pem,
};
use lanyard_scep::{SenderNonce, server};

/// A file of the fixtures.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// A text file of the fixtures.
pub(crate) fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

/// A certificate in PEM.
pub(crate) fn certificate(name: &str) -> Certificate {
    let der = pem::decode(pem::CERTIFICATE, &text(name)).unwrap();
    Certificate::from_der(&der).unwrap()
}

/// A private key in PEM, as PKCS #8.
pub(crate) fn private_key(name: &str) -> Vec<u8> {
    pem::decode(pem::PRIVATE_KEY, &text(name)).unwrap()
}

/// Someone with a certificate and its key.
pub(crate) struct Party {
    pub(crate) certificate: Certificate,
    key: Vec<u8>,
}

impl Party {
    pub(crate) fn of(certificate_name: &str, key_name: &str) -> Self {
        Self { certificate: certificate(certificate_name), key: private_key(key_name) }
    }

    pub(crate) fn with_key(certificate: Certificate, key_name: &str) -> Self {
        Self { certificate, key: private_key(key_name) }
    }

    pub(crate) fn authority() -> Self {
        Self::of("authority/ca.pem", "authority/ca.key")
    }

    /// The content key, by an implementation that is not ours.
    pub(crate) fn decrypt(&self, transport: &KeyTransport, encrypted: &[u8]) -> Option<Vec<u8>> {
        let key = PrivateDecryptingKey::from_pkcs8(&self.key).unwrap();
        let mut room = [0; 512];
        match transport {
            KeyTransport::Pkcs1 => Pkcs1PrivateDecryptingKey::new(key)
                .unwrap()
                .decrypt(encrypted, &mut room)
                .ok()
                .map(|key| key.to_vec()),
            KeyTransport::Oaep { digest, .. } => {
                let algorithm = match digest {
                    Digest::Sha1 => &OAEP_SHA1_MGF1SHA1,
                    _ => &OAEP_SHA256_MGF1SHA256,
                };
                OaepPrivateDecryptingKey::new(key)
                    .unwrap()
                    .decrypt(algorithm, encrypted, &mut room, None)
                    .ok()
                    .map(|key| key.to_vec())
            }
        }
    }

    /// The finished message.
    pub(crate) fn sign(&self, message: UnsignedMessage) -> Vec<u8> {
        let signature = self.signature(message.algorithm(), message.tbs());
        message.assemble(&signature)
    }

    pub(crate) fn signature(&self, algorithm: SignatureAlgorithm, tbs: &[u8]) -> Vec<u8> {
        let padding: &dyn signature::RsaEncoding = match algorithm {
            SignatureAlgorithm::RsaPkcs1(Digest::Sha256) => &signature::RSA_PKCS1_SHA256,
            SignatureAlgorithm::RsaPkcs1(Digest::Sha384) => &signature::RSA_PKCS1_SHA384,
            SignatureAlgorithm::RsaPkcs1(Digest::Sha512) => &signature::RSA_PKCS1_SHA512,
            SignatureAlgorithm::Ecdsa(_) => {
                let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
                let key = EcdsaKeyPair::from_pkcs8(algorithm, &self.key).unwrap();
                return key.sign(&SystemRandom::new(), tbs).unwrap().as_ref().to_vec();
            }
            other => panic!("{other} is not for these tests"),
        };
        let key = RsaKeyPair::from_pkcs8(&self.key).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(padding, &SystemRandom::new(), tbs, &mut signature).unwrap();
        signature
    }
}

/// Decrypts the content key of a request with the authority's key.
pub(crate) fn opened(
    needed: server::NeedsDecryption,
    authority: &Party,
) -> Result<server::Opened, server::Rejected> {
    let random = vec![0x5a; needed.key_len()];
    let key = authority.decrypt(needed.transport(), needed.encrypted_key()).unwrap_or(random);
    needed.decrypted(&key)
}

/// The same octets in every run.
pub(crate) fn secrets() -> EnvelopeSecrets {
    let mut octets = [0; EnvelopeSecrets::LEN];
    for (octet, value) in octets.iter_mut().zip(1..) {
        *octet = value;
    }
    EnvelopeSecrets::from_random(&octets)
}

/// A nonce of the server, the same in every run.
pub(crate) fn nonce() -> SenderNonce {
    SenderNonce::from_random([0x42; 16])
}
