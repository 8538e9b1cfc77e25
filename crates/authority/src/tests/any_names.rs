//! Whatever names a request has, it gets a certificate or a refusal, never a fault: the policy refuses what the profile
//! can't write and what the linter would hold against it.

use lanyard_pki::tlv::{Tag, Writer};
use lanyard_pki::{Oid, oid};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::*;

const ATTRIBUTES: [Oid; 8] = [
    oid::COMMON_NAME,
    oid::ORGANIZATION,
    oid::ORGANIZATIONAL_UNIT,
    oid::COUNTRY,
    oid::SERIAL_NUMBER,
    oid::EMAIL_ADDRESS,
    oid::DOMAIN_COMPONENT,
    oid::SURNAME,
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9.@:/ -]{0,12}",
        "[a-zA-Z0-9]{60,70}",
        "[A-Z]{2}",
        any::<String>(),
        Just("*.example".to_owned()),
    ]
}

fn alternative_name() -> impl Strategy<Value = GeneralName> {
    prop_oneof![
        text().prop_map(GeneralName::Dns),
        text().prop_map(GeneralName::Email),
        text().prop_map(GeneralName::Uri),
        text().prop_map(|text| GeneralName::upn(&text)),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|octets| {
            let any = Writer::sequence_of(|w| {
                w.octet_string(&octets);
            });
            GeneralName::OtherName { oid: oid::MS_SID, value: any }
        }),
    ]
}

fn subject() -> impl Strategy<Value = Name> {
    let attribute = (0..ATTRIBUTES.len(), text()).prop_map(|(at, text)| (ATTRIBUTES[at], text));
    proptest::collection::vec(attribute, 0..4)
        .prop_filter_map("a name that can be written", |list| Name::from_attributes(list).ok())
}

#[test]
fn every_name_is_issued_for_or_refused() {
    let runtime = Runtime::new().unwrap();
    let installation = Installation::new();
    let authority = runtime.block_on(installation.open(settings()));
    let device = Device::new("laptop");
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let names = proptest::collection::vec(alternative_name(), 0..3);
    let outcome = runner.run(&(subject(), names), |(subject, names)| {
        let csr = runtime.block_on(csr(&device, subject, names));
        let request = Request { transaction: None, ..device.request_with("", csr) };
        match runtime.block_on(authority.issue(request)) {
            Ok(_) | Err(Error::Refused(_)) => Ok(()),
            Err(Error::Fault(fault)) => Err(TestCaseError::fail(fault.report())),
        }
    });
    outcome.unwrap();
    let issued = runtime.block_on(recorded(&authority));
    assert!(issued > 0, "some of them are sound");
}

#[tokio::test]
async fn every_string_type_that_devices_write_names_in_is_issued_for() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let bmp: Vec<u8> = "Büro".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (attribute, tag, value) in [
        (oid::COMMON_NAME, Tag::UTF8_STRING, "Büro".as_bytes()),
        (oid::COMMON_NAME, Tag::PRINTABLE_STRING, b"laptop"),
        (oid::COMMON_NAME, Tag::TELETEX_STRING, b"laptop"),
        (oid::COMMON_NAME, Tag::BMP_STRING, &bmp),
        (oid::COMMON_NAME, Tag::IA5_STRING, b"laptop"),
        (oid::COUNTRY, Tag::PRINTABLE_STRING, b"DE"),
        (oid::COUNTRY, Tag::UTF8_STRING, b"DE"),
        (oid::EMAIL_ADDRESS, Tag::IA5_STRING, b"a@example"),
        (oid::EMAIL_ADDRESS, Tag::UTF8_STRING, b"a@example"),
        (oid::SERIAL_NUMBER, Tag::PRINTABLE_STRING, b"C02X"),
        (oid::SERIAL_NUMBER, Tag::UTF8_STRING, b"C02X"),
        (oid::DOMAIN_COMPONENT, Tag::UTF8_STRING, b"example"),
    ] {
        let subject = Writer::sequence_of(|w| {
            w.set(|w| {
                w.sequence(|w| {
                    w.oid(attribute);
                    w.value(tag, value);
                });
            });
        });
        let csr = csr(&device, Name::from_der(&subject).unwrap(), Vec::new()).await;
        let request = Request { transaction: None, ..device.request_with("", csr) };
        let outcome = authority.issue(request).await;
        assert!(matches!(outcome, Ok(Outcome::Issued(_))), "{attribute} {tag:?} {outcome:?}");
    }
}

async fn csr(device: &Device, subject: Name, names: Vec<GeneralName>) -> CertificationRequest {
    let key = Signer::public_key(&device.key).clone();
    let mut extensions = Extensions::none();
    if !names.is_empty() {
        extensions.push(SubjectAltName(names).extension(Criticality::NonCritical));
    }
    let builder = RequestBuilder {
        challenge: Some(ChallengePassword::new(SECRET)),
        extensions,
        ..RequestBuilder::new(subject, key)
    };
    let algorithm = device.key.algorithms()[0];
    let unsigned = builder.build(algorithm);
    let signature = device.key.sign(algorithm, unsigned.tbs()).await.unwrap();
    CertificationRequest::from_der(&unsigned.assemble(&signature)).unwrap()
}
