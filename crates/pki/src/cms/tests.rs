//! Messages that OpenSSL made, and our own read back.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa,
    signature::{self, KeyPair},
};
use proptest::prelude::*;

use super::*;
use crate::{
    Digest, PublicKey, SignatureAlgorithm,
    ber::{self, Limits},
    oid,
};

const PLAIN: &[u8] = include_bytes!("../../tests/data/cms/plain.txt");
const RSA_KEY: &str = include_str!("../../tests/data/cms/rsa.key");

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/cms/", $name)).as_slice()
    };
}

fn pem(text: &str) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn rsa_public() -> PublicKey {
    let pair = rsa::KeyPair::from_pkcs8(&pem(RSA_KEY)).unwrap();
    PublicKey::from_spki_der(pair.public_key().as_der().unwrap().as_ref()).unwrap()
}

fn random() -> EnvelopeSecrets {
    let mut octets = [0; EnvelopeSecrets::LEN];
    for (octet, value) in octets.iter_mut().zip(1..) {
        *octet = value;
    }
    EnvelopeSecrets::from_random(&octets)
}

#[test]
fn envelopes_of_openssl_open_after_the_private_operation() {
    for (name, der, block) in [
        ("keyid", data!("pkcs1-keyid.der"), data!("pkcs1-keyid.block")),
        ("des3", data!("pkcs1-des3.der"), data!("pkcs1-des3.block")),
        ("oaep", data!("oaep-sha256-mgf1-sha1.der"), data!("oaep-sha256-mgf1-sha1.block")),
        ("oaep", data!("oaep-sha512.der"), data!("oaep-sha512.block")),
    ] {
        let envelope = EnvelopedData::from_der(der).unwrap();
        let recipient = envelope.key_transports().next().unwrap();
        let fallback = vec![0x5a; envelope.content.cipher.key_len()];
        let key = recipient.transport.unpad_ct(block, &fallback).unwrap();
        assert_eq!(envelope.content.open(&key).unwrap()[..], *PLAIN, "{name}");
        let certificate = Certificate::from_der(&data_certificate()).unwrap();
        assert!(recipient.id.names(&certificate), "{name}");
        let other = Certificate::from_der(&pem(include_str!("../../tests/data/cms/p256.pem")));
        assert!(!recipient.id.names(&other.unwrap()), "{name}");
    }
}

#[test]
fn oaep_parameters_are_read_and_written_alike() {
    let envelope = EnvelopedData::from_der(data!("oaep-sha256-mgf1-sha1.der")).unwrap();
    let transport = &envelope.key_transports().next().unwrap().transport;
    let expected =
        KeyTransport::Oaep { digest: Digest::Sha256, mask: Digest::Sha1, label: Vec::new() };
    assert_eq!(*transport, expected);
    let labelled =
        KeyTransport::Oaep { digest: Digest::Sha1, mask: Digest::Sha512, label: b"x".to_vec() };
    for transport in [KeyTransport::Pkcs1, KeyTransport::oaep(Digest::Sha1), expected, labelled] {
        assert_eq!(KeyTransport::from_identifier(&transport.identifier()), Ok(transport));
    }
    // RFC 4055, 4.1: everything at its default.
    let sha1 = hex::encode(KeyTransport::oaep(Digest::Sha1).identifier());
    assert_eq!(sha1, "300d06092a864886f70d0101073000");
}

#[test]
fn password_recipients_of_openssl_open_with_the_password_alone() {
    for der in [
        data!("pwri-aes128.der"),
        data!("pwri-aes192.der"),
        data!("pwri-aes256.der"),
        data!("pwri-des3.der"),
    ] {
        let envelope = EnvelopedData::from_der(der).unwrap();
        let recipient = envelope.passwords().next().unwrap();
        let length = envelope.content.cipher.key_len();
        let key = recipient.unwrap_key(b"secret", length).unwrap();
        assert_eq!(envelope.content.open(&key).unwrap()[..], *PLAIN);
        assert_eq!(recipient.unwrap_key(b"Secret", length), Err(CipherError));
        assert_eq!(recipient.unwrap_key(b"secret", length + 1), Err(CipherError));
    }
}

#[test]
fn a_streamed_envelope_with_two_recipients_opens_once_it_is_der() {
    let der = ber::normalise(data!("streamed.der"), Limits::of_octets(4096)).unwrap();
    let envelope = EnvelopedData::from_der(&der).unwrap();
    assert_eq!(envelope.key_transports().count(), 1);
    let key = envelope.passwords().next().unwrap().unwrap_key(b"secret", 16).unwrap();
    assert_eq!(envelope.content.open(&key).unwrap()[..], *PLAIN);
}

#[test]
fn signatures_of_openssl_verify_over_what_was_received() {
    for (der, digest) in [
        (data!("signed-rsa-sha384.der"), Digest::Sha384),
        (data!("signed-pss.der"), Digest::Sha256),
        (data!("signed-p256.der"), Digest::Sha256),
        (data!("signed-p521.der"), Digest::Sha512),
        (data!("signed-noattr.der"), Digest::Sha1),
        (data!("signed-streamed.der"), Digest::Sha256),
    ] {
        let der = ber::normalise(der, Limits::of_octets(4096)).unwrap();
        let message = SignedData::from_der(&der).unwrap();
        assert_eq!(message.content, Some(PLAIN));
        let signer = &message.signers[0];
        assert_eq!(signer.digest, digest);
        let certificate = Certificate::from_der(message.certificates[0]).unwrap();
        assert!(signer.id.names(&certificate));
        let key = certificate.public_key().unwrap();
        let verify = |content: &[u8]| signer.verify(oid::DATA, content, key);
        assert_eq!(verify(PLAIN), Ok(AttributeOrder::AsSent));
        assert!(verify(b"something else").is_err());
        assert_eq!(signer.verify(oid::DATA, PLAIN, &other_key()), Err(CmsError::BadSignature));
    }
}

fn other_key() -> PublicKey {
    let pair = signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    PublicKey::from_point(crate::KeyAlgorithm::Ed25519, pair.public_key().as_ref()).unwrap()
}

#[test]
fn every_cipher_and_key_transport_opens_with_another_implementation() {
    let private = pem(RSA_KEY);
    let key = rsa::PrivateDecryptingKey::from_pkcs8(&private).unwrap();
    let pkcs1 = rsa::Pkcs1PrivateDecryptingKey::new(key.clone()).unwrap();
    let oaep = rsa::OaepPrivateDecryptingKey::new(key).unwrap();
    let id = CertificateId::KeyIdentifier(rsa_public().key_identifier().to_vec());
    for cipher in ContentCipher::ALL {
        for (transport, library) in [
            (KeyTransport::Pkcs1, None),
            (KeyTransport::oaep(Digest::Sha1), Some(&rsa::OAEP_SHA1_MGF1SHA1)),
            (KeyTransport::oaep(Digest::Sha256), Some(&rsa::OAEP_SHA256_MGF1SHA256)),
            (KeyTransport::oaep(Digest::Sha512), Some(&rsa::OAEP_SHA512_MGF1SHA512)),
        ] {
            let secrets = random();
            let key = rsa_public();
            let der = EnvelopedData::to_key(PLAIN, cipher, &id, &transport, &key, &secrets);
            let envelope = EnvelopedData::from_der(&der.unwrap()).unwrap();
            let recipient = envelope.key_transports().next().unwrap();
            assert_eq!((&recipient.id, &recipient.transport), (&id, &transport));
            let mut room = [0; 256];
            let key = match library {
                None => pkcs1.decrypt(&recipient.encrypted_key, &mut room).unwrap(),
                Some(hash) => {
                    oaep.decrypt(hash, &recipient.encrypted_key, &mut room, None).unwrap()
                }
            };
            assert_eq!(envelope.content.open(key).unwrap()[..], *PLAIN, "{cipher} {transport}");
        }
    }
}

#[test]
fn an_envelope_for_a_password_opens_with_it() {
    for cipher in ContentCipher::ALL {
        let password = PasswordKey::derive(b"secret", [9; 16], 1000.try_into().unwrap());
        let der = EnvelopedData::to_password(PLAIN, cipher, &password, &random()).unwrap();
        let envelope = EnvelopedData::from_der(&der).unwrap();
        let recipient = envelope.passwords().next().unwrap();
        let key = recipient.unwrap_key(b"secret", cipher.key_len()).unwrap();
        assert_eq!(envelope.content.open(&key).unwrap()[..], *PLAIN, "{cipher}");
        assert!(recipient.unwrap_key(b"wrong", cipher.key_len()).is_err());
        assert!(!format!("{password:?}").contains("secret"));
    }
}

/// RFC 3211, 3: the second of its test vectors, PBKDF2 with HMAC-SHA-1 and triple DES.
#[test]
fn the_vector_of_rfc_3211_unwraps() {
    let hex = |digits: &str| hex::decode(digits).unwrap();
    let der = write_content_info(oid::ENVELOPED_DATA, |w| {
        w.small_integer(3);
        w.set(|w| {
            w.context(3, |w| {
                w.small_integer(0);
                w.context(0, |w| {
                    w.oid(oid::PBKDF2);
                    w.sequence(|w| {
                        w.octet_string(&hex("1234567878563412"));
                        w.small_integer(500);
                    });
                });
                w.sequence(|w| {
                    w.oid(oid::PWRI_KEK);
                    w.raw(&ContentCipher::TripleDes.identifier(&hex("baf1ca7931213c4e")));
                });
                w.octet_string(&hex(
                    "c03c514abdb9e2c5aac038572b5e24553876b377aafb82eca5a9d73f8ab143d9ec74e6cad7db260c",
                ));
            });
        });
        w.sequence(|w| {
            w.oid(oid::DATA);
            w.raw(&ContentCipher::Aes256.identifier(&[0; 16]));
            w.value(Tag::context(0), &[0; 16]);
        });
    });
    let envelope = EnvelopedData::from_der(&der).unwrap();
    let password = b"All n-entities must communicate with other n-entities via n-1 entiteeheehees";
    let key = envelope.passwords().next().unwrap().unwrap_key(password, 32).unwrap();
    let expected = "8c637d887223a2f965b566eb014b0fa5d52300a3f7ea40fffc577203c71baf3b";
    assert_eq!(hex::encode(&key), expected);
}

#[test]
fn triple_des_with_two_keys_is_understood() {
    let key = *b"one key.another!one key.";
    let sealed = ContentCipher::TripleDes.encrypt(&key, &[0; 8], PLAIN).unwrap();
    assert_eq!(ContentCipher::TripleDes.decrypt(&key, &[0; 8], &sealed).unwrap()[..], *PLAIN);
}

#[test]
fn keys_for_des_have_odd_parity() {
    let key = ContentCipher::TripleDes.key_from(&(0..32).collect::<Vec<u8>>()).unwrap();
    assert!(key.iter().all(|octet| octet.count_ones() % 2 == 1));
    assert_eq!(ContentCipher::Aes256.key_from(&[0; 31]), None);
}

/// Signs for RSA, P-256 and Ed25519.
fn signed(algorithm: SignatureAlgorithm) -> (Vec<u8>, PublicKey, Vec<u8>) {
    let p256 = signature::EcdsaKeyPair::from_pkcs8(
        &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        &pem(include_str!("../../tests/data/cms/p256.key")),
    )
    .unwrap();
    let rsa = signature::RsaKeyPair::from_pkcs8(&pem(RSA_KEY)).unwrap();
    let ed25519 = signature::Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
    let certificate = data_certificate();
    let message = UnsignedMessage::new(SigningInput {
        content_type: oid::DATA,
        content: Some(PLAIN),
        certificates: &[&certificate],
        signer: CertificateId::KeyIdentifier(vec![1, 2, 3]),
        algorithm,
        attributes: vec![
            Attribute::printable(oid::SCEP_TRANSACTION_ID, "42"),
            Attribute::octets(oid::SCEP_SENDER_NONCE, &[5; 16]),
            Attribute::utf8(oid::SCEP_FAIL_INFO_TEXT, "größer"),
        ],
    });
    let tbs = message.tbs().to_vec();
    let (signature, key) = match algorithm {
        SignatureAlgorithm::Ed25519 => (
            ed25519.sign(&tbs).as_ref().to_vec(),
            PublicKey::from_point(crate::KeyAlgorithm::Ed25519, ed25519.public_key().as_ref()),
        ),
        SignatureAlgorithm::Ecdsa(_) => (
            p256.sign(&SystemRandom::new(), &tbs).unwrap().as_ref().to_vec(),
            PublicKey::from_point(crate::KeyAlgorithm::P256, p256.public_key().as_ref()),
        ),
        _ => {
            let mut signature = vec![0; 256];
            let padding = &signature::RSA_PKCS1_SHA256;
            rsa.sign(padding, &SystemRandom::new(), &tbs, &mut signature).unwrap();
            (signature, Ok(rsa_public()))
        }
    };
    (message.assemble(&signature), key.unwrap(), tbs)
}

fn data_certificate() -> Vec<u8> {
    pem(include_str!("../../tests/data/cms/rsa.pem"))
}

const ALGORITHMS: [SignatureAlgorithm; 3] = [
    SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
    SignatureAlgorithm::Ecdsa(Digest::Sha256),
    SignatureAlgorithm::Ed25519,
];

#[test]
fn what_we_sign_verifies_and_carries_what_was_put_in() {
    for algorithm in ALGORITHMS {
        let (der, key, _) = signed(algorithm);
        let message = SignedData::from_der(&der).unwrap();
        assert_eq!(message.certificates, [data_certificate()]);
        let signer = &message.signers[0];
        assert_eq!(signer.algorithm, algorithm);
        assert_eq!(signer.verify(oid::DATA, PLAIN, &key), Ok(AttributeOrder::AsSent));
        let attributes = signer.attributes.as_ref().unwrap();
        assert_eq!(attributes.single(oid::SCEP_TRANSACTION_ID).unwrap().contents, b"42");
        assert_eq!(
            attributes.single(oid::SCEP_PKI_STATUS).unwrap_err(),
            CmsError::AttributeMissing(oid::SCEP_PKI_STATUS)
        );
    }
}

#[test]
fn rsa_signatures_go_under_the_name_of_the_key() {
    let (der, ..) = signed(ALGORITHMS[0]);
    let message = SignedData::from_der(&der).unwrap();
    assert_eq!(message.signers[0].algorithm_oid, oid::RSA_ENCRYPTION);
}

#[test]
fn attributes_that_were_signed_sorted_but_sent_otherwise_still_verify() {
    let (der, key, tbs) = signed(ALGORITHMS[2]);
    let mut attributes = Reader::entered(&tbs, Tag::SET).unwrap();
    let sorted = attributes.rest();
    let mut members: Vec<_> = std::iter::from_fn(|| attributes.any().ok()).collect();
    members.reverse();
    let reversed: Vec<u8> = members.iter().flat_map(|member| member.bytes).copied().collect();
    let at = der.windows(sorted.len()).position(|window| window == sorted).unwrap();
    let mut sent = der.clone();
    sent[at..at + reversed.len()].copy_from_slice(&reversed);
    let message = SignedData::from_der(&sent).unwrap();
    let verified = message.signers[0].verify(oid::DATA, PLAIN, &key);
    assert_eq!(verified, Ok(AttributeOrder::Sorted));
}

#[test]
fn degenerate_messages_keep_their_order() {
    let leaf = data_certificate();
    let root = pem(include_str!("../../tests/data/cms/p256.pem"));
    for certificates in [[&leaf[..], &root], [&root, &leaf]] {
        let der = certificates_only(&certificates, &[]);
        let message = SignedData::from_der(&der).unwrap();
        assert_eq!(message.certificates, certificates);
        assert_eq!((message.content, message.signers.len()), (None, 0));
    }
    let empty = SignedData::from_der(&certificates_only(&[], &[])).map(|m| m.certificates.len());
    assert_eq!(empty, Ok(0));
}

#[test]
fn the_wrong_kind_of_message_is_named() {
    let (der, ..) = signed(ALGORITHMS[2]);
    let refusal = EnvelopedData::from_der(&der).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "expected CMS content of type 1.2.840.113549.1.7.3, found 1.2.840.113549.1.7.2"
    );
}

#[test]
fn an_iteration_count_that_would_keep_us_busy_is_refused() {
    let password = PasswordKey::derive(b"", [0; 16], 0x1_0000.try_into().unwrap());
    let mut der =
        EnvelopedData::to_password(b"", ContentCipher::Aes128, &password, &random()).unwrap();
    let at = der.windows(5).position(|window| window == [2, 3, 1, 0, 0]).unwrap();
    der[at + 2] = 0x7f;
    assert_eq!(EnvelopedData::from_der(&der), Err(CmsError::Parameters("PBKDF2")));
    der[at + 2] = 0;
    assert!(EnvelopedData::from_der(&der).is_err());
}

proptest! {
    #[test]
    fn damaged_messages_are_refused_without_panic(
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        for der in [data!("signed-p256.der"), data!("pkcs1-des3.der"), data!("oaep-sha512.der")] {
            let mut der = der.to_vec();
            let at = at.index(der.len());
            der[at] = octet;
            der.truncate(1 + cut.index(der.len()));
            let _ = EnvelopedData::from_der(&der);
            if let Ok(message) = SignedData::from_der(&der) {
                for signer in &message.signers {
                    let content = message.content.unwrap_or_default();
                    let _ = signer.verify(message.content_type, content, &rsa_public());
                }
            }
        }
    }
}
