//! A store of an older version, for trying migrations: what it said stands.

use lanyard_lifecycle::{
    Binding, Change, DirectoryId, Kind, ObjectId, RevocationReason, Standing,
    object::{ObjectKey, ObjectKind},
    verdict::Rule,
};

use super::{
    Outcome, demand, equal,
    rule::{change, hold, record},
    sample,
};
use crate::{
    Counts, NewCertificate, ObjectSequence, RuleOutcome, StandingChange, StandingOutcome, Store,
    StoreError, Within,
};

/// Takes an up to date store back to version 2: what was recorded by then stays.
pub const BACK_TO_VERSION_2: &str = "
DROP INDEX certificate_due;
DROP INDEX certificate_jamf_user;
ALTER TABLE certificate DROP COLUMN due;
DROP TABLE certificate_rule;
DROP TABLE held_back;
DROP TABLE brake_batch;
DROP TABLE notice;
DROP TABLE revocation_request;
DELETE FROM counter WHERE name = 'tether';
DELETE FROM schema_migration WHERE version = 3;
";

const REVOKED: Change = Change::Revoke(RevocationReason::Superseded);

async fn by_hand(store: &Store, seed: u64, what: Change) -> Result<StandingOutcome, StoreError> {
    let (at, by, invalidity_date) = (sample::NOW, "ada".to_owned(), None);
    let wish = StandingChange { change: what, at, by, invalidity_date };
    store.change_standing(sample::serial(seed), wish, None).await
}

/// Fills a store with what version 2 could say: three certificates of a user on a computer, the
/// first on hold, the second revoked.
pub async fn fill_version_2(store: &Store) -> Result<(), StoreError> {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=3 {
        let binding = Binding {
            kind: Kind::JamfUserOnComputer,
            object: ObjectId::jamf_user(5, 8),
            directory: Some(DirectoryId::from_bytes([0xD1; 16])),
        };
        sample::issue(store, NewCertificate { binding, ..sample::certificate(ca, seed) }).await?;
    }
    by_hand(store, 1, Change::Hold).await?;
    by_hand(store, 2, REVOKED).await?;
    Ok(())
}

/// What stood then is by hand, and goes on from there.
pub async fn what_version_2_said_stands(store: &Store) -> Outcome {
    let (since, reason) = (sample::NOW, RevocationReason::Superseded);
    let held = Standing::OnHold { since };
    let all = [(1, held), (2, Standing::Revoked { since, reason }), (3, Standing::NotRevoked)];
    for (seed, standing) in all {
        let status = store.certificate_status(sample::serial(seed)).await?;
        let told = status.map(|s| (s.standing, s.by_hand, s.by_rule, s.held_back));
        equal!(told, Some((standing, standing, None, None)));
    }
    equal!(store.judged().await?, ObjectSequence(0));
    equal!(store.next_due().await?, None);
    let directory = DirectoryId::from_bytes([0xD1; 16]);
    let object = ObjectId::jamf_user(0, 8);
    let user = ObjectKey { directory, kind: ObjectKind::JamfUser, object };
    equal!(store.certificates_bound_to(user, since, None, 9).await?.items.len(), 2);

    let rule = |seed| change(seed, Some(hold(Rule::JamfUserDeleted, since.plus(5))));
    let outcomes = record(store, since.plus(5), vec![rule(1), rule(2), rule(3)]).await?;
    demand!(
        matches!(outcomes[..], [
            RuleOutcome::Changed { after, .. },
            RuleOutcome::Unchanged(Standing::Revoked { .. }),
            RuleOutcome::Changed { .. },
        ] if after == held),
        "by rule: {outcomes:?}"
    );
    let released = by_hand(store, 1, Change::Release).await?;
    let left = Standing::OnHold { since: since.plus(5) };
    demand!(
        matches!(released, StandingOutcome::Changed { after, .. } if after == left),
        "released by hand: {released:?}"
    );
    let counts = Counts { kind: Kind::JamfUserOnComputer, good: 0, on_hold: 2, revoked: 1 };
    equal!(store.counts(Within::Everywhere).await?, vec![counts]);
    Ok(())
}
