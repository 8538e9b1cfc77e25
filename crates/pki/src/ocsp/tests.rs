//! Requests of foreign clients, and our answers read back by ourselves and, in `interop/`, by them.

use aws_lc_rs::signature::{self, KeyPair};
use proptest::prelude::*;

use super::*;
use crate::{
    Digest, KeyAlgorithm, PublicKey, SerialNumber, SignatureAlgorithm, Time,
    tlv::{Reader, Tag, Writer},
};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/ocsp/", $name)).as_slice()
    };
}

const DEVICE: &str = "2818346159fcf078816d5d4f0ce5d40c0ac71431";

/// The name and the key of the authority that the fixtures ask about.
fn authority() -> (IssuerHashes, PublicKey) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = include_str!("../../tests/data/ocsp/ca.pem");
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>()).unwrap();
    let mut tbs = Reader::entered(&der, Tag::SEQUENCE).unwrap().sequence().unwrap();
    let fields: Vec<_> = std::iter::from_fn(|| tbs.any().ok()).collect();
    let key = PublicKey::from_spki_der(fields[6].bytes).unwrap();
    (IssuerHashes::of(fields[5].bytes, key.key_bits()), key)
}

fn serial(hex_digits: &str) -> SerialNumber {
    SerialNumber::from_bytes(&hex::decode(hex_digits).unwrap()).unwrap()
}

#[test]
fn requests_of_foreign_clients_are_understood() {
    let (issuer, _) = authority();
    for (client, der, digest, nonce) in [
        ("apache", data!("apache-visit.der"), Digest::Sha1, Some(16)),
        ("gnutls", data!("gnutls-nonce.der"), Digest::Sha1, Some(23)),
        ("gnutls", data!("gnutls-plain.der"), Digest::Sha1, None),
        ("nginx", data!("nginx-visit.der"), Digest::Sha1, None),
        ("nss, acceptable responses", data!("nss-status.der"), Digest::Sha1, None),
        ("openssl", data!("openssl-nonce.der"), Digest::Sha1, Some(16)),
        ("openssl", data!("openssl-plain.der"), Digest::Sha1, None),
        ("openssl", data!("openssl-sha256.der"), Digest::Sha256, None),
        ("openssl", data!("openssl-sha512.der"), Digest::Sha512, None),
        ("openssl, signed", data!("openssl-signed.der"), Digest::Sha1, Some(16)),
        ("strongSwan", data!("strongswan-verify.der"), Digest::Sha1, Some(16)),
    ] {
        let request = OcspRequest::from_der(der).unwrap_or_else(|e| panic!("{client}: {e}"));
        assert_eq!(request.len(), 1, "{client}");
        assert_eq!(request.nonce().map(<[u8]>::len), nonce, "{client}");
        let id = request.requests().next().unwrap().id;
        assert_eq!(id.digest, Some(digest), "{client}");
        assert!(issuer.named_by(&id), "{client}");
        assert_eq!(issuer.cert_id(digest, &id.serial().unwrap()).as_deref(), Some(id.der));
    }
}

#[test]
fn several_certificates_are_asked_about_in_order() {
    let request = OcspRequest::from_der(data!("openssl-several.der")).unwrap();
    let serials: Vec<SerialNumber> =
        request.requests().map(|single| single.id.serial().unwrap()).collect();
    let expected =
        [serial(DEVICE), serial("66db07a01840a8d0f44cb9348352df3dd220f894"), serial("1234")];
    assert_eq!((request.len(), serials.as_slice()), (3, expected.as_slice()));
}

#[test]
fn our_request_is_what_we_would_accept() {
    let (issuer, _) = authority();
    let id = issuer.cert_id(Digest::Sha1, &serial(DEVICE)).unwrap();
    assert_eq!(request(&[&id], None), data!("openssl-plain.der"));
    let with_nonce = request(&[&id, &id], Some(&[7; 32]));
    let read = OcspRequest::from_der(&with_nonce).unwrap();
    assert_eq!((read.len(), read.nonce()), (2, Some(&[7u8; 32][..])));
}

#[test]
fn nonces_beyond_the_limits_are_refused() {
    let (issuer, _) = authority();
    let id = issuer.cert_id(Digest::Sha1, &serial(DEVICE)).unwrap();
    let with = |octets: usize| {
        let der = request(&[&id], Some(&vec![1; octets]));
        OcspRequest::from_der(&der).map(|request| request.nonce().map(<[u8]>::len))
    };
    assert_eq!(with(0), Err(RequestError::Nonce(0)));
    assert_eq!(with(1), Ok(Some(1)));
    assert_eq!(with(128), Ok(Some(128)));
    assert_eq!(with(129), Err(RequestError::Nonce(129)));
}

#[test]
fn a_request_about_nothing_or_everything_is_refused() {
    const MOST: usize = OcspRequest::MOST;
    let (issuer, _) = authority();
    let id = issuer.cert_id(Digest::Sha1, &serial(DEVICE)).unwrap();
    assert_eq!(OcspRequest::from_der(&request(&[], None)).unwrap_err(), RequestError::Empty);
    assert_eq!(OcspRequest::from_der(&request(&[id.as_slice(); MOST], None)).unwrap().len(), MOST);
    let many = request(&[id.as_slice(); MOST + 1], None);
    assert_eq!(OcspRequest::from_der(&many).unwrap_err(), RequestError::TooMany(MOST));
}

#[test]
fn a_critical_extension_that_nobody_knows_is_refused_and_another_passed_over() {
    let (issuer, _) = authority();
    let id = issuer.cert_id(Digest::Sha1, &serial(DEVICE)).unwrap();
    let with = |critical: bool| {
        let der = Writer::sequence_of(|w| {
            w.sequence(|w| {
                w.sequence(|w| w.sequence(|w| w.raw(&id)));
                w.context(2, |w| {
                    w.sequence(|w| {
                        w.sequence(|w| {
                            w.oid(crate::oid::SERVER_AUTH);
                            w.boolean(critical);
                            w.octet_string(&[]);
                        });
                    });
                });
            });
        });
        OcspRequest::from_der(&der).map(|request| request.len())
    };
    assert_eq!(with(false), Ok(1));
    assert_eq!(with(true), Err(RequestError::CriticalExtension(crate::oid::SERVER_AUTH)));
}

#[test]
fn a_response_of_openssl_is_read_and_verified() {
    let (issuer, key) = authority();
    let response = ReceivedResponse::from_der(data!("response-several.der")).unwrap();
    assert_eq!(response.signed_with(&key), Ok(()));
    let request = OcspRequest::from_der(data!("openssl-several.der")).unwrap();
    assert_eq!(response.nonce, request.nonce());
    let statuses: Vec<CertStatus> = response.answers.iter().map(|a| a.status).collect();
    let revoked = CertStatus::Revoked {
        at: Time::from_unix(1_767_225_600),
        reason: CrlReason::from_number(1),
    };
    assert_eq!(statuses, [CertStatus::Good, revoked, CertStatus::Unknown]);
    assert!(response.answers.iter().all(|answer| issuer.named_by(&answer.id)));
}

#[test]
fn only_the_issuer_and_responders_that_it_made_are_believed() {
    let ca = crate::testing::certificate("ocsp/ca.pem");
    let at = |days: i64| Time::from_unix(1_795_000_000).plus(days * 86_400);
    let verify = |der: &[u8], days| ReceivedResponse::from_der(der).unwrap().verify(&ca, at(days));
    assert_eq!(verify(data!("response-several.der"), 0), Ok(()));
    assert_eq!(verify(data!("response-delegated.der"), 30), Ok(()));
    assert_eq!(verify(data!("response-delegated-by-key.der"), 30), Ok(()));
    for (der, days, fault) in [
        (data!("response-delegated.der"), 9000, "its certificate is not valid now"),
        (data!("response-by-device.der"), 30, "its certificate is not for OCSP signing"),
        (data!("response-by-stranger.der"), 30, "its certificate is not by the issuer"),
        (data!("response-without-certificate.der"), 30, "its certificate is missing"),
    ] {
        assert_eq!(verify(der, days), Err(ResponseError::Responder(fault)));
    }
}

fn signer() -> (signature::Ed25519KeyPair, PublicKey) {
    let pair = signature::Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let key = PublicKey::from_point(KeyAlgorithm::Ed25519, pair.public_key().as_ref()).unwrap();
    (pair, key)
}

fn respond(certificates: &[&[u8]]) -> Vec<u8> {
    let (pair, key) = signer();
    let request = OcspRequest::from_der(data!("openssl-several.der")).unwrap();
    let now = Time::from_unix(1_800_000_000);
    let revoked =
        |reason| CertStatus::Revoked { at: now.plus(-100), reason: CrlReason::from_number(reason) };
    let statuses = [revoked(0), revoked(6), CertStatus::Unknown];
    let answers: Vec<Answer<'_>> = request
        .requests()
        .zip(statuses)
        .map(|(single, status)| Answer {
            id: single.id.der,
            status,
            this_update: now,
            next_update: Some(now.plus(600)),
        })
        .collect();
    let frame =
        ResponderFrame::new(&key.key_identifier(), SignatureAlgorithm::Ed25519, certificates);
    let unsigned = frame.response(now, &answers, request.nonce());
    let signature = pair.sign(unsigned.tbs());
    unsigned.assemble(signature.as_ref())
}

#[test]
fn what_we_answer_is_what_a_client_reads() {
    let (_, key) = signer();
    let certificate = Writer::sequence_of(|w| w.small_integer(1));
    let der = respond(&[&certificate]);
    let response = ReceivedResponse::from_der(&der).unwrap();
    assert_eq!(response.signed_with(&key), Ok(()));
    assert_eq!(response.responder, ResponderId::ByKey(&key.key_identifier()));
    assert_eq!(response.certificates, [certificate]);
    assert_eq!(response.nonce.map(<[u8]>::len), Some(16));
    let now = Time::from_unix(1_800_000_000);
    assert_eq!(response.produced_at, now);
    let [first, second, third] = response.answers.as_slice() else { panic!("three answers") };
    assert_eq!(first.status, CertStatus::Revoked { at: now.plus(-100), reason: None });
    let hold = CertStatus::Revoked { at: now.plus(-100), reason: CrlReason::from_number(6) };
    assert_eq!((second.status, third.status), (hold, CertStatus::Unknown));
    assert_eq!((first.this_update, first.next_update), (now, Some(now.plus(600))));
}

#[test]
fn times_are_whole_seconds() {
    let der = respond(&[]);
    assert!(der.windows(17).any(|window| window == b"\x18\x0f20270115080000Z"));
    assert!(!der.windows(2).any(|window| window[0] == b'.' && window[1].is_ascii_digit()));
}

#[test]
fn errors_are_five_octets_and_read_as_such() {
    for status in [
        ResponseStatus::MalformedRequest,
        ResponseStatus::InternalError,
        ResponseStatus::TryLater,
        ResponseStatus::SigRequired,
        ResponseStatus::Unauthorized,
    ] {
        let read = ReceivedResponse::from_der(&status.response()).unwrap_err();
        assert_eq!(read, ResponseError::Status(status));
    }
    assert_eq!(ResponseStatus::Unauthorized.response(), [0x30, 3, 0x0a, 1, 6]);
}

#[test]
fn a_response_that_was_touched_does_not_verify() {
    let (_, key) = signer();
    let der = respond(&[]);
    let at = der.windows(4).position(|window| window == b"2027").unwrap();
    let mut touched = der.clone();
    touched[at + 3] = b'8';
    let response = ReceivedResponse::from_der(&touched).unwrap();
    assert_eq!(response.signed_with(&key), Err(ResponseError::BadSignature));
}

proptest! {
    #[test]
    fn damaged_requests_and_responses_never_panic(
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        for der in [data!("openssl-several.der"), data!("openssl-signed.der")] {
            let mut der = der.to_vec();
            let at = at.index(der.len());
            der[at] = octet;
            der.truncate(1 + cut.index(der.len()));
            if let Ok(request) = OcspRequest::from_der(&der) {
                prop_assert_eq!(request.requests().count(), request.len());
            }
        }
        let mut der = data!("response-several.der").to_vec();
        let at = at.index(der.len());
        der[at] = octet;
        der.truncate(1 + cut.index(der.len()));
        let _ = ReceivedResponse::from_der(&der);
    }
}
