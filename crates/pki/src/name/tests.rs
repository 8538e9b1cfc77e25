use super::*;
use crate::oid;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn text_is_most_specific_first_and_der_the_other_way_round() {
    let name = name("CN=Laptop 7, OU=Devices + OU=Lab,O=Example AG,C=CH");
    assert_eq!(name.to_string(), "CN=Laptop 7,OU=Lab+OU=Devices,O=Example AG,C=CH");
    let order: Vec<Oid> = name.attributes().map(|attribute| attribute.oid).collect();
    assert_eq!(order.first(), Some(&oid::COUNTRY));
    assert_eq!(order.last(), Some(&oid::COMMON_NAME));
    assert_eq!(name.common_name().as_deref(), Some("Laptop 7"));
}

/// RFC 4514, section 4.
#[test]
fn the_examples_of_rfc_4514_read_and_write() {
    for text in [
        "UID=jsmith,DC=example,DC=net",
        "CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net",
        "CN=Before\\0DAfter,DC=example,DC=net",
        "CN=Lučić",
    ] {
        assert_eq!(name(text).to_string(), text);
    }
    assert_eq!(name("SN=Lu\\C4\\8Di\\C4\\87").to_string(), "SN=Lučić");
    let two = name("OU=Sales+CN=J.  Smith,DC=example,DC=net");
    assert_eq!(two.rdns().last().unwrap().len(), 2);
    assert_eq!(two.to_string(), "OU=Sales+CN=J.  Smith,DC=example,DC=net");
}

#[test]
fn each_attribute_has_the_string_type_that_rfc_5280_asks_for() {
    let name = name("E=a@example.com,DC=example,serialNumber=A-1,C=CH,CN=Zoë");
    let tags: Vec<(Oid, Tag)> = name.attributes().map(|a| (a.oid, a.value.tag())).collect();
    assert_eq!(
        tags,
        [
            (oid::COMMON_NAME, Tag::UTF8_STRING),
            (oid::COUNTRY, Tag::PRINTABLE_STRING),
            (oid::SERIAL_NUMBER, Tag::PRINTABLE_STRING),
            (oid::DOMAIN_COMPONENT, Tag::IA5_STRING),
            (oid::EMAIL_ADDRESS, Tag::IA5_STRING),
        ]
    );
}

#[test]
fn what_is_no_name_is_refused_in_words() {
    let refusal = |text: &str| text.parse::<Name>().unwrap_err().to_string();
    assert_eq!(refusal("Laptop"), "\"Laptop\" is not of the form TYPE=value");
    assert_eq!(refusal("XY=1"), "\"XY\" is not a known attribute type");
    assert_eq!(refusal("CN="), "attribute CN is empty");
    assert_eq!(refusal("C=Switzerland"), "attribute C takes two letters only");
    assert_eq!(refusal("DC=zürich"), "attribute DC takes ASCII characters only");
    assert_eq!(refusal("CN=a\\"), "a backslash in \"a\\\\\" escapes nothing");
    assert!(refusal("serialNumber=a*b").starts_with("attribute serialNumber takes letters"));
}

#[test]
fn the_empty_name_is_empty_both_ways() {
    assert!(name("").is_empty());
    assert_eq!(Name::empty().to_string(), "");
    assert_eq!(Name::from_der(&[0x30, 0]).unwrap(), Name::empty());
}

fn with_value(tag: Tag, contents: &[u8]) -> Name {
    let der = Writer::sequence_of(|w| {
        w.set(|w| {
            w.sequence(|w| {
                w.oid(oid::COMMON_NAME);
                w.value(tag, contents);
            });
        });
    });
    Name::from_der(&der).unwrap()
}

#[test]
fn names_match_without_regard_to_case_spaces_and_string_type() {
    let one = with_value(Tag::PRINTABLE_STRING, b"Example  CA ");
    let two = with_value(Tag::BMP_STRING, b"\0e\0X\0A\0M\0P\0L\0E\0 \0c\0a");
    assert!(one.matches(&two));
    assert_ne!(one, two);
    assert!(!one.matches(&with_value(Tag::PRINTABLE_STRING, b"ExampleCA")));
    assert!(!one.matches(&Name::empty()));
    assert!(!name("CN=a,O=b").matches(&name("O=b,CN=a")));
}

#[test]
fn a_value_that_is_no_string_is_shown_in_hexadecimal() {
    assert_eq!(with_value(Tag::BMP_STRING, &[0]).to_string(), "CN=#1e0100");
    assert_eq!(with_value(Tag::OCTET_STRING, &[1]).to_string(), "CN=#040101");
    assert_eq!(with_value(Tag::TELETEX_STRING, &[0xfc]).to_string(), "CN=ü");
    assert_eq!(with_value(Tag::UNIVERSAL_STRING, &[0, 0, 0, 0x41]).to_string(), "CN=A");
}

#[test]
fn an_unsorted_relative_name_keeps_its_bytes() {
    let attribute = |text: &[u8]| {
        Writer::sequence_of(|w| {
            w.oid(oid::ORGANIZATIONAL_UNIT);
            w.value(Tag::UTF8_STRING, text);
        })
    };
    let der = Writer::sequence_of(|w| {
        w.set(|w| {
            w.raw(&attribute(b"zzz"));
            w.raw(&attribute(b"aaa"));
        });
    });
    let name = Name::from_der(&der).unwrap();
    assert_eq!(name.as_der(), der);
    let sorted: Name = "OU=aaa+OU=zzz".parse().unwrap();
    assert!(name.matches(&sorted));
    assert_eq!(name.sorted(), sorted);
}

proptest! {
    #[test]
    fn any_text_survives_as_a_value(text in "\\PC{1,40}", control in "[\\x00-\\x1f]{0,3}") {
        let value = format!("{control}{text}");
        let name = Name::from_attributes([(oid::COMMON_NAME, &value)]).unwrap();
        let again = Name::from_der(name.as_der()).unwrap();
        let read: Vec<String> = again.values(oid::COMMON_NAME).collect();
        prop_assert_eq!(read, [value]);
    }

    #[test]
    fn what_is_written_is_read(values in proptest::collection::vec("[ -~äč\\x01]{0,8}[!-~]", 1..4)) {
        let name = Name::from_attributes(values.iter().map(|v| (oid::ORGANIZATION, v))).unwrap();
        prop_assert_eq!(name.sorted(), name.clone());
        prop_assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
    }

    #[test]
    fn hostile_names_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), text in ".{0,40}") {
        if let Ok(name) = Name::from_der(&bytes) {
            let _ = name.to_string();
        }
        let _ = text.parse::<Name>();
    }
}
