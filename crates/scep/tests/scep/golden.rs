//! What we send, as text: with the randomness as an argument, it is the same octets every time.

use lanyard_pki::{
    Oid,
    cms::IssuerAndSerialNumber,
    tlv::{Reader, Tag, Tlv},
};
use lanyard_scep::{
    Capabilities, FailInfo, Policy, SenderNonce, TransactionId,
    client::{Asked, CaCertificates, Outgoing, RequestInput, Suite},
    server::{Granted, Message, ca_certificates},
};

use crate::common::{Party, fixture, nonce, opened, secrets};

/// DER as indented text: identifiers by name, short values whole, long ones by length, and what is
/// DER inside octet strings too.
fn dump(der: &[u8]) -> String {
    let mut text = String::new();
    describe(Reader::new(der), 0, &mut text);
    text
}

fn describe(mut reader: Reader<'_>, level: usize, text: &mut String) {
    while !reader.is_empty() {
        let value = reader.any().unwrap();
        let (line, inside) = line(&value);
        for _ in 0..level {
            text.push_str("  ");
        }
        text.push_str(&line);
        text.push('\n');
        if let Some(inside) = inside {
            describe(inside, level + 1, text);
        }
    }
}

fn line<'a>(value: &Tlv<'a>) -> (String, Option<Reader<'a>>) {
    let tag = value.tag;
    if tag.is_constructed() {
        return (tag.to_string(), Some(value.reader()));
    }
    let shown = match tag {
        Tag::OID => {
            let oid: Oid = value.oid().unwrap();
            oid.name().map_or_else(|| oid.to_string(), str::to_owned)
        }
        Tag::PRINTABLE_STRING | Tag::UTF8_STRING | Tag::UTC_TIME => {
            format!("{:?}", String::from_utf8_lossy(value.contents))
        }
        Tag::OCTET_STRING if is_der(value.contents) => {
            return (format!("{tag}, holding"), Some(value.reader()));
        }
        _ if value.contents.len() <= 32 => hex::encode(value.contents),
        _ => format!("{} octets", value.contents.len()),
    };
    (format!("{tag} {shown}").trim_end().to_owned(), None)
}

/// Whether octets are one SEQUENCE of DER.
fn is_der(octets: &[u8]) -> bool {
    fn reads(mut reader: Reader<'_>) -> bool {
        while !reader.is_empty() {
            match reader.any() {
                Ok(value) if value.tag.is_constructed() && !reads(value.reader()) => return false,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        true
    }
    Reader::entered(octets, Tag::SEQUENCE).is_ok_and(reads)
}

#[test]
fn a_granted_request_is_answered_like_this() {
    let authority = Party::authority();
    let message =
        Message::parse(&fixture("constructed/aes256-sha512.pkcs-req.der"), Policy::default());
    let verified = message.unwrap().verify().unwrap();
    let opened = opened(verified.envelope(&[&authority.certificate]).unwrap(), &authority).unwrap();
    let granted = Party::of("authority/device.pem", "authority/device.key").certificate;
    let certificates = [granted.as_der(), authority.certificate.as_der()];
    let granted = Granted::Certificates(&certificates);
    let ca = &authority.certificate;
    let reply = opened.reply.success(granted, None, ca, nonce(), &secrets()).unwrap();
    insta::assert_snapshot!(dump(&authority.sign(reply)));
}

#[test]
fn a_client_on_a_curve_is_answered_under_its_challenge_like_this() {
    let authority = Party::authority();
    let message =
        Message::parse(&fixture("constructed/ec.pkcs-req.der"), Policy::default()).unwrap();
    let sealed = message.verify().unwrap().envelope(&[&authority.certificate]).unwrap();
    let opened = opened(sealed, &authority).unwrap();
    let password = opened.password_key([7; 16]).unwrap();
    let ca = &authority.certificate;
    let granted = Granted::Crl(&[0x30, 0]);
    let reply = opened.reply.success(granted, Some(&password), ca, nonce(), &secrets()).unwrap();
    insta::assert_snapshot!(dump(&authority.sign(reply)));
}

#[test]
fn a_refused_and_a_pending_request_are_answered_like_this() {
    let authority = Party::authority();
    let message =
        Message::parse(&fixture("constructed/aes128-sha256.pkcs-req.der"), Policy::default());
    let reply_to = message.unwrap().reply_to();
    let ca = &authority.certificate;
    let text = Some("The challenge password is wrong.");
    let failure = reply_to.failure(FailInfo::BadRequest, text, ca, nonce()).unwrap();
    insta::assert_snapshot!("failure", dump(&authority.sign(failure)));
    let pending = reply_to.pending(ca, nonce()).unwrap();
    insta::assert_snapshot!("pending", dump(&authority.sign(pending)));
}

#[test]
fn our_client_asks_like_this() {
    let device = Party::of("authority/device.pem", "authority/device.key");
    let authority = Party::authority();
    let announced = ca_certificates(&[authority.certificate.as_der()]);
    let announced = CaCertificates::from_answer(&announced.body).unwrap();
    let suite = Suite::for_server(Capabilities::ours());
    let input = RequestInput {
        asked: Asked::GetCert(&IssuerAndSerialNumber::of(&device.certificate)),
        transaction_id: TransactionId::of_key(device.certificate.public_key().unwrap()),
        nonce: SenderNonce::from_random([4; 16]),
        signer: &device.certificate,
        recipient: announced.encryption().unwrap(),
        suite: &suite,
    };
    let outgoing = Outgoing::new(&input, &secrets()).unwrap();
    let signature = device.signature(outgoing.algorithm(), outgoing.tbs());
    insta::assert_snapshot!(dump(&outgoing.assemble(&signature).0));
}
