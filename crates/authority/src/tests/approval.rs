//! Requests that wait for a person.

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::policy::Approval;
use lanyard_store::EnrollmentId;

use super::*;

fn manual() -> Settings {
    let mut settings = settings();
    settings.endpoints[0].policy.approval = Approval::Manual;
    settings
}

fn operator() -> Actor {
    Actor::Operator("ada".into())
}

async fn submitted(authority: &Authority, device: &Device) -> EnrollmentId {
    submit(authority, device.request("t1").await).await
}

async fn submit(authority: &Authority, request: Request) -> EnrollmentId {
    match authority.issue(request).await {
        Ok(Outcome::Pending(id)) => id,
        other => panic!("not pending: {other:?}"),
    }
}

#[tokio::test]
async fn a_request_waits_until_it_is_approved() {
    let installation = Installation::new();
    let authority = installation.open(manual()).await;
    let device = Device::new("laptop");
    let request = device.request("t1").await;
    let id = submit(&authority, request.clone()).await;
    assert_eq!(submit(&authority, request.clone()).await, id, "asking again changes nothing");
    let poll = authority.poll(STATIC, &device.transaction("t1"), None).await;
    assert!(matches!(poll, Ok(Outcome::Pending(polled)) if polled == id), "{poll:?}");
    let waiting = authority.pending_requests(Within::Everywhere, None, 10).await.unwrap();
    assert_eq!(waiting.items.len(), 1);
    assert_eq!(waiting.items[0].request.subject.as_deref(), Some("CN=laptop"));

    let approved = authority.approve(id, &operator()).await.unwrap();
    let polled = issued(authority.poll(STATIC, &device.transaction("t1"), None).await);
    assert_eq!(polled.certificate, approved.certificate);
    let repeated = issued(authority.issue(request).await);
    assert_eq!(repeated.certificate, approved.certificate);
    let waiting = authority.pending_requests(Within::Everywhere, None, 10).await.unwrap();
    assert!(waiting.items.is_empty());
}

#[tokio::test]
async fn the_challenge_does_not_lie_open_in_the_store_while_a_request_waits() {
    let installation = Installation::new();
    let authority = installation.open(manual()).await;
    let device = Device::new("laptop");
    submitted(&authority, &device).await;
    let known = authority.store().enrollment(STATIC, b"t1").await.unwrap().unwrap();
    let kept = known.request.csr.unwrap();
    assert!(kept.len() > device.csr(Some(SECRET)).await.as_der().len());
    assert!(!kept.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
}

#[tokio::test]
async fn a_declined_request_stays_declined() {
    let installation = Installation::new();
    let authority = installation.open(manual()).await;
    let device = Device::new("laptop");
    let id = submitted(&authority, &device).await;
    authority.decline(id, "not one of ours", &operator()).await.unwrap();
    let polled = authority.poll(STATIC, &device.transaction("t1"), None).await;
    assert_eq!(refusal(polled), Refusal::Declined);
    assert_eq!(refusal(authority.approve(id, &operator()).await), Refusal::Declined);
    authority.decline(id, "still not", &operator()).await.unwrap();
    assert_eq!(recorded(&authority).await, 0);
}

#[tokio::test]
async fn two_people_approve_one_certificate() {
    let installation = Installation::new();
    let authority = installation.open(manual()).await;
    let id = submitted(&authority, &Device::new("laptop")).await;
    let (ada, bob) = (operator(), Actor::Operator("bob".into()));
    let both = tokio::join!(authority.approve(id, &ada), authority.approve(id, &bob));
    assert_eq!(both.0.unwrap().certificate, both.1.unwrap().certificate);
    assert_eq!(recorded(&authority).await, 1);
}

#[tokio::test]
async fn a_wrong_challenge_does_not_get_as_far_as_a_person() {
    let installation = Installation::new();
    let authority = installation.open(manual()).await;
    let device = Device::new("laptop");
    let request = device.request_with("t1", device.csr(Some("guess")).await);
    assert_eq!(refusal(authority.issue(request).await), Refusal::WrongChallenge);
    let waiting = authority.pending_requests(Within::Everywhere, None, 10).await.unwrap();
    assert!(waiting.items.is_empty());
}

#[tokio::test]
async fn what_was_approved_can_no_longer_be_declined() {
    let installation = Installation::new();
    let authority = installation.open(manual()).await;
    let id = submitted(&authority, &Device::new("laptop")).await;
    authority.approve(id, &operator()).await.unwrap();
    let declined = authority.decline(id, "too late", &operator()).await;
    assert_eq!(refusal(declined), Refusal::TransactionReused);
}

#[tokio::test]
async fn an_unknown_request_is_neither_approved_nor_declined() {
    let installation = Installation::new();
    let authority = installation.open(manual()).await;
    let unknown = EnrollmentId(4711);
    let approved = authority.approve(unknown, &operator()).await;
    assert_eq!(refusal(approved), Refusal::UnknownTransaction);
    let declined = authority.decline(unknown, "", &operator()).await;
    assert_eq!(refusal(declined), Refusal::UnknownTransaction);
}

#[tokio::test]
async fn an_approval_killed_at_any_step_can_be_repeated() {
    for step in [Step::Built, Step::Signed, Step::Recorded] {
        let installation = Installation::new();
        let device = Device::new("laptop");
        installation
            .killed_at(step, manual(), async |authority| {
                let id = submitted(&authority, &device).await;
                authority.approve(id, &operator()).await.unwrap();
            })
            .await;
        let authority = installation.open(manual()).await;
        let known = authority.store().enrollment(STATIC, b"t1").await.unwrap().unwrap();
        let approved = authority.approve(known.id, &operator()).await.unwrap();
        let polled = issued(authority.poll(STATIC, &device.transaction("t1"), None).await);
        assert_eq!(polled.certificate, approved.certificate, "{step:?}");
        assert_eq!(recorded(&authority).await, 1, "{step:?}");
    }
}

#[tokio::test]
async fn what_a_holder_of_a_certificate_asks_for_with_the_challenge_is_found_by_its_poll() {
    let installation = Installation::new();
    let mut settings = manual();
    settings.endpoints[0].policy.renewal = RenewalRules::Off;
    let authority = installation.open(settings).await;
    let device = Device::new("laptop");
    let id = submitted(&authority, &device).await;
    let old = certificate(&authority.approve(id, &operator()).await.unwrap());

    let again =
        Request { proof: Proof::RenewalOrChallenge(old.clone()), ..device.request("t1").await };
    let second = submit(&authority, again).await;
    assert_ne!(second, id);
    let poll = async || authority.poll(STATIC, &device.transaction("t1"), Some(&old)).await;
    assert!(matches!(poll().await, Ok(Outcome::Pending(polled)) if polled == second));
    let approved = authority.approve(second, &operator()).await.unwrap();
    assert_eq!(issued(poll().await).certificate, approved.certificate);
    let first = issued(authority.poll(STATIC, &device.transaction("t1"), None).await);
    assert_eq!(first.certificate, old.as_der(), "without the certificate it is the first request");
}
