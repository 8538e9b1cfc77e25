use super::*;
use crate::{
    Digest, Extension, Time,
    extension::{Criticality, ExtendedKeyUsage, ExtensionValue, KeyUsages},
    pem, testing,
    tlv::Writer,
};
use proptest::prelude::*;

fn builder(key: &str) -> RequestBuilder {
    RequestBuilder::new("CN=Laptop 7,O=Example".parse().unwrap(), testing::public_key(key))
}

fn built(builder: &RequestBuilder, key: &str) -> CertificationRequest {
    let der = testing::signed(builder.build(testing::algorithm(key)), key);
    CertificationRequest::from_der(&der).unwrap()
}

#[test]
fn what_is_built_reads_back_and_proves_possession() {
    for key in ["rsa2048", "p256", "p384", "p521", "ed25519"] {
        let mut builder = builder(key);
        builder.challenge = Some(ChallengePassword::new("secret"));
        builder.validity = Some(RequestedValidity { count: 30, unit: PeriodUnit::Days });
        builder.extensions = [
            SubjectAltName(vec![GeneralName::upn("ada@example.com")])
                .extension(Criticality::NonCritical),
            ExtendedKeyUsage(vec![oid::CLIENT_AUTH]).extension(Criticality::NonCritical),
            KeyUsages::DIGITAL_SIGNATURE.extension(Criticality::Critical),
        ]
        .into_iter()
        .collect();
        builder.attributes =
            vec![RequestAttribute { oid: oid::MS_OS_VERSION, values: vec![vec![5, 0]] }];
        let request = built(&builder, key);
        assert_eq!(request.verify(), Ok(()), "{key}");
        assert_eq!(request.subject(), &builder.subject);
        assert_eq!(request.public_key(), &builder.public_key);
        assert_eq!(request.requested_extensions().as_ref(), Ok(&builder.extensions));
        assert_eq!(request.requested_alt_names().unwrap()[0].as_upn().unwrap(), "ada@example.com");
        assert_eq!(request.requested_validity(), builder.validity);
        assert!(request.challenge_password().unwrap().matches(b"secret"));
        assert_eq!(request.attributes().len(), 4);
        assert_eq!(request.signature_algorithm(), testing::algorithm(key));
    }
}

#[test]
fn a_request_without_attributes_claims_nothing() {
    let request = built(&builder("ed25519"), "ed25519");
    assert!(request.challenge_password().is_none());
    assert!(request.requested_extensions().unwrap().is_empty());
    assert_eq!(request.requested_validity(), None);
}

#[test]
fn a_signature_by_another_key_is_no_proof_of_possession() {
    let unsigned = builder("rsa2048").build(testing::algorithm("rsa2048"));
    let der = testing::signed(unsigned, "rsa2048-other");
    assert_eq!(CertificationRequest::from_der(&der).unwrap().verify(), Err(BadSignature));
}

/// Requests that OpenSSL made: a challenge of UTF-8, extensions, MD5, and no `[0]` at all.
#[test]
fn requests_of_openssl_are_read() {
    let request = |name: &str| {
        let der = pem::der_or_pem(&[pem::CERTIFICATE_REQUEST], &testing::data(name)).unwrap();
        CertificationRequest::from_der(&der).unwrap()
    };
    let full = request("csr/openssl-attributes.pem");
    assert_eq!(full.verify(), Ok(()));
    assert_eq!(full.challenge_password().unwrap().expose_text(), Some("gehe1m-ü"));
    assert_eq!(full.requested_alt_names().unwrap().len(), 3);
    assert_eq!(full.subject().to_string(), "CN=Laptop 7,OU=Labor Süd,O=Example,C=CH");
    let old = request("csr/openssl-md5.pem");
    assert_eq!(old.signature_algorithm(), SignatureAlgorithm::RsaPkcs1(Digest::Md5));
    assert_eq!(old.verify(), Ok(()));
}

/// A request with the given attributes exactly as written; its signature is good for them.
fn with_attributes(attributes: &[u8]) -> CertificationRequest {
    let key = testing::public_key("ed25519");
    let info = Writer::sequence_of(|w| {
        w.small_integer(0);
        w.raw(Name::empty().as_der());
        w.raw(key.spki_der());
        w.raw(attributes);
    });
    let unsigned = crate::Unsigned::new(info, SignatureAlgorithm::Ed25519);
    let der = testing::signed::<CertificationRequest>(unsigned, "ed25519");
    CertificationRequest::from_der(&der).unwrap()
}

fn attribute(oid: Oid, values: &[&[u8]]) -> Vec<u8> {
    Writer::sequence_of(|w| {
        w.oid(oid);
        w.set(|w| {
            for value in values {
                w.raw(value);
            }
        });
    })
}

fn attributes(list: &[Vec<u8>]) -> CertificationRequest {
    let mut writer = Writer::new();
    writer.context(0, |w| {
        for attribute in list {
            w.raw(attribute);
        }
    });
    with_attributes(&writer.finish())
}

fn string(tag: Tag, contents: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.value(tag, contents);
    writer.finish()
}

#[test]
fn the_challenge_is_read_from_every_string_type_and_at_any_length() {
    let long = vec![b'x'; 70_000];
    let cases: [(Tag, &[u8], &[u8]); 7] = [
        (Tag::PRINTABLE_STRING, b"secret", b"secret"),
        (Tag::UTF8_STRING, "gehe1m-ü".as_bytes(), "gehe1m-ü".as_bytes()),
        (Tag::IA5_STRING, b"a*b@c", b"a*b@c"),
        (Tag::TELETEX_STRING, b"\xfc", "ü".as_bytes()),
        (Tag::BMP_STRING, b"\0a\0\xfc", "aü".as_bytes()),
        (Tag::OCTET_STRING, b"\xff\0", b"\xff\0"),
        (Tag::PRINTABLE_STRING, &long, &long),
    ];
    for (tag, sent, read) in cases {
        let value = string(tag, sent);
        let request = attributes(&[attribute(oid::CHALLENGE_PASSWORD, &[&value])]);
        let challenge = request.challenge_password().unwrap();
        assert_eq!(challenge.expose(), read, "{tag}");
        assert!(challenge.matches(read) && !challenge.matches(b""), "{tag}");
    }
}

#[test]
fn a_challenge_is_never_shown() {
    let mut builder = builder("ed25519");
    builder.challenge = Some(ChallengePassword::new("open sesame"));
    let request = built(&builder, "ed25519");
    let shown = format!("{builder:?} {request:?} {:?}", request.challenge_password());
    assert!(!shown.contains("sesame"), "{shown}");
    let octets = format!("{:?}", b"open sesame");
    assert!(!shown.contains(octets.trim_matches(['[', ']'])), "{shown}");
}

#[test]
fn unsorted_attributes_keep_their_bytes_and_verify() {
    let sorted = [
        attribute(oid::CHALLENGE_PASSWORD, &[&string(Tag::UTF8_STRING, b"a")]),
        attribute(oid::MS_OS_VERSION, &[&[5, 0]]),
    ];
    let unsorted = [sorted[1].clone(), sorted[0].clone()];
    for list in [sorted, unsorted] {
        let request = attributes(&list);
        assert_eq!(request.verify(), Ok(()));
        assert!(request.challenge_password().unwrap().matches(b"a"));
    }
    assert_eq!(with_attributes(&[]).verify(), Ok(()), "no [0] at all");
    assert!(attributes(&[attribute(oid::CHALLENGE_PASSWORD, &[])]).challenge_password().is_none());
}

fn pairs(list: &[(&str, &str)]) -> Option<RequestedValidity> {
    let bmp = |text: &str| {
        let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        string(Tag::BMP_STRING, &octets)
    };
    let list: Vec<Vec<u8>> = list
        .iter()
        .map(|(name, value)| {
            let pair = Writer::sequence_of(|w| {
                w.raw(&bmp(name));
                w.raw(&bmp(value));
            });
            attribute(oid::MS_ENROLLMENT_NAME_VALUE_PAIR, &[&pair])
        })
        .collect();
    attributes(&list).requested_validity()
}

#[test]
fn the_requested_validity_is_read_in_either_order_and_swapped() {
    let two_years = Some(RequestedValidity { count: 2, unit: PeriodUnit::Years });
    let (period, units) = ("ValidityPeriod", "ValidityPeriodUnits");
    assert_eq!(pairs(&[(period, "Years"), (units, "2")]), two_years);
    assert_eq!(pairs(&[(units, "2"), (period, "Years")]), two_years);
    assert_eq!(pairs(&[(period, "2"), (units, "Years")]), two_years, "as Android sends it");
    assert_eq!(pairs(&[(units, "years"), (period, " 2 ")]), two_years);
    assert_eq!(pairs(&[("Years", period), ("2", units)]), two_years);
    assert_eq!(pairs(&[("CertificateTemplate", "User"), (period, "Years")]), None);
    assert_eq!(pairs(&[(period, "Fortnights"), (units, "2")]), None);
    assert_eq!(pairs(&[(period, "Years"), (units, "-2")]), None);
}

#[test]
fn periods_follow_the_calendar() {
    let start: Time = "2024-01-31T12:00:00Z".parse().unwrap();
    let after = |count, unit| RequestedValidity { count, unit }.after(start).to_string();
    assert_eq!(after(90, PeriodUnit::Seconds), "2024-01-31T12:01:30Z");
    assert_eq!(after(2, PeriodUnit::Hours), "2024-01-31T14:00:00Z");
    assert_eq!(after(90, PeriodUnit::Minutes), "2024-01-31T13:30:00Z");
    assert_eq!(after(1, PeriodUnit::Days), "2024-02-01T12:00:00Z");
    assert_eq!(after(1, PeriodUnit::Weeks), "2024-02-07T12:00:00Z");
    assert_eq!(after(1, PeriodUnit::Months), "2024-02-29T12:00:00Z");
    assert_eq!(after(13, PeriodUnit::Months), "2025-02-28T12:00:00Z");
    assert_eq!(after(2, PeriodUnit::Years), "2026-01-31T12:00:00Z");
    assert_eq!(after(u32::MAX, PeriodUnit::Years), "9999-12-31T23:59:59Z");
    assert_eq!(after(u32::MAX, PeriodUnit::Weeks), "9999-12-31T23:59:59Z");
}

#[test]
fn a_request_for_an_authority_is_only_a_claim() {
    let mut builder = builder("p256");
    builder.extensions = [Extension {
        oid: oid::BASIC_CONSTRAINTS,
        criticality: Criticality::Critical,
        value: vec![0x30, 3, 1, 1, 0xff],
    }]
    .into_iter()
    .collect();
    let request = built(&builder, "p256");
    assert!(request.requested_extensions().unwrap().get(oid::BASIC_CONSTRAINTS).is_some());
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let refusal = |der: &[u8]| CertificationRequest::from_der(der).unwrap_err().to_string();
    assert_eq!(
        refusal(&[0x30, 0]),
        "the certification request cannot be read: the data ends in the middle of a value"
    );
    let mut der = built(&builder("ed25519"), "ed25519").as_der().to_vec();
    der.push(0);
    assert!(refusal(&der).ends_with("1 octets follow the end of the value"));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = CertificationRequest::from_der(&bytes);
    }

    #[test]
    fn a_damaged_request_is_refused_or_proves_nothing(
        at in any::<prop::sample::Index>(), mask in 1u8..,
    ) {
        let mut builder = builder("ed25519");
        builder.challenge = Some(ChallengePassword::new("secret"));
        let mut der = built(&builder, "ed25519").as_der().to_vec();
        *at.get_mut(&mut der) ^= mask;
        if let Ok(request) = CertificationRequest::from_der(&der) {
            let _ = (request.requested_extensions(), request.requested_validity());
            let _ = request.challenge_password();
            prop_assert_eq!(request.verify(), Err(BadSignature));
        }
    }
}
