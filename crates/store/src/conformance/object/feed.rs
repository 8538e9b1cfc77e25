//! How far the feeds of directories have come.

use super::{
    Applied, Cursor, DEVICES, Demand, Directory, DirectoryId, FeedPhase, FeedProgress, FeedTrouble,
    Fence, HERE, HeldLease, ObjectBatch, ObjectChange, Outcome, Store, StoreError, Sweep, THERE,
    apply, at, batch, demand, device, equal, in_sweep, sample, with_directories,
};

fn progress(cursor: &str) -> FeedProgress {
    FeedProgress {
        phase: FeedPhase::ReadingAll,
        cursor: Some(cursor.to_owned()),
        sweep: Sweep(3),
        swept: Sweep(2),
        round_started: Some(at(100)),
        as_of: Some(at(50)),
        completed_at: Some(at(60)),
        seen: 1_000,
        total: Some(1_500_000),
        proved_to: Some(Cursor(7)),
        trouble: Some(FeedTrouble { text: "out of reach".to_owned(), since: at(70) }),
        ..FeedProgress::new(DEVICES)
    }
}

/// Neither without the other.
pub async fn a_feed_s_progress_is_recorded_with_its_changes(store: &Store) -> Outcome {
    with_directories(store).await?;
    equal!(store.feed(DEVICES).await?, None);
    let mut told = in_sweep(3, vec![device(1, at(100))]);
    told.progress = Some(progress("page 2"));
    apply(store, told.clone()).await?;
    equal!(store.feed(DEVICES).await?, Some(progress("page 2")));
    equal!(store.feeds().await?, vec![progress("page 2")]);
    // The feed vouches for what its whole readings have shown, and for nothing else.
    apply(store, in_sweep(1, vec![device(2, at(9))])).await?;
    apply(store, batch(vec![device(3, at(9))])).await?;
    for (number, confirmed) in [(1, Some(at(50))), (2, None), (3, None)] {
        let found = store.object(device(number, at(0)).key).await?;
        equal!(found.map(|o| o.confirmed), Some(confirmed));
    }
    // A batch that cannot be recorded takes its progress with it.
    let mut foreign = device(4, at(0));
    foreign.key.directory = THERE;
    told.changes = vec![ObjectChange::State(foreign)];
    told.progress = Some(progress("page 3"));
    let refused = store.apply_objects(told).await;
    demand!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    let mut nowhere = batch(Vec::new());
    nowhere.directory = DirectoryId::from_bytes([0; 16]);
    let refused = store.apply_objects(nowhere).await;
    demand!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    equal!(store.feed(DEVICES).await?, Some(progress("page 2")));
    Ok(())
}

/// Whoever reads the feed sees it, and does not undo it.
pub async fn a_demand_lasts_until_it_is_served(store: &Store) -> Outcome {
    with_directories(store).await?;
    store.demand_feed(DEVICES).await?;
    equal!(store.feed(DEVICES).await?, Some(FeedProgress { demanded: Demand(1), ..fresh() }));
    store.demand_feed(DEVICES).await?;
    let mut told = batch(Vec::new());
    told.progress = Some(FeedProgress { served: Demand(1), demanded: Demand(0), ..fresh() });
    apply(store, told).await?;
    let (served, demanded) = (Demand(1), Demand(2));
    equal!(store.feed(DEVICES).await?, Some(FeedProgress { served, demanded, ..fresh() }));
    Ok(())
}

pub(super) fn fresh() -> FeedProgress {
    FeedProgress::new(DEVICES)
}

/// Whoever lost the lease without noticing is told before anything is recorded.
pub async fn a_lost_lease_records_nothing(store: &Store) -> Outcome {
    with_directories(store).await?;
    let taken = store.take_lease("mirror", "a", at(0), at(30)).await?;
    equal!(taken, Some(Fence(1)));
    let under = |fence, now, number| {
        let lease = Some(HeldLease { name: "mirror".to_owned(), fence: Fence(fence) });
        let progress = Some(progress("next"));
        ObjectBatch { progress, lease, now, ..batch(vec![device(number, now)]) }
    };
    apply(store, under(1, at(29), 1)).await?;
    equal!(store.apply_objects(under(1, at(30), 2)).await?, Applied::LeaseLost);
    equal!(store.take_lease("mirror", "b", at(30), at(60)).await?, Some(Fence(2)));
    equal!(store.apply_objects(under(1, at(31), 3)).await?, Applied::LeaseLost);
    apply(store, under(2, at(31), 4)).await?;
    for (number, known) in [(1, true), (2, false), (3, false), (4, true)] {
        let found = store.object(device(number, at(0)).key).await?;
        demand!(found.is_some() == known, "device {number}: {found:?}");
    }
    Ok(())
}

/// A new name, the same beginning.
pub async fn a_directory_keeps_its_beginning(store: &Store) -> Outcome {
    with_directories(store).await?;
    let renamed = Directory {
        id: HERE,
        scope: sample::other_scope(),
        name: "Example Ltd".to_owned(),
        added_at: at(99),
    };
    store.record_directory(renamed.clone()).await?;
    let known = store.directories().await?;
    equal!(known.first(), Some(&Directory { added_at: at(0), ..renamed }));
    equal!(known.len(), 2);
    Ok(())
}
