use super::*;
use crate::{
    GeneralName, Name, SerialNumber, Time,
    csr::ChallengePassword,
    csr::RequestBuilder,
    extension::{Criticality, ExtensionValue, SubjectAltName},
    testing,
};
use proptest::prelude::*;

#[test]
fn published_certificates_read_as_text() {
    let shown = |name: &str| certificate(&testing::certificate(name));
    insta::assert_snapshot!("rfc5280-c2", shown("certificates/rfc5280-c2.pem"));
    insta::assert_snapshot!("rfc5280-c3", shown("certificates/rfc5280-c3.pem"));
    insta::assert_snapshot!("version-1", shown("certificates/version-1-md5.pem"));
}

#[test]
fn a_published_list_reads_as_text() {
    let text = String::from_utf8(testing::data("crls/rfc5280-c4.pem")).unwrap();
    let list = Crl::from_der(&crate::pem::decode(crate::pem::CRL, &text).unwrap()).unwrap();
    insta::assert_snapshot!("rfc5280-c4", crl(&list, 10));
    assert!(crl(&list, 0).contains("… and 1 more"));
}

#[test]
fn a_request_reads_as_text_without_its_challenge() {
    let text = String::from_utf8(testing::data("csr/openssl-attributes.pem")).unwrap();
    let der = crate::pem::decode(crate::pem::CERTIFICATE_REQUEST, &text).unwrap();
    let shown = request(&CertificationRequest::from_der(&der).unwrap());
    assert!(!shown.contains("gehe1m"));
    insta::assert_snapshot!("openssl-request", shown);
}

#[test]
fn what_cannot_be_read_is_said() {
    assert!(ocsp_response(&[0x30, 0]).contains("cannot be read"));
    assert!(signed_data(&[0x30, 0]).lines().count() == 2);
    assert!(enveloped_data(&[0x30, 0]).lines().count() == 2);
}

#[test]
fn a_hostile_name_cannot_write_a_line_of_its_own() {
    let forged = "a\n    good\u{202e}";
    let mut builder = RequestBuilder::new(
        Name::from_attributes([(oid::COMMON_NAME, forged)]).unwrap(),
        testing::public_key("ed25519"),
    );
    builder.challenge = Some(ChallengePassword::new("x"));
    let mut names = SubjectAltName(vec![GeneralName::upn(forged)]);
    names.0.push(GeneralName::Uri(forged.replace('\u{202e}', "")));
    builder.extensions.push(names.extension(Criticality::NonCritical));
    let der = testing::signed(builder.build(testing::algorithm("ed25519")), "ed25519");
    let shown = request(&CertificationRequest::from_der(&der).unwrap());
    assert!(shown.lines().all(|line| line.trim() != "good"), "{shown}");
    assert!(!shown.contains('\u{202e}'), "{shown}");
}

proptest! {
    #[test]
    fn hostile_extensions_never_panic(
        which in 0usize..160, bytes in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let oid = [oid::SUBJECT_ALT_NAME, oid::KEY_USAGE, oid::CRL_NUMBER, oid::MS_SID][which % 4];
        let mut text = Text::default();
        let criticality = Criticality::Critical;
        extension::push(&mut text, &crate::Extension { oid, criticality, value: bytes });
        prop_assert!(!text.out.is_empty());
    }

    #[test]
    fn entries_are_one_line_each(serial in proptest::collection::vec(any::<u8>(), 1..20), at in any::<i64>()) {
        let entry = Entry {
            serial: SerialNumber::from_bytes(&serial).unwrap(),
            revoked_at: Time::from_unix(at),
            reason: crate::CrlReason::from_number(1),
            invalid_since: Some(Time::from_unix(at)),
        };
        prop_assert_eq!(entry_text(&entry).lines().count(), 1);
    }
}
