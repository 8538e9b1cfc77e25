//! Certificates that follow objects and are asked about often: what is read again for that, and what is not.

use lanyard_lifecycle::id::OrganizationId;
use lanyard_lifecycle::revocation::Standing;
use lanyard_pki::ocsp::{CertStatus, ResponseStatus};
use lanyard_pki::{CrlReason, SerialNumber};

use super::tethered::{Fleet, held};
use super::*;
use crate::mirror::testing::user;
use crate::status::testing::{checked, request};

const HELD: Option<CrlReason> = Some(CrlReason::CERTIFICATE_HOLD);

#[tokio::test]
async fn a_feed_of_changes_vouches_for_what_was_read_once_as_long_as_it_goes_on() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.put(2, user("grace@example.com", true));
    fleet.work().await;
    let ca = fleet.authority.cas().current(OrganizationId::DEFAULT).unwrap().clone();
    let ask = async |serial: &SerialNumber| {
        let answer = fleet.authority.answer(&request(&ca, serial, Some(b"nonce"))).await;
        let is_answer = answer.status() == ResponseStatus::Successful;
        is_answer.then(|| checked(&answer.der(), &ca, fleet.now()).unwrap().remove(0).0)
    };
    let (ada, grace) =
        (fleet.issue(Kind::EntraUser, 1).await, fleet.issue(Kind::EntraUser, 2).await);
    // What was issued is judged once by the worker, and read anew after that.
    fleet.work().await;
    for serial in [&ada, &grace] {
        assert_eq!(ask(serial).await, Some(CertStatus::Good));
    }
    fleet.pass(40);
    fleet.put(2, user("grace@example.com", false));
    let since = fleet.now();
    fleet.work().await;
    fleet.pass(40);
    assert_eq!(ask(&grace).await, Some(CertStatus::Revoked { at: since, reason: HELD }));
    // How far the feed has come is known for this second; neither certificate nor object can be read.
    fleet.authority.store().close().await;
    assert_eq!(ask(&ada).await, Some(CertStatus::Good), "it was read a while ago, and is so still");
    fleet.pass(19);
    assert_eq!(ask(&ada).await, Some(CertStatus::Good));
    fleet.pass(1);
    assert_eq!(ask(&ada).await, None, "the feed has not gone on for as long as a fact serves");
}

#[tokio::test]
async fn what_many_wait_for_at_once_is_recorded_once_and_dated_alike() {
    let fleet = Fleet::new().await;
    let mut serials = Vec::new();
    for number in 1..=20 {
        fleet.put(number, user(&format!("person{number}@example.com"), true));
    }
    fleet.work().await;
    for number in 1..=20 {
        serials.push(fleet.issue(Kind::EntraUser, number).await);
        fleet.put(number, user(&format!("person{number}@example.com"), false));
    }
    fleet.pass(30);
    let since = fleet.now();
    fleet.authority.work_mirror().await.unwrap();
    let sequence = async || fleet.authority.store().status_sequence().await.unwrap();
    let before = sequence().await;
    let twice = serials.iter().chain(&serials).map(|serial| fleet.told(serial));
    for told in futures_util::future::join_all(twice).await {
        assert_eq!(told, held(since));
    }
    assert_eq!(sequence().await.0, before.0 + 20, "each is recorded, and none twice");
    for serial in &serials {
        assert_eq!(fleet.standing(serial).await, Standing::OnHold { since });
    }
}
