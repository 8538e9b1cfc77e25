use super::*;
use crate::padding::PaddingError;
use crate::{Digest, SignatureAlgorithm, testing};
use aws_lc_rs::rsa as lc_rsa;
use proptest::prelude::*;

/// Signatures that OpenSSL made, so that both sides of a check are not ours.
const SIGNATURES: &str = include_str!("../../tests/data/signatures.txt");
const MESSAGE: &[u8] = b"Lanyard";

struct Vector {
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    line: &'static str,
}

fn vectors() -> impl Iterator<Item = Vector> {
    SIGNATURES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<&str> = line.split(" | ").collect();
        let (kind, digest) = fields[1].split_once(' ').unwrap();
        let digest = match digest {
            "md5" => Digest::Md5,
            "sha1" => Digest::Sha1,
            "sha224" => Digest::Sha224,
            "sha384" => Digest::Sha384,
            "sha512" => Digest::Sha512,
            _ => Digest::Sha256,
        };
        let algorithm = match kind {
            "rsa" => SignatureAlgorithm::RsaPkcs1(digest),
            "pss" => SignatureAlgorithm::RsaPss(digest),
            "ecdsa" => SignatureAlgorithm::Ecdsa(digest),
            _ => SignatureAlgorithm::Ed25519,
        };
        let key = PublicKey::from_spki_der(&hex::decode(fields[2]).unwrap()).unwrap();
        Vector { key, algorithm, signature: hex::decode(fields[3]).unwrap(), line }
    })
}

fn first(kind: &str) -> Vector {
    vectors().find(|vector| vector.line.starts_with(kind)).unwrap()
}

#[test]
fn signatures_of_openssl_verify_with_every_key_and_digest() {
    let mut checked = 0;
    for Vector { key, algorithm, mut signature, line } in vectors() {
        assert_eq!(key.verify(algorithm, MESSAGE, &signature), Ok(()), "{line}");
        assert_eq!(key.verify(algorithm, b"Lanyarx", &signature), Err(BadSignature), "{line}");
        *signature.last_mut().unwrap() ^= 1;
        assert_eq!(key.verify(algorithm, MESSAGE, &signature), Err(BadSignature), "{line}");
        checked += 1;
    }
    assert_eq!(checked, 89);
}

#[test]
fn a_signature_counts_only_for_its_own_algorithm() {
    let algorithms = Digest::ALL.into_iter().flat_map(|digest| {
        [
            SignatureAlgorithm::RsaPkcs1(digest),
            SignatureAlgorithm::RsaPss(digest),
            SignatureAlgorithm::Ecdsa(digest),
            SignatureAlgorithm::Ed25519,
        ]
    });
    for wrong in algorithms {
        for Vector { key, algorithm, signature, line } in vectors() {
            if wrong != algorithm {
                let verified = key.verify(wrong, MESSAGE, &signature);
                assert_eq!(verified, Err(BadSignature), "{line} as {wrong}");
            }
        }
    }
}

#[test]
fn keys_are_what_they_say() {
    let kinds = [
        ("rsa1024", KeyAlgorithm::Rsa { bits: 1024 }),
        ("rsa3072", KeyAlgorithm::Rsa { bits: 3072 }),
        ("p256", KeyAlgorithm::P256),
        ("p384", KeyAlgorithm::P384),
        ("p521", KeyAlgorithm::P521),
        ("ed25519", KeyAlgorithm::Ed25519),
    ];
    for (name, algorithm) in kinds {
        let key = first(name).key;
        assert_eq!(key.algorithm(), algorithm);
        let again = match &key.parsed {
            Parsed::Rsa(_) => {
                let mut inner = Reader::entered(key.key_bits(), Tag::SEQUENCE).unwrap();
                let modulus = inner.unsigned_integer().unwrap();
                PublicKey::from_rsa_components(modulus, inner.unsigned_integer().unwrap())
            }
            Parsed::Other(_) => PublicKey::from_point(algorithm, key.key_bits()),
        };
        assert_eq!(again.as_ref(), Ok(&key));
    }
    assert_eq!(
        PublicKey::from_point(KeyAlgorithm::Rsa { bits: 2048 }, &[4; 65]),
        Err(KeyError::Point)
    );
}

/// RFC 8410, 10.1 and 10.2: the example key and the subject key identifier of its certificate.
#[test]
fn the_example_key_of_rfc_8410_has_the_published_identifier() {
    let spki =
        "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let key = PublicKey::from_spki_der(&hex::decode(spki).unwrap()).unwrap();
    assert_eq!(key.algorithm(), KeyAlgorithm::Ed25519);
    let bits = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    assert_eq!(hex::encode(key.key_bits()), bits);
}

#[test]
fn keys_that_cannot_be_trusted_to_be_keys_are_refused() {
    let rsa = |modulus: &[u8], exponent: &[u8]| PublicKey::from_rsa_components(modulus, exponent);
    let odd = |octets: usize| [&vec![0xff; octets - 1][..], &[1]].concat();
    assert_eq!(rsa(&odd(127), &[1, 0, 1]), Err(KeyError::Modulus(1016)));
    assert_eq!(rsa(&odd(2049), &[1, 0, 1]), Err(KeyError::Modulus(16392)));
    assert_eq!(rsa(&[0xfe; 256], &[1, 0, 1]), Err(KeyError::Modulus(2048)));
    for exponent in [&[][..], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1, 1], &[3, 0, 0, 0, 1]] {
        assert_eq!(rsa(&odd(256), exponent), Err(KeyError::Exponent), "{exponent:?}");
    }
    let mut point = first("p256").key.key_bits().to_vec();
    point[64] ^= 1;
    assert_eq!(PublicKey::from_point(KeyAlgorithm::P256, &point), Err(KeyError::Point));
    point[0] = 2;
    assert_eq!(PublicKey::from_point(KeyAlgorithm::P256, &point[..33]), Err(KeyError::Point));
    assert_eq!(PublicKey::from_point(KeyAlgorithm::P256, &[0]), Err(KeyError::Point));
    let brainpool = Writer::sequence_of(|w| {
        w.sequence(|w| {
            w.oid(oid::EC_PUBLIC_KEY);
            w.oid("1.3.36.3.3.2.8.1.1.7".parse().unwrap());
        });
        w.bit_string(&point);
    });
    let refusal = PublicKey::from_spki_der(&brainpool).unwrap_err();
    assert_eq!(refusal.to_string(), "the elliptic curve 1.3.36.3.3.2.8.1.1.7 is not supported");
}

#[test]
fn what_is_wrapped_the_library_unwraps() {
    let key = first("rsa2048").key;
    let cek = [7u8; 32];
    let random: Vec<u8> = (0..=255u8).cycle().take(320).collect();
    let private =
        lc_rsa::PrivateDecryptingKey::from_pkcs8(&testing::private_key("rsa2048")).unwrap();
    let mut out = [0; 256];

    let wrapped = key.wrap_pkcs1(&cek, &random).unwrap();
    let pkcs1 = lc_rsa::Pkcs1PrivateDecryptingKey::new(private.clone()).unwrap();
    assert_eq!(pkcs1.decrypt(&wrapped, &mut out).unwrap(), cek);

    let oaep = lc_rsa::OaepPrivateDecryptingKey::new(private).unwrap();
    for (digest, library) in [
        (Digest::Sha1, &lc_rsa::OAEP_SHA1_MGF1SHA1),
        (Digest::Sha256, &lc_rsa::OAEP_SHA256_MGF1SHA256),
        (Digest::Sha384, &lc_rsa::OAEP_SHA384_MGF1SHA384),
        (Digest::Sha512, &lc_rsa::OAEP_SHA512_MGF1SHA512),
    ] {
        let wrapped = key.wrap_oaep(digest, &cek, &random).unwrap();
        assert_eq!(oaep.decrypt(library, &wrapped, &mut out, None).unwrap(), cek, "{digest}");
    }
}

#[test]
fn wrapping_says_why_it_cannot() {
    let key = first("rsa1024").key;
    let too_long = |message, block| WrapError::Padding(PaddingError::TooLong { message, block });
    let too_little = |given, needed| WrapError::Padding(PaddingError::Random { given, needed });
    assert_eq!(key.wrap_pkcs1(&[1; 118], &[9; 200]), Err(too_long(118, 128)));
    assert_eq!(key.wrap_pkcs1(&[1; 16], &[0; 15]), Err(too_little(15, 16)));
    assert_eq!(key.wrap_oaep(Digest::Sha512, &[1; 16], &[1; 64]), Err(too_long(16, 128)));
    assert_eq!(key.wrap_oaep(Digest::Sha1, &[1; 16], &[1; 19]), Err(too_little(19, 20)));
    assert_eq!(first("p256").key.wrap_pkcs1(&[1; 16], &[9; 200]), Err(WrapError::NotRsa));
}

proptest! {
    #[test]
    fn hostile_keys_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = PublicKey::from_spki_der(&bytes);
    }

    #[test]
    fn a_damaged_key_is_refused_or_verifies_nothing(
        which in 0usize..89, at in any::<prop::sample::Index>(), mask in 1u8..,
    ) {
        let Vector { key, algorithm, signature, .. } = vectors().nth(which).unwrap();
        let mut spki = key.spki_der().to_vec();
        *at.get_mut(&mut spki) ^= mask;
        if let Ok(damaged) = PublicKey::from_spki_der(&spki) {
            prop_assert_eq!(damaged.verify(algorithm, MESSAGE, &signature), Err(BadSignature));
        }
    }
}
