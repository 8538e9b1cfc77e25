use lanyard_pki::extension::Criticality;
use lanyard_pki::key::BadSignature;

use super::*;

/// Made with OpenSSL 3: `CN=laptop,O=Example` with a challenge, cA TRUE, key usages
/// digitalSignature and keyCertSign, client and server authentication, a DNS name and a user
/// principal name, and an extension nobody knows.
const EVERYTHING: &[u8] = include_bytes!("../../../tests/data/asks-for-everything.csr.der");

fn request(der: &[u8]) -> CertificationRequest {
    CertificationRequest::from_der(der).unwrap()
}

#[test]
fn claims_are_what_the_request_says() {
    let claims = Claims::from_request(&request(EVERYTHING)).unwrap();
    assert_eq!(claims.subject.to_string(), "O=Example,CN=laptop");
    let names: Vec<String> = claims.alternative_names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["DNS:laptop.example.com", "UPN:ada@example.com"]);
    let usages = KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_CERT_SIGN;
    assert_eq!(claims.key_usages, Some(usages));
    let purposes = vec![oid::CLIENT_AUTH, oid::SERVER_AUTH];
    assert_eq!(claims.extended_key_usages, Some(purposes));
    let others: Vec<String> =
        claims.other_extensions.iter().map(|extension| extension.oid.to_string()).collect();
    assert_eq!(others, ["2.5.29.19", "1.3.6.1.4.1.99999.1"]);
    assert!(asks_for_authority(&claims.other_extensions[0]));
}

#[test]
fn a_request_that_another_key_signed_or_nobody_has_no_claims() {
    let mut forged = EVERYTHING.to_vec();
    let name = forged.windows(6).position(|octets| octets == b"laptop").unwrap();
    forged[name] = b'L';
    let forged = request(&forged);
    assert_eq!(forged.verify(), Err(BadSignature));
    assert_eq!(Claims::from_request(&forged), Err(Refusal::BadProofOfPossession));
}

#[test]
fn only_an_end_entity_s_basic_constraints_ask_for_nothing() {
    let of = |value: &[u8]| Extension {
        oid: oid::BASIC_CONSTRAINTS,
        criticality: Criticality::Critical,
        value: value.to_vec(),
    };
    assert!(!asks_for_authority(&of(&[0x30, 0])));
    assert!(!asks_for_authority(&of(&[0x30, 3, 1, 1, 0])));
    assert!(asks_for_authority(&of(&[0x30, 3, 1, 1, 0xFF])));
    assert!(asks_for_authority(&of(&[0x30, 3, 1])));
}

#[test]
fn faults_of_keys_become_refusals_that_tell_weak_from_unsupported() {
    let refusal = |fault| Refusal::from(&RequestError::Key(fault));
    let short = WeakKey::RsaTooShort { bits: 512, least: 2048 };
    assert_eq!(refusal(KeyError::Modulus(512)), Refusal::WeakKey(short));
    assert_eq!(refusal(KeyError::Exponent), Refusal::WeakKey(WeakKey::RsaExponent));
    let unknown = Refusal::UnsupportedKey(UnsupportedKey::Unknown);
    assert_eq!(refusal(KeyError::Curve(oid::P256)), unknown);
    assert_eq!(refusal(KeyError::Algorithm(oid::P256)), unknown);
    assert!(matches!(refusal(KeyError::Point), Refusal::Malformed(_)));
    let long = UnsupportedKey::RsaTooLong { bits: 20_000, most: 8192 };
    assert_eq!(refusal(KeyError::Modulus(20_000)), Refusal::UnsupportedKey(long));
}
