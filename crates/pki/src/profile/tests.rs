use super::*;
use crate::{
    Certificate, dump,
    extension::{Criticality, EntraDeviceId, EntraTenantId, ExtensionValue, SecurityIdentifier},
    lint, pem, testing,
    tlv::{Reader, Tag, Writer},
};
use der::{Decode, Encode};
use proptest::prelude::*;
use std::sync::LazyLock;

const FROM: Time = Time::from_unix(1_790_000_000);
const YEAR: i64 = 365 * 86_400;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

static ROOT: LazyLock<Certificate> = LazyLock::new(|| {
    let key = testing::public_key("rsa3072");
    let subject = name("CN=Example Root,O=Example AG,C=CH");
    let identifier = key.key_identifier();
    let issuer = Issuer { subject: &subject, key_identifier: &identifier };
    let input = CertificateInput::new(
        issuer,
        serial(1),
        (FROM, FROM.plus(20 * YEAR)),
        subject.clone(),
        &key,
        testing::algorithm("rsa3072"),
    );
    let profile = Profile::root_authority(AuthorityKey::Issues);
    made(&profile, &input, "rsa3072")
});

static ISSUING: LazyLock<Certificate> = LazyLock::new(|| {
    let key = testing::public_key("rsa2048");
    let identifier = ROOT.subject_key_identifier().unwrap().unwrap();
    let issuer = Issuer { subject: ROOT.subject(), key_identifier: &identifier };
    let mut input = CertificateInput::new(
        issuer,
        serial(2),
        (FROM, FROM.plus(10 * YEAR)),
        name("CN=Example Issuing Authority,O=Example AG,C=CH"),
        &key,
        testing::algorithm("rsa3072"),
    );
    input.crl_urls = vec!["http://ca.example.com/crl/root".into()];
    input.ca_issuer_urls = vec!["http://ca.example.com/root.cer".into()];
    let profile = Profile::subordinate_authority(Some(1), AuthorityKey::IssuesAndEnrolls);
    made(&profile, &input, "rsa3072")
});

fn serial(last: u8) -> SerialNumber {
    SerialNumber::from_bytes(&[&[0x4a; 19][..], &[last]].concat()).unwrap()
}

fn made(profile: &Profile, input: &CertificateInput<'_>, key: &str) -> Certificate {
    let der = testing::signed(profile.certificate(input).unwrap(), key);
    Certificate::from_der(&der).unwrap()
}

static IDENTIFIER: LazyLock<Vec<u8>> =
    LazyLock::new(|| ISSUING.subject_key_identifier().unwrap().unwrap());

/// A certificate of the issuing authority for a fixture key.
fn input<'a>(subject: &str, key: &'a PublicKey) -> CertificateInput<'a> {
    let issuer = Issuer { subject: ISSUING.subject(), key_identifier: IDENTIFIER.as_slice() };
    let mut input = CertificateInput::new(
        issuer,
        serial(3),
        (FROM, FROM.plus(YEAR)),
        name(subject),
        key,
        testing::algorithm("rsa2048"),
    );
    input.ocsp_urls = vec!["http://ca.example.com/ocsp".into()];
    input.ca_issuer_urls = vec!["http://ca.example.com/ca".into()];
    input.crl_urls = vec!["http://ca.example.com/crl".into()];
    input
}

/// Compares a certificate with its committed text, and its linter and its path with good.
fn golden(case: &str, certificate: &Certificate, issuer: &Certificate) {
    assert_eq!(lint::lint(certificate.as_der(), Some(issuer), None), [], "{case}");
    assert_eq!(certificate.check_issued_by(issuer, 0, FROM), Ok(()), "{case}");
    let theirs = x509_cert::Certificate::from_der(certificate.as_der()).unwrap();
    assert_eq!(
        theirs.to_der().unwrap(),
        certificate.as_der(),
        "{case}: as another library writes it"
    );
    let pem = pem::encode(pem::CERTIFICATE, certificate.as_der());
    insta::assert_snapshot!(case, format!("{}\n{pem}", dump::certificate(certificate)));
}

#[test]
fn authorities_have_their_golden_text() {
    golden("root-authority", &ROOT, &ROOT);
    golden("issuing-authority", &ISSUING, &ROOT);
}

/// A key that cannot encrypt: the usage for it is left out.
#[test]
fn a_root_with_a_signing_key_has_its_golden_text() {
    let key = testing::public_key("ed25519");
    let subject = name("CN=Example Root Ed25519");
    let identifier = key.key_identifier();
    let input = CertificateInput::new(
        Issuer { subject: &subject, key_identifier: &identifier },
        serial(4),
        (FROM, Time::NO_WELL_DEFINED_END),
        subject.clone(),
        &key,
        SignatureAlgorithm::Ed25519,
    );
    let profile = Profile::root_authority(AuthorityKey::IssuesAndEnrolls);
    let root = made(&profile, &input, "ed25519");
    golden("root-authority-ed25519", &root, &root);
}

#[test]
fn every_built_in_profile_has_its_golden_text() {
    let rsa = testing::public_key("rsa2048-other");
    let p256 = testing::public_key("p256");
    let dns = |name: &str| GeneralName::Dns(name.into());
    let email = || GeneralName::Email("ada@example.com".into());
    let upn = || GeneralName::upn("ada@example.com");
    let with = |mut input: CertificateInput<'static>, names: Vec<GeneralName>| {
        input.subject_alt_names = names;
        input
    };
    let (rsa, p256): (&'static _, &'static _) =
        (Box::leak(Box::new(rsa)), Box::leak(Box::new(p256)));
    let device_uri = "IntuneDeviceId://0f8fad5b-d9cb-469f-a165-70867728950e";
    let mut device = with(
        input("CN=0f8fad5b-d9cb-469f-a165-70867728950e", rsa),
        vec![GeneralName::Uri(device_uri.into()), dns("laptop7.example.com")],
    );
    device.extra_extensions = vec![
        EntraTenantId(*b"\0\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff")
            .extension(Criticality::NonCritical),
        EntraDeviceId(*b"0123456789abcdef").extension(Criticality::NonCritical),
    ];
    let mut card = with(input("CN=Ada Lovelace,DC=example,DC=com", rsa), vec![upn()]);
    card.extra_extensions = vec![
        SecurityIdentifier("S-1-5-21-666199682-1411342147-2938717855-1001".into())
            .extension(Criticality::NonCritical),
    ];
    let controller = vec![
        dns("dc1.example.com"),
        GeneralName::OtherName {
            oid: oid::MS_NTDS_REPLICATION,
            value: [&[4, 16][..], &[7; 16]].concat(),
        },
    ];
    let server = vec![dns("www.example.com"), GeneralName::Ip("192.0.2.7".parse().unwrap())];
    let cases = [
        ("tls-inspection-authority", Profile::tls_inspection_authority(), input("CN=Proxy", rsa)),
        ("ocsp-responder", Profile::ocsp_responder(), input("CN=Responder", p256)),
        (
            "scep-registration-authority",
            Profile::scep_registration_authority(),
            input("CN=SCEP", rsa),
        ),
        ("tls-server", Profile::tls_server(), with(input("CN=www.example.com", rsa), server)),
        (
            "tls-server-p256",
            Profile::tls_server(),
            with(input("CN=www.example.com", p256), vec![dns("www.example.com")]),
        ),
        ("client-without-subject", Profile::client(), with(input("", p256), vec![email(), upn()])),
        ("device", Profile::device(), device),
        ("user", Profile::user(), with(input("CN=Ada Lovelace", rsa), vec![upn(), email()])),
        ("smart-card-user", Profile::smart_card_user(), card),
        (
            "domain-controller",
            Profile::domain_controller(),
            with(input("CN=dc1.example.com", rsa), controller),
        ),
        (
            "radius-server",
            Profile::radius_server(),
            with(input("CN=radius.example.com", rsa), vec![dns("radius.example.com")]),
        ),
        ("code-signing", Profile::code_signing(), input("CN=Example AG,O=Example AG", rsa)),
        (
            "document-signing",
            Profile::document_signing(),
            with(input("CN=Ada Lovelace", p256), vec![email()]),
        ),
    ];
    for (case, profile, input) in cases {
        golden(case, &made(&profile, &input, "rsa2048"), &ISSUING);
    }
}

#[test]
fn only_what_a_key_can_do_becomes_its_usage() {
    let all = KeyUsages::DIGITAL_SIGNATURE
        | KeyUsages::KEY_ENCIPHERMENT
        | KeyUsages::DATA_ENCIPHERMENT
        | KeyUsages::KEY_AGREEMENT
        | KeyUsages::ENCIPHER_ONLY;
    let of = |key| Profile::usages_for(all, &testing::public_key(key)).to_string();
    assert_eq!(of("rsa2048"), "digitalSignature, keyEncipherment, dataEncipherment");
    assert_eq!(of("p256"), "digitalSignature, keyAgreement, encipherOnly");
    assert_eq!(of("ed25519"), "digitalSignature");
    let alone = KeyUsages::ENCIPHER_ONLY | KeyUsages::DIGITAL_SIGNATURE;
    let usages = Profile::usages_for(alone, &testing::public_key("p384"));
    assert_eq!(usages, KeyUsages::DIGITAL_SIGNATURE, "meaningless without agreement");
}

fn refusal(profile: &Profile, change: impl FnOnce(&mut CertificateInput<'_>)) -> String {
    let key = testing::public_key("p256");
    let mut input = input("CN=a", &key);
    change(&mut input);
    profile.certificate(&input).unwrap_err().to_string()
}

#[test]
fn what_no_certificate_may_say_is_refused_in_words() {
    let user = Profile::user();
    assert_eq!(
        refusal(&user, |input| input.serial = SerialNumber::from_bytes(&[0xff; 20]).unwrap()),
        format!("serial number {} is not positive or has more than 20 octets", "FF".repeat(20))
    );
    assert_eq!(
        refusal(&user, |input| input.not_after = FROM.plus(-1)),
        "the validity ends at 2026-09-21T14:13:19Z, before it begins at 2026-09-21T14:13:20Z"
    );
    assert_eq!(
        refusal(&user, |input| input.subject = Name::empty()),
        "there is neither a subject nor an alternative name"
    );
    assert_eq!(
        refusal(&Profile::code_signing(), |input| {
            input.subject = Name::empty();
            input.subject_alt_names = vec![GeneralName::Email("a@example.com".into())];
        }),
        "profile \"code signing\" needs a subject"
    );
    assert_eq!(
        refusal(&user, |input| input.subject_alt_names = vec![GeneralName::Dns("a".into())]),
        "profile \"user\" does not carry the name DNS:a"
    );
    let unread = GeneralName::Unread(vec![0x82, 1, 0xff]);
    assert_eq!(
        refusal(&Profile::client(), |input| input.subject_alt_names = vec![unread]),
        "profile \"client\" does not carry the name unread:8201ff"
    );
    assert_eq!(
        refusal(&user, |input| input.subject_alt_names = vec![GeneralName::Email("ä@b".into())]),
        "\"ä@b\" is empty or has characters beyond ASCII"
    );
    assert_eq!(
        refusal(&user, |input| input.crl_urls = vec!["http://a /".into()]),
        "\"http://a /\" is empty or has characters beyond ASCII"
    );
    assert_eq!(
        refusal(&user, |input| input.key_usages = Some(KeyUsages::KEY_ENCIPHERMENT)),
        "a key of this kind can be used for none of keyEncipherment"
    );
}

#[test]
fn an_end_entity_never_becomes_an_authority_or_a_responder() {
    let user = Profile::user();
    let usages = KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_CERT_SIGN;
    assert_eq!(
        refusal(&user, |input| input.key_usages = Some(usages)),
        "an end entity's key may not be used for keyCertSign"
    );
    assert_eq!(
        refusal(&user, |input| input.extended_key_usages = Some(vec![oid::OCSP_SIGNING])),
        "only a responder's certificate may be for OCSP signing"
    );
    for oid in [oid::BASIC_CONSTRAINTS, oid::SUBJECT_ALT_NAME, oid::OCSP_NO_CHECK] {
        let criticality = Criticality::Critical;
        let extra = Extension { oid, criticality, value: vec![0x30, 3, 1, 1, 0xff] };
        assert_eq!(
            refusal(&user, |input| input.extra_extensions = vec![extra]),
            format!("extension {oid} is the profile's to write")
        );
    }
    let twice = EntraTenantId([1; 16]).extension(Criticality::NonCritical);
    assert_eq!(
        refusal(&user, |input| input.extra_extensions = vec![twice.clone(), twice]),
        "extension 1.2.840.113556.5.14 is the profile's to write"
    );
}

#[test]
fn decided_usages_and_purposes_stand_in_for_the_profiles() {
    let key = testing::public_key("rsa2048-other");
    let mut input = input("CN=a", &key);
    input.key_usages = Some(KeyUsages::DIGITAL_SIGNATURE);
    input.extended_key_usages = Some(vec![oid::EMAIL_PROTECTION, oid::EMAIL_PROTECTION]);
    input.policies = vec![oid::ANY_POLICY];
    let certificate = made(&Profile::user(), &input, "rsa2048");
    assert_eq!(certificate.key_usage(), Ok(Some(KeyUsages::DIGITAL_SIGNATURE)));
    assert_eq!(certificate.extended_key_usage().unwrap().unwrap().0, [oid::EMAIL_PROTECTION]);
    assert_eq!(lint::lint(certificate.as_der(), Some(&ISSUING), None), []);
    input.extended_key_usages = Some(Vec::new());
    let certificate = made(&Profile::user(), &input, "rsa2048");
    assert_eq!(certificate.extended_key_usage(), Ok(None), "any purpose");
}

#[test]
fn a_request_with_unsorted_names_gets_a_certificate_with_sorted_ones() {
    let attribute = |text: &str| {
        Writer::sequence_of(|w| {
            w.oid(oid::ORGANIZATIONAL_UNIT);
            w.utf8_string(text);
        })
    };
    let unsorted = Writer::sequence_of(|w| {
        w.set(|w| {
            w.raw(&attribute("b"));
            w.raw(&attribute("a"));
        });
    });
    let key = testing::public_key("p256");
    let mut input = input("", &key);
    input.subject = Name::from_der(&unsorted).unwrap();
    let certificate = made(&Profile::client(), &input, "rsa2048");
    assert_eq!(lint::lint(certificate.as_der(), Some(&ISSUING), None), []);
    assert!(certificate.subject().matches(&input.subject));
}

proptest! {
    /// What a request asks for is refused or written without a fault of form: the linter's errors are ours alone.
    #[test]
    fn a_name_that_can_be_read_is_written_in_its_one_encoding(
        tag in prop::sample::select(vec![0xa0u8, 0xa4, 0x82, 0x86, 0x87, 0x88]),
        inside in prop::sample::select(vec![0xa0u8, 0x30, 0x31, 0x0c, 0x01, 0x02, 0x05]),
        bytes in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        let mut value = Writer::new();
        value.nested(Tag(tag), |w| match tag {
            0xa0 => {
                w.oid(oid::KERBEROS_PRINCIPAL);
                w.context(0, |w| w.value(Tag(inside), &bytes));
            }
            0xa4 => w.sequence(|w| w.set(|w| w.sequence(|w| {
                w.oid(oid::COMMON_NAME);
                w.value(Tag(inside), &bytes);
            }))),
            _ => w.raw(&bytes),
        });
        let value = value.finish();
        let name = GeneralName::read(&mut Reader::new(&value)).unwrap();
        let key = testing::public_key("ed25519");
        let mut input = input("CN=a", &key);
        input.subject_alt_names = vec![name];
        if let Ok(unsigned) = Profile::client().certificate(&input) {
            let findings = lint::lint_unsigned(&unsigned, Some(&ISSUING), None);
            let form = ["der", "extension-canonical", "extension-readable"];
            prop_assert!(findings.iter().all(|it| !form.contains(&it.rule)), "{:?}", findings);
        }
    }
}

#[test]
fn a_name_that_is_asked_for_twice_is_written_once() {
    let key = testing::public_key("p256");
    let mut input = input("CN=a", &key);
    input.subject_alt_names = vec![GeneralName::upn("a@b"), GeneralName::upn("a@b")];
    let certificate = made(&Profile::user(), &input, "rsa2048");
    assert_eq!(certificate.subject_alt_names().unwrap(), [GeneralName::upn("a@b")]);
}
