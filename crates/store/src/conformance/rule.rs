//! What rules hold against certificates, beside what people do.

use futures_util::future::{join_all, try_join_all};
use lanyard_lifecycle::{
    Change, Kind, ObjectId, Refusal, RevocationReason, Standing,
    fact::{Fact, FactSource},
    id::DirectoryId,
    verdict::{ByRule, Lasting, Rule},
};
use lanyard_pki::Time;

use super::{Outcome, demand, equal, sample};
use crate::{
    AuditVerdict, Counts, CrlPartition, Filter, HeldLease, ObjectSequence, RuleBatch, RuleChange,
    RuleCount, RuleOutcome, Ruled, StandingChange, StandingOutcome, Standings, StatusRecord,
    StatusSequence, Store, StoreError, Within,
};

const REASON: RevocationReason = RevocationReason::CessationOfOperation;

/// Facts with signs that matter to JSON and to SQL.
fn facts(at: Time) -> Vec<Fact> {
    let directory = DirectoryId::from_bytes([0xD1; 16]);
    let source = FactSource::Directory { name: "Intune".into(), directory };
    vec![Fact {
        source,
        object: Some(ObjectId::from_u128(7)),
        name: "managementState".into(),
        value: "wipe\"Pending'\u{e9}".into(),
        learnt: at,
    }]
}

/// A hold that passes with its cause.
pub(super) fn hold(rule: Rule, since: Time) -> ByRule {
    let standing = Standing::OnHold { since };
    ByRule { standing, rule, lasting: Lasting::Passing, recorded_at: since, facts: facts(since) }
}

/// A revocation by a rule.
pub(super) fn revoke(lasting: Lasting, since: Time) -> ByRule {
    let standing = Standing::Revoked { since, reason: REASON };
    let rule = Rule::IntuneDeviceDeleted;
    ByRule { standing, rule, lasting, recorded_at: since, facts: facts(since) }
}

/// A change with an audit entry.
pub(super) fn change(seed: u64, to: Option<ByRule>) -> RuleChange {
    let audit = Some(sample::audit("certificate.rule", &seed.to_string()));
    RuleChange { serial: sample::serial(seed), to, due: None, audit }
}

/// Records changes and tells what came of each.
pub(super) async fn record(
    store: &Store,
    at: Time,
    changes: Vec<RuleChange>,
) -> Result<Vec<RuleOutcome>, StoreError> {
    match store.record_rules(RuleBatch { changes, ..RuleBatch::new(at) }).await? {
        Ruled::Recorded(outcomes) => Ok(outcomes),
        Ruled::LeaseLost => Err(StoreError::Conflict("no lease was given".to_owned())),
    }
}

async fn by_hand(store: &Store, what: Change, at: Time) -> Result<StandingOutcome, StoreError> {
    let wish = StandingChange { change: what, at, by: "ada".to_owned(), invalidity_date: Some(at) };
    store.change_standing(sample::serial(1), wish, None).await
}

async fn status(store: &Store, seed: u64) -> Result<StatusRecord, StoreError> {
    let found = store.certificate_status(sample::serial(seed)).await?;
    found.ok_or_else(|| StoreError::Conflict("a certificate is gone".to_owned()))
}

/// Time and reason are recorded once, for OCSP, CRL and API, and nothing follows.
pub async fn what_a_rule_revokes_for_good_stays(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let (first, later) = (sample::NOW.plus(10), sample::NOW.plus(20));
    let gone = revoke(Lasting::Permanent, first);
    let wish = RuleChange { due: Some(later), ..change(1, Some(gone.clone())) };
    let (before, after) = (Standing::NotRevoked, gone.standing);
    let outcome = record(store, first, vec![wish]).await?;
    equal!(outcome, vec![RuleOutcome::Changed { before, after, sequence: StatusSequence(1) }]);

    let then = [None, Some(hold(Rule::IntuneDeviceNotCompliant, later)), {
        let standing = Standing::Revoked { since: later, reason: RevocationReason::Superseded };
        Some(ByRule { standing, ..revoke(Lasting::Permanent, sample::NOW) })
    }];
    for to in then {
        let wish = RuleChange { due: Some(later), ..change(1, to) };
        equal!(record(store, later, vec![wish]).await?, vec![RuleOutcome::Unchanged(after)]);
    }
    for what in [Change::Hold, Change::Release, Change::Revoke(RevocationReason::KeyCompromise)] {
        let refused = StandingOutcome::Refused(Refusal::RevokedForGood);
        equal!(by_hand(store, what, later).await?, refused);
    }
    let status = status(store, 1).await?;
    equal!((status.standing, status.by_hand), (after, Standing::NotRevoked));
    equal!(status.by_rule, Some(gone));
    demand!(status.is_revoked_for_good(), "it is revoked for good");
    equal!(store.next_due().await?, None);

    let listed = Filter { standing: Standings::Revoked, ..Filter::all(Within::Everywhere) };
    let listed = store.search_certificates(listed, None, 9).await?.items;
    let told: Vec<_> = listed.iter().map(|s| (s.standing, s.rule, s.revoked_by.clone())).collect();
    equal!(told, vec![(after, Some(Rule::IntuneDeviceDeleted), None)]);
    equal!(listed.first().and_then(|summary| summary.revocation_recorded_at), Some(first));
    let entries = store.revoked(ca, CrlPartition::COMPLETE, sample::NOW).await?.collect().await?;
    equal!(entries.iter().map(|entry| entry.standing).collect::<Vec<_>>(), vec![after]);
    let counts = Counts { kind: Kind::IntuneDevice, good: 0, on_hold: 0, revoked: 1 };
    equal!(store.counts(Within::Everywhere).await?, vec![counts]);
    let changes = store.status_changes(StatusSequence(0), 9).await?;
    equal!(changes.iter().map(|c| (c.sequence.0, c.standing)).collect::<Vec<_>>(), [(1, after)]);
    equal!(store.audit_entries(Within::Everywhere, None, 9).await?.items.len(), 1);
    Ok(())
}

/// Delta CRLs are told of both ways.
pub async fn what_may_pass_comes_and_goes(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=2 {
        sample::issue(store, sample::certificate(ca, seed)).await?;
    }
    let at = sample::NOW.plus(10);
    let (held, absent) = (hold(Rule::EntraUserDisabled, at), revoke(Lasting::Passing, at));
    let (one, two) = (change(1, Some(held.clone())), change(2, Some(absent.clone())));
    record(store, at, vec![one, two]).await?;
    let entries = store.revoked(ca, CrlPartition::COMPLETE, sample::NOW).await?.collect().await?;
    equal!(entries.len(), 2);
    demand!(!status(store, 2).await?.is_revoked_for_good(), "what may pass is not for good");

    let later = sample::NOW.plus(20);
    let outcomes = record(store, later, vec![change(1, None), change(2, None)]).await?;
    let lifted = |before, n| RuleOutcome::Changed {
        before,
        after: Standing::NotRevoked,
        sequence: StatusSequence(n),
    };
    equal!(outcomes, vec![lifted(held.standing, 3), lifted(absent.standing, 4)]);
    for seed in 1..=2 {
        let status = status(store, seed).await?;
        equal!((status.standing, status.by_rule), (Standing::NotRevoked, None));
    }
    let entries = store.revoked(ca, CrlPartition::COMPLETE, sample::NOW).await?.collect().await?;
    equal!(entries, vec![]);
    let changes = store.status_changes(StatusSequence(0), 9).await?;
    let told: Vec<_> = changes.iter().map(|c| (c.sequence.0, c.standing)).collect();
    equal!(told, vec![(3, Standing::NotRevoked), (4, Standing::NotRevoked)]);
    let counts = Counts { kind: Kind::IntuneDevice, good: 2, on_hold: 0, revoked: 0 };
    equal!(store.counts(Within::Everywhere).await?, vec![counts]);
    let summary = store.certificate(sample::serial(1)).await?.map(|c| c.summary);
    equal!(summary.and_then(|summary| summary.rule), None);
    Ok(())
}

/// Each takes back its own alone, and both together are what counts.
pub async fn hands_and_rules_are_kept_apart(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let at = |seconds| sample::NOW.plus(seconds);
    let held = |seconds| Standing::OnHold { since: at(seconds) };
    let rule = |seconds| change(1, Some(hold(Rule::EntraDeviceDisabled, at(seconds))));

    by_hand(store, Change::Hold, at(5)).await?;
    record(store, at(10), vec![rule(10)]).await?;
    let both = status(store, 1).await?;
    equal!((both.standing, both.by_hand), (held(5), held(5)));
    equal!(both.invalidity_date, Some(at(5)));
    let released = by_hand(store, Change::Release, at(15)).await?;
    demand!(
        matches!(released, StandingOutcome::Changed { before, after, .. }
            if before == held(5) && after == held(10)),
        "released by hand: {released:?}"
    );
    equal!(
        by_hand(store, Change::Release, at(16)).await?,
        StandingOutcome::Refused(Refusal::NotOnHold)
    );
    let left = status(store, 1).await?;
    equal!((left.standing, left.by_hand), (held(10), Standing::NotRevoked));
    let summary = store.certificate(sample::serial(1)).await?.map(|c| c.summary);
    let told = summary.map(|s| (s.revoked_by, s.rule, s.invalidity_date));
    equal!(told, Some((None, Some(Rule::EntraDeviceDisabled), None)));

    by_hand(store, Change::Hold, at(20)).await?;
    equal!(by_hand(store, Change::Hold, at(21)).await?, StandingOutcome::Unchanged(held(10)));
    record(store, at(25), vec![change(1, None)]).await?;
    let hand = status(store, 1).await?;
    equal!((hand.standing, hand.by_hand, hand.by_rule), (held(20), held(20), None));

    record(store, at(30), vec![rule(30)]).await?;
    let revoked = Standing::Revoked { since: at(20), reason: REASON };
    by_hand(store, Change::Revoke(REASON), at(35)).await?;
    for to in [change(1, None), change(1, Some(revoke(Lasting::Permanent, at(1))))] {
        equal!(record(store, at(40), vec![to]).await?, vec![RuleOutcome::Unchanged(revoked)]);
    }
    let status = status(store, 1).await?;
    equal!((status.standing, status.by_hand), (revoked, revoked));
    demand!(status.is_revoked_for_good(), "revoked by hand is for good");
    let counts = Counts { kind: Kind::IntuneDevice, good: 0, on_hold: 0, revoked: 1 };
    equal!(store.counts(Within::Everywhere).await?, vec![counts]);
    Ok(())
}

/// A certificate that is on hold all the time is so since the first hold, by whichever rule, and an
/// absence that is confirmed counts from when it began.
pub async fn what_goes_on_keeps_its_beginning(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let at = |seconds| sample::NOW.plus(seconds);
    let first = hold(Rule::IntuneDeviceNotCompliant, at(10));
    record(store, at(10), vec![change(1, Some(first.clone()))]).await?;

    let again = change(1, Some(hold(Rule::IntuneDeviceNotCompliant, at(20))));
    let unchanged = vec![RuleOutcome::Unchanged(first.standing)];
    equal!(record(store, at(20), vec![again]).await?, unchanged);
    equal!(status(store, 1).await?.by_rule, Some(first.clone()));
    equal!(store.status_sequence().await?, StatusSequence(1));
    equal!(store.audit_entries(Within::Everywhere, None, 9).await?.items.len(), 1);

    let other = hold(Rule::EntraDeviceDisabled, at(30));
    record(store, at(30), vec![change(1, Some(other.clone()))]).await?;
    let expected = ByRule { standing: first.standing, ..other };
    equal!(status(store, 1).await?.by_rule, Some(expected));

    record(store, at(40), vec![change(1, Some(revoke(Lasting::Passing, at(40))))]).await?;
    let confirmed = revoke(Lasting::Permanent, at(50));
    record(store, at(50), vec![change(1, Some(confirmed.clone()))]).await?;
    let standing = Standing::Revoked { since: at(40), reason: REASON };
    equal!(status(store, 1).await?.by_rule, Some(ByRule { standing, ..confirmed }));
    Ok(())
}

/// One outcome a change, in their order, and how far objects are judged moves with them or not.
pub async fn rules_are_recorded_together_or_not_at_all(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (1..=3).map(|n| sample::certificate(ca, n))).await?;
    let now = sample::NOW;
    let Some(fence) = store.take_lease("tethers", "a", now, now.plus(60)).await? else {
        return Err(StoreError::Conflict("the lease is not free".to_owned()).into());
    };
    let lease = HeldLease { name: "tethers".to_owned(), fence };
    let batch = |judged, seeds: &[u64]| RuleBatch {
        changes: seeds.iter().map(|n| change(*n, Some(revoke(Lasting::Permanent, now)))).collect(),
        judged: Some(ObjectSequence(judged)),
        lease: Some(lease.clone()),
        audit: vec![sample::audit("brake.hold", "batch")],
        ..RuleBatch::new(now)
    };
    equal!(store.judged().await?, ObjectSequence(0));
    let recorded = store.record_rules(batch(7, &[2, 9, 1, 2])).await?;
    let after = Standing::Revoked { since: now, reason: REASON };
    let changed = |n| {
        let (before, sequence) = (Standing::NotRevoked, StatusSequence(n));
        RuleOutcome::Changed { before, after, sequence }
    };
    let (unknown, twice) = (RuleOutcome::NotIssued, RuleOutcome::Unchanged(after));
    equal!(recorded, Ruled::Recorded(vec![changed(1), unknown, changed(2), twice]));
    equal!(store.judged().await?, ObjectSequence(7));
    store.record_rules(batch(5, &[])).await?;
    equal!(store.judged().await?, ObjectSequence(7));
    let audited = store.audit_entries(Within::Everywhere, None, 9).await?.items.len();
    equal!(audited, 4);

    store.take_lease("tethers", "b", now.plus(61), now.plus(120)).await?;
    equal!(store.record_rules(batch(9, &[3])).await?, Ruled::LeaseLost);
    equal!(status(store, 3).await?.by_rule, None);
    equal!(store.judged().await?, ObjectSequence(7));
    equal!(store.audit_entries(Within::Everywhere, None, 9).await?.items.len(), audited);
    let told = store.ruled_since(now).await?;
    equal!(told, vec![RuleCount { rule: Rule::IntuneDeviceDeleted, certificates: 2 }]);
    equal!(store.ruled_since(now.plus(1)).await?, vec![]);
    Ok(())
}

/// Rules and people at the same time: every change has its number, and the counts are right.
pub async fn rules_and_hands_at_once_are_all_numbered(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue_all(store, (0..40).map(|n| sample::certificate(ca, n))).await?;
    let at = sample::NOW;
    let rules = (0..8).map(|n: u64| {
        let held = |n| change(n, Some(hold(Rule::EntraUserDisabled, at)));
        record(store, at, (n * 5..n * 5 + 5).map(held).collect())
    });
    let hands = (0..40).map(|n| {
        let (by, invalidity_date) = ("ada".to_owned(), None);
        let wish = StandingChange { change: Change::Hold, at, by, invalidity_date };
        store.change_standing(sample::serial(n), wish, None)
    });
    let (rules, hands) = tokio::join!(join_all(rules), try_join_all(hands));
    hands?;
    for outcomes in rules {
        for outcome in outcomes? {
            demand!(matches!(outcome, RuleOutcome::Changed { .. }), "held: {outcome:?}");
        }
    }
    equal!(store.status_sequence().await?, StatusSequence(80));
    let changes = store.status_changes(StatusSequence(0), 100).await?;
    let mut numbers: Vec<i64> = changes.iter().map(|c| c.sequence.0).collect();
    numbers.dedup();
    equal!(numbers.len(), 40);
    let counts = Counts { kind: Kind::IntuneDevice, good: 0, on_hold: 40, revoked: 0 };
    equal!(store.counts(Within::Everywhere).await?, vec![counts]);
    for seed in 0..40 {
        let status = status(store, seed).await?;
        let held = Standing::OnHold { since: at };
        demand!(status.by_hand == held && status.by_rule.is_some(), "{seed}: {status:?}");
    }
    let trail = store.verify_audit().await?;
    demand!(matches!(trail, AuditVerdict::Intact { entries: 40, .. }), "the trail: {trail:?}");
    Ok(())
}
