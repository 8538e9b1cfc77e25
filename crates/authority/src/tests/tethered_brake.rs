//! The brake on automatic revocations: a directory that was cleaned up wrongly, and what a person makes of it.

use lanyard_lifecycle::fact::{Fact, FactSource};
use lanyard_lifecycle::object::ManagementState;
use lanyard_lifecycle::revocation::{RevocationReason, Standing};
use lanyard_lifecycle::verdict::{Rule, State};
use lanyard_pki::SerialNumber;
use lanyard_store::{BatchState, Decided};

use super::tethered::{DEVICE, Fleet, GOOD, Told, USER, gone, held, revoked};
use super::*;
use crate::mirror::testing::{device, user};
use crate::tether::{ByIntune, IntuneRevocation};

/// How many certificates there are: the brake lets two of them pass.
const MANY: u128 = 10;

async fn fleet() -> (Fleet, Vec<SerialNumber>) {
    let fleet = Fleet::with(|settings| {
        settings.tether.brake.least = 2;
        settings.tether.brake.share = 0;
    })
    .await;
    for number in 1..=MANY {
        fleet.put(number, user(&format!("person{number}@example.com"), true));
    }
    fleet.work().await;
    let mut serials = Vec::new();
    for number in 1..=MANY {
        serials.push(fleet.issue(Kind::EntraUser, number).await);
    }
    fleet.work().await;
    (fleet, serials)
}

/// Everybody is deleted at once.
async fn cleaned_up() -> (Fleet, Vec<SerialNumber>) {
    let (fleet, serials) = fleet().await;
    for number in 1..=MANY {
        fleet.delete(USER, number);
    }
    fleet.pass(30);
    fleet.work().await;
    (fleet, serials)
}

async fn count(fleet: &Fleet, serials: &[SerialNumber]) -> [usize; 3] {
    let mut counts = [0; 3];
    for serial in serials {
        let told = fleet.told(serial).await;
        counts[usize::from(told != GOOD) + usize::from(told == Told::TryLater)] += 1;
    }
    counts
}

#[tokio::test]
async fn what_exceeds_the_brake_waits_and_is_no_longer_vouched_for_in_the_end() {
    let (fleet, serials) = cleaned_up().await;
    assert_eq!(count(&fleet, &serials).await, [8, 2, 0]);
    let brake = fleet.authority.brake().await.unwrap();
    assert_eq!((brake.traffic.revoked, brake.traffic.waiting, brake.lets_pass), (2, 8, 0));
    assert_eq!(brake.batches[0].state, BatchState::Held);
    let waiting = fleet.authority.held_back(brake.batches[0].id, None, 100).await.unwrap();
    assert_eq!(waiting.items.len(), 8);
    let one = &waiting.items[0].serial;
    let why = fleet.authority.why(one, Within::Everywhere).await.unwrap();
    assert_eq!((why.verdict.state, why.verdict.rule), (State::Good, Rule::HeldBack));
    assert_eq!(why.held_back.unwrap().ruled.rule, Rule::EntraUserDeleted);

    // Whoever answers first asks the brake, too, and a window that passes lets nothing slip through.
    fleet.pass(7_200);
    fleet.work().await;
    assert_eq!(count(&fleet, &serials).await, [8, 2, 0]);
    fleet.pass(86_400 - 7_200);
    fleet.work().await;
    assert_eq!(count(&fleet, &serials).await, [0, 2, 8], "neither good nor revoked any more");
}

#[tokio::test]
async fn the_brake_holds_back_answers_that_come_before_the_record() {
    let (fleet, serials) = fleet().await;
    for number in 1..=MANY {
        fleet.delete(USER, number);
    }
    fleet.pass(30);
    fleet.authority.work_mirror().await.unwrap();
    assert_eq!(count(&fleet, &serials).await, [8, 2, 0]);
    fleet.work().await;
    assert_eq!(count(&fleet, &serials).await, [8, 2, 0]);
}

#[tokio::test]
async fn what_is_confirmed_is_revoked_unless_it_has_come_back() {
    let (fleet, serials) = cleaned_up().await;
    let since = fleet.now();
    let batch = fleet.authority.brake().await.unwrap().batches[0].id;
    let waits = fleet.authority.held_back(batch, None, 1).await.unwrap().items.remove(0);
    let number = u128::from_be_bytes(waits.binding.object.to_bytes());
    fleet.put(number, user("back@example.com", true));
    fleet.pass(30);
    fleet.authority.work_mirror().await.unwrap();
    let by = Actor::Operator("ada".into());
    let decided = fleet.authority.confirm_held_back(batch, &by).await.unwrap();
    assert_eq!(decided, Decided::Recorded);
    let again = fleet.authority.discard_held_back(batch, &by).await.unwrap();
    assert_eq!(again, Decided::Before(BatchState::Confirmed));
    fleet.work().await;
    assert_eq!(count(&fleet, &serials).await, [1, 9, 0]);
    assert_eq!(fleet.told(&waits.serial).await, GOOD);
    let left = revoked(since, RevocationReason::AffiliationChanged);
    for serial in serials.iter().filter(|serial| **serial != waits.serial) {
        assert_eq!(fleet.told(serial).await, left);
        assert!(fleet.listed(serial).is_some());
    }
    assert_eq!(fleet.authority.brake().await.unwrap().traffic.waiting, 0);
}

#[tokio::test]
async fn what_is_discarded_stays_good_until_its_directory_says_it_anew() {
    let (fleet, serials) = cleaned_up().await;
    let batch = fleet.authority.brake().await.unwrap().batches[0].id;
    let waits = fleet.authority.held_back(batch, None, 1).await.unwrap().items.remove(0);
    let number = u128::from_be_bytes(waits.binding.object.to_bytes());
    fleet.authority.discard_held_back(batch, &Actor::Operator("ada".into())).await.unwrap();
    fleet.pass(2 * 86_400);
    fleet.work().await;
    assert_eq!(count(&fleet, &serials).await, [8, 2, 0], "a person has decided");
    fleet.pass(3_700);
    fleet.put(number, user("back@example.com", true));
    fleet.pass(30);
    fleet.work().await;
    fleet.delete(USER, number);
    fleet.pass(30);
    fleet.work().await;
    let left = revoked(fleet.now(), RevocationReason::AffiliationChanged);
    assert_eq!(fleet.told(&waits.serial).await, left);
}

#[tokio::test]
async fn what_comes_back_is_not_held_back_any_more() {
    let (fleet, serials) = cleaned_up().await;
    for number in 1..=MANY {
        fleet.put(number, user(&format!("person{number}@example.com"), true));
    }
    fleet.pass(30);
    fleet.work().await;
    assert_eq!(count(&fleet, &serials).await, [10, 0, 0]);
    assert_eq!(fleet.authority.brake().await.unwrap().traffic.waiting, 0);
    assert!(serials.iter().all(|serial| fleet.listed(serial).is_none()));
}

#[tokio::test]
async fn holds_wipes_and_what_people_do_are_never_held_back() {
    let (fleet, serials) = cleaned_up().await;
    for number in 11..=20 {
        fleet.put(number, device(ManagementState::Managed));
        fleet.put(number, user(&format!("person{number}@example.com"), true));
    }
    fleet.pass(601);
    fleet.work().await;
    let (mut wiped, mut disabled) = (Vec::new(), Vec::new());
    for number in 11..=20 {
        wiped.push(fleet.issue(Kind::IntuneDevice, number).await);
        disabled.push(fleet.issue(Kind::EntraUser, number).await);
    }
    for number in 11..=20 {
        fleet.put(number, device(ManagementState::WipePending));
        fleet.put(number, user(&format!("person{number}@example.com"), false));
    }
    fleet.pass(601);
    fleet.work().await;
    let since = fleet.now();
    for (wiped, disabled) in wiped.iter().zip(&disabled) {
        assert_eq!(
            (fleet.told(wiped).await, fleet.told(disabled).await),
            (gone(since), held(since))
        );
    }
    let mut by_hand = None;
    for serial in &serials {
        if fleet.told(serial).await == GOOD {
            by_hand = Some(serial);
        }
    }
    let revocation = Revocation {
        serial: by_hand.unwrap().clone(),
        change: Change::Revoke(RevocationReason::KeyCompromise),
        invalidity_date: None,
        actor: Actor::Operator("ada".into()),
        within: Within::Everywhere,
    };
    fleet.authority.revoke(revocation).await.unwrap();
    let told = fleet.told(by_hand.unwrap()).await;
    assert_eq!(told, revoked(since, RevocationReason::KeyCompromise));
}

#[tokio::test]
async fn intune_revokes_what_was_enrolled_through_it_for_good() {
    let fleet = Fleet::with(|settings| {
        settings.tether.brake.least = 1;
        settings.tether.brake.share = 0;
    })
    .await;
    for number in 1..=3 {
        fleet.put(number, device(ManagementState::Managed));
    }
    fleet.work().await;
    let mut serials = Vec::new();
    for number in 1..=3 {
        serials.push(fleet.issue(Kind::IntuneDevice, number).await);
    }
    let fact = Fact {
        source: FactSource::Directory {
            name: "Intune".into(),
            directory: crate::mirror::testing::TENANT,
        },
        object: None,
        name: "certificateRevokeStatus".into(),
        value: "revoked".into(),
        learnt: START,
    };
    let ask = async |serial: &SerialNumber, rule| {
        let asked = IntuneRevocation {
            serial: serial.clone(),
            rule,
            reason: None,
            facts: vec![fact.clone()],
            answer: None,
        };
        fleet.authority.revoke_for_intune(vec![asked]).await.unwrap().remove(0)
    };
    let reason = RevocationReason::CessationOfOperation;
    let standing = Standing::Revoked { since: START, reason };
    let queue = Rule::IntuneRevocationRequested;
    assert_eq!(ask(&serials[0], queue).await, ByIntune::Revoked(standing));
    assert_eq!(fleet.told(&serials[0]).await, gone(START));
    fleet.pass(10);
    assert_eq!(ask(&serials[0], queue).await, ByIntune::Revoked(standing), "as it was recorded");
    let nobody = SerialNumber::from_bytes(&[0x11; 20]).unwrap();
    assert_eq!(ask(&nobody, queue).await, ByIntune::NotIssued);

    // A list may be wrong as a whole.
    let list = Rule::IntuneListedRevoked;
    assert!(matches!(ask(&serials[1], list).await, ByIntune::Revoked(_)));
    assert_eq!(ask(&serials[2], list).await, ByIntune::HeldBack);
    assert_eq!(fleet.told(&serials[2]).await, GOOD);
    fleet.work().await;
    let batch = fleet.authority.brake().await.unwrap().batches[0].id;
    assert_eq!(fleet.authority.brake().await.unwrap().traffic.waiting, 1);
    fleet.authority.confirm_held_back(batch, &Actor::Operator("ada".into())).await.unwrap();
    fleet.work().await;
    assert_eq!(fleet.told(&serials[2]).await, gone(START.plus(10)));
    fleet.delete(DEVICE, 1);
    fleet.pass(601);
    fleet.work().await;
    assert_eq!(fleet.told(&serials[0]).await, gone(START));
}
