//! Rounds that are demanded, and work that is given up in the middle.

use std::sync::Arc;

use futures_util::FutureExt as _;
use lanyard_directory::Why;
use lanyard_lifecycle::object::{ManagementState, ObjectKey, ObjectKind};
use tokio::sync::Semaphore;

use super::mirrored::{
    closed, id, is_absent, is_wiped, known, mirroring, open, open_with, populated,
};
use super::*;
use crate::mirror::Answer;
use crate::mirror::testing::{TENANT, device, user};

const USER: ObjectKind = ObjectKind::EntraUser;
const DEVICE: ObjectKind = ObjectKind::IntuneDevice;

#[tokio::test]
async fn a_demand_begins_a_round_before_its_time() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    script.world().put(6, device(ManagementState::WipePending));
    authority.work_mirror().await.unwrap();
    assert!(!is_wiped(known(&authority, DEVICE, 6).await));
    assert!(authority.demand_directory(TENANT, Some(DEVICE)).await.unwrap());
    authority.work_mirror().await.unwrap();
    assert!(is_wiped(known(&authority, DEVICE, 6).await));
    let pages = script.world().pages;
    authority.work_mirror().await.unwrap();
    assert_eq!(script.world().pages, pages, "a demand is served once");
    assert!(!authority.demand_directory(TENANT, Some(ObjectKind::JamfUser)).await.unwrap());
}

#[tokio::test]
async fn the_kept_mirror_serves_a_demand_at_once() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    let keeping = tokio::spawn({
        let authority = authority.clone();
        async move { authority.keep_mirror().await }
    });
    let mut changes = authority.object_changes();
    let until = async |changes: &mut tokio::sync::broadcast::Receiver<Arc<[ObjectKey]>>, key| {
        while !changes.recv().await.unwrap().contains(&key) {}
    };
    if matches!(known(&authority, DEVICE, 8).await, Answer::Unknown(_)) {
        until(&mut changes, id(DEVICE, 8)).await;
    }
    script.world().put(8, device(ManagementState::WipePending));
    authority.demand_directory(TENANT, None).await.unwrap();
    until(&mut changes, id(DEVICE, 8)).await;
    assert!(is_wiped(known(&authority, DEVICE, 8).await));
    keeping.abort();
}

#[tokio::test]
async fn however_much_is_hinted_one_round_is_read_and_no_pause_ends() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    let flood = async || {
        let before = script.world().pages;
        for _ in 0..5 {
            assert!(authority.expect_changes(TENANT, USER).await.unwrap());
        }
        authority.work_mirror().await.unwrap();
        script.world().pages - before
    };
    assert_eq!(flood().await, 1, "one round, of one page");
    script.world().page_faults.push_back(Why::Throttled { retry_after: None });
    assert_eq!(flood().await, 1, "it fails, and a pause begins");
    assert_eq!(flood().await, 0, "whoever hints does not end the pause");
    assert!(authority.demand_directory(TENANT, Some(USER)).await.unwrap());
    let before = script.world().pages;
    authority.work_mirror().await.unwrap();
    assert_eq!(script.world().pages - before, 1, "an operator does");
    assert!(!authority.expect_changes(TENANT, ObjectKind::JamfUser).await.unwrap());
}

#[tokio::test]
async fn the_kept_mirror_follows_a_hint() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    let mut changes = authority.object_changes();
    let keeping = tokio::spawn({
        let authority = authority.clone();
        async move { authority.keep_mirror().await }
    });
    script.world().put(7, user("person7@example.com", false));
    assert!(authority.expect_changes(TENANT, USER).await.unwrap());
    while !changes.recv().await.unwrap().contains(&id(USER, 7)) {}
    keeping.abort();
}

#[tokio::test]
async fn a_process_that_was_killed_keeps_its_successor_waiting_for_nothing() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    // It gives up nothing, as a process that is killed; the file is all that the next one has.
    authority.store().close().await;
    drop(authority);
    let authority = open(&installation, &script).await;
    script.world().delete(USER, 7);
    installation.clock.advance(30);
    authority.work_mirror().await.unwrap();
    assert!(is_absent(known(&authority, USER, 7).await), "its lease would have lasted 30 s more");
}

/// Tells when a step was taken.
#[derive(Debug)]
struct Watch {
    step: Step,
    reached: Notify,
}

impl Steps for Watch {
    fn at(&self, step: Step) -> BoxFuture<'_, Result<(), Fault>> {
        if step == self.step {
            self.reached.notify_one();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_lease_is_held_through_a_step_that_takes_longer_than_it_lasts() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let watch = Arc::new(Watch { step: Step::LeaseProlonged, reached: Notify::new() });
    let authority = open_with(&installation, &script, mirroring(), watch.clone()).await;
    authority.work_mirror().await.unwrap();
    script.world().delete(DEVICE, 2);
    installation.clock.advance(601);
    let gate = closed(&script).await;
    let mut changes = authority.object_changes();
    let keeping = tokio::spawn({
        let authority = authority.clone();
        async move { authority.keep_mirror().await }
    });
    // What is missing is being looked up; more than a minute goes by.
    for _ in 0..5 {
        installation.clock.advance(16);
        // The first may have been under way before.
        watch.reached.notified().await;
        watch.reached.notified().await;
    }
    let (name, now) = (format!("mirror {TENANT}"), START.plus(681));
    let taken = authority.store().take_lease(&name, "another", now, now.plus(60)).await.unwrap();
    assert_eq!(taken, None, "it is held");
    drop(gate);
    while !changes.recv().await.unwrap().contains(&id(DEVICE, 2)) {}
    assert!(is_absent(known(&authority, DEVICE, 2).await));
    assert_eq!(script.world().look_ups, 1, "what was looked up is recorded");
    keeping.abort();
}

/// Holds work at a step until it is let go.
#[derive(Debug)]
struct Hold {
    step: Step,
    reached: Notify,
    go: Semaphore,
}

impl Steps for Hold {
    fn at(&self, step: Step) -> BoxFuture<'_, Result<(), Fault>> {
        if step != self.step {
            return Box::pin(std::future::ready(Ok(())));
        }
        self.reached.notify_one();
        Box::pin(async {
            self.go.acquire().await.unwrap().forget();
            Ok(())
        })
    }
}

#[tokio::test]
async fn what_is_recorded_is_announced_although_the_lease_is_lost_just_then() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let step = Step::ObjectsRecorded;
    let hold = Arc::new(Hold { step, reached: Notify::new(), go: Semaphore::new(0) });
    let authority = open_with(&installation, &script, mirroring(), hold.clone()).await;
    let mut changes = authority.object_changes();
    let reading = tokio::spawn({
        let authority = authority.clone();
        async move { authority.work_mirror().await }
    });
    hold.reached.notified().await;
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    assert!(changes.recv().now_or_never().is_none(), "nobody was told yet");
    assert!(!matches!(known(&authority, USER, 1).await, Answer::Unknown(_)), "it is recorded");
    hold.go.add_permits(1);
    assert!(changes.recv().await.unwrap().contains(&id(USER, 1)));
}
