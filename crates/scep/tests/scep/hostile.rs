//! Everything hostile: refused in words or answered with a failure, never a panic, and cheaply.

use lanyard_pki::{
    Certificate,
    cms::{Attribute, CertificateId, SigningInput, UnsignedMessage, certificates_only},
    oid,
    tlv::{Reader, Tag},
};
use lanyard_scep::{
    Legacy, MessageError, Policy, Tolerance,
    server::{Message, Reason},
};
use proptest::prelude::*;

use crate::common::{Party, fixture, opened};

const LEGACY: Policy = Policy { legacy: Legacy::Allowed, octets: Policy::OCTETS };

/// A message with these attributes and this content, signed by a device.
fn signed(attributes: Vec<Attribute>, content: Option<&[u8]>, certificates: &[&[u8]]) -> Vec<u8> {
    let device = Party::of("authority/device.pem", "authority/device.key");
    let message = UnsignedMessage::new(SigningInput {
        content_type: oid::DATA,
        content,
        certificates,
        signer: CertificateId::of(&device.certificate),
        algorithm: lanyard_pki::SignatureAlgorithm::RsaPkcs1(lanyard_pki::Digest::Sha256),
        attributes,
    });
    device.sign(message)
}

fn device() -> Certificate {
    crate::common::certificate("authority/device.pem")
}

fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::printable(oid::SCEP_MESSAGE_TYPE, "19"),
        Attribute::printable(oid::SCEP_TRANSACTION_ID, "4711"),
        Attribute::octets(oid::SCEP_SENDER_NONCE, &[1; 16]),
    ]
}

fn refusal(attributes: Vec<Attribute>) -> String {
    let octets = signed(attributes, Some(b"x"), &[device().as_der()]);
    Message::parse(&octets, Policy::default()).unwrap_err().to_string()
}

#[test]
fn each_attribute_that_is_missing_or_wrong_is_named() {
    let without = |oid| {
        let mut all = attributes();
        all.retain(|attribute| attribute.oid != oid);
        all
    };
    let with = |attribute: Attribute| {
        let mut all = without(attribute.oid);
        all.push(attribute);
        all
    };
    let printable = Attribute::printable;
    let type_oid = oid::SCEP_MESSAGE_TYPE;
    let id_oid = oid::SCEP_TRANSACTION_ID;
    let nonce_oid = oid::SCEP_SENDER_NONCE;
    for (attributes, expected) in [
        (without(type_oid), "the signed attribute 2.16.840.1.113733.1.9.2 is missing"),
        (without(id_oid), "the signed attribute 2.16.840.1.113733.1.9.7 is missing"),
        (without(nonce_oid), "the message carries no senderNonce"),
        (
            with(printable(type_oid, "18")),
            "the attribute 2.16.840.1.113733.1.9.2 has the unknown value \"18\"",
        ),
        (with(printable(type_oid, "3")), "a message of type CertRep is not expected here"),
        (
            with(Attribute::octets(type_oid, b"19")),
            "the attribute 2.16.840.1.113733.1.9.2 is of the wrong type",
        ),
        (with(printable(id_oid, "")), "a transaction id has 1 to 255 printable characters"),
        (
            with(printable(id_oid, &"1".repeat(256))),
            "a transaction id has 1 to 255 printable characters",
        ),
        (
            with(printable(id_oid, "line\nbreak")),
            "a transaction id has 1 to 255 printable characters",
        ),
        (with(Attribute::octets(nonce_oid, &[])), "a nonce has 1 to 64 octets, here are 0"),
        (with(Attribute::octets(nonce_oid, &[0; 65])), "a nonce has 1 to 64 octets, here are 65"),
    ] {
        assert_eq!(refusal(attributes), expected);
    }
    let mut twice = attributes();
    twice.push(printable(id_oid, "4712"));
    let expected = "the signed attribute 2.16.840.1.113733.1.9.7 must have exactly one value";
    assert_eq!(refusal(twice), expected);
}

#[test]
fn a_message_without_the_certificate_of_its_signer_is_not_believed() {
    let ca = Party::authority().certificate;
    let octets = signed(attributes(), Some(b"x"), &[ca.as_der()]);
    let refusal = Message::parse(&octets, Policy::default()).unwrap().verify().unwrap_err();
    assert_eq!(refusal.to_string(), "the certificate of the signer is missing");
}

#[test]
fn a_message_without_an_envelope_is_refused() {
    let certificate = device();
    for (content, reason) in [
        (None, "the CMS message carries no content"),
        (Some(&b""[..]), "the envelope does not open"),
        (Some(b"\x30\x80\x30\x80"), "the envelope does not open"),
        (
            Some(b"\x30\x00"),
            "the CMS message cannot be read: the data ends in the middle of a value",
        ),
    ] {
        let octets = signed(attributes(), content, &[certificate.as_der()]);
        let verified = Message::parse(&octets, Policy::default()).unwrap().verify();
        let refusal = verified
            .and_then(|verified| verified.envelope(&[&Party::authority().certificate]))
            .unwrap_err();
        assert_eq!(refusal.to_string(), reason);
        assert_eq!(refusal.reply_to.transaction_id().as_str(), "4711");
    }
}

#[test]
fn a_degenerate_message_is_no_request() {
    let der = certificates_only(&[device().as_der()], &[]);
    assert_eq!(Message::parse(&der, Policy::default()).unwrap_err(), MessageError::Signers(0));
}

#[test]
fn a_tower_of_nested_elements_is_refused_where_the_limit_is() {
    let tower = [0x30, 0x80].repeat(30_000);
    let refusal = Message::parse(&tower, Policy::default()).unwrap_err();
    assert_eq!(refusal.to_string(), "the message is nested deeper than 32 levels");
    let chunks = [&[0x24u8, 0x80][..], &[0x04, 0x00].repeat(20_000), &[0, 0]].concat();
    assert!(Message::parse(&chunks, Policy::default()).is_err());
}

/// What the content of an envelope can be, when whoever sealed it is hostile and knows the key.
#[test]
fn rubbish_in_an_envelope_looks_like_a_wrong_key() {
    use lanyard_pki::cms::{ContentCipher, EnvelopedData, KeyTransport};
    let authority = Party::authority();
    let certificate = device();
    for message_type in ["17", "19", "20", "21", "22"] {
        for content in [&b""[..], b"\x30\x00", b"rubbish", &[0x30; 300]] {
            let envelope = EnvelopedData::to_key(
                content,
                ContentCipher::Aes128,
                &CertificateId::of(&authority.certificate),
                &KeyTransport::Pkcs1,
                authority.certificate.public_key().unwrap(),
                &crate::common::secrets(),
            );
            let mut attributes = attributes();
            attributes[0] = Attribute::printable(oid::SCEP_MESSAGE_TYPE, message_type);
            let octets = signed(attributes, Some(&envelope.unwrap()), &[certificate.as_der()]);
            let verified = Message::parse(&octets, Policy::default()).unwrap().verify().unwrap();
            let sealed = verified.envelope(&[&authority.certificate]).unwrap();
            let refusal = opened(sealed, &authority).unwrap_err();
            assert_eq!(refusal.reason, Reason::Envelope);
        }
    }
}

/// Constructed: sscep's self-signed certificates have serial numbers of 32 octets.
#[test]
fn serial_numbers_of_32_octets_are_tolerated() {
    let device = Party::of("authority/device.pem", "authority/device.key");
    let key = device.certificate.public_key().unwrap();
    let unsigned = lanyard_scep::client::self_signed(
        device.certificate.subject(),
        key,
        &lanyard_pki::SerialNumber::from_bytes(&[0x5a; 32]).unwrap(),
        lanyard_pki::Time::from_unix(1_700_000_000),
        lanyard_pki::Time::from_unix(1_900_000_000),
        lanyard_pki::SignatureAlgorithm::RsaPkcs1(lanyard_pki::Digest::Sha256),
    );
    let signature = device.signature(unsigned.algorithm(), unsigned.tbs());
    let certificate = Certificate::from_der(&unsigned.assemble(&signature)).unwrap();
    let authority = Party::authority().certificate;
    let secrets = crate::common::secrets();
    let suite = lanyard_scep::client::Suite::for_server(lanyard_scep::Capabilities::ours());
    let input = lanyard_scep::client::RequestInput {
        asked: lanyard_scep::client::Asked::Certificate {
            csr: &[0x30, 0],
            purpose: lanyard_scep::server::Purpose::Initial,
        },
        transaction_id: lanyard_scep::TransactionId::new("1").unwrap(),
        nonce: lanyard_scep::SenderNonce::from_random([1; 16]),
        signer: &certificate,
        recipient: &authority,
        suite: &suite,
    };
    let outgoing = lanyard_scep::client::Outgoing::new(&input, &secrets).unwrap();
    let signature = device.signature(outgoing.algorithm(), outgoing.tbs());
    let (octets, _) = outgoing.assemble(&signature);
    let verified = Message::parse(&octets, Policy::default()).unwrap().verify().unwrap();
    assert!(verified.tolerances().contains(Tolerance::LongSerialNumber));
}

/// Constructed: attributes signed in the order of DER and sent the other way round.
#[test]
fn attributes_that_are_sent_in_another_order_than_signed_are_tolerated() {
    let device = Party::of("authority/device.pem", "authority/device.key");
    let message = UnsignedMessage::new(SigningInput {
        content_type: oid::DATA,
        content: Some(b"x"),
        certificates: &[device.certificate.as_der()],
        signer: CertificateId::of(&device.certificate),
        algorithm: lanyard_pki::SignatureAlgorithm::RsaPkcs1(lanyard_pki::Digest::Sha256),
        attributes: attributes(),
    });
    let mut set = Reader::entered(message.tbs(), Tag::SET).unwrap();
    let sorted = set.rest().to_vec();
    let mut members: Vec<Vec<u8>> =
        std::iter::from_fn(|| set.any().ok()).map(|member| member.bytes.to_vec()).collect();
    members.reverse();
    let signature = device.signature(message.algorithm(), message.tbs());
    let mut octets = message.assemble(&signature);
    let at = octets.windows(sorted.len()).position(|window| window == sorted).unwrap();
    octets.splice(at..at + sorted.len(), members.concat());
    let verified = Message::parse(&octets, Policy::default()).unwrap().verify().unwrap();
    assert!(verified.tolerances().contains(Tolerance::UnsortedAttributes));
}

proptest! {
    #[test]
    fn random_octets_are_refused(octets in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(Message::parse(&octets, LEGACY).is_err());
    }

    #[test]
    fn truncated_messages_are_refused(cut in any::<prop::sample::Index>()) {
        let octets = fixture("certmonger/daemon.pkcs-req.der");
        let cut = cut.index(octets.len());
        prop_assert!(Message::parse(&octets[..cut], LEGACY).is_err());
    }

    #[test]
    fn one_wrong_octet_anywhere_is_never_believed_to_be_the_message(
        at in any::<prop::sample::Index>(),
        change in 1u8..,
    ) {
        let mut octets = fixture("constructed/aes128-sha256.pkcs-req.der");
        let authority = Party::authority();
        let at = at.index(octets.len());
        octets[at] ^= change;
        let Ok(message) = Message::parse(&octets, Policy::default()) else { return Ok(()) };
        // What is not signed may change: the signer's certificate beyond its name and key, the
        // digests listed beforehand, versions. What is asked for may not.
        if let Ok(verified) = message.verify()
            && let Ok(sealed) = verified.envelope(&[&authority.certificate])
        {
            let opened = opened(sealed, &authority).unwrap();
            let original = fixture("constructed/aes128-sha256.pkcs-req.der");
            let original = Message::parse(&original, Policy::default()).unwrap();
            prop_assert_eq!(opened.transaction_id(), original.transaction_id());
            prop_assert_eq!(&opened.sender_nonce, original.sender_nonce());
        }
    }
}
