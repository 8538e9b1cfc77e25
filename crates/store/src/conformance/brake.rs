//! What the brake holds back.

use lanyard_lifecycle::{
    RevocationReason, Standing,
    revocation::Change,
    verdict::{ByRule, Lasting, Rule},
};
use lanyard_pki::Time;

use super::{
    Outcome, demand, equal,
    rule::{change, hold, record, revoke},
    sample,
};
use crate::{
    BatchId, BatchState, BrakeDecision, Decided, HeldBack, NewHeldBack, RuleBatch, RuleOutcome,
    StandingChange, StatusSequence, Store, StoreError, Within,
};

async fn hold_back(store: &Store, at: Time, seeds: &[u64]) -> Result<(), StoreError> {
    let ruled = revoke(Lasting::Permanent, at);
    let held = |seed: &u64| NewHeldBack { serial: sample::serial(*seed), ruled: ruled.clone() };
    let held_back = seeds.iter().map(held).collect();
    store.record_rules(RuleBatch { held_back, ..RuleBatch::new(at) }).await.map(|_| ())
}

async fn held_back(store: &Store, seed: u64) -> Result<Option<HeldBack>, StoreError> {
    let status = store.certificate_status(sample::serial(seed)).await?;
    Ok(status.and_then(|status| status.held_back))
}

async fn decide(store: &Store, batch: i64, decision: BrakeDecision) -> Result<Decided, StoreError> {
    let (by, at) = ("ada".to_owned(), sample::NOW.plus(50));
    let audit = Some(sample::audit("brake.decide", "batch"));
    store.decide_held_back(BatchId(batch), decision, by, at, audit).await
}

/// The certificates stay as they are until then; what is held back once waits with the rest.
pub async fn what_is_held_back_waits_for_a_person(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (1..=5).map(|n| sample::certificate(ca, n))).await?;
    let (first, later) = (sample::NOW.plus(10), sample::NOW.plus(20));
    hold_back(store, first, &[1, 2, 99]).await?;
    hold_back(store, later, &[2, 3]).await?;
    equal!(store.status_sequence().await?, StatusSequence(0));
    let ruled = revoke(Lasting::Permanent, first);
    let state = BatchState::Held;
    // The time stays, and the facts are the last ones.
    let latest = ByRule { facts: revoke(Lasting::Permanent, later).facts, ..ruled.clone() };
    let expected = HeldBack { batch: BatchId(1), state, held_at: first, ruled: latest };
    let status = store.certificate_status(sample::serial(2)).await?;
    let told = status.map(|status| (status.standing, status.by_rule, status.held_back));
    equal!(told, Some((Standing::NotRevoked, None, Some(expected))));
    equal!(
        held_back(store, 3).await?.map(|held| (held.batch, held.held_at)),
        Some((BatchId(1), later))
    );

    let batches = store.brake_batches(9).await?;
    let told: Vec<_> =
        batches.iter().map(|b| (b.id, b.state, b.opened_at, b.certificates)).collect();
    equal!(told, vec![(BatchId(1), BatchState::Held, first, 3)]);
    let page = store.held_back(BatchId(1), None, 2).await?;
    let rest = store.held_back(BatchId(1), page.next, 2).await?;
    let mut listed: Vec<_> =
        page.items.iter().chain(&rest.items).map(|h| h.serial.clone()).collect();
    let mut expected: Vec<_> = (1..=3).map(sample::serial).collect();
    listed.sort();
    expected.sort();
    equal!(listed, expected);
    equal!(rest.next, None);
    equal!(store.confirmed_held_back(9).await?, vec![]);

    equal!(decide(store, 1, BrakeDecision::Confirm).await?, Decided::Recorded);
    let again = decide(store, 1, BrakeDecision::Discard).await?;
    equal!(again, Decided::Before(BatchState::Confirmed));
    equal!(decide(store, 7, BrakeDecision::Confirm).await?, Decided::NoSuchBatch);
    equal!(store.audit_entries(Within::Everywhere, None, 9).await?.items.len(), 1);
    let confirmed = store.confirmed_held_back(9).await?;
    equal!(confirmed.len(), 3);
    let recorded_at = sample::NOW.plus(60);
    for one in confirmed {
        let ByRule { facts, standing, .. } = &one.held_back.ruled;
        demand!(
            !facts.is_empty() && *standing == ruled.standing || one.serial == sample::serial(3),
            "{one:?}"
        );
        let to = ByRule { recorded_at, ..one.held_back.ruled };
        let outcomes = record(
            store,
            recorded_at,
            vec![crate::RuleChange { serial: one.serial, to: Some(to), due: None, audit: None }],
        )
        .await?;
        demand!(matches!(outcomes[..], [RuleOutcome::Changed { .. }]), "{outcomes:?}");
    }
    equal!(store.confirmed_held_back(9).await?, vec![]);
    equal!(store.brake_batches(9).await?.first().map(|batch| batch.certificates), Some(0));
    equal!(held_back(store, 1).await?, None);
    Ok(())
}

/// Those that come later wait for another decision.
pub async fn what_is_discarded_stays_so_and_the_next_batch_is_another(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (1..=3).map(|n| sample::certificate(ca, n))).await?;
    hold_back(store, sample::NOW, &[1, 2]).await?;
    equal!(decide(store, 1, BrakeDecision::Discard).await?, Decided::Recorded);
    hold_back(store, sample::NOW.plus(5), &[3]).await?;
    let told = |held: Option<HeldBack>| held.map(|held| (held.batch.0, held.state));
    equal!(told(held_back(store, 1).await?), Some((1, BatchState::Discarded)));
    equal!(told(held_back(store, 3).await?), Some((2, BatchState::Held)));
    equal!(store.confirmed_held_back(9).await?, vec![]);
    let batches = store.brake_batches(9).await?;
    let told: Vec<_> = batches.iter().map(|b| (b.id.0, b.state, b.decided_by.clone())).collect();
    let ada = Some("ada".to_owned());
    equal!(told, vec![(2, BatchState::Held, None), (1, BatchState::Discarded, ada)]);
    equal!(store.brake_batches(1).await?.len(), 1);
    Ok(())
}

/// A decision and the time since when something waits outlast that it is said again, that it is
/// certain now, and that something else is recorded of the certificate.
pub async fn what_is_said_again_stays_with_its_batch(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (1..=2).map(|n| sample::certificate(ca, n))).await?;
    let at = |seconds| sample::NOW.plus(seconds);
    let say = async |now: Time, ruled: ByRule| -> Result<(), StoreError> {
        let held = |seed| NewHeldBack { serial: sample::serial(seed), ruled: ruled.clone() };
        let batch = RuleBatch {
            changes: vec![change(1, Some(hold(Rule::EntraDeviceDisabled, at(1)))), change(2, None)],
            held_back: vec![held(1), held(2)],
            ..RuleBatch::new(now)
        };
        store.record_rules(batch).await.map(|_| ())
    };
    say(at(5), revoke(Lasting::Passing, at(5))).await?;
    decide(store, 1, BrakeDecision::Discard).await?;
    let certain = revoke(Lasting::Permanent, at(9));
    say(at(20), certain.clone()).await?;
    let ruled = ByRule { standing: revoke(Lasting::Passing, at(5)).standing, ..certain };
    for seed in 1..=2 {
        let ruled = ByRule { recorded_at: at(5), ..ruled.clone() };
        let state = BatchState::Discarded;
        let expected = HeldBack { batch: BatchId(1), state, held_at: at(5), ruled };
        equal!(held_back(store, seed).await?, Some(expected));
    }
    equal!(store.brake_batches(9).await?.len(), 1);

    say(at(30), ByRule { rule: Rule::EntraDeviceDeleted, ..ruled }).await?;
    let told = held_back(store, 1).await?.map(|h| (h.batch.0, h.state, h.held_at));
    equal!(told, Some((2, BatchState::Held, at(30))));
    Ok(())
}

/// When the cause is gone, when another rule has its way, and when a person revokes.
pub async fn what_is_held_back_is_forgotten_with_its_cause(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (1..=3).map(|n| sample::certificate(ca, n))).await?;
    hold_back(store, sample::NOW, &[1, 2, 3]).await?;
    let at = sample::NOW.plus(5);
    let disabled = change(2, Some(hold(Rule::EntraDeviceDisabled, at)));
    record(store, at, vec![change(1, None), disabled]).await?;
    let (by, invalidity_date) = ("ada".to_owned(), None);
    let wish = |change| StandingChange { change, at, by: by.clone(), invalidity_date };
    store.change_standing(sample::serial(3), wish(Change::Hold), None).await?;
    demand!(held_back(store, 3).await?.is_some(), "a hold by hand decides nothing");
    let gone = Change::Revoke(RevocationReason::KeyCompromise);
    store.change_standing(sample::serial(3), wish(gone), None).await?;
    for seed in 1..=3 {
        equal!(held_back(store, seed).await?, None);
    }
    equal!(store.brake_batches(9).await?.first().map(|batch| batch.certificates), Some(0));
    Ok(())
}
