//! What Intune wants revoked: taken, carried out, answered.

use lanyard_directory::Why;
use lanyard_directory::intune::revocation::{FailureCode, Outcome as Told, RevocationError};
use lanyard_lifecycle::revocation::{RevocationReason, Standing};
use lanyard_lifecycle::verdict::Rule;

use super::*;
use crate::intune::Drained;

fn told(tenancy: &Tenancy, context: &str) -> Option<Told> {
    tenancy.intune.world().results.get(context).map(|result| result.outcome.clone())
}

async fn standing(authority: &Authority, issued: &Issued) -> Standing {
    record(authority, issued).await.standing
}

#[tokio::test]
async fn what_intune_wants_revoked_is_revoked_for_good_and_answered() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let mut all = Vec::new();
    for number in 0..5 {
        all.push(enrolled(&authority, &device, &format!("t{number}")).await);
    }
    tenancy.later(10);
    for (number, issued) in all.iter().enumerate().skip(1) {
        tenancy.intune.world().ask(&format!("c{number}"), &issued.serial);
    }
    let drained = authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!(drained, Drained { taken: 4, revoked: 4, answered: 4 });
    assert_eq!(standing(&authority, &all[0]).await, Standing::NotRevoked);
    for (number, issued) in all.iter().enumerate().skip(1) {
        let reason = RevocationReason::CessationOfOperation;
        let since = START.plus(10);
        assert_eq!(standing(&authority, issued).await, Standing::Revoked { since, reason });
        assert_eq!(told(&tenancy, &format!("c{number}")), Some(Told::Revoked));
        let by_rule = record(&authority, issued).await.by_rule.unwrap();
        assert_eq!(by_rule.rule, Rule::IntuneRevocationRequested);
        let said = by_rule.facts.iter().any(|fact| fact.name == "caRevocationRequest");
        assert!(said, "{:?}", by_rule.facts);
        assert!(authority.status(&issued.serial).await.unwrap().verdict.good().is_err());
    }
    assert_eq!(authority.store().queue_requests(TENANT, 10).await.unwrap(), []);
    let again = authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!(again, Drained::default());
}

#[tokio::test]
async fn a_request_that_cannot_be_carried_out_is_answered_with_the_reason() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let upn = vec![GeneralName::upn(ADA)];
    let request = request_of(&Device::new("ada"), ENTRA, "t1", "CN=Ada", upn).await;
    let other = issued(authority.issue(request).await);
    {
        let mut world = tenancy.intune.world();
        world.ask_as("unread", "no number", Some("LANYARD-TEST"));
        world.ask_as("unknown", "5A4DBD24970CFB424C69099D27643287", Some("lanyard-test"));
        world.ask("not Intune's", &other.serial);
    }
    let drained = authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!((drained.taken, drained.revoked, drained.answered), (3, 0, 3));
    for (context, code) in [
        ("unread", FailureCode::ParameterDataInvalid),
        ("unknown", FailureCode::CertificateNotFound),
        ("not Intune's", FailureCode::CertificateNotFound),
    ] {
        match told(&tenancy, context) {
            Some(Told::Failed { code: said, .. }) => assert_eq!(said, code, "{context}"),
            other => panic!("{context}: {other:?}"),
        }
    }
    assert_eq!(standing(&authority, &other).await, Standing::NotRevoked);
}

#[tokio::test]
async fn requests_for_other_authorities_are_left_alone() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
    {
        let mut world = tenancy.intune.world();
        world.ask_as("theirs", "5A4DBD24970CFB424C69099D27643288", Some("another-ca"));
        world.ask_as("nobody's", "5A4DBD24970CFB424C69099D27643287", None);
    }
    let drained = authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!(drained, Drained::default());
    assert_eq!(tenancy.intune.world().answers, 0);
    assert_eq!(standing(&authority, &issued).await, Standing::NotRevoked);
    // Nobody else has issued what we have, whatever the request calls us.
    let ours = issued.serial.to_string().to_lowercase();
    tenancy.intune.world().ask_as("ours", &ours, Some("our former name"));
    assert_eq!(authority.drain_revocations(TENANT).await.unwrap().revoked, 1);
}

#[tokio::test]
async fn another_tenants_queue_revokes_nothing() {
    let other = DirectoryId::from_bytes([0xD2; 16]);
    let theirs = ScriptedIntune::new(other);
    let tenancy = Tenancy::new();
    let mut settings = tethering();
    settings.directories.push(DirectorySettings::new(other, "Other"));
    let mut ports = tenancy.ports().await;
    ports.intune.push(theirs.clone());
    let authority = open_disturbed(settings, ports, Arc::new(Undisturbed)).await.unwrap();
    let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
    theirs.world().ask("c1", &issued.serial);
    authority.drain_revocations(other).await.unwrap();
    assert_eq!(standing(&authority, &issued).await, Standing::NotRevoked);
    let code = FailureCode::CertificateNotFound;
    let results = theirs.world().results.clone();
    assert!(matches!(&results["c1"].outcome, Told::Failed { code: said, .. } if *said == code));
}

#[tokio::test]
async fn a_certificate_that_is_revoked_already_is_told_as_revoked_and_keeps_its_time() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
    change(&authority, &issued, Change::Revoke(RevocationReason::KeyCompromise)).await;
    tenancy.later(10);
    tenancy.intune.world().ask("c1", &issued.serial);
    authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!(told(&tenancy, "c1"), Some(Told::Revoked));
    let reason = RevocationReason::KeyCompromise;
    assert_eq!(standing(&authority, &issued).await, Standing::Revoked { since: START, reason });
}

/// Killed after each step, the next program goes on: Intune would not hand the request out again for an hour.
#[tokio::test]
async fn a_program_killed_between_taking_revoking_and_answering_leaves_nothing_undone() {
    for step in [Step::QueueTaken, Step::QueueCarriedOut, Step::QueueAnswered] {
        let tenancy = Tenancy::new();
        let authority = tenancy.open().await;
        let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
        authority.store().close().await;
        drop(authority);
        tenancy.later(10);
        tenancy.intune.world().ask("c1", &issued.serial);
        tenancy
            .killed_at(step, async |authority| {
                let _ = authority.drain_revocations(TENANT).await;
            })
            .await;
        assert!(tenancy.intune.world().queue.is_empty(), "it was handed out");
        tenancy.later(10);
        let authority = tenancy.open().await;
        authority.drain_revocations(TENANT).await.unwrap();
        assert_eq!(told(&tenancy, "c1"), Some(Told::Revoked), "{step:?}");
        let since = START.plus(if step == Step::QueueTaken { 20 } else { 10 });
        let reason = RevocationReason::CessationOfOperation;
        assert_eq!(standing(&authority, &issued).await, Standing::Revoked { since, reason });
        assert_eq!(authority.store().queue_requests(TENANT, 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn an_answer_that_intune_does_not_take_is_given_again() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let issued = enrolled(&authority, &Device::new("laptop"), "t1").await;
    {
        let mut world = tenancy.intune.world();
        world.ask("c1", &issued.serial);
        world.uploads.push_back(RevocationError::NotTaken);
    }
    authority.drain_revocations(TENANT).await.unwrap_err();
    assert!(matches!(standing(&authority, &issued).await, Standing::Revoked { .. }));
    assert_eq!(told(&tenancy, "c1"), None);
    let drained = authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!(drained, Drained { taken: 0, revoked: 0, answered: 1 });
    assert_eq!(told(&tenancy, "c1"), Some(Told::Revoked));
}

#[tokio::test]
async fn answers_that_intune_does_not_take_keep_nothing_from_being_carried_out() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let mut all = Vec::new();
    for number in 0..4 {
        all.push(enrolled(&authority, &device, &format!("t{number}")).await);
    }
    for (number, issued) in all.iter().enumerate() {
        tenancy.intune.world().ask(&format!("c{number}"), &issued.serial);
    }
    // The first page as a whole, then its first answer alone; that one is told with the second page.
    let not_taken = std::iter::repeat_n(RevocationError::NotTaken, 2);
    tenancy.intune.world().uploads.extend(not_taken);
    let drained = authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!((drained.revoked, drained.answered), (4, 4));

    // One that is never taken is forgotten after a day: Intune asks again if it cares.
    let issued = enrolled(&authority, &device, "t9").await;
    tenancy.intune.world().ask("c9", &issued.serial);
    tenancy.intune.world().uploads.push_back(RevocationError::NotTaken);
    authority.drain_revocations(TENANT).await.unwrap_err();
    assert!(matches!(standing(&authority, &issued).await, Standing::Revoked { .. }));
    tenancy.later(86_401);
    tenancy.intune.world().uploads.push_back(RevocationError::NotTaken);
    authority.drain_revocations(TENANT).await.unwrap_err();
    assert_eq!(authority.store().queue_requests(TENANT, 10).await.unwrap(), []);
    tenancy.intune.world().ask("c9 again", &issued.serial);
    authority.drain_revocations(TENANT).await.unwrap();
    assert_eq!(told(&tenancy, "c9 again"), Some(Told::Revoked));
}

#[tokio::test]
async fn what_waits_is_carried_out_right_before_a_device_is_enrolled_anew() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let first = enrolled(&authority, &Device::new("laptop"), "t1").await;
    assert_eq!(tenancy.intune.world().asked, 0, "a first enrollment has nothing to wait for");
    tenancy.intune.world().ask("c1", &first.serial);
    let second = enrolled(&authority, &Device::new("laptop"), "t2").await;
    assert!(matches!(standing(&authority, &first).await, Standing::Revoked { .. }));
    assert_eq!(standing(&authority, &second).await, Standing::NotRevoked);
    assert_eq!(told(&tenancy, "c1"), Some(Told::Revoked));
}

#[tokio::test]
async fn a_queue_that_cannot_be_read_does_not_keep_a_device_from_enrolling() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let first = enrolled(&authority, &Device::new("laptop"), "t1").await;
    {
        let mut world = tenancy.intune.world();
        world.ask("c1", &first.serial);
        world.downloads.push_back(Why::TimedOut);
    }
    enrolled(&authority, &Device::new("laptop"), "t2").await;
    assert_eq!(standing(&authority, &first).await, Standing::NotRevoked);
    authority.drain_revocations(TENANT).await.unwrap();
    assert!(matches!(standing(&authority, &first).await, Standing::Revoked { .. }));
}

#[tokio::test]
async fn a_certificate_that_intune_wants_revoked_renews_nothing() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let first = enrolled(&authority, &device, "t1").await;
    tenancy.intune.world().ask("c1", &first.serial);
    let builder = RequestBuilder::new(name("CN=laptop"), Signer::public_key(&device.key).clone());
    let request = signed(&device, INTUNE, "t2", &builder).await;
    let request = Request { proof: Proof::Renewal(certificate(&first)), ..request };
    let refused = refusal(authority.issue(request).await);
    assert!(matches!(refused, Refusal::NotGoodAnymore(_)), "{refused:?}");
}

#[tokio::test]
async fn many_that_enroll_at_once_share_one_look_into_the_queue() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    enrolled(&authority, &Device::new("laptop"), "t0").await;
    for number in 1..=8 {
        enrolled(&authority, &Device::new("laptop"), &format!("t{number}")).await;
    }
    assert_eq!(tenancy.intune.world().asked, 1);
    tenancy.later(2);
    enrolled(&authority, &Device::new("laptop"), "t9").await;
    assert_eq!(tenancy.intune.world().asked, 2);
}
