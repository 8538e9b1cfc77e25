//! Our own client and server speak to each other, and every reply is the one that was expected.

use lanyard_pki::{
    Certificate, Digest, Name, PublicKey, SerialNumber, SignatureAlgorithm, Time,
    cms::{ContentCipher, IssuerAndSerialNumber, KeyTransport},
};
use lanyard_scep::{
    Capabilities, Capability, Distrust, FailInfo, Legacy, MessageType, Policy, SenderNonce,
    Tolerance, TransactionId,
    client::{
        Asked, CaCertificates, Expected, Issued, Outgoing, Reply, ReplyRefused, RequestInput,
        SealedReply, Suite, self_signed,
    },
    server::{
        Granted, IssuerAndSubject, Message, Opened, Purpose, ReplyError, Request, ca_certificates,
        next_ca_certificates,
    },
};

use crate::common::{Party, certificate, fixture, nonce, opened, secrets};

const LEGACY: Policy = Policy { legacy: Legacy::Allowed, octets: Policy::OCTETS };

fn announced() -> CaCertificates {
    let ca = certificate("authority/ca.pem");
    CaCertificates::from_answer(&ca_certificates(&[ca.as_der()]).body).unwrap()
}

fn suite() -> Suite {
    Suite::for_server(Capabilities::ours())
}

fn device() -> Party {
    Party::of("authority/device.pem", "authority/device.key")
}

/// The request of a foreign client, for its PKCS#10.
fn csr_of(file: &str) -> Vec<u8> {
    let message = Message::parse(&fixture(file), Policy::default()).unwrap().verify().unwrap();
    let authority = Party::authority();
    let opened = opened(message.envelope(&[&authority.certificate]).unwrap(), &authority).unwrap();
    let Request::Certificate { csr, .. } = opened.request else { panic!("no certificate") };
    csr.as_der().to_vec()
}

fn send(party: &Party, asked: Asked<'_>, suite: &Suite) -> (Vec<u8>, Expected) {
    let announced = announced();
    let input = RequestInput {
        asked,
        transaction_id: TransactionId::from_random([3; 16]),
        nonce: SenderNonce::from_random([4; 16]),
        signer: &party.certificate,
        recipient: announced.encryption().unwrap(),
        suite,
    };
    let outgoing = Outgoing::new(&input, &secrets()).unwrap();
    let signature = party.signature(outgoing.algorithm(), outgoing.tbs());
    outgoing.assemble(&signature)
}

fn receive(octets: &[u8]) -> Opened {
    let authority = Party::authority();
    let message = Message::parse(octets, Policy::default()).unwrap().verify().unwrap();
    opened(message.envelope(&[&authority.certificate]).unwrap(), &authority).unwrap()
}

fn sealed(expected: &Expected, octets: &[u8]) -> Box<SealedReply> {
    match expected.reply(octets, &announced(), &Policy::default()).unwrap() {
        Reply::Success(sealed) => sealed,
        other => panic!("no success: {other:?}"),
    }
}

fn open(sealed: &SealedReply, party: &Party) -> Issued {
    let (transport, encrypted) = sealed.encrypted_key().unwrap();
    sealed.decrypted(&party.decrypt(transport, encrypted).unwrap()).unwrap()
}

#[test]
fn a_certificate_is_asked_for_granted_and_opened_in_every_suite() {
    let (device, authority) = (device(), Party::authority());
    let csr = csr_of("strongswan/renew.renewal-req.der");
    for digest in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
        for cipher in [
            ContentCipher::TripleDes,
            ContentCipher::Aes128,
            ContentCipher::Aes192,
            ContentCipher::Aes256,
        ] {
            for transport in [
                KeyTransport::Pkcs1,
                KeyTransport::oaep(Digest::Sha1),
                KeyTransport::oaep(Digest::Sha256),
            ] {
                let suite = Suite { digest, cipher, transport };
                let asked = Asked::Certificate { csr: &csr, purpose: Purpose::Renewal };
                let (request, expected) = send(&device, asked, &suite);
                let opened = receive(&request);
                assert!(matches!(
                    &opened.request,
                    Request::Certificate { csr: seen, purpose: Purpose::Renewal }
                        if seen.as_der() == csr
                ));
                let granted = [device.certificate.as_der(), authority.certificate.as_der()];
                let granted = Granted::Certificates(&granted);
                let ca = &authority.certificate;
                let reply = opened.reply.success(granted, None, ca, nonce(), &secrets()).unwrap();
                assert_eq!(reply.algorithm(), SignatureAlgorithm::RsaPkcs1(digest));
                let sealed = sealed(&expected, &authority.sign(reply));
                assert_eq!(sealed.cipher(), cipher);
                assert_eq!(sealed.encrypted_key().unwrap().0, &suite.transport);
                let issued = open(&sealed, &device);
                let certificates = [device.certificate.clone(), authority.certificate.clone()];
                assert_eq!(issued.certificates, certificates);
                let key = device.certificate.public_key().unwrap();
                assert_eq!(issued.for_key(key), Some(&device.certificate));
            }
        }
    }
}

/// Constructed from the notes about Apple's mdmclient, which knows no RenewalReq.
#[test]
fn a_pkcsreq_signed_with_an_older_certificate_is_a_renewal() {
    let device = device();
    let csr = csr_of("strongswan/renew.renewal-req.der");
    let asked = Asked::Certificate { csr: &csr, purpose: Purpose::Initial };
    let (request, _) = send(&device, asked, &suite());
    let opened = receive(&request);
    assert!(matches!(opened.request, Request::Certificate { purpose: Purpose::Renewal, .. }));
    assert!(opened.tolerances.contains(Tolerance::PkcsReqAsRenewal));
}

#[test]
fn a_renewal_may_change_to_a_key_on_a_curve_as_the_old_key_opens_the_reply() {
    let (device, authority) = (device(), Party::authority());
    let csr = csr_of("constructed/ec.pkcs-req.der");
    let asked = Asked::Certificate { csr: &csr, purpose: Purpose::Renewal };
    let (request, expected) = send(&device, asked, &suite());
    let opened = receive(&request);
    assert!(!opened.reply.needs_password());
    let granted = Granted::Certificates(&[device.certificate.as_der()]);
    let ca = &authority.certificate;
    let reply = opened.reply.success(granted, None, ca, nonce(), &secrets()).unwrap();
    assert_eq!(open(&sealed(&expected, &authority.sign(reply)), &device).certificates.len(), 1);
}

#[test]
fn a_client_with_a_key_on_a_curve_opens_its_reply_with_the_challenge() {
    let party = Party::of("constructed/ec.pem", "constructed/ec.key");
    let authority = Party::authority();
    let csr = csr_of("constructed/ec.pkcs-req.der");
    let asked = Asked::Certificate { csr: &csr, purpose: Purpose::Initial };
    let (request, expected) = send(&party, asked, &suite());
    let opened = receive(&request);
    assert!(opened.reply.needs_password() && !opened.lacks_challenge());
    let granted = Granted::Certificates(&[party.certificate.as_der()]);
    let ca = &authority.certificate;
    let without = opened.reply.success(granted, None, ca, nonce(), &secrets());
    assert_eq!(without.unwrap_err(), ReplyError::NoPassword);
    let password = opened.password_key([7; 16]).unwrap();
    let reply = opened.reply.success(granted, Some(&password), ca, nonce(), &secrets()).unwrap();
    let sealed = sealed(&expected, &authority.sign(reply));
    assert!(sealed.encrypted_key().is_none());
    assert_eq!(sealed.with_password(b"wrong").unwrap_err(), ReplyRefused::Envelope);
    let issued = sealed.with_password(b"secret").unwrap();
    assert_eq!(issued.certificates, [party.certificate]);
}

#[test]
fn a_poll_by_a_key_on_a_curve_lacks_the_challenge() {
    let party = Party::of("constructed/ec.pem", "constructed/ec.key");
    let name = party.certificate.subject().clone();
    let id = IssuerAndSubject { issuer: name.clone(), subject: name };
    let (request, _) = send(&party, Asked::Poll(&id), &suite());
    let opened = receive(&request);
    assert!(opened.lacks_challenge() && opened.password_key([1; 16]).is_none());
}

#[test]
fn pending_is_polled_until_it_is_decided() {
    let (device, authority) = (device(), Party::authority());
    let id = IssuerAndSubject {
        issuer: authority.certificate.subject().clone(),
        subject: device.certificate.subject().clone(),
    };
    let (request, expected) = send(&device, Asked::Poll(&id), &suite());
    let opened = receive(&request);
    assert!(matches!(&opened.request, Request::Poll(asked) if *asked == id));
    assert_eq!(opened.transaction_id(), &TransactionId::from_random([3; 16]));
    let pending = opened.reply.to().pending(&authority.certificate, nonce()).unwrap();
    let reply = expected.reply(&authority.sign(pending), &announced(), &Policy::default());
    assert!(matches!(reply, Ok(Reply::Pending)));
}

#[test]
fn a_certificate_and_its_crl_are_fetched() {
    let (device, authority) = (device(), Party::authority());
    let id = IssuerAndSerialNumber::of(&device.certificate);
    let (request, _) = send(&device, Asked::GetCert(&id), &suite());
    assert!(matches!(receive(&request).request, Request::GetCert(asked) if asked == id));
    let (request, expected) = send(&device, Asked::GetCrl(&id), &suite());
    let opened = receive(&request);
    assert!(matches!(&opened.request, Request::GetCrl(asked) if *asked == id));
    let crl = [0x30, 0x03, 0x02, 0x01, 0x05];
    let ca = &authority.certificate;
    let reply = opened.reply.success(Granted::Crl(&crl), None, ca, nonce(), &secrets()).unwrap();
    let issued = open(&sealed(&expected, &authority.sign(reply)), &device);
    assert_eq!((issued.certificates.len(), issued.crls), (0, vec![crl.to_vec()]));
}

fn refused(fail_info: FailInfo, text: Option<&str>) -> (Vec<u8>, Expected) {
    let (device, authority) = (device(), Party::authority());
    let id = IssuerAndSerialNumber::of(&device.certificate);
    let (request, expected) = send(&device, Asked::GetCert(&id), &suite());
    let message = Message::parse(&request, Policy::default()).unwrap();
    let reply = message.reply_to();
    let failure = reply.failure(fail_info, text, &authority.certificate, nonce()).unwrap();
    (authority.sign(failure), expected)
}

#[test]
fn every_failure_arrives_with_its_word_and_its_text() {
    for info in FailInfo::ALL {
        for text in [None, Some("Die Anfrage enthält das falsche Kennwort.")] {
            let (reply, expected) = refused(info, text);
            let Ok(Reply::Failure { fail_info, text: seen }) =
                expected.reply(&reply, &announced(), &Policy::default())
            else {
                panic!("no failure")
            };
            assert_eq!((fail_info, seen.as_deref()), (info, text));
        }
    }
}

#[test]
fn a_reply_to_another_message_is_refused() {
    let (reply, _) = refused(FailInfo::BadRequest, None);
    let device = device();
    let announced = announced();
    let id = IssuerAndSerialNumber::of(&device.certificate);
    let suite = suite();
    let mut input = RequestInput {
        asked: Asked::GetCert(&id),
        transaction_id: TransactionId::from_random([3; 16]),
        nonce: SenderNonce::from_random([5; 16]),
        signer: &device.certificate,
        recipient: announced.encryption().unwrap(),
        suite: &suite,
    };
    let other = |input: &RequestInput<'_>| {
        let (_, expected) = Outgoing::new(input, &secrets()).unwrap().assemble(&[]);
        expected.reply(&reply, &announced, &Policy::default()).unwrap_err()
    };
    assert_eq!(other(&input), ReplyRefused::Other("nonce"));
    input.transaction_id = TransactionId::from_random([9; 16]);
    assert_eq!(other(&input), ReplyRefused::Other("transaction id"));
}

#[test]
fn a_reply_signed_by_a_stranger_is_refused() {
    let (device, stranger) =
        (device(), Party::of("constructed/self-signed.pem", "constructed/client.key"));
    let id = IssuerAndSerialNumber::of(&device.certificate);
    let (request, expected) = send(&device, Asked::GetCert(&id), &suite());
    let reply_to = Message::parse(&request, Policy::default()).unwrap().reply_to();
    let failure =
        reply_to.failure(FailInfo::BadCertId, None, &stranger.certificate, nonce()).unwrap();
    let refusal = expected.reply(&stranger.sign(failure), &announced(), &Policy::default());
    assert_eq!(refusal.unwrap_err(), ReplyRefused::Distrust(Distrust::Stranger));
}

#[test]
fn a_reply_signed_with_a_certificate_that_the_authority_issued_since_is_believed() {
    let (device, registration) = (device(), device());
    let id = IssuerAndSerialNumber::of(&device.certificate);
    let (request, expected) = send(&device, Asked::GetCert(&id), &suite());
    let reply_to = Message::parse(&request, Policy::default()).unwrap().reply_to();
    let failure =
        reply_to.failure(FailInfo::BadCertId, None, &registration.certificate, nonce()).unwrap();
    let reply = expected.reply(&registration.sign(failure), &announced(), &Policy::default());
    assert!(matches!(reply, Ok(Reply::Failure { fail_info: FailInfo::BadCertId, .. })));
}

#[test]
fn a_request_is_no_reply() {
    let device = device();
    let id = IssuerAndSerialNumber::of(&device.certificate);
    let (request, expected) = send(&device, Asked::GetCert(&id), &suite());
    let refusal = expected.reply(&request, &announced(), &Policy::default()).unwrap_err();
    assert!(refusal.to_string().contains("GetCert"), "{refusal}");
    assert_eq!(MessageType::GetCert.digits(), "21");
}

/// scepserver answers everything with single DES and SHA-1.
#[test]
fn replies_of_scepserver_are_opened_with_the_key_of_its_client() {
    let authority = CaCertificates::from_answer(certificate("authority/ca.pem").as_der()).unwrap();
    for (request, reply) in [
        ("enroll.pkcs-req.der", "enroll.cert-rep.der"),
        ("renew.renewal-req.der", "renew.cert-rep.der"),
    ] {
        let request = fixture(&format!("scepclient/{request}"));
        let message = Message::parse(&request, LEGACY).unwrap();
        let (id, nonce) = (message.transaction_id().clone(), message.sender_nonce().returned());
        let client =
            Party::with_key(message.verify().unwrap().signer().clone(), "scepclient/client.key");
        let expected = Expected::new(id, nonce, &client.certificate);
        let reply = expected.reply(&fixture(&format!("scepclient/{reply}")), &authority, &LEGACY);
        let Ok(Reply::Success(sealed)) = reply else { panic!("no success: {reply:?}") };
        assert_eq!(sealed.cipher(), ContentCipher::Des);
        let issued = open(&sealed, &client);
        let key = client.certificate.public_key().unwrap();
        let certificate = issued.for_key(key).unwrap();
        assert!(certificate.subject().to_string().contains("CN=device-1"));
    }
}

#[test]
fn a_refusal_of_scepserver_is_understood() {
    let authority = CaCertificates::from_answer(certificate("authority/ca.pem").as_der()).unwrap();
    let message = Message::parse(&fixture("scepclient/refused.pkcs-req.der"), LEGACY).unwrap();
    let (id, nonce) = (message.transaction_id().clone(), message.sender_nonce().returned());
    let expected = Expected::new(id, nonce, message.verify().unwrap().signer());
    let reply = fixture("scepclient/refused.cert-rep.der");
    let reply = expected.reply(&reply, &authority, &LEGACY);
    let refused = matches!(reply, Ok(Reply::Failure { fail_info: FailInfo::BadRequest, .. }));
    assert!(refused, "{reply:?}");
}

#[test]
fn one_certificate_is_announced_bare_and_several_in_their_order() {
    let (ca, device) = (certificate("authority/ca.pem"), certificate("authority/device.pem"));
    let single = ca_certificates(&[ca.as_der()]);
    assert_eq!(
        (single.content_type, single.body.as_slice()),
        ("application/x-x509-ca-cert", ca.as_der())
    );
    let several = ca_certificates(&[device.as_der(), ca.as_der()]);
    assert_eq!(several.content_type, "application/x-x509-ca-ra-cert");
    let read = CaCertificates::from_answer(&several.body).unwrap();
    assert_eq!(read.all(), [device.clone(), ca.clone()]);
    assert_eq!(read.authority(), Some(&ca));
}

#[test]
fn the_next_authority_is_announced_by_the_present_one() {
    let authority = Party::authority();
    let next = certificate("constructed/self-signed.pem");
    let algorithm = SignatureAlgorithm::RsaPkcs1(Digest::Sha256);
    let answer = next_ca_certificates(&[next.as_der()], &authority.certificate, algorithm);
    let body = authority.sign(answer);
    let read = CaCertificates::from_next_answer(&body, &announced()).unwrap();
    assert_eq!(read.all(), std::slice::from_ref(&next));
    let stranger = CaCertificates::from_answer(next.as_der()).unwrap();
    assert!(CaCertificates::from_next_answer(&body, &stranger).is_err());
    let mut touched = body.clone();
    *touched.last_mut().unwrap() ^= 1;
    assert!(CaCertificates::from_next_answer(&touched, &announced()).is_err());
}

#[test]
fn what_announces_nothing_is_refused() {
    for body in [&b""[..], b"<html>", &lanyard_pki::cms::certificates_only(&[], &[])] {
        assert!(CaCertificates::from_answer(body).is_err());
    }
}

#[test]
fn the_suite_follows_what_the_server_can() {
    let suite = |caps: Capabilities| {
        let suite = Suite::for_server(caps);
        (suite.digest, suite.cipher)
    };
    assert_eq!(suite(Capabilities::none()), (Digest::Sha1, ContentCipher::TripleDes));
    assert_eq!(suite(Capabilities::ours()), (Digest::Sha256, ContentCipher::Aes128));
    let sha512 = Capabilities::none().with(Capability::Sha512).with(Capability::Des3);
    assert_eq!(suite(sha512), (Digest::Sha512, ContentCipher::TripleDes));
}

#[test]
fn the_certificate_that_a_client_makes_for_itself_verifies() {
    let device = device();
    let key: &PublicKey = device.certificate.public_key().unwrap();
    let subject: Name = "CN=new device,O=Lanyard".parse().unwrap();
    let now = Time::from_unix(1_800_000_000);
    let unsigned = self_signed(
        &subject,
        key,
        &SerialNumber::from_bytes(&[1, 2, 3]).unwrap(),
        now,
        now.plus(86_400),
        SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
    );
    let signature = device.signature(unsigned.algorithm(), unsigned.tbs());
    let certificate = Certificate::from_der(&unsigned.assemble(&signature)).unwrap();
    assert!(certificate.is_self_signed());
    assert_eq!(certificate.subject(), &subject);
}
