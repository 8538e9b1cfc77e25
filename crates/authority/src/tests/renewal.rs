//! Renewal by the old certificate.

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::id::DepartmentId;
use lanyard_lifecycle::policy::RenewalRules;
use lanyard_lifecycle::refusal::NotGood;
use lanyard_lifecycle::revocation::{Change, RevocationReason};
use lanyard_pki::certificate::Certificate;

use super::*;

/// A renewal signed with the key of `old`, for the key of `device`.
async fn renewal(device: &Device, transaction: &str, old: &Certificate) -> Request {
    let signer = old.public_key().unwrap().fingerprint();
    Request {
        proof: Proof::Renewal(old.clone()),
        transaction: Some(Transaction { id: transaction.into(), signer }),
        ..device.request_with(transaction, device.csr(None).await)
    }
}

#[tokio::test]
async fn a_good_certificate_is_renewed_without_a_challenge() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("t1").await).await);
    let fresh = Device::new("laptop");
    let request = renewal(&fresh, "t2", &certificate(&old)).await;
    let new = issued(authority.issue(request).await);
    assert_ne!(new.serial, old.serial);
    assert_eq!(certificate(&new).subject(), certificate(&old).subject());
    let binding = async |issued: &Issued| {
        let status = authority.store().certificate_status(issued.serial.clone()).await;
        status.unwrap().unwrap().binding
    };
    assert_eq!(binding(&new).await, binding(&old).await, "the successor keeps the binding");
}

#[tokio::test]
async fn a_client_that_derives_the_transaction_id_from_its_key_can_renew_with_it() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("hash of key").await).await);
    let request = renewal(&device, "hash of key", &certificate(&old)).await;
    let new = issued(authority.issue(request.clone()).await);
    assert_ne!(new.serial, old.serial);
    let repeated = issued(authority.issue(request).await);
    assert_eq!(repeated.serial, new.serial, "and a repeated renewal gets the same certificate");
}

#[tokio::test]
async fn a_revoked_certificate_is_not_renewed() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("t1").await).await);
    let reason = RevocationReason::KeyCompromise;
    change(&authority, &old, Change::Revoke(reason)).await;
    let request = renewal(&device, "t2", &certificate(&old)).await;
    let refused = refusal(authority.issue(request).await);
    assert_eq!(refused, Refusal::NotGoodAnymore(NotGood::Revoked { reason }));
}

#[tokio::test]
async fn a_certificate_on_hold_is_renewed_once_it_is_released() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("t1").await).await);
    change(&authority, &old, Change::Hold).await;
    let request = renewal(&device, "t2", &certificate(&old)).await;
    let refused = refusal(authority.issue(request.clone()).await);
    assert_eq!(refused, Refusal::NotGoodAnymore(NotGood::OnHold));
    change(&authority, &old, Change::Release).await;
    issued(authority.issue(request).await);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_renewed() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let other = Installation::new();
    other.seed.set(99);
    let elsewhere = other.open(settings()).await;
    let device = Device::new("laptop");
    let foreign = issued(elsewhere.issue(device.request("t1").await).await);
    let request = renewal(&device, "t2", &certificate(&foreign)).await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::ForeignCertificate);
}

#[tokio::test]
async fn a_certificate_made_up_around_a_known_serial_number_is_foreign() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("t1").await).await);
    let mut forged = old.certificate.clone();
    *forged.last_mut().unwrap() ^= 1;
    let forged = Certificate::from_der(&forged).unwrap();
    let request = renewal(&device, "t2", &forged).await;
    assert_eq!(refusal(authority.issue(request).await), Refusal::ForeignCertificate);
}

#[tokio::test]
async fn an_expired_certificate_is_not_renewed() {
    let installation = Installation::new();
    let authority = installation.open(settings()).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("t1").await).await);
    installation.clock.advance(731 * 86_400);
    let request = renewal(&device, "t2", &certificate(&old)).await;
    let at = certificate(&old).not_after();
    let refused = refusal(authority.issue(request).await);
    assert_eq!(refused, Refusal::NotGoodAnymore(NotGood::Expired { at }));
}

#[tokio::test]
async fn a_certificate_of_another_endpoint_or_department_is_not_renewed() {
    let mut settings = settings();
    let mut second = settings.endpoints[0].clone();
    second.id = EndpointId::from_bytes([8; 16]);
    let mut third = settings.endpoints[0].clone();
    third.id = EndpointId::from_bytes([9; 16]);
    third.scope.department = Some(DepartmentId::from_bytes([3; 16]));
    settings.endpoints.extend([second.clone(), third.clone()]);
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("t1").await).await);
    for (endpoint, expected) in
        [(second.id, Refusal::RenewalOfOtherEndpoint), (third.id, Refusal::RenewalOfOtherScope)]
    {
        let request = Request { endpoint, ..renewal(&device, "t2", &certificate(&old)).await };
        assert_eq!(refusal(authority.issue(request).await), expected);
    }
    issued(authority.issue(renewal(&device, "t2", &certificate(&old)).await).await);
}

#[tokio::test]
async fn an_endpoint_that_renews_nothing_still_takes_the_challenge() {
    let mut settings = settings();
    settings.endpoints[0].policy.renewal = RenewalRules::Off;
    let installation = Installation::new();
    let authority = installation.open(settings).await;
    let device = Device::new("laptop");
    let old = issued(authority.issue(device.request("t1").await).await);
    let request = renewal(&device, "t2", &certificate(&old)).await;
    let refused = refusal(authority.issue(request).await);
    assert_eq!(refused, Refusal::RenewalNotAllowed);
    let challenged = Request {
        proof: Proof::RenewalOrChallenge(certificate(&old)),
        ..device.request("t3").await
    };
    issued(authority.issue(challenged).await);
}
