//! Repeated and concurrent transactions: one certificate, and for nobody else.

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::refusal::NotGood;
use lanyard_lifecycle::revocation::{Change, RevocationReason};

use futures_util::future::try_join_all;
use lanyard_store::NewEnrollment;

use super::*;

#[tokio::test]
async fn a_repeated_transaction_gets_the_same_certificate() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let request = Device::new("laptop").request("t1").await;
    let first = issued(authority.issue(request.clone()).await);
    let second = issued(authority.issue(request).await);
    assert_eq!(first.certificate, second.certificate);
    assert_eq!(recorded(&authority).await, 1);
}

#[tokio::test]
async fn a_repeated_transaction_does_not_get_a_certificate_that_is_not_good_any_more() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let request = device.request("t1").await;
    let first = issued(authority.issue(request.clone()).await);

    change(&authority, &first, Change::Hold).await;
    let refused = refusal(authority.issue(request.clone()).await);
    assert_eq!(refused, Refusal::IssuedNotGood(NotGood::OnHold));
    change(&authority, &first, Change::Release).await;
    assert_eq!(issued(authority.issue(request.clone()).await).serial, first.serial);

    let reason = RevocationReason::KeyCompromise;
    change(&authority, &first, Change::Revoke(reason)).await;
    let expected = Refusal::IssuedNotGood(NotGood::Revoked { reason });
    assert_eq!(refusal(authority.issue(request).await), expected);
    let polled = authority.poll(STATIC, &device.transaction("t1"), None).await;
    assert_eq!(refusal(polled), expected);
    assert_eq!(recorded(&authority).await, 1);
}

#[tokio::test]
async fn a_request_that_was_only_signed_anew_is_the_same_request() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let (once, again) = (device.request("t1").await, device.request("t1").await);
    assert_ne!(once.csr.as_der(), again.csr.as_der(), "ECDSA never signs alike");
    let first = issued(authority.issue(once).await);
    let second = issued(authority.issue(again).await);
    assert_eq!(first.certificate, second.certificate);
}

#[tokio::test]
async fn a_repeated_transaction_with_another_csr_is_refused() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    issued(authority.issue(device.request("t1").await).await);
    let other = Device { key: device.key.clone(), name: "desktop" };
    let request = other.request("t1").await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::TransactionReused);
    assert_eq!(recorded(&authority).await, 1);
}

#[tokio::test]
async fn a_repeated_transaction_by_another_signer_is_refused() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let request = Device::new("laptop").request("t1").await;
    issued(authority.issue(request.clone()).await);
    let thief = Device::new("thief");
    let stolen = Request { transaction: Some(thief.transaction("t1")), ..request };
    assert_eq!(refusal(authority.issue(stolen).await), Refusal::TransactionReused);
    let polled = authority.poll(STATIC, &thief.transaction("t1"), None).await;
    assert_eq!(refusal(polled), Refusal::TransactionReused);
}

#[tokio::test]
async fn concurrent_duplicates_race_to_one_certificate() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let request = Device::new("laptop").request("t1").await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (authority, request) = (authority.clone(), request.clone());
            tokio::spawn(async move { authority.issue(request).await })
        })
        .collect();
    let mut certificates = Vec::new();
    for task in tasks {
        certificates.push(issued(task.await.unwrap()).certificate);
    }
    certificates.dedup();
    assert_eq!(certificates.len(), 1);
    assert_eq!(recorded(&authority).await, 1);
}

#[tokio::test]
async fn requests_without_a_transaction_are_each_their_own() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let request = Request { transaction: None, ..Device::new("laptop").request("t1").await };
    let first = issued(authority.issue(request.clone()).await);
    let second = issued(authority.issue(request).await);
    assert_ne!(first.serial, second.serial);
}

#[tokio::test]
async fn a_transaction_is_forgotten_in_time_so_that_its_id_may_come_again() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let first = issued(authority.issue(device.request("t1").await).await);
    installation.clock.advance(2 * 86_400);
    authority.run_jobs().await;
    let other = Device { key: device.key.clone(), name: "desktop" };
    let second = issued(authority.issue(other.request("t1").await).await);
    assert_ne!(first.serial, second.serial);
}

#[tokio::test]
async fn one_run_forgets_more_than_one_batch_of_transactions() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let store = authority.store();
    let submit = |number: u32| {
        let waiting = NewEnrollment {
            endpoint: EndpointId::from_bytes([7; 16]),
            transaction_id: number.to_be_bytes().to_vec(),
            scope: Scope::DEFAULT,
            signer_sha256: [1; 32],
            csr_sha256: [2; 32],
            csr: None,
            context: None,
            subject: None,
            renews: None,
            address: None,
            received_at: START,
            expires_at: START.plus(60),
        };
        store.submit_enrollment(waiting, None)
    };
    try_join_all((0..1_001).map(submit)).await.unwrap();
    authority.run_jobs().await;
    assert_eq!(store.count_pending_enrollments().await.unwrap(), 1_001);
    installation.clock.advance(60);
    authority.run_jobs().await;
    assert_eq!(store.count_pending_enrollments().await.unwrap(), 0);
}

#[tokio::test]
async fn a_poll_for_a_finished_transaction_gets_its_certificate() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let first = issued(authority.issue(device.request("t1").await).await);
    let polled = issued(authority.poll(STATIC, &device.transaction("t1"), None).await);
    assert_eq!(polled.certificate, first.certificate);
    let unknown = authority.poll(STATIC, &device.transaction("t2"), None).await;
    assert_eq!(refusal(unknown), Refusal::UnknownTransaction);
}
