//! Certificates that follow objects of which nothing is known, or nothing new: outages, objects that nobody has seen.

use lanyard_directory::Why;
use lanyard_lifecycle::id::OrganizationId;
use lanyard_lifecycle::object::ManagementState;
use lanyard_lifecycle::revocation::{RevocationReason, Standing};
use lanyard_pki::Digest;
use lanyard_pki::ocsp::{self, CertStatus, ResponseStatus};

use super::tethered::{Fleet, GOOD, HELD, Told, gone, held};
use super::*;
use crate::mirror::testing::{device, user};
use crate::settings::DAY;
use crate::status::testing::{cert_id, checked, request};

#[tokio::test]
async fn an_outage_leaves_the_last_word_until_it_is_stale_and_then_nothing_is_said() {
    let fleet = Fleet::new().await;
    fleet.put(1, device(ManagementState::Managed));
    fleet.put(2, device(ManagementState::Managed));
    fleet.work().await;
    let serial = fleet.issue(Kind::IntuneDevice, 1).await;
    let other = fleet.issue(Kind::IntuneDevice, 2).await;
    fleet.script.world().look_up_faults.extend([Why::Unreachable; 200]);
    for passed in [100, 3_600, 80_000] {
        fleet.pass(passed);
        let (status, until) = fleet.told_until(&serial).await.unwrap();
        assert_eq!(status, CertStatus::Good);
        assert!(until > fleet.now() && until <= fleet.now().plus(60), "{until}");
    }
    fleet.pass(3_000);
    assert_eq!(fleet.told(&serial).await, Told::TryLater, "it is a day old");
    assert_eq!(fleet.standing(&serial).await, Standing::NotRevoked);
    // One of several makes the whole response so.
    let ca = fleet.authority.cas().current(OrganizationId::DEFAULT).unwrap().clone();
    fleet.script.world().look_up_faults.clear();
    assert_eq!(fleet.told(&other).await, GOOD);
    fleet.script.world().look_up_faults.extend([Why::Unreachable; 200]);
    let ids = [&serial, &other].map(|serial| cert_id(&ca, Digest::Sha1, serial));
    let ids = ids.each_ref().map(Vec::as_slice);
    let answer = fleet.authority.answer(&ocsp::request(&ids, None)).await;
    assert_eq!(answer.status(), ResponseStatus::TryLater);
    assert!(answer.fault().is_none(), "it is no fault of ours");
    // A fault is believed in for a moment, so that a service that is down is not asked for every answer.
    fleet.script.world().look_up_faults.clear();
    fleet.pass(15);
    assert_eq!(fleet.told(&serial).await, GOOD);
}

#[tokio::test]
async fn a_hold_outlives_an_outage_in_the_crl_and_ignorance_lifts_nothing() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", false));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    fleet.work().await;
    let since = START;
    assert_eq!(fleet.told(&serial).await, held(since));
    fleet.script.world().look_up_faults.extend([Why::Unreachable; 200]);
    fleet.script.world().page_faults.extend([Why::Unreachable; 200]);
    fleet.pass(2 * DAY);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, Told::TryLater);
    assert_eq!(fleet.standing(&serial).await, Standing::OnHold { since });
    assert_eq!(fleet.listed(&serial), Some((since, HELD)));
}

#[tokio::test]
async fn an_object_that_nobody_has_seen_is_absent_only_once_its_certificate_is_no_longer_new() {
    let fleet = Fleet::new().await;
    fleet.work().await;
    let (late, never) =
        (fleet.issue(Kind::IntuneDevice, 1).await, fleet.issue(Kind::IntuneDevice, 2).await);
    fleet.work().await;
    assert_eq!((fleet.told(&late).await, fleet.told(&never).await), (GOOD, GOOD));
    fleet.pass(600);
    fleet.put(1, device(ManagementState::Managed));
    fleet.work().await;
    assert_eq!((fleet.told(&late).await, fleet.told(&never).await), (GOOD, GOOD));
    fleet.pass(300);
    fleet.work().await;
    let since = START.plus(900);
    assert_eq!((fleet.told(&late).await, fleet.told(&never).await), (GOOD, gone(since)));
    assert_eq!(fleet.listed(&never), Some((since, HELD)));
    fleet.pass(600);
    fleet.work().await;
    let reason = RevocationReason::CessationOfOperation;
    assert_eq!(fleet.standing(&never).await, Standing::Revoked { since, reason });
    assert_eq!(fleet.standing(&late).await, Standing::NotRevoked);
}

#[tokio::test]
async fn what_was_never_learnt_is_no_answer() {
    let fleet = Fleet::new().await;
    let serial = fleet.issue(Kind::IntuneDevice, 1).await;
    fleet.script.world().look_up_faults.extend([Why::Forbidden { permission: None }; 50]);
    assert_eq!(fleet.told(&serial).await, Told::TryLater);
    fleet.authority.work_tethers().await.unwrap();
    assert_eq!(fleet.standing(&serial).await, Standing::NotRevoked);
}

#[tokio::test]
async fn what_was_learnt_serves_signed_answers_without_a_read() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    assert_eq!(fleet.told(&serial).await, GOOD);
    fleet.authority.store().close().await;
    let ca = fleet.authority.cas().current(OrganizationId::DEFAULT).unwrap().clone();
    let ask = async || fleet.authority.answer(&request(&ca, &serial, Some(b"nonce"))).await;
    let answer = ask().await;
    assert_eq!(checked(&answer.der(), &ca, fleet.now()).unwrap()[0].0, CertStatus::Good);
    fleet.pass(59);
    assert_eq!(ask().await.status(), ResponseStatus::Successful);
    fleet.pass(1);
    assert_eq!(ask().await.status(), ResponseStatus::TryLater, "its facts are too old");
}

#[tokio::test]
async fn silence_is_over_as_soon_as_the_feed_speaks_again_although_nothing_has_changed() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, GOOD);
    fleet.script.world().look_up_faults.extend([Why::Unreachable; 200]);
    fleet.script.world().page_faults.extend([Why::Unreachable; 200]);
    fleet.pass(2 * DAY);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, Told::TryLater);
    fleet.script.world().look_up_faults.clear();
    fleet.script.world().page_faults.clear();
    fleet.pass(60);
    fleet.work().await;
    assert_eq!(fleet.told(&serial).await, GOOD);
}
