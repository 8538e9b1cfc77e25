//! Random histories of a directory, its faults and the program's restarts: nothing is absent without proof, and once the
//! faults are over the mirror is as its directory is.

use std::collections::BTreeSet;

use lanyard_directory::Why;
use lanyard_lifecycle::id::ObjectId;
use lanyard_lifecycle::object::{ManagementState, ObjectKey, ObjectKind, Presence};
use proptest::prelude::*;

use super::mirrored::{id, open};
use super::*;
use crate::mirror::testing::{Scripted, device, user};
use crate::mirror::{Answer, Need};

const KINDS: [ObjectKind; 2] = [ObjectKind::EntraUser, ObjectKind::IntuneDevice];

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    Put(usize, u128, bool),
    Delete(usize, u128),
    Hide(u128),
    Show(u128),
    ForgetChanges,
    PageFault(Why),
    LookUpFaults(Why, usize),
    Ask(usize, u128),
    /// A look-up does not find a user, whether there or not.
    Deny(u128),
    Pass(i64),
    Restart,
}

fn why() -> impl Strategy<Value = Why> {
    prop_oneof![
        Just(Why::TimedOut),
        Just(Why::Throttled { retry_after: Some(std::time::Duration::from_secs(40)) }),
        Just(Why::Unauthorized),
        Just(Why::Forbidden { permission: None }),
        Just(Why::Failing { status: 500 }),
        Just(Why::Unreadable),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let (kind, number) = (0..KINDS.len(), 1..10_u128);
    prop_oneof![
        4 => (kind.clone(), number.clone(), any::<bool>()).prop_map(|(k, n, e)| Event::Put(k, n, e)),
        2 => (kind.clone(), number.clone()).prop_map(|(k, n)| Event::Delete(k, n)),
        1 => number.clone().prop_map(Event::Hide),
        1 => number.clone().prop_map(Event::Show),
        1 => Just(Event::ForgetChanges),
        2 => why().prop_map(Event::PageFault),
        2 => (why(), 1..6_usize).prop_map(|(why, n)| Event::LookUpFaults(why, n)),
        2 => number.clone().prop_map(Event::Deny),
        3 => (kind, number).prop_map(|(k, n)| Event::Ask(k, n)),
        6 => (1..700_i64).prop_map(Event::Pass),
        1 => Just(Event::Restart),
    ]
}

fn properties(kind: ObjectKind, number: u128, is_well: bool) -> lanyard_lifecycle::Properties {
    match kind {
        ObjectKind::EntraUser => user(&format!("person{number}@example.com"), is_well),
        _ if is_well => device(ManagementState::Managed),
        _ => device(ManagementState::WipePending),
    }
}

/// What was never deleted is never absent.
async fn check(authority: &Authority, deleted: &BTreeSet<ObjectKey>) -> Result<(), TestCaseError> {
    for kind in KINDS {
        for number in 1..10 {
            let key = id(kind, number);
            let known = authority.observe(key, Need::Known).await.unwrap();
            if let Answer::Observed(known) = known
                && known.state.presence == Presence::Absent
                && known.first_seen.is_some()
            {
                prop_assert!(deleted.contains(&key), "{key} is absent without proof");
            }
        }
    }
    Ok(())
}

async fn live(events: Vec<Event>) -> Result<(), TestCaseError> {
    let installation = Installation::new();
    let script = Scripted::new(installation.clock.clone());
    let mut authority = open(&installation, &script).await;
    let mut deleted = BTreeSet::new();
    for event in events {
        match event {
            Event::Put(kind, number, is_well) => {
                script.world().put(number, properties(KINDS[kind], number, is_well));
            }
            Event::Delete(kind, number) => {
                let there = (KINDS[kind], ObjectId::from_u128(number));
                if script.world().objects.contains_key(&there) {
                    deleted.insert(id(KINDS[kind], number));
                }
                script.world().delete(KINDS[kind], number);
            }
            Event::Hide(number) => {
                script.world().hidden.insert(ObjectId::from_u128(number));
            }
            Event::Show(number) => {
                script.world().hidden.remove(&ObjectId::from_u128(number));
            }
            Event::ForgetChanges => script.world().forget_changes(),
            Event::PageFault(why) => script.world().page_faults.push_back(why),
            Event::LookUpFaults(why, count) => {
                script.world().look_up_faults.extend(vec![why; count]);
            }
            Event::Ask(kind, number) => {
                authority.observe(id(KINDS[kind], number), Need::Current).await.unwrap();
            }
            Event::Deny(number) => {
                let key = id(ObjectKind::EntraUser, number);
                script.world().denied.insert(key.object);
                authority.observe(key, Need::Now).await.unwrap();
                script.world().denied.clear();
                // The directory's word is all the proof there can be.
                deleted.insert(key);
            }
            Event::Pass(seconds) => {
                installation.clock.advance(seconds);
                authority.work_mirror().await.unwrap();
                check(&authority, &deleted).await?;
            }
            Event::Restart => {
                authority.store().close().await;
                authority = open(&installation, &script).await;
            }
        }
    }
    // All is well again for a while.
    script.world().page_faults.clear();
    script.world().look_up_faults.clear();
    script.world().hidden.clear();
    for _ in 0..4 {
        installation.clock.advance(700);
        authority.work_mirror().await.unwrap();
    }
    check(&authority, &deleted).await?;
    for kind in KINDS {
        for number in 1..10 {
            let key = id(kind, number);
            let there = script.world().objects.get(&(kind, key.object)).cloned();
            // What no reading ever showed is asked for when it is needed.
            let known = match authority.observe(key, Need::Current).await.unwrap() {
                Answer::Observed(known) => known.state.properties().cloned(),
                _ => None,
            };
            prop_assert_eq!(known, there, "{}", key);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_absent_without_proof_and_the_mirror_ends_up_as_its_directory(
        events in proptest::collection::vec(event(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(events))?;
    }
}
