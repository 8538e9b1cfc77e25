//! What Intune is told of what was issued, when it does not listen, and when it does not want it.

use lanyard_directory::Why;
use lanyard_lifecycle::refusal::NotGood;
use lanyard_lifecycle::revocation::Standing;
use lanyard_lifecycle::verdict::Rule;
use lanyard_store::NoticeState;

use super::*;

const DOWN: Trouble = Trouble::Silent(Why::Failing { status: 503 });

fn afterwards(settings: &mut Settings) {
    follows(settings).notice = NoticeOrder::AfterAnswer;
}

#[tokio::test]
async fn until_intune_has_taken_notice_the_client_gets_nothing_and_then_the_same_certificate() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let device = Device::new("laptop");
    let request = laptops(&device, "t1").await;
    tenancy.intune.world().notices.push_back(DOWN);
    let refused = refusal(authority.issue(request.clone()).await);
    assert_eq!(refused, Refusal::NoticeWaiting);
    assert!(refused.is_passing());
    assert_eq!(tethered(&authority).await, 1, "it is recorded, and kept back");
    tenancy.intune.world().notices.push_back(DOWN);
    let polled = authority.poll(INTUNE, &device.transaction("t1"), None).await;
    assert_eq!(refusal(polled), Refusal::NoticeWaiting);

    let issued = issued(authority.issue(request).await);
    assert_eq!(tethered(&authority).await, 1);
    assert_eq!(tenancy.intune.world().issued(), [issued.serial]);
    assert_eq!(tenancy.intune.world().validated, ["t1"]);
}

#[tokio::test]
async fn what_was_not_taken_is_told_again_by_the_next_program() {
    let tenancy = Tenancy::new();
    let request = laptops(&Device::new("laptop"), "t1").await;
    let authority = tenancy.open().await;
    tenancy.intune.world().notices.push_back(DOWN);
    assert_eq!(refusal(authority.issue(request.clone()).await), Refusal::NoticeWaiting);
    authority.store().close().await;
    drop(authority);

    let authority = tenancy.open().await;
    let due = authority.work_notices().await.unwrap();
    assert_eq!(tenancy.intune.world().said, [], "its time has not come");
    tenancy.installation.clock.advance(due.seconds_since(START));
    authority.work_notices().await.unwrap();
    assert_eq!(tenancy.intune.world().said.len(), 1);
    let issued = issued(authority.issue(request).await);
    assert_eq!(tenancy.intune.world().issued(), [issued.serial], "it is told once");
}

#[tokio::test]
async fn a_program_killed_before_intune_was_told_leaves_a_certificate_that_nobody_has() {
    let tenancy = Tenancy::new();
    let request = laptops(&Device::new("laptop"), "t1").await;
    let sent = request.clone();
    tenancy
        .killed_at(Step::Recorded, async |authority| {
            let _ = authority.issue(sent).await;
        })
        .await;
    assert_eq!(tenancy.intune.world().said, []);
    let authority = tenancy.open().await;
    let issued = issued(authority.issue(request).await);
    assert_eq!(tethered(&authority).await, 1);
    assert_eq!(tenancy.intune.world().issued(), [issued.serial]);
}

#[tokio::test]
async fn a_program_killed_after_intune_was_told_tells_it_the_same_again() {
    let tenancy = Tenancy::new();
    let request = laptops(&Device::new("laptop"), "t1").await;
    let sent = request.clone();
    tenancy
        .killed_at(Step::NoticeTaken, async |authority| {
            let _ = authority.issue(sent).await;
        })
        .await;
    let authority = tenancy.open().await;
    let issued = issued(authority.issue(request).await);
    assert_eq!(tethered(&authority).await, 1);
    let told = tenancy.intune.world().issued();
    assert_eq!(told, [issued.serial.clone(), issued.serial]);
}

#[tokio::test]
async fn a_certificate_that_intune_does_not_want_is_revoked_and_never_handed_out() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let request = laptops(&Device::new("laptop"), "t1").await;
    let code = Code::ScepProfileNoLongerTargetedToTheClient;
    tenancy.intune.world().notices.push_back(Trouble::No(code));
    assert_eq!(refusal(authority.issue(request.clone()).await), Refusal::NoticeRefused);
    let again = refusal(authority.issue(request).await);
    assert!(matches!(again, Refusal::IssuedNotGood(NotGood::Revoked { .. })), "{again:?}");

    let page = authority.store().notices(Within::Everywhere, None, None, 10).await.unwrap();
    assert_eq!(page.items[0].state, NoticeState::GivenUp);
    let serial = page.items[0].serial.clone().unwrap();
    let record = authority.store().certificate_status(serial).await.unwrap().unwrap();
    assert!(matches!(record.standing, Standing::Revoked { since: START, .. }), "{record:?}");
    assert_eq!(record.by_rule.map(|by| by.rule), Some(Rule::IntuneNoticeRefused));
    authority.work_notices().await.unwrap();
    assert_eq!(tenancy.intune.world().said, [], "nothing is left to be told");
}

#[tokio::test]
async fn a_certificate_that_intune_was_not_told_of_for_a_day_is_revoked() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let request = laptops(&Device::new("laptop"), "t1").await;
    tenancy.intune.world().notices.extend(std::iter::repeat_n(DOWN, 1_000));
    assert_eq!(refusal(authority.issue(request.clone()).await), Refusal::NoticeWaiting);
    let mut attempts = 0;
    loop {
        let due = authority.work_notices().await.unwrap();
        if due == Time::NO_WELL_DEFINED_END {
            break;
        }
        attempts += 1;
        tenancy.later(due.seconds_since(crate::Clock::now(&*tenancy.installation.clock)).max(1));
    }
    assert!((100..200).contains(&attempts), "every ten minutes for a day: {attempts}");
    let refused = refusal(authority.issue(request).await);
    assert!(matches!(refused, Refusal::IssuedNotGood(NotGood::Revoked { .. })), "{refused:?}");
}

#[tokio::test]
async fn where_intune_is_told_afterwards_the_client_does_not_wait() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open_with(afterwards).await;
    let request = laptops(&Device::new("laptop"), "t1").await;
    tenancy.intune.world().notices.push_back(DOWN);
    let first = issued(authority.issue(request.clone()).await);
    assert_eq!(tenancy.intune.world().said, []);
    let due = authority.work_notices().await.unwrap();
    assert_eq!(tenancy.intune.world().said, [], "it did not listen");
    assert_eq!(issued(authority.issue(request).await).certificate, first.certificate);
    tenancy.installation.clock.advance(due.seconds_since(START));
    authority.work_notices().await.unwrap();
    assert_eq!(tenancy.intune.world().issued(), [first.serial], "told once");
}

#[tokio::test]
async fn a_certificate_in_use_is_lost_by_intunes_decision_and_not_by_its_being_told_late() {
    for (code, is_good) in [(Code::ChallengeExpired, true), (Code::BadDeviceIdInChallenge, false)] {
        let tenancy = Tenancy::new();
        let authority = tenancy.open_with(afterwards).await;
        let request = laptops(&Device::new("laptop"), "t1").await;
        let first = issued(authority.issue(request.clone()).await);
        tenancy.intune.world().notices.push_back(Trouble::No(code.clone()));
        authority.work_notices().await.unwrap();
        let verdict = authority.status(&first.serial).await.unwrap().verdict;
        assert_eq!(verdict.good().is_ok(), is_good, "{code}");
        assert_eq!(authority.issue(request).await.is_ok(), is_good, "asked for again: {code}");
    }
}

#[tokio::test]
async fn the_challenge_does_not_lie_open_in_the_store_while_a_notice_waits() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open_with(afterwards).await;
    enrolled(&authority, &Device::new("laptop"), "t1").await;
    let notices = authority.store().notices(Within::Everywhere, None, None, 10).await.unwrap();
    let payload = notices.items[0].payload.clone().unwrap();
    let open = hex::encode(SECRET);
    assert!(!payload.windows(open.len()).any(|part| part == open.as_bytes()));
    assert!(!payload.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
    authority.work_notices().await.unwrap();
    let notices = authority.store().notices(Within::Everywhere, None, None, 10).await.unwrap();
    assert_eq!(
        (notices.items[0].state, &notices.items[0].payload),
        (NoticeState::Delivered, &None)
    );
}

#[tokio::test]
async fn two_that_ask_at_once_by_one_transaction_get_one_certificate() {
    let tenancy = Tenancy::new();
    let authority = tenancy.open().await;
    let request = laptops(&Device::new("laptop"), "t1").await;
    let (one, other) =
        tokio::join!(authority.issue(request.clone()), authority.issue(request.clone()));
    for outcome in [one, other] {
        match outcome {
            Ok(Outcome::Issued(_)) | Err(Error::Refused(Refusal::NoticeWaiting)) => {}
            other => panic!("{other:?}"),
        }
    }
    issued(authority.issue(request).await);
    assert_eq!(tethered(&authority).await, 1);
}

#[tokio::test]
async fn a_fault_of_ours_is_told_by_its_id_alone() {
    let tenancy = Tenancy::new();
    let fail = Arc::new(FailForGood { step: Step::Built });
    let ports = tenancy.ports().await;
    let authority = open_disturbed(tethering(), ports, fail).await.unwrap();
    let outcome = authority.issue(laptops(&Device::new("laptop"), "t1").await).await;
    let Err(Error::Fault(fault)) = outcome else { panic!("{outcome:?}") };
    authority.work_notices().await.unwrap();
    let told = tenancy.intune.world().said.clone();
    let reason = fault.to_string();
    assert_eq!(told, [Said::Failed { transaction: "t1".into(), result: -2_147_418_113, reason }]);
}
