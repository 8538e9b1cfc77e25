//! Good, on hold, revoked.

use futures_util::future::try_join_all;
use lanyard_lifecycle::{Change, Kind, Refusal, RevocationReason, Standing};
use lanyard_pki::Time;

use super::{Outcome, demand, equal, sample};
use crate::{Counts, StandingChange, StandingOutcome, StatusSequence, Store, StoreError, Within};

fn wish(change: Change, at: Time) -> StandingChange {
    StandingChange { change, at, by: "ada".to_owned(), invalidity_date: None }
}

async fn change(
    store: &Store,
    seed: u64,
    change: Change,
    at: Time,
) -> Result<StandingOutcome, StoreError> {
    store.change_standing(sample::serial(seed), wish(change, at), None).await
}

const REASON: RevocationReason = RevocationReason::KeyCompromise;

/// Nothing follows a revocation, and all of it is recorded.
pub async fn revoking_is_for_good(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let since = sample::NOW.plus(10);
    let mut revoke = wish(Change::Revoke(REASON), since);
    revoke.invalidity_date = Some(sample::NOW.plus(5));
    let outcome = store.change_standing(sample::serial(1), revoke, None).await?;
    let after = Standing::Revoked { since, reason: REASON };
    let before = Standing::NotRevoked;
    equal!(outcome, StandingOutcome::Changed { before, after, sequence: StatusSequence(1) });

    let status = store.certificate_status(sample::serial(1)).await?;
    let told = status.map(|s| (s.standing, s.invalidity_date));
    equal!(told, Some((after, Some(sample::NOW.plus(5)))));
    let whole = store.certificate(sample::serial(1)).await?.map(|c| c.summary);
    equal!(whole.as_ref().and_then(|s| s.revoked_by.clone()), Some("ada".to_owned()));
    equal!(whole.and_then(|s| s.revocation_recorded_at), Some(since));

    for then in [Change::Revoke(RevocationReason::Superseded), Change::Hold, Change::Release] {
        let outcome = change(store, 1, then, sample::NOW.plus(99)).await?;
        equal!(outcome, StandingOutcome::Refused(Refusal::RevokedForGood));
    }
    let status = store.certificate_status(sample::serial(1)).await?;
    equal!(status.map(|s| s.standing), Some(after));
    equal!(store.status_sequence().await?, StatusSequence(1));
    Ok(())
}

/// The one standing that is ever lifted.
pub async fn a_hold_is_lifted_or_becomes_a_revocation(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let (first, later) = (sample::NOW.plus(10), sample::NOW.plus(20));
    let held = Standing::OnHold { since: first };
    let outcome = change(store, 1, Change::Hold, first).await?;
    demand!(
        matches!(outcome, StandingOutcome::Changed { after, .. } if after == held),
        "a hold is {outcome:?}"
    );
    equal!(change(store, 1, Change::Hold, later).await?, StandingOutcome::Unchanged(held));
    let outcome = change(store, 1, Change::Release, later).await?;
    demand!(
        matches!(outcome, StandingOutcome::Changed { after: Standing::NotRevoked, .. }),
        "a release is {outcome:?}"
    );
    let refused = StandingOutcome::Refused(Refusal::NotOnHold);
    equal!(change(store, 1, Change::Release, later).await?, refused);
    let whole = store.certificate(sample::serial(1)).await?.map(|c| c.summary);
    equal!(whole.map(|s| (s.standing, s.revoked_by)), Some((Standing::NotRevoked, None)));

    change(store, 1, Change::Hold, first).await?;
    let outcome = change(store, 1, Change::Revoke(REASON), later).await?;
    let expected = held.after(Change::Revoke(REASON), later);
    demand!(
        matches!(&outcome, StandingOutcome::Changed { after, .. } if Ok(*after) == expected),
        "a hold that is revoked is {outcome:?}"
    );
    Ok(())
}

/// What was never issued has none.
pub async fn only_issued_certificates_change_their_standing(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let outcome = change(store, 2, Change::Hold, sample::NOW).await?;
    equal!(outcome, StandingOutcome::NotIssued);
    equal!(store.status_sequence().await?, StatusSequence(0));
    Ok(())
}

/// Delta CRLs and caches follow the numbers.
pub async fn changes_are_numbered_without_gaps_and_latest_counts(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=3 {
        sample::issue(store, sample::certificate(ca, seed)).await?;
    }
    for (seed, then) in
        [(1, Change::Hold), (2, Change::Revoke(REASON)), (3, Change::Hold), (1, Change::Release)]
    {
        change(store, seed, then, sample::NOW).await?;
    }
    let changes = store.status_changes(StatusSequence(0), 10).await?;
    let told: Vec<_> = changes.iter().map(|c| (c.sequence.0, c.serial.clone())).collect();
    let expected = vec![(2, sample::serial(2)), (3, sample::serial(3)), (4, sample::serial(1))];
    equal!(told, expected);
    equal!(changes.last().map(|c| c.standing), Some(Standing::NotRevoked));
    equal!(
        changes.first().map(|c| (c.ca, c.not_after)),
        Some((ca, sample::NOW.plus(365 * 86_400)))
    );
    equal!(store.status_changes(StatusSequence(2), 1).await?, vec![changes[1].clone()]);
    equal!(store.status_changes(StatusSequence(4), 10).await?, vec![]);
    equal!(store.status_sequence().await?, StatusSequence(4));
    Ok(())
}

/// The same, at the same time.
pub async fn changes_at_once_are_all_numbered(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (0..50).map(|n| sample::certificate(ca, n))).await?;
    let each = (0..50).map(|n| change(store, n, Change::Hold, sample::NOW));
    try_join_all(each).await?;
    let changes = store.status_changes(StatusSequence(0), 100).await?;
    let numbers: Vec<i64> = changes.iter().map(|c| c.sequence.0).collect();
    equal!(numbers, (1..=50).collect::<Vec<_>>());
    Ok(())
}

/// The numbers on the first page are always right.
pub async fn counts_follow_every_change(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=4 {
        let mut new = sample::certificate(ca, seed);
        if seed == 4 {
            new.binding.kind = Kind::EntraUser;
            new.scope = sample::other_scope();
        }
        sample::issue(store, new).await?;
    }
    change(store, 1, Change::Hold, sample::NOW).await?;
    change(store, 2, Change::Revoke(REASON), sample::NOW).await?;
    let device = Counts { kind: Kind::IntuneDevice, good: 1, on_hold: 1, revoked: 1 };
    let user = Counts { kind: Kind::EntraUser, good: 1, on_hold: 0, revoked: 0 };
    let all = store.counts(Within::Everywhere).await?;
    demand!(all.len() == 2 && all.contains(&device) && all.contains(&user), "counts: {all:?}");
    let scope = sample::other_scope();
    equal!(store.counts(scope.into()).await?, vec![user]);
    equal!(store.counts(Within::Organization(scope.organization)).await?, vec![user]);
    change(store, 1, Change::Release, sample::NOW).await?;
    change(store, 4, Change::Hold, sample::NOW).await?;
    let default = lanyard_lifecycle::Scope::DEFAULT;
    let device = Counts { good: 2, on_hold: 0, ..device };
    equal!(store.counts(default.into()).await?, vec![device]);
    Ok(())
}
