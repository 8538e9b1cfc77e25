//! Usages that are asked for.

use super::*;

#[test]
fn requested_usages_count_only_where_the_policy_says_so() {
    let asking = |key_usages, extended: &[Oid]| Claims {
        key_usages: Some(key_usages),
        extended_key_usages: Some(extended.to_vec()),
        ..claims()
    };
    let wide = KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_AGREEMENT;
    let most = Usages { key: wide, extended: vec![oid::CLIENT_AUTH, oid::SERVER_AUTH] };
    let usages = UsageRules { requested: RequestedUsages::Granted(most), ..UsageRules::default() };
    let granting = EndpointPolicy { usages, ..EndpointPolicy::default() };

    let server = asking(wide, &[oid::SERVER_AUTH, oid::SERVER_AUTH, oid::CODE_SIGNING]);
    let ignored = enroll(&EndpointPolicy::default(), &server).unwrap().usages;
    assert_eq!(ignored.extended, [oid::CLIENT_AUTH]);
    let granted = enroll(&granting, &server).unwrap().usages;
    assert_eq!(granted, Usages { key: wide, extended: vec![oid::SERVER_AUTH] });
    let silent = enroll(&granting, &claims()).unwrap().usages;
    assert_eq!(silent.extended, [oid::CLIENT_AUTH]);
    let nothing = enroll(&granting, &asking(wide, &[oid::CODE_SIGNING]));
    assert_eq!(nothing, Err(Refusal::NoUsage));
}

#[test]
fn no_request_gets_an_authority_s_usages_whatever_the_policy_says() {
    let everything = KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN;
    let purposes = vec![oid::ANY_EXTENDED_KEY_USAGE, oid::OCSP_SIGNING, oid::CLIENT_AUTH];
    let most = Usages { key: everything, extended: purposes.clone() };
    let usages = UsageRules { requested: RequestedUsages::Granted(most), ..UsageRules::default() };
    let policy = EndpointPolicy { usages, ..EndpointPolicy::default() };
    let claims =
        Claims { key_usages: Some(everything), extended_key_usages: Some(purposes), ..claims() };
    let granted = enroll(&policy, &claims).unwrap().usages;
    let expected = Usages { key: KeyUsages::DIGITAL_SIGNATURE, extended: vec![oid::CLIENT_AUTH] };
    assert_eq!(granted, expected);
}

#[test]
fn usages_suit_the_key() {
    let encipherment = KeyUsages::KEY_ENCIPHERMENT | KeyUsages::DATA_ENCIPHERMENT;
    let agreement = KeyUsages::KEY_AGREEMENT | KeyUsages::ENCIPHER_ONLY;
    let signature = KeyUsages::DIGITAL_SIGNATURE;
    let default =
        Usages { key: signature | encipherment | agreement, extended: vec![oid::CLIENT_AUTH] };
    let usages = UsageRules { default, requested: RequestedUsages::Ignored };
    let policy = EndpointPolicy { usages, ..EndpointPolicy::default() };
    for (public_key, expected) in [
        (rsa(2048), signature | encipherment),
        (p256(), signature | agreement),
        (ed25519(), signature),
    ] {
        let granted = enroll(&policy, &Claims { public_key, ..claims() }).unwrap();
        assert_eq!(granted.usages.key, expected);
    }
}
