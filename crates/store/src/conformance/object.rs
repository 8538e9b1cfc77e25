//! Objects of directories, and how far their feeds have come.

mod feed;

use futures_util::future::try_join_all;
use lanyard_lifecycle::{
    Scope,
    id::{DirectoryId, ObjectId},
    object::{
        EntraDevice, EntraUser, IntuneDevice, ManagementState, ObjectKey, ObjectKind, ObjectState,
        Presence, Properties,
    },
};
use lanyard_pki::Time;
use uuid::Uuid;

use super::{Outcome, demand, equal, sample};
use crate::{
    Applied, Cursor, Demand, Directory, FeedKey, FeedPhase, FeedProgress, FeedTrouble, Fence,
    HeldLease, ObjectBatch, ObjectChange, ObjectCount, ObjectName, ObjectSequence, Store,
    StoreError, Sweep,
};
use feed::fresh;
pub use feed::{
    a_demand_lasts_until_it_is_served, a_directory_keeps_its_beginning,
    a_feed_s_progress_is_recorded_with_its_changes, a_lost_lease_records_nothing,
};

const HERE: DirectoryId = DirectoryId::from_bytes([0xD1; 16]);
const THERE: DirectoryId = DirectoryId::from_bytes([0xD2; 16]);
const USERS: FeedKey = FeedKey { directory: HERE, kind: ObjectKind::EntraUser };
const DEVICES: FeedKey = FeedKey { directory: HERE, kind: ObjectKind::IntuneDevice };

fn at(seconds: i64) -> Time {
    sample::NOW.plus(seconds)
}

async fn with_directories(store: &Store) -> Result<(), StoreError> {
    for (id, name) in [(HERE, "Example"), (THERE, "Other")] {
        let scope = Scope::DEFAULT;
        let directory = Directory { id, scope, name: name.to_owned(), added_at: at(0) };
        store.record_directory(directory).await?;
    }
    Ok(())
}

fn user(number: u128, upn: &str, learnt: Time) -> ObjectState {
    let properties = Properties::EntraUser(EntraUser {
        user_principal_name: Some(upn.to_owned()),
        mail: Some(format!("Mail.{upn}")),
        account_enabled: Some(true),
        ..EntraUser::default()
    });
    ObjectState::present(HERE, ObjectId::from_u128(number), properties, learnt)
}

fn device(number: u128, learnt: Time) -> ObjectState {
    let properties = Properties::IntuneDevice(IntuneDevice {
        device_name: Some(format!("LAPTOP-{number}")),
        management_state: Some(ManagementState::Managed),
        ..IntuneDevice::default()
    });
    ObjectState::present(HERE, ObjectId::from_u128(number), properties, learnt)
}

fn gone(mut state: ObjectState, learnt: Time) -> ObjectState {
    state.presence = Presence::Absent;
    state.learnt = learnt;
    state
}

fn batch(states: Vec<ObjectState>) -> ObjectBatch {
    ObjectBatch {
        directory: HERE,
        changes: states.into_iter().map(ObjectChange::State).collect(),
        sweep: Sweep::NONE,
        progress: None,
        lease: None,
        now: at(1_000),
    }
}

fn in_sweep(number: i64, states: Vec<ObjectState>) -> ObjectBatch {
    ObjectBatch { sweep: Sweep(number), ..batch(states) }
}

async fn apply(store: &Store, batch: ObjectBatch) -> Result<Vec<ObjectKey>, StoreError> {
    match store.apply_objects(batch).await? {
        Applied::Recorded(changed) => Ok(changed),
        Applied::LeaseLost => Err(StoreError::Conflict("no lease was needed".to_owned())),
    }
}

/// All of it comes back, and its history with it.
pub async fn an_object_comes_goes_and_comes_back(store: &Store) -> Outcome {
    with_directories(store).await?;
    let first = device(1, at(10));
    let key = first.key;
    equal!(store.object(key).await?, None);
    equal!(apply(store, batch(vec![first.clone()])).await?, vec![key]);
    let Some(found) = store.object(key).await? else { return Err(lost()) };
    equal!(found.state, first);
    equal!((found.first_seen, found.absent_since), (Some(at(10)), None));
    equal!((found.confirmed, found.last_seen), (None, Sweep::NONE));

    equal!(apply(store, batch(vec![gone(first.clone(), at(20))])).await?, vec![key]);
    equal!(apply(store, batch(vec![gone(first.clone(), at(30))])).await?, Vec::new());
    let Some(found) = store.object(key).await? else { return Err(lost()) };
    equal!(found.state, ObjectState::absent(key, at(30)));
    equal!((found.first_seen, found.absent_since), (Some(at(10)), Some(at(20))));

    equal!(apply(store, batch(vec![device(1, at(40))])).await?, vec![key]);
    let Some(found) = store.object(key).await? else { return Err(lost()) };
    equal!((found.first_seen, found.absent_since), (Some(at(10)), None));
    equal!(found.state, device(1, at(40)));
    Ok(())
}

fn lost() -> super::Nonconformance {
    super::Nonconformance::Differs("an object is not found that was recorded".to_owned())
}

/// What is not there, and was never seen, is remembered until it is forgotten.
pub async fn absence_of_what_was_never_seen_is_told_from_a_removal(store: &Store) -> Outcome {
    with_directories(store).await?;
    let (never, once) = (device(1, at(10)), device(2, at(10)));
    apply(store, batch(vec![gone(never.clone(), at(10)), once.clone()])).await?;
    apply(store, batch(vec![gone(once.clone(), at(20))])).await?;
    let found = store.object(never.key).await?;
    equal!(found.map(|o| (o.first_seen, o.absent_since)), Some((None, Some(at(10)))));
    store.record_missing(USERS, upn("Who@Example.com"), at(10)).await?;
    equal!(store.missing_since(USERS, upn("who@example.COM")).await?, Some(at(10)));
    equal!(store.missing_since(DEVICES, upn("who@example.com")).await?, None);
    equal!(store.missing_since(USERS, ObjectName::Email("who@example.com".into())).await?, None);

    equal!(store.forget_missing(at(10), 100).await?, 0);
    equal!(store.forget_missing(at(11), 100).await?, 2);
    equal!(store.object(never.key).await?, None);
    demand!(store.object(once.key).await?.is_some(), "a removal was forgotten");
    equal!(store.missing_since(USERS, upn("who@example.com")).await?, None);
    Ok(())
}

fn upn(text: &str) -> ObjectName {
    ObjectName::UserPrincipalName(text.to_owned())
}

/// By name in any letter case; who is there comes before who was.
pub async fn objects_are_found_by_name(store: &Store) -> Outcome {
    with_directories(store).await?;
    let (old, new) = (user(1, "Ada@Example.com", at(0)), user(2, "ADA@example.com", at(5)));
    apply(store, batch(vec![old.clone(), user(3, "bob@example.com", at(0))])).await?;
    apply(store, batch(vec![gone(old.clone(), at(4)), new.clone()])).await?;
    let found = store.objects_named(USERS, upn("aDa@example.com")).await?;
    equal!(found.iter().map(|o| o.state.key).collect::<Vec<_>>(), vec![new.key, old.key]);
    let address = ObjectName::Email("mail.bob@EXAMPLE.com".to_owned());
    equal!(store.objects_named(USERS, address).await?.len(), 1);
    equal!(store.objects_named(USERS, upn("carol@example.com")).await?.len(), 0);
    let elsewhere = FeedKey { directory: THERE, ..USERS };
    equal!(store.objects_named(elsewhere, upn("bob@example.com")).await?.len(), 0);

    // A renamed user is found by the new name alone.
    apply(store, batch(vec![user(3, "rob@example.com", at(9))])).await?;
    equal!(store.objects_named(USERS, upn("bob@example.com")).await?.len(), 0);
    equal!(store.objects_named(USERS, upn("rob@example.com")).await?.len(), 1);
    Ok(())
}

/// Notices of removal name devices of Entra ID by another id than certificates do.
pub async fn a_device_is_removed_by_its_graph_id(store: &Store) -> Outcome {
    with_directories(store).await?;
    let kind = ObjectKind::EntraDevice;
    let graph_id = |number: u128| Uuid::from_u128(1000 + number);
    let device = |number: u128, learnt| {
        let properties = Properties::EntraDevice(EntraDevice {
            graph_id: Some(graph_id(number)),
            ..EntraDevice::default()
        });
        ObjectState::present(HERE, ObjectId::from_u128(number), properties, learnt)
    };
    let removal = |number, learnt| ObjectChange::RemovedByGraphId {
        kind,
        graph_id: graph_id(number),
        learnt,
    };
    let all = vec![device(1, at(0)), device(2, at(0)), device(3, at(0))];
    apply(store, batch(all)).await?;
    let mut told = batch(Vec::new());
    told.changes = vec![
        removal(1, at(5)),
        removal(9, at(5)),
        removal(2, at(5)),
        ObjectChange::State(device(2, at(5))),
    ];
    let changed = apply(store, told).await?;
    equal!(changed, vec![device(1, at(0)).key]);
    let found = store.object(device(1, at(0)).key).await?;
    equal!(
        found.map(|o| (o.state.presence, o.absent_since)),
        Some((Presence::Absent, Some(at(5))))
    );
    // A removal is the feed's word, as long as it stands.
    let key = device(1, at(0)).key;
    let confirmed = async || store.object(key).await.map(|o| o.and_then(|o| o.confirmed));
    let feed = FeedKey { directory: HERE, kind };
    let as_of = Some(at(6));
    let (sweep, swept) = (Sweep(1), Sweep(1));
    let progress = FeedProgress { sweep, swept, as_of, ..FeedProgress::new(feed) };
    apply(store, ObjectBatch { progress: Some(progress), ..batch(Vec::new()) }).await?;
    equal!(confirmed().await?, None);
    apply(store, in_sweep(1, vec![device(1, at(6))])).await?;
    let mut told = in_sweep(1, Vec::new());
    told.changes = vec![removal(1, at(6))];
    equal!(apply(store, told).await?, vec![key]);
    equal!(confirmed().await?, as_of);
    // One that seems older than what is known takes nothing away, and is looked into.
    apply(store, in_sweep(1, vec![device(3, at(20))])).await?;
    let mut late = in_sweep(1, Vec::new());
    late.changes = vec![removal(3, at(10))];
    equal!(apply(store, late).await?, Vec::new());
    let found = store.object(device(3, at(0)).key).await?;
    equal!(found.map(|o| (o.state, o.confirmed)), Some((device(3, at(20)), None)));
    // All that bear the id are removed.
    let mut twin = device(12, at(30));
    twin.presence = device(2, at(30)).presence;
    apply(store, batch(vec![twin.clone()])).await?;
    let mut told = in_sweep(1, Vec::new());
    told.changes = vec![removal(2, at(30)), removal(3, at(30))];
    let before = store.object_sequence().await?;
    let removed = apply(store, told).await?;
    equal!(removed, vec![device(2, at(0)).key, twin.key, device(3, at(0)).key]);
    let numbered = store.object_changes(before, 10).await?;
    equal!(numbered.into_iter().map(|change| change.key).collect::<Vec<_>>(), removed);
    apply(store, batch(vec![device(2, at(31))])).await?;
    let by_id = ObjectName::GraphId(graph_id(2));
    let found = store.objects_named(FeedKey { directory: HERE, kind }, by_id).await?;
    equal!(found.first().map(|o| o.state.clone()), Some(device(2, at(31))));
    Ok(())
}

fn round(sweep: i64, states: Vec<ObjectState>, as_of: Time) -> ObjectBatch {
    let (sweep, swept) = (Sweep(sweep), Sweep(sweep));
    let progress = Some(FeedProgress { sweep, swept, as_of: Some(as_of), ..fresh() });
    ObjectBatch { sweep, progress, ..batch(states) }
}

async fn confirmed(store: &Store, number: u128) -> Result<Option<Time>, StoreError> {
    let found = store.object(device(number, at(0)).key).await?;
    Ok(found.and_then(|found| found.confirmed))
}

/// A feed vouches for its own words: what a look-up found to be otherwise is not among them.
pub async fn what_a_look_up_found_otherwise_is_not_vouched_for(store: &Store) -> Outcome {
    with_directories(store).await?;
    let all: Vec<_> = (1..=4).map(|number| device(number, at(20))).collect();
    apply(store, round(2, all, at(20))).await?;
    // Looked up: gone, otherwise, as it was; and one that came and went.
    let mut wiped = device(2, at(30));
    if let Presence::Present(Properties::IntuneDevice(device)) = &mut wiped.presence {
        device.management_state = Some(ManagementState::WipePending);
    }
    let looked_up = vec![gone(device(1, at(0)), at(30)), wiped, device(3, at(30))];
    apply(store, batch(looked_up)).await?;
    apply(store, batch(vec![gone(device(4, at(0)), at(30))])).await?;
    apply(store, batch(vec![device(4, at(31))])).await?;
    // Rounds of changes go on, and tell of none of them.
    apply(store, round(2, Vec::new(), at(60))).await?;
    for (number, expected) in [(1, None), (2, None), (3, Some(at(60))), (4, None)] {
        equal!((number, confirmed(store, number).await?), (number, expected));
    }
    // What the feed tells itself counts again.
    let told = vec![gone(device(1, at(0)), at(70)), device(2, at(70)), device(4, at(70))];
    apply(store, round(2, told, at(70))).await?;
    for number in 1..=4 {
        equal!((number, confirmed(store, number).await?), (number, Some(at(70))));
    }
    Ok(())
}

/// Whoever is slow does not undo what is known since.
pub async fn older_news_never_replaces_newer(store: &Store) -> Outcome {
    with_directories(store).await?;
    let key = device(1, at(0)).key;
    apply(store, batch(vec![gone(device(1, at(0)), at(20))])).await?;
    equal!(apply(store, batch(vec![device(1, at(10))])).await?, Vec::new());
    equal!(store.object(key).await?.map(|o| o.state), Some(ObjectState::absent(key, at(20))));
    // What a feed tells it tells once: where that seems older, the other word is not vouched for.
    let mut wiped = device(3, at(20));
    if let Presence::Present(Properties::IntuneDevice(device)) = &mut wiped.presence {
        device.management_state = Some(ManagementState::WipePending);
    }
    let known = vec![wiped.clone(), device(4, at(20)), gone(device(5, at(0)), at(20))];
    apply(store, round(1, known, at(20))).await?;
    let older = vec![device(3, at(10)), device(4, at(10)), device(5, at(10))];
    equal!(apply(store, round(2, older, at(30))).await?, Vec::new());
    equal!(store.object(wiped.key).await?.map(|o| o.state), Some(wiped));
    for (number, expected) in [(3, None), (4, Some(at(30))), (5, None)] {
        equal!((number, confirmed(store, number).await?), (number, expected));
    }
    let unseen = store.unseen_objects(DEVICES, Sweep(2), Cursor(0), 10).await?.items;
    equal!(unseen, vec![device(3, at(0)).key]);
    apply(store, round(2, vec![gone(device(6, at(0)), at(20)), device(6, at(20))], at(30))).await?;
    apply(store, round(2, vec![gone(device(6, at(0)), at(30))], at(30))).await?;
    let seen = ObjectChange::Seen { key: device(6, at(0)).key, learnt: at(25) };
    apply(store, ObjectBatch { changes: vec![seen], ..in_sweep(2, Vec::new()) }).await?;
    equal!(confirmed(store, 6).await?, None);
    // What is known from a time to come was learnt before the clock was set back.
    let ahead = device(7, at(5_000));
    let changed = vec![ahead.key];
    equal!(apply(store, round(2, vec![ahead.clone()], at(30))).await?, changed);
    equal!(apply(store, round(2, vec![gone(ahead, at(40))], at(40))).await?, changed);
    equal!(confirmed(store, 7).await?, Some(at(40)));
    // Within one batch the last word counts.
    let words = vec![device(2, at(5)), gone(device(2, at(0)), at(5))];
    apply(store, batch(words)).await?;
    let found = store.object(device(2, at(0)).key).await?;
    equal!(found.map(|o| o.state.presence), Some(Presence::Absent));
    Ok(())
}

/// Seen again is not changed.
pub async fn a_sweep_finds_what_it_did_not_see(store: &Store) -> Outcome {
    with_directories(store).await?;
    let all: Vec<_> = (1..=30).map(|number| device(number, at(0))).collect();
    equal!(apply(store, in_sweep(1, all)).await?.len(), 30);
    let before = store.object_sequence().await?;
    let mut again: Vec<_> =
        (1..=30).filter(|n| n % 3 != 0).map(|number| device(number, at(60))).collect();
    if let Some(Presence::Present(Properties::IntuneDevice(device))) =
        again.first_mut().map(|state| &mut state.presence)
    {
        device.management_state = Some(ManagementState::WipePending);
    }
    let key = again[0].key;
    equal!(apply(store, in_sweep(2, again)).await?, vec![key]);
    let changes = store.object_changes(before, 100).await?;
    equal!(changes.iter().map(|change| change.key).collect::<Vec<_>>(), vec![key]);
    let found = store.object(device(2, at(0)).key).await?;
    equal!(found.map(|o| (o.state.learnt, o.last_seen)), Some((at(60), Sweep(2))));

    let mut missing = Vec::new();
    let mut after = Cursor(0);
    loop {
        let page = store.unseen_objects(DEVICES, Sweep(2), after, 4).await?;
        demand!(page.items.len() <= 4, "a page of {} objects", page.items.len());
        missing.extend(page.items);
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let expected: Vec<_> = (1..=10).map(|number| device(number * 3, at(0)).key).collect();
    equal!(missing, expected);
    // What is known to be absent is not missing.
    let absent = expected.iter().map(|key| ObjectState::absent(*key, at(70))).collect();
    apply(store, batch(absent)).await?;
    equal!(store.unseen_objects(DEVICES, Sweep(2), Cursor(0), 4).await?.items, Vec::new());
    let counts = store.object_counts().await?;
    equal!(counts, vec![ObjectCount { feed: DEVICES, present: 20, absent: 10 }]);
    Ok(())
}

/// A list of numbers says of an object that it is there, and nothing else.
pub async fn what_was_only_seen_is_there_and_no_better_known(store: &Store) -> Outcome {
    with_directories(store).await?;
    let seen = |number, learnt| ObjectChange::Seen { key: device(number, learnt).key, learnt };
    let sweep = |number, changes| ObjectBatch { changes, ..in_sweep(number, Vec::new()) };
    apply(store, in_sweep(1, vec![device(1, at(0)), device(2, at(0)), device(3, at(0))])).await?;
    apply(store, batch(vec![gone(device(3, at(0)), at(5)), gone(device(4, at(0)), at(5))])).await?;
    let mut round = sweep(2, vec![seen(1, at(60)), seen(9, at(60))]);
    let as_of = Some(at(60));
    let (sweep_number, swept) = (Sweep(2), Sweep(2));
    round.progress = Some(FeedProgress { sweep: sweep_number, swept, as_of, ..fresh() });
    equal!(apply(store, round).await?, Vec::new());
    let found = store.object(device(1, at(0)).key).await?;
    let told = found.map(|o| (o.state.learnt, o.last_seen, o.confirmed));
    equal!(told, Some((at(0), Sweep(2), None)));
    equal!(store.object(device(9, at(0)).key).await?, None);
    let missing = store.unseen_objects(DEVICES, Sweep(2), Cursor(0), 10).await?.items;
    equal!(missing, vec![device(2, at(0)).key]);

    // An older list does not bring back what was found to be absent since, a newer one does.
    equal!(apply(store, sweep(2, vec![seen(3, at(4)), seen(4, at(4))])).await?, Vec::new());
    let back = apply(store, sweep(2, vec![seen(3, at(70)), seen(4, at(70))])).await?;
    equal!(back, vec![device(3, at(0)).key, device(4, at(0)).key]);
    let found = store.object(device(3, at(0)).key).await?;
    equal!(found.map(|o| (o.absent_since, o.confirmed)), Some((None, None)));
    // Of what was never told nothing is known, which is told to all once.
    equal!(store.object(device(4, at(0)).key).await?, None);
    equal!(apply(store, sweep(2, vec![seen(4, at(80))])).await?, Vec::new());
    equal!(store.object(device(4, at(0)).key).await?, None);
    let absent = gone(device(4, at(0)), at(90));
    equal!(apply(store, batch(vec![absent.clone()])).await?, vec![absent.key]);
    let found = store.object(absent.key).await?;
    equal!(found.map(|o| (o.state, o.absent_since)), Some((absent, Some(at(90)))));
    Ok(())
}

/// Every change is told once more than it is asked for, and none is missed.
pub async fn changes_of_objects_are_told_in_their_order(store: &Store) -> Outcome {
    with_directories(store).await?;
    equal!(store.object_sequence().await?, ObjectSequence(0));
    let each = (1..=40_u128).map(async |number| {
        let states = vec![device(number, at(0)), device(number + 100, at(0))];
        apply(store, batch(states)).await
    });
    try_join_all(each).await?;
    let (mut told, mut after) = (Vec::new(), ObjectSequence(0));
    loop {
        let some = store.object_changes(after, 7).await?;
        let Some(last) = some.last() else { break };
        demand!(some.iter().all(|change| change.sequence > after), "{after:?}: {some:?}");
        after = last.sequence;
        told.extend(some.into_iter().map(|change| change.key));
    }
    told.sort();
    let mut all: Vec<_> = (1..=40).chain(101..=140).map(|n| device(n, at(0)).key).collect();
    all.sort();
    equal!(told, all);
    demand!(after <= store.object_sequence().await?, "a change after the latest");
    Ok(())
}
