//! From a request to a certificate, its status, its end.

use lanyard_authority::Clock as _;
use lanyard_pki::crl::Crl;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::{Criticality, ExtendedKeyUsage, ExtensionValue as _};
use lanyard_pki::ocsp::CertStatus;
use lanyard_pki::{Certificate, Oid, oid};
use lanyard_scep::FailInfo;
use lanyard_server::client::scep::{Order, Outcome, ScepClientError};
use lanyard_server::config::{Approval, RequestedUsagesSetting};
use lanyard_server::control::operations::certificate::{ChangeStanding, ChangeView};
use lanyard_server::control::operations::request::{ApproveRequest, DeclineRequest, ListRequests};
use secrecy::ExposeSecret as _;

use crate::site::{CHALLENGE, Site, device_key};

pub(crate) fn revocation(certificate: &Certificate, reason: &str) -> ChangeStanding {
    ChangeStanding {
        serial: certificate.serial().to_string(),
        change: ChangeView::Revoke { reason: reason.to_owned() },
        invalidity_date: None,
    }
}

async fn crl(site: &Site) -> Crl {
    let token = site.server.app().crl_token.expose_secret().to_owned();
    let response = site.get(&format!("/crl/{token}")).await.error_for_status().unwrap();
    Crl::from_der(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_enrolls_and_a_revocation_by_command_is_heard_everywhere_at_once() {
    let site = Site::start().await;
    let (device, _) = site.device("CN=device-1").await;
    device.verify_signed_by(site.ca().await.public_key().unwrap()).unwrap();
    assert_eq!(site.status(&device).await.status, CertStatus::Good);

    let now = site.control().await.run(revocation(&device, "keyCompromise")).await.unwrap();
    assert!(now.changed);
    assert!(matches!(site.status(&device).await.status, CertStatus::Revoked { .. }));
    assert!(crl(&site).await.entry(device.serial()).unwrap().is_some());
}

/// What the certificate of a device is for that asks to be a server.
async fn granted_to_a_would_be_server(site: &Site) -> Vec<Oid> {
    let asked = ExtendedKeyUsage(vec![oid::SERVER_AUTH]);
    let key = device_key();
    let order = Order {
        key: &key,
        subject: "CN=bank.example".parse().unwrap(),
        extensions: [asked.extension(Criticality::NonCritical)].into_iter().collect(),
        challenge: Some(&ChallengePassword::new(CHALLENGE)),
        validity: None,
        renews: None,
        now: site.clock.now(),
    };
    let outcome = site.scep().await.request(&order, |_| None).await.unwrap();
    let issued = match outcome {
        Outcome::Issued(issued, _) => Some(issued),
        Outcome::Pending(_) => None,
    };
    issued.unwrap().extended_key_usage().unwrap().unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_certificate_is_for_is_the_endpoint_s_to_say_unless_it_lets_requests() {
    let site = Site::start().await;
    assert_eq!(granted_to_a_would_be_server(&site).await, [oid::CLIENT_AUTH]);
    let site = Site::with(|config| {
        config.endpoints.r#static.requested_usages = RequestedUsagesSetting::Granted;
    })
    .await;
    assert_eq!(granted_to_a_would_be_server(&site).await, [oid::SERVER_AUTH]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_lifted_and_then_good_again() {
    let site = Site::start().await;
    let (device, _) = site.device("CN=device-1").await;
    let control = site.control().await;
    control.run(revocation(&device, "certificateHold")).await.unwrap();
    assert!(matches!(site.status(&device).await.status, CertStatus::Revoked { .. }));
    let serial = device.serial().to_string();
    let release = ChangeStanding { serial, change: ChangeView::Release, invalidity_date: None };
    control.run(release).await.unwrap();
    assert_eq!(site.status(&device).await.status, CertStatus::Good);
    assert!(crl(&site).await.entry(device.serial()).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_challenge_is_a_bad_request_and_too_many_of_them_are_told_to_wait() {
    let site = Site::with(|config| {
        config.limits.wrong_challenges_at_once = 2;
        config.limits.wrong_challenges_a_minute = 1;
    })
    .await;
    let key = device_key();
    for attempt in 0..3 {
        let refused =
            site.attempt(&key, &format!("CN=guess-{attempt}"), "wrong").await.unwrap_err();
        assert!(
            matches!(refused, ScepClientError::Refused { fail_info: FailInfo::BadRequest, .. }),
            "{refused}"
        );
    }
    let refused = site.attempt(&key, "CN=guess-4", CHALLENGE).await.unwrap_err();
    assert!(
        matches!(&refused, ScepClientError::Status { status, .. } if status.as_u16() == 429),
        "{refused}"
    );
    let response = site
        .http
        .post(site.url("/static?operation=PKIOperation"))
        .body("anything")
        .send()
        .await
        .unwrap();
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_a_person_who_approves_or_declines() {
    let site = Site::with(|config| config.endpoints.r#static.approval = Approval::Manual).await;
    let control = site.control().await;
    for subject in ["CN=welcome", "CN=unwelcome"] {
        let pending = site.attempt(&device_key(), subject, CHALLENGE).await.unwrap();
        assert!(matches!(pending, Outcome::Pending(_)));
    }
    let waiting = control.run(ListRequests {}).await.unwrap();
    let id = |subject: &str| {
        waiting
            .iter()
            .find(|one| one.subject.as_deref() == Some(subject))
            .map(|one| one.id)
            .unwrap()
    };
    let approved = control.run(ApproveRequest { id: id("CN=welcome") }).await.unwrap();
    assert!(approved.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    let decline = DeclineRequest { id: id("CN=unwelcome"), reason: "nobody knows it".into() };
    control.run(decline).await.unwrap();
    assert!(control.run(ListRequests {}).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_past_its_end_issues_nothing_and_says_so() {
    let site = Site::start().await;
    site.clock.advance(11 * 366 * 86_400);
    let refused = site.attempt(&device_key(), "CN=late", CHALLENGE).await.unwrap_err();
    assert!(matches!(refused, ScepClientError::Refused { .. }), "{refused}");
    assert_eq!(site.get("/probe").await.status(), 503);
}
