//! Requests as real clients sent them, all the way to what they ask for.

use crate::common::{Party, certificate, fixture, opened};
use lanyard_pki::{ber, cms::ContentCipher};
use lanyard_scep::{
    FailInfo, Legacy, MessageType, Policy, Tolerance, Tolerances,
    server::{self, Message, Opened, Purpose, Reason, Rejected, Request},
};

const LEGACY: Policy = Policy { legacy: Legacy::Allowed, octets: Policy::OCTETS };

fn open(file: &str, policy: Policy) -> Result<Opened, Rejected> {
    let authority = Party::authority();
    let message = Message::parse(&fixture(file), policy).unwrap_or_else(|e| panic!("{file}: {e}"));
    let verified = message.verify()?;
    opened(verified.envelope(&[&authority.certificate])?, &authority)
}

struct Expected<'a> {
    file: &'a str,
    subject: &'a str,
    purpose: Purpose,
    challenge: Option<&'a str>,
    tolerances: &'a [Tolerance],
}

fn check(expected: &Expected<'_>, policy: Policy) {
    let file = expected.file;
    let opened = open(file, policy).unwrap_or_else(|e| panic!("{file}: {e}"));
    let challenge = opened.challenge_password();
    let challenge = challenge.as_ref().and_then(|challenge| challenge.expose_text());
    assert_eq!(challenge, expected.challenge, "{file}");
    let Request::Certificate { csr, purpose } = &opened.request else {
        panic!("{file} asks for something else: {:?}", opened.request)
    };
    csr.verify().unwrap_or_else(|e| panic!("{file}: {e}"));
    assert_eq!(csr.subject().to_string(), expected.subject, "{file}");
    assert_eq!(*purpose, expected.purpose, "{file}");
    let tolerances: Tolerances = expected.tolerances.iter().copied().collect();
    assert_eq!(opened.tolerances, tolerances, "{file}");
}

const PLAIN: Expected<'_> = Expected {
    file: "",
    subject: "",
    purpose: Purpose::Initial,
    challenge: Some("secret"),
    tolerances: &[],
};

#[test]
fn strongswan_enrolls_with_every_cipher_and_digest_it_has() {
    let subject = "CN=device-1,O=strongSwan,C=CH";
    let named = Tolerance::SignatureNamesDigest;
    for (file, tolerances) in [
        ("strongswan/aes-sha256.pkcs-req.der", &[named][..]),
        ("strongswan/aes-sha512.pkcs-req.der", &[named]),
        ("strongswan/des3-sha384.pkcs-req.der", &[named, Tolerance::TripleDes]),
        ("strongswan/des3-sha1.pkcs-req.der", &[named, Tolerance::TripleDes, Tolerance::Sha1]),
    ] {
        check(&Expected { file, subject, tolerances, ..PLAIN }, Policy::default());
    }
}

#[test]
fn strongswan_renews_with_the_old_certificate() {
    let opened = open("strongswan/renew.renewal-req.der", Policy::default()).unwrap();
    assert_eq!(opened.signer, certificate("authority/device.pem"));
    assert!(!opened.signer_is_self_issued());
    assert!(matches!(opened.request, Request::Certificate { purpose: Purpose::Renewal, .. }));
}

#[test]
fn strongswan_asks_for_alternative_names() {
    let opened = open("strongswan/san.pkcs-req.der", Policy::default()).unwrap();
    let Request::Certificate { csr, .. } = opened.request else { panic!("no certificate") };
    assert_eq!(csr.requested_alt_names().unwrap().len(), 2);
}

#[test]
fn certmonger_enrolls() {
    let file = "certmonger/daemon.pkcs-req.der";
    let tolerances = &[Tolerance::LongSerialNumber];
    check(&Expected { file, subject: "CN=device-1", tolerances, ..PLAIN }, Policy::default());
}

#[test]
fn scepclient_enrolls_and_renews_under_a_signature_that_names_its_digest() {
    let tolerances = &[
        Tolerance::BerEnvelope,
        Tolerance::SignatureNamesDigest,
        Tolerance::Sha1,
        Tolerance::SingleDes,
    ];
    let subject = "CN=device-1,OU=MDM,O=scep-client,C=US";
    let enroll = Expected { file: "scepclient/enroll.pkcs-req.der", subject, tolerances, ..PLAIN };
    check(&enroll, LEGACY);
    let wrong =
        Expected { file: "scepclient/refused.pkcs-req.der", challenge: Some("wrong"), ..enroll };
    check(&wrong, LEGACY);
    let renew =
        Expected { file: "scepclient/renew.renewal-req.der", purpose: Purpose::Renewal, ..enroll };
    check(&renew, LEGACY);
}

#[test]
fn openssl_encrypts_with_every_cipher_and_padding() {
    let subject = "CN=device-1";
    for (name, tolerances) in [
        ("aes128-sha256", &[][..]),
        ("aes192-sha384", &[]),
        ("aes256-sha512", &[]),
        ("des3-sha1", &[Tolerance::TripleDes, Tolerance::Sha1]),
        ("oaep-sha1", &[Tolerance::Oaep]),
        ("oaep-sha256", &[Tolerance::Oaep]),
        ("signature-oid", &[Tolerance::SignatureNamesDigest]),
        ("inner-streamed", &[Tolerance::BerEnvelope]),
        ("outer-chunks", &[Tolerance::BerOutside]),
        ("both-streamed", &[Tolerance::BerOutside, Tolerance::BerEnvelope]),
        ("ec", &[]),
    ] {
        let file = format!("constructed/{name}.pkcs-req.der");
        check(&Expected { file: &file, subject, tolerances, ..PLAIN }, Policy::default());
    }
}

#[test]
fn single_des_and_md5_are_refused_unless_a_setting_allows_them() {
    for (name, tolerances) in [
        ("des-sha1", &[Tolerance::SingleDes, Tolerance::Sha1][..]),
        ("des3-md5", &[Tolerance::TripleDes, Tolerance::Md5]),
    ] {
        let file = format!("constructed/{name}.pkcs-req.der");
        let refusal = open(&file, Policy::default()).unwrap_err();
        assert_eq!(refusal.fail_info, FailInfo::BadAlg, "{name}: {refusal}");
        let expected = Expected { file: &file, subject: "CN=device-1", tolerances, ..PLAIN };
        check(&expected, LEGACY);
    }
}

#[test]
fn a_request_for_another_authority_is_refused() {
    let message =
        Message::parse(&fixture("constructed/aes128-sha256.pkcs-req.der"), Policy::default());
    let verified = message.unwrap().verify().unwrap();
    let other = certificate("authority/device.pem");
    let refusal = verified.clone().envelope(&[&other]).unwrap_err();
    assert_eq!(
        (refusal.fail_info, &refusal.reason),
        (FailInfo::BadMessageCheck, &Reason::NotForUs)
    );
    let authority = certificate("authority/ca.pem");
    assert_eq!(verified.envelope(&[&other, &authority]).unwrap().identity(), 1);
}

#[test]
fn a_wrong_content_key_and_a_damaged_envelope_look_alike() {
    let authority = Party::authority();
    let der = fixture("constructed/aes128-sha256.pkcs-req.der");
    let parsed = Message::parse(&der, Policy::default()).unwrap().verify().unwrap();
    let needed = parsed.envelope(&[&authority.certificate]).unwrap();
    let right = authority.decrypt(needed.transport(), needed.encrypted_key()).unwrap();
    let mut reasons = Vec::new();
    for octet in 0..=255 {
        // Now and then the padding of the cipher comes out right by chance, and the content is
        // rubbish: that must look no different.
        let refusal = needed.clone().decrypted(&[octet; 16]).unwrap_err();
        reasons.push((refusal.fail_info, refusal.reason.to_string()));
    }
    let short = needed.clone().decrypted(&right[..15]).unwrap_err();
    reasons.push((short.fail_info, short.reason.to_string()));
    reasons.dedup();
    assert_eq!(reasons, [(FailInfo::BadMessageCheck, "the envelope does not open".to_owned())]);
    assert!(needed.decrypted(&right).is_ok());
}

#[test]
fn a_message_that_was_touched_is_refused() {
    let der = fixture("constructed/aes128-sha256.pkcs-req.der");
    // Inside the encrypted content: the digest of the content no longer fits.
    let mut touched = der.clone();
    touched[900] ^= 1;
    let refusal = Message::parse(&touched, Policy::default()).unwrap().verify().unwrap_err();
    assert_eq!(refusal.fail_info, FailInfo::BadMessageCheck);
    // The last octet of the signature.
    let mut touched = der.clone();
    *touched.last_mut().unwrap() ^= 1;
    let refusal = Message::parse(&touched, Policy::default()).unwrap().verify().unwrap_err();
    assert_eq!(refusal.fail_info, FailInfo::BadMessageCheck);
    assert_eq!(refusal.reason.to_string(), "the signature does not verify");
}

#[test]
fn replies_are_no_requests() {
    let refusal = Message::parse(&fixture("scepclient/enroll.cert-rep.der"), LEGACY).unwrap_err();
    assert_eq!(refusal.to_string(), "a message of type CertRep is not expected here");
}

#[test]
fn a_message_over_the_limit_is_refused_before_it_is_read() {
    let policy = Policy { octets: 1000, ..Policy::default() };
    let refusal = Message::parse(&vec![0x30; 1001], policy).unwrap_err();
    assert_eq!(refusal, lanyard_scep::MessageError::Ber(ber::BerError::TooLong { limit: 1000 }));
}

#[test]
fn what_a_request_says_of_itself_is_known_before_it_is_believed() {
    let message =
        Message::parse(&fixture("strongswan/aes-sha256.pkcs-req.der"), Policy::default()).unwrap();
    assert_eq!(message.message_type(), MessageType::PkcsReq);
    assert_eq!(message.sender_nonce().as_bytes().len(), 16);
    assert!(!message.transaction_id().as_str().is_empty());
    assert_eq!(message.reply_to().transaction_id(), message.transaction_id());
}

#[test]
fn the_key_of_the_reply_is_that_of_the_signer() {
    let ec = open("constructed/ec.pkcs-req.der", Policy::default()).unwrap();
    assert!(ec.reply.needs_password());
    assert!(ec.password_key([1; 16]).is_some());
    let rsa = open("constructed/oaep-sha1.pkcs-req.der", Policy::default()).unwrap();
    assert!(!rsa.reply.needs_password());
    assert_eq!(ContentCipher::Aes128.key_len(), 16);
    let _: &server::Reply = &rsa.reply;
}
