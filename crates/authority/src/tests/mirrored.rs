//! The mirror from the outside: a scripted directory, a clock that the test moves, and what is known in the end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use lanyard_directory::Why;
use lanyard_lifecycle::id::ObjectId;
use lanyard_lifecycle::object::{ManagementState, ObjectKey, ObjectKind, Presence, Properties};
use lanyard_store::{FeedKey, FeedPhase, ObjectName};

use tokio::sync::SemaphorePermit;

use super::*;
use crate::mirror::testing::{GATE, Scripted, TENANT, device, key, risky, user};
use crate::mirror::{Answer, DirectorySettings, FeedHealth, Need, Observed};

const USER: ObjectKind = ObjectKind::EntraUser;
const DEVICE: ObjectKind = ObjectKind::IntuneDevice;

/// Settings with the scripted directory.
pub(super) fn mirroring() -> Settings {
    let mut settings = settings();
    settings.directories.push(DirectorySettings::new(TENANT, "Example"));
    settings
}

/// Opens an installation that mirrors a scripted directory.
pub(super) async fn open(installation: &Installation, script: &Arc<Scripted>) -> Authority {
    open_with(installation, script, mirroring(), Arc::new(Undisturbed)).await
}

pub(super) async fn open_with(
    installation: &Installation,
    script: &Arc<Scripted>,
    settings: Settings,
    steps: Arc<dyn Steps>,
) -> Authority {
    let mut ports = installation.ports().await;
    ports.directories.push(script.clone());
    open_disturbed(settings, ports, steps).await.unwrap()
}

/// A directory with seven users and eight devices, the first of them at risk.
pub(super) fn populated(clock: &Arc<ManualClock>) -> Arc<Scripted> {
    let script = Scripted::new(clock.clone());
    let mut world = script.world();
    for number in 1..=7 {
        world.put(number, user(&format!("person{number}@example.com"), true));
    }
    for number in 1..=8 {
        world.put(number, device(ManagementState::Managed));
    }
    world.put(1, risky());
    drop(world);
    script
}

pub(super) fn id(kind: ObjectKind, number: u128) -> ObjectKey {
    key(kind, ObjectId::from_u128(number))
}

pub(super) async fn known(authority: &Authority, kind: ObjectKind, number: u128) -> Answer {
    authority.observe(id(kind, number), Need::Known).await.unwrap()
}

pub(super) async fn current(authority: &Authority, kind: ObjectKind, number: u128) -> Answer {
    authority.observe(id(kind, number), Need::Current).await.unwrap()
}

pub(super) fn observed(answer: Answer) -> Observed {
    match answer {
        Answer::Observed(observed) => observed,
        other => panic!("not observed: {other:?}"),
    }
}

pub(super) fn properties(answer: Answer) -> Properties {
    match observed(answer).state.presence {
        Presence::Present(properties) => properties,
        Presence::Absent => panic!("absent"),
    }
}

pub(super) fn is_absent(answer: Answer) -> bool {
    observed(answer).state.presence == Presence::Absent
}

#[tokio::test]
async fn everything_is_read_once_then_what_has_changed() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    let next = authority.work_mirror().await.unwrap();
    assert_eq!(next, START.plus(30), "the users' changes are due first");
    for number in 1..=7 {
        let expected = user(&format!("person{number}@example.com"), true);
        assert_eq!(properties(known(&authority, USER, number).await), expected);
    }
    assert_eq!(properties(known(&authority, DEVICE, 8).await), device(ManagementState::Managed));
    let pages = script.world().pages;

    installation.clock.advance(30);
    script.world().put(3, user("person3@example.com", false));
    script.world().delete(USER, 4);
    authority.work_mirror().await.unwrap();
    assert_eq!(properties(known(&authority, USER, 3).await), user("person3@example.com", false));
    assert!(is_absent(known(&authority, USER, 4).await), "a documented removal");
    assert!(script.world().pages - pages < 8, "the changes are read, and nothing else");
    assert_eq!(script.world().look_ups, 0);
    let fifth = observed(known(&authority, USER, 5).await);
    assert_eq!(fifth.state.learnt, START.plus(30), "the round vouches for what has not changed");
}

#[tokio::test]
async fn what_a_sweep_does_not_show_is_absent_only_once_a_look_up_has_proved_it() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();

    installation.clock.advance(601);
    script.world().delete(DEVICE, 2);
    script.world().hidden.insert(ObjectId::from_u128(5));
    // Device 2 can't be asked for at first: one answer of two.
    script.world().look_up_faults.push_back(Why::Failing { status: 500 });
    authority.work_mirror().await.unwrap();
    assert_eq!(properties(known(&authority, DEVICE, 2).await), device(ManagementState::Managed));
    assert_eq!(properties(known(&authority, DEVICE, 5).await), device(ManagementState::Managed));

    installation.clock.advance(6);
    authority.work_mirror().await.unwrap();
    let gone = observed(known(&authority, DEVICE, 2).await);
    assert_eq!(gone.state.presence, Presence::Absent);
    assert_eq!(gone.absent_since, Some(START.plus(607)));
    assert_eq!(gone.first_seen, Some(START));
    assert_eq!(properties(known(&authority, DEVICE, 5).await), device(ManagementState::Managed));
}

#[tokio::test]
async fn a_look_up_that_found_nothing_once_is_not_vouched_for_by_the_feed() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    installation.clock.advance(10);
    script.world().denied.insert(ObjectId::from_u128(3));
    let denied = authority.observe(id(USER, 3), Need::Now).await.unwrap();
    assert!(is_absent(denied));
    script.world().denied.clear();
    // Nothing changes, so rounds of changes do not tell of it.
    installation.clock.advance(61);
    authority.work_mirror().await.unwrap();
    assert!(!is_absent(current(&authority, USER, 3).await), "it was asked for again");
}

#[tokio::test]
async fn what_the_log_names_in_part_and_a_look_up_does_not_find_is_asked_for_again() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    let third = ObjectId::from_u128(3);
    script.world().in_part.insert(third);
    script.world().denied.insert(third);
    script.world().put(3, user("person3@example.com", false));
    installation.clock.advance(30);
    authority.work_mirror().await.unwrap();
    script.world().denied.clear();
    // The log tells no more of it, and rounds that come to their end vouch for nothing here.
    installation.clock.advance(61);
    authority.work_mirror().await.unwrap();
    let again = properties(current(&authority, USER, 3).await);
    assert_eq!(again, user("person3@example.com", false), "it was asked for again");
    assert_eq!(script.world().look_ups, 1);
}

#[tokio::test]
async fn a_directory_that_answers_nothing_makes_nothing_absent() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    installation.clock.advance(601);
    // A permission is lost: lists are empty, and nothing can be asked for.
    let everything: Vec<_> = (0..=9).map(ObjectId::from_u128).collect();
    script.world().hidden.extend(everything);
    let lost = Why::Forbidden { permission: Some("DeviceManagementManagedDevices.Read.All") };
    script.world().look_up_faults.extend([lost; 100]);
    authority.work_mirror().await.unwrap();
    installation.clock.advance(700);
    authority.work_mirror().await.unwrap();
    for number in 1..=8 {
        assert!(!is_absent(known(&authority, DEVICE, number).await), "device {number}");
    }
    let asked = observed(current(&authority, DEVICE, 1).await);
    assert_eq!(asked.trouble.map(|trouble| trouble.why), Some(lost));
    assert_eq!(asked.state.learnt, START, "the last word stands, with its age");
}

#[tokio::test]
async fn a_directory_that_forgot_the_changes_is_read_anew_and_nothing_known_is_lost() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    script.world().delete(USER, 2);
    script.world().put(9, user("person9@example.com", true));
    script.world().forget_changes();
    installation.clock.advance(30);
    authority.work_mirror().await.unwrap();
    let gone = observed(known(&authority, USER, 2).await);
    assert_eq!((gone.state.presence, gone.first_seen), (Presence::Absent, Some(START)));
    assert_eq!(properties(known(&authority, USER, 9).await), user("person9@example.com", true));
    assert_eq!(script.world().look_ups, 1, "one absence to prove");
    assert_eq!(observed(known(&authority, USER, 1).await).first_seen, Some(START));
}

#[tokio::test]
async fn an_outage_shows_as_trouble_and_staleness_and_ends_by_itself() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    script.world().page_faults.push_back(Why::Unauthorized);
    authority.work_mirror().await.unwrap();
    let users = async || authority.directories().await.unwrap()[0].feeds[0].clone();
    let trouble = users().await.trouble.unwrap();
    assert!(trouble.text.starts_with("Example (ask)"), "{}", trouble.text);
    assert_eq!((users().await.health, users().await.staleness), (FeedHealth::Loading, None));

    installation.clock.advance(5);
    authority.work_mirror().await.unwrap();
    let report = users().await;
    assert_eq!((report.trouble, report.health), (None, FeedHealth::Current));
    assert_eq!((report.seen, report.total, report.present), (7, Some(7), 7));
    assert_eq!((report.as_of, report.phase), (Some(START.plus(5)), FeedPhase::Resting));

    installation.clock.advance(200);
    script.world().page_faults.push_back(Why::Unreachable);
    authority.work_mirror().await.unwrap();
    assert_eq!((users().await.health, users().await.staleness), (FeedHealth::Behind, Some(200)));
    installation.clock.advance(90_000);
    assert_eq!(users().await.health, FeedHealth::Stale);
    authority.work_mirror().await.unwrap();
    assert_eq!(users().await.health, FeedHealth::Current);
}

/// Lets no look-up end until it is dropped.
pub(super) async fn closed(script: &Scripted) -> SemaphorePermit<'_> {
    script.gate.acquire_many(u32::try_from(GATE).unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_unknown_object_is_asked_for_once_by_all_who_wait() {
    let installation = Installation::new();
    let script = Scripted::new(installation.clock.clone());
    script.world().put(1, device(ManagementState::Managed));
    let gate = closed(&script).await;
    let authority = open(&installation, &script).await;
    let mut asking = Vec::new();
    for _ in 0..20 {
        let mut one = Box::pin(authority.observe(id(DEVICE, 1), Need::Current));
        assert!(one.as_mut().now_or_never().is_none(), "it waits");
        asking.push(one);
    }
    drop(gate);
    for answer in join_all(asking).await {
        assert_eq!(properties(answer.unwrap()), device(ManagementState::Managed));
    }
    assert_eq!(script.world().look_ups, 1);
    // Within the detection delay it need not be asked for again; after it, it is.
    current(&authority, DEVICE, 1).await;
    assert_eq!(script.world().look_ups, 1);
    installation.clock.advance(61);
    script.world().put(1, device(ManagementState::WipePending));
    let found = properties(current(&authority, DEVICE, 1).await);
    assert_eq!(found, device(ManagementState::WipePending), "without any push");
    assert_eq!(script.world().look_ups, 2);
}

#[tokio::test]
async fn what_the_directory_does_not_know_is_remembered_briefly() {
    let installation = Installation::new();
    let script = Scripted::new(installation.clock.clone());
    let authority = open(&installation, &script).await;
    let never = observed(current(&authority, DEVICE, 1).await);
    assert_eq!((never.state.presence, never.first_seen), (Presence::Absent, None));
    current(&authority, DEVICE, 1).await;
    assert_eq!(script.world().look_ups, 1);
    // Directories show new objects late.
    installation.clock.advance(31);
    script.world().put(1, device(ManagementState::Managed));
    let found = observed(current(&authority, DEVICE, 1).await);
    assert_eq!((found.first_seen, found.absent_since), (Some(START.plus(31)), None));
    assert_eq!(script.world().look_ups, 2);

    let feed = FeedKey { directory: TENANT, kind: USER };
    let upn = || ObjectName::UserPrincipalName("ada@example.com".to_owned());
    let ask = async || authority.observe_named(feed, upn(), Need::Current).await.unwrap();
    assert_eq!(ask().await, Answer::NoSuch { learnt: START.plus(31) });
    script.world().put(5, user("ada@example.com", true));
    assert_eq!(ask().await, Answer::NoSuch { learnt: START.plus(31) }, "remembered");
    installation.clock.advance(31);
    assert_eq!(observed(ask().await).state.key, id(USER, 5));
}

#[tokio::test]
async fn a_name_leads_to_whoever_bears_it_now() {
    let installation = Installation::new();
    let script = Scripted::new(installation.clock.clone());
    let authority = open(&installation, &script).await;
    let feed = FeedKey { directory: TENANT, kind: USER };
    let ask = async |need| {
        let upn = ObjectName::UserPrincipalName("Ada@example.com".to_owned());
        authority.observe_named(feed, upn, need).await.unwrap()
    };
    script.world().put(1, user("Ada@example.com", true));
    assert_eq!(observed(ask(Need::Current).await).state.key, id(USER, 1));
    // Renamed, and the name given to somebody else.
    installation.clock.advance(61);
    script.world().put(1, user("lovelace@example.com", true));
    script.world().put(2, user("Ada@example.com", true));
    assert_eq!(observed(ask(Need::Current).await).state.key, id(USER, 2));
    // Gone, and the name given to somebody else.
    installation.clock.advance(61);
    script.world().delete(USER, 2);
    script.world().put(3, user("Ada@example.com", false));
    assert_eq!(observed(ask(Need::Now).await).state.key, id(USER, 3));
    // Gone for good.
    installation.clock.advance(61);
    script.world().delete(USER, 3);
    let learnt = START.plus(183);
    assert_eq!(ask(Need::Current).await, Answer::NoSuch { learnt });
    // A word of a while ago is no word on what happens now.
    script.world().look_up_faults.push_back(Why::Unreachable);
    installation.clock.advance(30);
    assert_eq!(ask(Need::Now).await, Answer::NoSuch { learnt });
    script.world().look_up_faults.push_back(Why::Unreachable);
    installation.clock.advance(1);
    assert!(matches!(ask(Need::Now).await, Answer::Unknown(_)));
    assert_eq!(ask(Need::Known).await, Answer::NoSuch { learnt });
}

#[tokio::test]
async fn an_answer_waits_no_longer_than_it_may() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let mut settings = mirroring();
    settings.directories[0].look_up_deadline = Duration::from_millis(20);
    settings.directories[0].look_ups_at_once = 1;
    let authority = open_with(&installation, &script, settings, Arc::new(Undisturbed)).await;
    authority.work_mirror().await.unwrap();
    installation.clock.advance(61);
    let gate = closed(&script).await;
    let late = observed(current(&authority, DEVICE, 1).await);
    assert_eq!(late.trouble.map(|trouble| trouble.why), Some(Why::TimedOut));
    assert_eq!(late.state.learnt, START);
    // Nobody may fill the memory with look-ups that wait.
    let asking = (1..=10).map(|number| authority.observe(id(DEVICE, number), Need::Current));
    let answers = join_all(asking).await;
    let is_refused = |answer: &Answer| match answer {
        Answer::Observed(Observed { trouble: Some(trouble), .. }) | Answer::Unknown(trouble) => {
            trouble.why == Why::Throttled { retry_after: None }
        }
        _ => false,
    };
    assert_eq!(answers.iter().filter(|a| is_refused(a.as_ref().unwrap())).count(), 1);
    drop(gate);
    let mut changes = authority.object_changes();
    script.world().put(1, device(ManagementState::WipePending));
    installation.clock.advance(61);
    current(&authority, DEVICE, 1).await;
    // What comes late is recorded all the same.
    while !is_wiped(known(&authority, DEVICE, 1).await) {
        changes.recv().await.unwrap();
    }
}

pub(super) fn is_wiped(answer: Answer) -> bool {
    properties(answer) == device(ManagementState::WipePending)
}

#[tokio::test]
async fn who_is_not_listed_as_at_risk_is_not_asked_for() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    assert_eq!(properties(current(&authority, ObjectKind::RiskyUser, 1).await), risky());
    assert!(is_absent(current(&authority, ObjectKind::RiskyUser, 2).await));
    script.world().delete(ObjectKind::RiskyUser, 1);
    assert_eq!(script.world().look_ups, 0);
    installation.clock.advance(601);
    authority.work_mirror().await.unwrap();
    assert!(is_absent(current(&authority, ObjectKind::RiskyUser, 1).await));
    assert_eq!(script.world().look_ups, 1, "who was listed is looked up");
}

#[tokio::test]
async fn a_list_that_was_cut_short_takes_nobody_out_of_risk() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    script.world().hidden.insert(ObjectId::from_u128(1));
    installation.clock.advance(601);
    authority.work_mirror().await.unwrap();
    assert_eq!(properties(known(&authority, ObjectKind::RiskyUser, 1).await), risky());
    // Nor while nobody can be asked.
    script.world().look_up_faults.extend([Why::Unreachable; 100]);
    script.world().delete(ObjectKind::RiskyUser, 1);
    installation.clock.advance(601);
    authority.work_mirror().await.unwrap();
    assert_eq!(properties(known(&authority, ObjectKind::RiskyUser, 1).await), risky());
}

#[tokio::test]
async fn a_change_is_announced_once_it_is_recorded_and_what_was_known_is_not() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    let mut changes = authority.object_changes();
    let before = authority.store().object_sequence().await.unwrap();
    installation.clock.advance(601);
    script.world().put(6, device(ManagementState::WipePending));
    authority.work_mirror().await.unwrap();
    assert_eq!(changes.recv().await.unwrap().to_vec(), [id(DEVICE, 6)]);
    assert!(changes.try_recv().is_err(), "nothing else has changed");
    // Another process learns of it from the store.
    authority.announce_since(before).await.unwrap();
    assert_eq!(changes.recv().await.unwrap().to_vec(), [id(DEVICE, 6)]);
}

#[tokio::test]
async fn one_process_of_several_reads_the_feeds() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    let lease = format!("mirror {TENANT}");
    let (now, until) = (START, START.plus(60));
    let other = authority.store().take_lease(&lease, "another", now, until).await.unwrap();
    assert!(other.is_some());
    authority.work_mirror().await.unwrap();
    assert_eq!(script.world().pages, 0, "another one reads");
    // Whoever does not read asks for what it needs all the same.
    assert_eq!(properties(current(&authority, DEVICE, 1).await), device(ManagementState::Managed));
    installation.clock.advance(61);
    authority.work_mirror().await.unwrap();
    assert!(script.world().pages > 0, "the other one is gone");
}

#[tokio::test]
async fn objects_of_what_is_not_configured_any_more_are_old_and_say_so() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    let authority = open(&installation, &script).await;
    authority.work_mirror().await.unwrap();
    authority.store().close().await;
    let authority = installation.open(settings()).await;
    let left = observed(current(&authority, DEVICE, 1).await);
    assert_eq!(left.trouble.map(|trouble| trouble.why), Some(Why::NotAskable));
    assert!(matches!(current(&authority, DEVICE, 99).await, Answer::Unknown(_)));
}

#[tokio::test]
async fn a_directory_is_configured_once_and_every_connector_has_one() {
    let installation = Installation::new();
    let mut twice = mirroring();
    twice.directories.push(DirectorySettings::new(TENANT, "Again"));
    let refused = crate::open(twice, installation.ports().await).await.unwrap_err();
    assert_eq!(refused.to_string(), "the directory Again is configured twice");
    let other = Installation::new();
    let mut ports = other.ports().await;
    ports.directories.push(Scripted::new(other.clock.clone()));
    let refused = crate::open(settings(), ports).await.unwrap_err();
    assert!(refused.to_string().contains("not configured"), "{refused}");
}
