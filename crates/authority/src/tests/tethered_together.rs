//! Certificates that follow objects, and several processes on one store.

use lanyard_lifecycle::revocation::Standing;
use lanyard_pki::ocsp::CertStatus;

use super::tethered::{Fleet, Told, held, told_until};
use super::*;
use crate::mirror::testing::user;

#[tokio::test]
async fn two_processes_say_the_same_at_once() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", true));
    fleet.work().await;
    let (settings, ports) = (fleet.authority.settings().clone(), fleet.authority.ports());
    let other = open_disturbed(settings, ports, Arc::new(Undisturbed)).await.unwrap();
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    for authority in [&fleet.authority, &other] {
        assert_eq!(told_until(authority, &serial).await.unwrap().0, CertStatus::Good);
    }
    let before = other.store().object_sequence().await.unwrap();
    fleet.put(1, user("ada@example.com", false));
    fleet.pass(30);
    let since = fleet.now();
    fleet.work().await;
    // What a process that shares a store does every other second.
    other.announce_since(before).await.unwrap();
    for authority in [&fleet.authority, &other] {
        let told = told_until(authority, &serial).await.unwrap().0;
        assert_eq!(Told::Is(told), held(since));
    }
}

#[tokio::test]
async fn one_process_of_several_judges_what_changes() {
    let fleet = Fleet::new().await;
    fleet.put(1, user("ada@example.com", false));
    fleet.authority.work_mirror().await.unwrap();
    let serial = fleet.issue(Kind::EntraUser, 1).await;
    let (store, now) = (fleet.authority.store(), fleet.now());
    let taken = store.take_lease("tethers", "another", now, now.plus(60)).await.unwrap();
    assert!(taken.is_some());
    fleet.work().await;
    assert_eq!(fleet.standing(&serial).await, Standing::NotRevoked, "another one judges");
    assert_eq!(fleet.told(&serial).await, held(START), "answers wait for nobody");
    fleet.put(2, user("grace@example.com", false));
    let second = fleet.issue(Kind::EntraUser, 2).await;
    fleet.pass(61);
    fleet.work().await;
    assert_eq!(fleet.standing(&second).await, Standing::OnHold { since: fleet.now() });
}
