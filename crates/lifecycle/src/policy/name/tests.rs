use lanyard_pki::tlv::{Tag, Writer};
use proptest::prelude::*;

use super::*;

fn subject(text: &str) -> Name {
    text.parse().unwrap()
}

fn check(subject_text: &str, names: &[GeneralName]) -> Result<(), Refusal> {
    NameRules::default().check(&subject(subject_text), names)
}

fn alone(name: GeneralName) -> Result<(), Refusal> {
    NameRules::default().check(&Name::empty(), &[name])
}

fn bad(part: NamePart, fault: NameFault) -> Result<(), Refusal> {
    Err(Refusal::BadName { part, fault })
}

/// A subject of one attribute whose string has this type and these octets.
fn raw_subject(oid: Oid, tag: Tag, octets: &[u8]) -> Name {
    let der = Writer::sequence_of(|w| {
        w.set(|w| {
            w.sequence(|w| {
                w.oid(oid);
                w.value(tag, octets);
            });
        });
    });
    Name::from_der(&der).unwrap()
}

#[test]
fn usual_names_pass() {
    let names = [
        GeneralName::Dns("laptop-7.example.com".into()),
        GeneralName::Dns("LAPTOP_7".into()),
        GeneralName::Dns("*.example.com".into()),
        GeneralName::Email("ada.lovelace+lab@example.com".into()),
        GeneralName::Uri("IntuneDeviceId://0f8fad5b-d9cb-469f-a165-70867728950e".into()),
        GeneralName::Uri("tag:example.com,2026:device".into()),
        GeneralName::Ip("2001:db8::1".parse().unwrap()),
        GeneralName::upn("ada@example.com"),
    ];
    assert_eq!(check("CN=0f8fad5b-d9cb-469f-a165-70867728950e,O=Example,C=DE", &names), Ok(()));
    assert_eq!(check("CN=laptop", &[]), Ok(()));
    assert_eq!(alone(GeneralName::upn("Zoë@example.com")), Ok(()));
}

#[test]
fn somebody_must_be_named() {
    assert_eq!(NameRules::default().check(&Name::empty(), &[]), Err(Refusal::NoName));
}

#[test]
fn names_of_the_wrong_form_are_refused() {
    let (dns, email, uri) = (NamePart::DnsName, NamePart::EmailAddress, NamePart::Uri);
    for text in ["a..b", ".a", "a.", "-a.b", "a-.b", "a b", "a/b", "*", "*.com", "a.*.b", "ä.de"] {
        let refused = alone(GeneralName::Dns(text.into()));
        assert_eq!(refused, bad(dns, NameFault::Malformed), "{text}");
    }
    for text in ["ada", "@b", "a@", "a b@c", "a@b@c", "a@*.example.com", "a@-b"] {
        let refused = alone(GeneralName::Email(text.into()));
        assert_eq!(refused, bad(email, NameFault::Malformed), "{text}");
    }
    for text in ["//example.com", "http", "http:", "1http://a", "ht tp://a", "http://a b"] {
        let refused = alone(GeneralName::Uri(text.into()));
        assert_eq!(refused, bad(uri, NameFault::Malformed), "{text}");
    }
    let unread = GeneralName::Unread(vec![0x82, 0]);
    assert_eq!(alone(unread), bad(NamePart::OtherName, NameFault::Malformed));
}

#[test]
fn control_characters_are_refused_everywhere() {
    let fault = NameFault::ControlCharacter;
    for text in ["a\0b", "a\nb", "a\u{1b}[2J", "a\u{85}"] {
        let named = raw_subject(oid::COMMON_NAME, Tag::UTF8_STRING, text.as_bytes());
        let refused = NameRules::default().check(&named, &[]);
        assert_eq!(refused, bad(NamePart::Subject, fault), "{text:?}");
        let refused = alone(GeneralName::upn(text));
        assert_eq!(refused, bad(NamePart::UserPrincipalName, fault), "{text:?}");
        let refused = alone(GeneralName::Dns(text.into()));
        assert_eq!(refused, bad(NamePart::DnsName, fault), "{text:?}");
    }
}

#[test]
fn lengths_are_limited() {
    let long = |length| "a".repeat(length);
    assert_eq!(check(&format!("CN={}", long(64)), &[]), Ok(()));
    let refused = check(&format!("CN={}", long(65)), &[]);
    assert_eq!(refused, bad(NamePart::Subject, NameFault::TooLong { limit: 64 }));
    let umlauts = format!("CN={}", "ä".repeat(64));
    assert_eq!(check(&umlauts, &[]), Ok(()), "characters count, not octets");

    let label = long(63);
    let host = [label.as_str(), &label, &label, &long(61)].join(".");
    assert_eq!(alone(GeneralName::Dns(host.clone())), Ok(()));
    let refused = alone(GeneralName::Dns(format!("{host}a")));
    assert_eq!(refused, bad(NamePart::DnsName, NameFault::TooLong { limit: 253 }));
    let refused = alone(GeneralName::Dns(format!("{label}a")));
    assert_eq!(refused, bad(NamePart::DnsName, NameFault::Malformed));
    let refused = alone(GeneralName::Uri(format!("a:{}", long(2048))));
    assert_eq!(refused, bad(NamePart::Uri, NameFault::TooLong { limit: 2048 }));
    let refused = alone(GeneralName::upn(&long(1025)));
    assert_eq!(refused, bad(NamePart::UserPrincipalName, NameFault::TooLong { limit: 1024 }));
}

#[test]
fn there_may_not_be_too_many() {
    let names = vec![GeneralName::Dns("a.example".into()); 101];
    assert_eq!(check("CN=a", &names[..100]), Ok(()));
    let fault = NameFault::TooMany { limit: 100 };
    assert_eq!(check("CN=a", &names), bad(NamePart::AlternativeNames, fault));
    let many = vec!["OU=a"; 33].join(",");
    assert_eq!(check(&many, &[]), bad(NamePart::Subject, NameFault::TooMany { limit: 32 }));
}

#[test]
fn an_attribute_that_is_no_text_is_refused() {
    let rules = NameRules::default();
    let broken = raw_subject(oid::COMMON_NAME, Tag::UTF8_STRING, &[0xFF]);
    assert_eq!(rules.check(&broken, &[]), bad(NamePart::Subject, NameFault::Malformed));
    let number = raw_subject(oid::COMMON_NAME, Tag::INTEGER, &[1]);
    assert_eq!(rules.check(&number, &[]), bad(NamePart::Subject, NameFault::Malformed));
    let empty = raw_subject(oid::COMMON_NAME, Tag::UTF8_STRING, &[]);
    assert_eq!(rules.check(&empty, &[]), bad(NamePart::Subject, NameFault::Empty));
    let country = raw_subject(oid::COUNTRY, Tag::PRINTABLE_STRING, b"D1");
    assert_eq!(rules.check(&country, &[]), bad(NamePart::Subject, NameFault::Malformed));
}

#[test]
fn a_kerberos_principal_is_certified_only_where_it_is_meant() {
    let principal: Oid = "1.3.6.1.5.2.2".parse().unwrap();
    let name = GeneralName::OtherName { oid: principal, value: vec![0x30, 0] };
    let refused = Refusal::NameNotAllowed { part: NamePart::OtherName };
    assert_eq!(check("CN=a", std::slice::from_ref(&name)), Err(refused));
    let mut rules = NameRules::default();
    rules.forms.push(NameForm::Other(principal));
    assert_eq!(rules.check(&subject("CN=a"), &[name]), Ok(()));
}

#[test]
fn forms_that_are_not_listed_are_refused() {
    let rules = NameRules { forms: vec![NameForm::Dns], most: 5 };
    let subject = subject("CN=a");
    assert_eq!(rules.check(&subject, &[GeneralName::Dns("a.example".into())]), Ok(()));
    for (name, part) in [
        (GeneralName::Email("a@b.example".into()), NamePart::EmailAddress),
        (GeneralName::upn("a@b"), NamePart::UserPrincipalName),
        (GeneralName::Ip("192.0.2.1".parse().unwrap()), NamePart::IpAddress),
        (GeneralName::Uri("a:b".into()), NamePart::Uri),
        (GeneralName::RegisteredId(oid::CLIENT_AUTH), NamePart::RegisteredId),
        (GeneralName::DirectoryName(subject.clone()), NamePart::DirectoryName),
    ] {
        assert_eq!(rules.check(&subject, &[name]), Err(Refusal::NameNotAllowed { part }));
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_none_with_control_characters_passes(text in any::<String>()) {
        let control = text.chars().any(char::is_control);
        let forms = [
            GeneralName::Dns(text.clone()),
            GeneralName::Email(text.clone()),
            GeneralName::Uri(text.clone()),
            GeneralName::upn(&text),
        ];
        for form in forms {
            let outcome = alone(form);
            prop_assert!(!control || outcome.is_err());
        }
    }
}
