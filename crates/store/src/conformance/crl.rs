//! CRLs and what they list.

use lanyard_lifecycle::{Change, RevocationReason, Scope, Standing};

use super::{Outcome, demand, equal, sample};
use crate::{
    CaId, CaState, CrlKind, CrlNumber, CrlPartition, NewCrl, StandingChange, StatusSequence, Store,
    StoreError,
};

async fn revoke(store: &Store, seed: u64) -> Result<(), StoreError> {
    let change = StandingChange {
        change: Change::Revoke(RevocationReason::CessationOfOperation),
        at: sample::NOW,
        by: "ada".to_owned(),
        invalidity_date: None,
    };
    store.change_standing(sample::serial(seed), change, None).await.map(|_| ())
}

fn crl(ca: CaId, kind: CrlKind, number: CrlNumber) -> NewCrl {
    NewCrl {
        ca,
        scope: Scope::DEFAULT,
        partition: CrlPartition::COMPLETE,
        kind,
        number,
        this_update: sample::NOW,
        next_update: sample::NOW.plus(sample::DAY),
        sequence: StatusSequence(7),
        entries: 3,
        der: number.0.to_be_bytes().repeat(1000),
    }
}

/// Nobody is ever given a number twice.
pub async fn crl_numbers_rise_per_ca_and_partition(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let other = store.add_ca(sample::ca(CaState::Next, 2), None).await?;
    let complete = CrlPartition::COMPLETE;
    let each = (0..10).map(|_| store.reserve_crl_number(ca, complete));
    let mut numbers = futures_util::future::try_join_all(each).await?;
    numbers.sort_unstable();
    equal!(numbers, (1..=10).map(CrlNumber).collect::<Vec<_>>());
    equal!(store.reserve_crl_number(other, complete).await?, CrlNumber(1));
    equal!(store.reserve_crl_number(ca, CrlPartition(2)).await?, CrlNumber(1));
    Ok(())
}

/// The newest is served; the ones before are kept for a while.
pub async fn a_crl_number_is_used_once_and_old_crls_go(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    equal!(store.latest_crl(ca, CrlPartition::COMPLETE, false).await?, None);
    for number in 1..=4 {
        store.record_crl(crl(ca, CrlKind::Full, CrlNumber(number)), 2, None).await?;
    }
    let base = CrlNumber(4);
    let delta = crl(ca, CrlKind::Delta { base }, CrlNumber(5));
    store.record_crl(delta.clone(), 2, None).await?;
    let latest = store.latest_crl(ca, CrlPartition::COMPLETE, false).await?;
    equal!(latest, Some(crl(ca, CrlKind::Full, base)));
    equal!(store.latest_crl(ca, CrlPartition::COMPLETE, true).await?, Some(delta));
    equal!(store.latest_crl(ca, CrlPartition(1), false).await?, None);
    let again = store.record_crl(crl(ca, CrlKind::Full, base), 2, None).await;
    demand!(matches!(again, Err(StoreError::Conflict(_))), "a number used twice: {again:?}");
    // An old number that was dropped may be recorded, and is dropped at once.
    store.record_crl(crl(ca, CrlKind::Full, CrlNumber(1)), 2, None).await?;
    equal!(
        store.latest_crl(ca, CrlPartition::COMPLETE, false).await?.map(|c| c.number),
        Some(base)
    );
    Ok(())
}

/// Of this CA and partition, on hold or revoked, not ended.
pub async fn revoked_entries_are_those_of_the_ca_that_have_not_ended(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let other = store.add_ca(sample::ca(CaState::Next, 2), None).await?;
    for seed in 1..=6 {
        let mut new = sample::certificate(if seed == 5 { other } else { ca }, seed);
        new.not_after = sample::NOW.plus(i64::try_from(seed).unwrap_or(0) * sample::DAY);
        new.crl_partition = CrlPartition(if seed == 4 { 2 } else { 1 });
        sample::issue(store, new).await?;
    }
    for seed in [1, 3, 4, 5] {
        revoke(store, seed).await?;
    }
    let hold = StandingChange {
        change: Change::Hold,
        at: sample::NOW,
        by: "ada".to_owned(),
        invalidity_date: Some(sample::NOW.plus(-5)),
    };
    store.change_standing(sample::serial(6), hold, None).await?;

    let ends_from = sample::NOW.plus(2 * sample::DAY);
    let entries = store.revoked(ca, CrlPartition::COMPLETE, ends_from).await?;
    equal!(entries.sequence(), StatusSequence(5));
    let entries = entries.collect().await?;
    let serials: Vec<_> = entries.iter().map(|e| e.serial.clone()).collect();
    equal!(serials, [3, 4, 6].map(sample::serial).to_vec());
    equal!(entries[2].standing, Standing::OnHold { since: sample::NOW });
    equal!(entries[2].invalidity_date, Some(sample::NOW.plus(-5)));
    let reason = RevocationReason::CessationOfOperation;
    equal!(entries[0].standing, Standing::Revoked { since: sample::NOW, reason });
    let partition = store.revoked(ca, CrlPartition(2), ends_from).await?.collect().await?;
    equal!(partition, vec![entries[1].clone()]);
    Ok(())
}

/// What is revoked while the entries are read belongs to the next list.
pub async fn revoked_entries_are_of_one_moment(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=2 {
        sample::issue(store, sample::certificate(ca, seed)).await?;
    }
    revoke(store, 1).await?;
    let mut entries = store.revoked(ca, CrlPartition::COMPLETE, sample::NOW).await?;
    let sequence = entries.sequence();
    let first = entries.next_chunk().await?;
    revoke(store, 2).await?;
    equal!(first.map(|chunk| chunk.len()), Some(1));
    equal!(entries.next_chunk().await?, None);
    equal!(entries.next_chunk().await?, None);
    let changes = store.status_changes(sequence, 10).await?;
    equal!(changes.iter().map(|c| c.serial.clone()).collect::<Vec<_>>(), vec![sample::serial(2)]);
    Ok(())
}

/// More than fit into one chunk, each once; who stops reading disturbs nobody.
pub async fn thousands_of_revoked_entries_come_in_order(store: &Store) -> Outcome {
    const MANY: u64 = 5_000;
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (0..MANY).map(|n| sample::certificate(ca, n))).await?;
    for first in (0..MANY).step_by(250) {
        let each = (first..first + 250).map(|n| revoke(store, n));
        futures_util::future::try_join_all(each).await?;
    }
    let mut dropped = store.revoked(ca, CrlPartition::COMPLETE, sample::NOW).await?;
    dropped.next_chunk().await?;
    drop(dropped);
    let entries = store.revoked(ca, CrlPartition::COMPLETE, sample::NOW).await?.collect().await?;
    let serials: Vec<_> = entries.iter().map(|e| e.serial.clone()).collect();
    let mut expected: Vec<_> = (0..MANY).map(sample::serial).collect();
    expected.sort_unstable();
    equal!(serials.len(), expected.len());
    demand!(serials == expected, "entries are not in order, or not each once");
    Ok(())
}
