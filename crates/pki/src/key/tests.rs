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
    let largest = rsa(&odd(2048), &[1, 0, 1]).unwrap();
    assert_eq!(largest.algorithm(), KeyAlgorithm::Rsa { bits: 16384 });
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

/// RFC 6979, A.2.5: signatures on P-256 over "sample" with every digest, shorter and longer than the curve.
#[test]
fn the_examples_of_rfc_6979_verify() {
    let point = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                 7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
    let key = PublicKey::from_point(KeyAlgorithm::P256, &hex::decode(point).unwrap()).unwrap();
    let examples = [
        (
            Digest::Sha1,
            "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32",
            "6d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb",
        ),
        (
            Digest::Sha224,
            "53b2fff5d1752b2c689df257c04c40a587fababb3f6fc2702f1343af7ca9aa3f",
            "b9afb64fdc03dc1a131c7d2386d11e349f070aa432a4acc918bea988bf75c74c",
        ),
        (
            Digest::Sha256,
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            Digest::Sha384,
            "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719",
            "4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954",
        ),
        (
            Digest::Sha512,
            "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00",
            "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
        ),
    ];
    for (digest, r, s) in examples {
        let signature = Writer::sequence_of(|w| {
            w.unsigned_integer(&hex::decode(r).unwrap());
            w.unsigned_integer(&hex::decode(s).unwrap());
        });
        let algorithm = SignatureAlgorithm::Ecdsa(digest);
        assert_eq!(key.verify(algorithm, b"sample", &signature), Ok(()), "{digest}");
        assert!(key.verify(algorithm, b"test", &signature).is_err(), "{digest}");
    }
}

/// RFC 8032, 7.1, test 2.
#[test]
fn the_example_of_rfc_8032_verifies() {
    let key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let key = PublicKey::from_point(KeyAlgorithm::Ed25519, &hex::decode(key).unwrap()).unwrap();
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let signature = hex::decode(signature).unwrap();
    assert_eq!(key.verify(SignatureAlgorithm::Ed25519, &[0x72], &signature), Ok(()));
    assert!(key.verify(SignatureAlgorithm::Ed25519, &[0x73], &signature).is_err());
}

/// RFC 9500, 2.3: the public halves of the standard test keys, by the coordinates printed there.
#[test]
fn the_test_keys_of_rfc_9500_are_read() {
    let keys = [
        (
            KeyAlgorithm::P256,
            "04422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1\
             6c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a42a494272",
            "b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e",
        ),
        (
            KeyAlgorithm::P384,
            "045b0901b88523296eb919d50ffa1a9cb374bc4d409586282bfeca11b1d95adbb54734af570bf82b7228cf226bcf4c25dd\
             bcfe3b1a3ad39430eff763e1d68d2e151d91720b7795b58da6b34639613a8fb9b5a8da48c6747117f9919e8424f37ec8",
            "c4c10105a0be0ed4dd3354428dc38a9bfee64da141ce16e75c94eda272f9dd3a",
        ),
    ];
    for (algorithm, point, fingerprint) in keys {
        let key = PublicKey::from_point(algorithm, &hex::decode(point).unwrap()).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(hex::encode(key.fingerprint()), fingerprint);
    }
}
