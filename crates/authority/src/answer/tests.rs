use lanyard_lifecycle::revocation::{Change, RevocationReason};
use lanyard_pki::ocsp::{self, CertStatus, ReceivedResponse, ResponseStatus};
use lanyard_pki::{CrlReason, Digest, KeyAlgorithm, SerialNumber};

use super::*;
use crate::audit::Actor;
use crate::ca::Prepared;
use crate::settings::NewCa;
use crate::status::settings::{ResponderKey, ResponderSigner};
use crate::status::testing::{DAY, Lab, NOW, cert_id, checked, request};

fn nobody() -> SerialNumber {
    SerialNumber::from_bytes(&[0x11; 20]).unwrap()
}

fn revoked(reason: RevocationReason) -> CertStatus {
    CertStatus::Revoked { at: NOW, reason: CrlReason::from_number(reason.code()) }
}

#[tokio::test]
async fn an_issued_certificate_is_good_until_it_is_revoked() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    assert_eq!(lab.status(&serial).await, CertStatus::Good);
    lab.change(&serial, Change::Revoke(RevocationReason::KeyCompromise)).await.unwrap();
    assert_eq!(lab.status(&serial).await, revoked(RevocationReason::KeyCompromise));
}

#[tokio::test]
async fn a_hold_is_told_and_lifted() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    lab.change(&serial, Change::Hold).await.unwrap();
    let held = CertStatus::Revoked { at: NOW, reason: Some(CrlReason::CERTIFICATE_HOLD) };
    assert_eq!(lab.status(&serial).await, held);
    lab.change(&serial, Change::Release).await.unwrap();
    assert_eq!(lab.status(&serial).await, CertStatus::Good);
}

#[tokio::test]
async fn a_serial_number_that_was_never_issued_is_unknown() {
    let lab = Lab::new().await;
    assert_eq!(lab.status(&nobody()).await, CertStatus::Unknown);
    let long = SerialNumber::from_bytes(&[0x7f; 40]).unwrap();
    assert_eq!(lab.status(&long).await, CertStatus::Unknown);
}

#[tokio::test]
async fn the_cas_own_certificate_is_answered_for() {
    let lab = Lab::new().await;
    assert_eq!(lab.status(lab.ca().certificate.serial()).await, CertStatus::Good);
}

#[tokio::test]
async fn every_usual_digest_names_the_issuer() {
    let lab = Lab::new().await;
    let (ca, serial) = (lab.ca(), lab.issue().await);
    for digest in [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512] {
        let id = cert_id(&ca, digest, &serial);
        let answer = lab.authority.answer(&ocsp::request(&[&id], None)).await;
        let said = ReceivedResponse::from_der(&answer.der()).unwrap().answers[0].id.der.to_vec();
        assert_eq!(said, id, "the CertID comes back as it was asked");
        assert_eq!(checked(&answer.der(), &ca, NOW).unwrap()[0].0, CertStatus::Good);
    }
}

#[tokio::test]
async fn several_certificates_are_answered_in_their_order() {
    let lab = Lab::new().await;
    let (ca, good, bad) = (lab.ca(), lab.issue().await, lab.issue().await);
    lab.change(&bad, Change::Revoke(RevocationReason::Superseded)).await.unwrap();
    let ids = [&bad, &nobody(), &good].map(|serial| cert_id(&ca, Digest::Sha256, serial));
    let ids = ids.each_ref().map(Vec::as_slice);
    let answer = lab.authority.answer(&ocsp::request(&ids, None)).await;
    let said: Vec<_> = checked(&answer.der(), &ca, NOW).unwrap();
    let said: Vec<_> = said.into_iter().map(|(status, _)| status).collect();
    let superseded = revoked(RevocationReason::Superseded);
    assert_eq!(said, [superseded, CertStatus::Unknown, CertStatus::Good]);
    lab.change(&good, Change::Hold).await.unwrap();
    let again = lab.authority.answer(&ocsp::request(&ids, None)).await;
    assert_ne!(answer.der(), again.der(), "a change of any of them drops the answer");
}

#[tokio::test]
async fn a_nonce_comes_back_and_its_answer_is_for_nobody_else() {
    let lab = Lab::new().await;
    let (ca, serial) = (lab.ca(), lab.issue().await);
    for nonce in [&[1_u8; 1][..], &[2; 32], &[3; 128]] {
        let answer = lab.authority.answer(&request(&ca, &serial, Some(nonce))).await;
        let der = answer.der();
        assert_eq!(ReceivedResponse::from_der(&der).unwrap().nonce, Some(nonce));
        assert!(checked(&der, &ca, NOW).is_ok());
        assert_eq!((answer.origin(), answer.caching()), (Some(Origin::Fresh), None));
    }
    assert_eq!(lab.authority.memory_use().answers_octets, 0);
}

#[tokio::test]
async fn an_answer_without_a_nonce_is_signed_once() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    let first = lab.ask(&serial).await;
    lab.clock.advance(599);
    assert_eq!(lab.ask(&serial).await.der(), first.der());
    lab.clock.advance(1);
    assert_ne!(lab.ask(&serial).await.der(), first.der());
}

#[tokio::test]
async fn at_the_ceiling_only_answers_that_are_at_hand_are_given() {
    let lab = Lab::with(|settings| settings.status.answers_under_way = 1).await;
    let (known, new) = (lab.issue().await, lab.issue().await);
    let kept = lab.ask(&known).await;
    let with_nonce = request(&lab.ca(), &known, Some(b"n"));

    let place = lab.authority.memory().under_way.try_acquire().unwrap();
    assert_eq!(lab.ask(&known).await.der(), kept.der());
    for crowded_out in [lab.ask(&new).await, lab.authority.answer(&with_nonce).await] {
        assert_eq!(crowded_out.status(), ResponseStatus::TryLater);
        assert!(crowded_out.is_crowded_out() && crowded_out.fault().is_none());
    }

    drop(place);
    for made in [lab.ask(&new).await, lab.authority.answer(&with_nonce).await] {
        assert_eq!(made.status(), ResponseStatus::Successful, "the place is given back each time");
    }
    assert_eq!(lab.authority.memory().under_way.available_permits(), 1);
}

#[tokio::test]
async fn freshness_follows_what_is_said() {
    let lab = Lab::new().await;
    let (held, dead) = (lab.issue().await, lab.issue().await);
    let soon = lab.issue_until(NOW.plus(DAY)).await;
    lab.change(&held, Change::Hold).await.unwrap();
    for serial in [&dead, &soon] {
        lab.change(serial, Change::Revoke(RevocationReason::Unspecified)).await.unwrap();
    }
    let good = lab.issue().await;
    for (serial, seconds) in [(&good, 600), (&held, 300), (&dead, 7 * DAY), (&soon, DAY)] {
        let answer = lab.ask(serial).await;
        let (_, until) = checked(&answer.der(), &lab.ca(), NOW).unwrap()[0];
        assert_eq!(until, NOW.plus(seconds));
        let caching = answer.caching().unwrap();
        assert_eq!((caching.this_update, caching.next_update), (NOW, until));
        assert_eq!(caching.max_age(NOW), seconds.unsigned_abs());
    }
}

#[tokio::test]
async fn no_answer_outlives_its_responder() {
    let lab = Lab::with(|settings| {
        settings.status.responder.validity = std::time::Duration::from_hours(1);
    })
    .await;
    let serial = lab.issue().await;
    lab.change(&serial, Change::Revoke(RevocationReason::Unspecified)).await.unwrap();
    let answer = lab.ask(&serial).await;
    assert_eq!(checked(&answer.der(), &lab.ca(), NOW).unwrap()[0].1, NOW.plus(3600));
}

#[tokio::test]
async fn a_responder_is_renewed_half_way_and_replaced_when_it_has_ended() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    let delegate = async || {
        let der = lab.authority.answer(&request(&lab.ca(), &serial, Some(b"n"))).await.der();
        checked(&der, &lab.ca(), lab.clock_now()).unwrap();
        ReceivedResponse::from_der(&der).unwrap().certificates[0].to_vec()
    };
    let first = delegate().await;
    lab.clock.advance(7 * DAY - 1);
    assert_eq!(lab.authority.renew_responders().await.unwrap(), Some(NOW.plus(7 * DAY)));
    assert_eq!(delegate().await, first);
    lab.clock.advance(1);
    assert_eq!(lab.authority.renew_responders().await.unwrap(), Some(NOW.plus(14 * DAY)));
    let second = delegate().await;
    assert_ne!(second, first);
    lab.clock.advance(20 * DAY);
    assert_ne!(
        delegate().await,
        second,
        "nobody renewed it, so that it is made when it is asked for"
    );
}

#[tokio::test]
async fn the_ca_itself_signs_where_the_setting_says_so() {
    let lab = Lab::with(|settings| settings.status.responder.signer = ResponderSigner::Ca).await;
    let serial = lab.issue().await;
    let der = lab.ask(&serial).await.der();
    assert!(ReceivedResponse::from_der(&der).unwrap().certificates.is_empty());
    assert_eq!(checked(&der, &lab.ca(), NOW).unwrap()[0].0, CertStatus::Good);
}

#[tokio::test]
async fn a_responder_has_the_key_that_the_setting_says() {
    let rsa = KeyAlgorithm::Rsa { bits: 2048 };
    let lab = Lab::with(|settings| {
        settings.status.responder.signer = ResponderSigner::Delegated(ResponderKey::Is(rsa));
    })
    .await;
    let serial = lab.issue().await;
    let der = lab.ask(&serial).await.der();
    checked(&der, &lab.ca(), NOW).unwrap();
    let delegate = ReceivedResponse::from_der(&der).unwrap().certificates[0].to_vec();
    let delegate = lanyard_pki::Certificate::from_der(&delegate).unwrap();
    assert_eq!(delegate.public_key().unwrap().algorithm(), rsa);
}

#[tokio::test]
async fn a_retired_ca_answers_for_what_it_issued_and_a_next_one_for_itself() {
    let lab = Lab::new().await;
    let (old, serial) = (lab.ca(), lab.issue().await);
    let new = NewCa { key: KeyAlgorithm::P256, ..NewCa::new("CN=Second CA".parse().unwrap()) };
    let prepared = lab.authority.prepare_next_ca(&new, &Actor::System).await.unwrap();
    let Prepared::Next(next) = prepared else { panic!("it certifies itself") };
    let next = lab.authority.cas().by_id(next).unwrap().clone();
    let own = next.certificate.serial();
    let der = lab.authority.answer(&request(&next, own, None)).await.der();
    assert_eq!(checked(&der, &next, NOW).unwrap()[0].0, CertStatus::Good);

    lab.authority.activate_ca(next.id, None, &Actor::System).await.unwrap();
    assert_eq!(lab.ca().id, next.id);
    let der = lab.authority.answer(&request(&old, &serial, None)).await.der();
    assert_eq!(checked(&der, &old, NOW).unwrap()[0].0, CertStatus::Good);
    let der = lab.authority.answer(&request(&next, &serial, None)).await.der();
    let said = checked(&der, &next, NOW).unwrap()[0].0;
    assert_eq!(said, CertStatus::Unknown, "the new CA did not issue it");
}

#[tokio::test]
async fn what_is_no_request_of_ours_is_told_apart() {
    let lab = Lab::new().await;
    let (ca, serial) = (lab.ca(), lab.issue().await);
    let mut foreign = cert_id(&ca, Digest::Sha1, &serial);
    foreign[20] ^= 1;
    let ours = cert_id(&ca, Digest::Sha1, &serial);
    let status = async |request: &[u8]| lab.authority.answer(request).await.status();
    assert_eq!(status(b"").await, ResponseStatus::MalformedRequest);
    assert_eq!(status(b"GET / HTTP/1.0").await, ResponseStatus::MalformedRequest);
    let long = ocsp::request(&[&ours], Some(&[7; 129]));
    assert_eq!(status(&long).await, ResponseStatus::MalformedRequest);
    assert_eq!(status(&ocsp::request(&[&foreign], None)).await, ResponseStatus::Unauthorized);
    let mixed = lab.authority.answer(&ocsp::request(&[&foreign, &ours], None)).await.der();
    let said = checked(&mixed, &ca, NOW).unwrap();
    assert_eq!((said[0].0, said[1].0), (CertStatus::Unknown, CertStatus::Good));
}

#[tokio::test]
async fn a_ca_whose_time_is_over_is_not_answered_for() {
    let lab = Lab::new().await;
    let serial = lab.issue().await;
    lab.clock.set(lab.ca().certificate.not_after().plus(1));
    let answer = lab.ask(&serial).await;
    assert_eq!(answer.status(), ResponseStatus::Unauthorized);
}

#[tokio::test]
async fn a_store_that_fails_makes_the_whole_response_try_later() {
    let lab = Lab::new().await;
    let (ca, known, other) = (lab.ca(), lab.issue().await, lab.issue().await);
    assert_eq!(lab.status(&known).await, CertStatus::Good);
    lab.authority.store().close().await;
    assert_eq!(lab.status(&known).await, CertStatus::Good, "what is remembered still stands");
    let ids = [&known, &other].map(|serial| cert_id(&ca, Digest::Sha1, serial));
    let ids = ids.each_ref().map(Vec::as_slice);
    for nonce in [None, Some(&b"nonce"[..])] {
        let answer = lab.authority.answer(&ocsp::request(&ids, nonce)).await;
        assert_eq!(answer.status(), ResponseStatus::TryLater);
        assert_eq!(&answer.der()[..], ResponseStatus::TryLater.response());
        assert!(answer.fault().is_some(), "the cause is there for the log");
        assert!(answer.caching().is_none());
    }
}
