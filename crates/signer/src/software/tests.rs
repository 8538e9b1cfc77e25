use std::num::NonZeroUsize;

use super::*;
use crate::conformance;

const RSA_2048: KeyAlgorithm = KeyAlgorithm::Rsa { bits: 2048 };

#[tokio::test]
async fn an_rsa_key_conforms() {
    let key = SoftwareKey::generate(RSA_2048).unwrap();
    assert_eq!(Signer::public_key(&key).algorithm(), RSA_2048);
    conformance::signer(&key).await.unwrap();
    conformance::decrypter(&key).await.unwrap();
}

#[tokio::test]
async fn keys_of_all_curves_conform_and_do_not_decrypt() {
    for algorithm in
        [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521, KeyAlgorithm::Ed25519]
    {
        let key = SoftwareKey::generate(algorithm).unwrap();
        assert_eq!(Signer::public_key(&key).algorithm(), algorithm);
        conformance::signer(&key).await.unwrap();
        conformance::no_decrypter(&key).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_conforms_on_a_single_thread_too() {
    let key = SoftwareKey::generate(RSA_2048).unwrap();
    let one = Arc::new(Pool::new(NonZeroUsize::MIN));
    conformance::signer(&key.on(one)).await.unwrap();
}

#[test]
fn a_size_that_is_not_made_is_refused() {
    for bits in [1024, 2047, 5000, 16384] {
        let refused = SoftwareKey::generate(KeyAlgorithm::Rsa { bits });
        assert!(matches!(refused, Err(KeyFormError::CannotMake(_))), "{bits}");
    }
}

#[test]
fn what_is_made_can_be_read_again() {
    for algorithm in [KeyAlgorithm::P521, KeyAlgorithm::Ed25519, RSA_2048] {
        let pkcs8 = SoftwareKey::generate_pkcs8(algorithm).unwrap();
        let (one, two) = (SoftwareKey::from_pkcs8(&pkcs8), SoftwareKey::from_pkcs8(&pkcs8));
        assert_eq!(Signer::public_key(&one.unwrap()), Signer::public_key(&two.unwrap()));
    }
}

#[test]
fn damage_is_told() {
    assert_eq!(SoftwareKey::from_pkcs8(b"key").err(), Some(KeyFormError::NotPkcs8));
    for algorithm in [KeyAlgorithm::P256, RSA_2048] {
        let mut pkcs8 = SoftwareKey::generate_pkcs8(algorithm).unwrap();
        let last = pkcs8.len() - 3;
        pkcs8[last] ^= 1;
        let refused = SoftwareKey::from_pkcs8(&pkcs8);
        assert_eq!(refused.err(), Some(KeyFormError::Inconsistent), "{algorithm}");
    }
}

#[test]
fn the_private_part_does_not_show() {
    let key = SoftwareKey::generate(KeyAlgorithm::P256).unwrap();
    assert!(format!("{key:?}").ends_with("private part redacted)"));
}
