//! What rules hold against certificates, recorded for many at once.

use std::sync::Arc;

use lanyard_lifecycle::{id::Scope, kind::Kind, revocation::Standing, verdict::ByRule};
use lanyard_pki::{SerialNumber, Time};

use super::{
    apply::is_held,
    brake, queue,
    ruled::{by_rule_columns, facts_column, lasting_code},
    standing::take_numbers,
    tether,
};
use crate::{
    Store, StoreError,
    column::{StandingCode, optional_time, standing_columns},
    record::{RuleBatch, RuleChange, RuleCount, RuleOutcome, Ruled, StatusSequence},
    sql::{Connection, Sql, sql},
    transaction::{Act, CountKey, Done, Question, Reads, Transaction},
};

impl Store {
    /// Records what the rules say of many certificates, what the brake holds back of it and how far
    /// changes of objects are judged, in one transaction.
    ///
    /// What a rule has revoked for good stays as it was recorded, and so does what people have
    /// revoked. What goes on (a hold, by whichever rule) keeps the time since when it counts. A
    /// change of a certificate of which nothing is held back any more ends what was.
    pub async fn record_rules(&self, batch: RuleBatch) -> Result<Ruled, StoreError> {
        self.backend.write(RecordRules(batch)).await
    }

    /// Against how many certificates each rule holds something that was recorded at `since` or
    /// later.
    pub async fn ruled_since(&self, since: Time) -> Result<Vec<RuleCount>, StoreError> {
        self.backend.read(Recorded { since }).await
    }
}

/// What a change of standing needs to know of a certificate.
pub(super) struct Present {
    pub(super) id: i64,
    pub(super) kind: Kind,
    pub(super) scope: Scope,
    not_after: Time,
    due: Option<Time>,
    /// By hand and by rule.
    pub(super) standing: Standing,
    pub(super) by_hand: Standing,
    pub(super) by_rule: Option<ByRule>,
}

impl Present {
    /// Whether it is revoked for good, by hand or by a rule.
    fn is_revoked_for_good(&self) -> bool {
        matches!(self.by_hand, Standing::Revoked { .. })
            || self.by_rule.as_ref().is_some_and(ByRule::is_permanent)
    }
}

static PRESENT: Sql = sql!(concat!(
    "SELECT c.id, c.kind, c.organization, c.department, c.not_after, c.due, \
     c.standing, c.reason, c.since, ",
    by_rule_columns!(),
    " FROM certificate c LEFT JOIN certificate_rule r ON r.id = c.id WHERE c.serial = $1"
));

pub(super) async fn present<C: Connection>(
    connection: &mut C,
    serial: &SerialNumber,
) -> Result<Option<Present>, StoreError> {
    connection
        .fetch_optional(&PRESENT, &[serial.as_bytes().into()], |columns| {
            let id = columns.int()?;
            let kind = columns.kind()?;
            let scope = columns.scope()?;
            let not_after = columns.time()?;
            let due = columns.optional_time()?;
            let standing = columns.standing()?;
            let (by_rule, by_hand) = match columns.by_rule()? {
                Some((by_rule, by_hand)) => (Some(by_rule), by_hand),
                None => (None, standing),
            };
            Ok(Present { id, kind, scope, not_after, due, standing, by_hand, by_rule })
        })
        .await
}

struct RecordRules(RuleBatch);

impl Act for RecordRules {
    type Outcome = Ruled;
    const NAME: &'static str = "record_rules";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Ruled>, StoreError> {
        let batch = &self.0;
        if let Some(lease) = &batch.lease
            && !is_held(tx.connection, lease, batch.now).await?
        {
            return Ok(Done::Undo(Ruled::LeaseLost));
        }
        // Locks the counter, which makes changes of one certificate wait for each other.
        let mut sequence = take_numbers(tx.connection, 0).await?;
        let first = sequence;
        let mut outcomes = Vec::with_capacity(batch.changes.len());
        for change in &batch.changes {
            let outcome = self.change(tx, change, sequence + 1).await?;
            if matches!(outcome, RuleOutcome::Changed { .. }) {
                sequence += 1;
            }
            outcomes.push(outcome);
        }
        if sequence > first {
            take_numbers(tx.connection, sequence - first).await?;
        }
        brake::hold_back(tx.connection, &batch.held_back, batch.now).await?;
        queue::answer(tx.connection, &batch.answers).await?;
        if let Some(judged) = batch.judged {
            tether::move_cursor(tx.connection, judged, batch.now).await?;
        }
        for entry in &batch.audit {
            tx.audit(Some(&Arc::new(entry.clone())));
        }
        Ok(Done::Keep(Ruled::Recorded(outcomes)))
    }
}

impl RecordRules {
    async fn change<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
        change: &RuleChange,
        sequence: i64,
    ) -> Result<RuleOutcome, StoreError> {
        let Some(present) = present(tx.connection, &change.serial).await? else {
            return Ok(RuleOutcome::NotIssued);
        };
        if !self.0.held_back.iter().any(|held| held.serial == change.serial) {
            brake::release(tx.connection, present.id).await?;
        }
        let is_for_good = present.is_revoked_for_good();
        let to = if is_for_good { present.by_rule.clone() } else { next(&present, change) };
        let stays = is_for_good || to.as_ref().is_some_and(ByRule::is_permanent);
        // Once it has ended nobody asks any more.
        let due = change.due.filter(|due| !stays && *due < present.not_after);
        if to == present.by_rule {
            if due != present.due {
                tx.connection
                    .execute(&DUE, &[present.id.into(), optional_time(due).into()])
                    .await?;
            }
            return Ok(RuleOutcome::Unchanged(present.standing));
        }
        let after = stand(tx, &present, present.by_hand, to.as_ref()).await?;
        let (reason, since) = standing_columns(&after);
        let values = [
            present.id.into(),
            StandingCode::of(&after).code().into(),
            reason.into(),
            since.into(),
            self.0.now.unix().into(),
            sequence.into(),
            optional_time(due).into(),
        ];
        tx.connection.execute(&CHANGE, &values).await?;
        if let Some(entry) = &change.audit {
            tx.audit(Some(&Arc::new(entry.clone())));
        }
        let sequence = StatusSequence(sequence);
        Ok(RuleOutcome::Changed { before: present.standing, after, sequence })
    }
}

/// What is recorded of what the rules say. What goes on keeps its beginning, and what is said once
/// more stays as it was recorded.
fn next(present: &Present, change: &RuleChange) -> Option<ByRule> {
    let to = change.to.as_ref().filter(|to| to.standing != Standing::NotRevoked)?;
    let Some(known) = &present.by_rule else { return Some(to.clone()) };
    let goes_on = StandingCode::of(&known.standing) == StandingCode::of(&to.standing);
    let standing = if goes_on { known.standing.or(to.standing) } else { to.standing };
    let to = ByRule { standing, ..to.clone() };
    let is_known =
        known.standing == to.standing && known.rule == to.rule && known.lasting == to.lasting;
    Some(if is_known { known.clone() } else { to })
}

/// Writes what rules hold against a certificate and what stands by hand beside it, counts what both
/// come to, and tells it.
pub(super) async fn stand<C: Connection>(
    tx: &mut Transaction<'_, C>,
    present: &Present,
    by_hand: Standing,
    by_rule: Option<&ByRule>,
) -> Result<Standing, StoreError> {
    let id = present.id.into();
    match by_rule {
        None if present.by_rule.is_none() => {}
        None => {
            tx.connection.execute(&NO_RULE, &[id]).await?;
        }
        Some(rule) => {
            let (reason, since) = standing_columns(&rule.standing);
            let (hand_reason, hand_since) = standing_columns(&by_hand);
            let facts = facts_column(&rule.facts)?;
            let values = [
                id,
                StandingCode::of(&rule.standing).code().into(),
                reason.into(),
                since.into(),
                rule.rule.name().into(),
                lasting_code(rule.lasting).into(),
                rule.recorded_at.unix().into(),
                facts.as_str().into(),
                StandingCode::of(&by_hand).code().into(),
                hand_reason.into(),
                hand_since.into(),
            ];
            tx.connection.execute(&RULE, &values).await?;
        }
    }
    let after = by_rule.map_or(by_hand, |rule| by_hand.or(rule.standing));
    let (old, new) = (StandingCode::of(&present.standing), StandingCode::of(&after));
    let Present { kind, scope, .. } = *present;
    tx.count(CountKey { scope, kind, standing: old }, -1);
    tx.count(CountKey { scope, kind, standing: new }, 1);
    Ok(after)
}

static RULE: Sql = sql!(
    "INSERT INTO certificate_rule (id, standing, reason, since, rule, lasting, recorded_at, facts, \
     hand_standing, hand_reason, hand_since) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET \
     standing = excluded.standing, reason = excluded.reason, since = excluded.since, \
     rule = excluded.rule, lasting = excluded.lasting, recorded_at = excluded.recorded_at, \
     facts = excluded.facts, hand_standing = excluded.hand_standing, \
     hand_reason = excluded.hand_reason, hand_since = excluded.hand_since"
);
static NO_RULE: Sql = sql!("DELETE FROM certificate_rule WHERE id = $1");
static DUE: Sql = sql!("UPDATE certificate SET due = $2 WHERE id = $1");
static CHANGE: Sql = sql!(
    "UPDATE certificate SET standing = $2, reason = $3, since = $4, revocation_recorded_at = $5, \
     status_sequence = $6, due = $7 WHERE id = $1"
);

struct Recorded {
    since: Time,
}

static RECORDED: Sql = sql!(
    "SELECT rule, COUNT(*) FROM certificate_rule WHERE recorded_at >= $1 GROUP BY rule \
     ORDER BY rule"
);

impl Question for Recorded {
    type Answer = Vec<RuleCount>;
    const NAME: &'static str = "ruled_since";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection
            .fetch(&RECORDED, &[self.since.unix().into()], |columns| {
                let rule = columns.rule()?.ok_or_else(|| StoreError::unreadable("rule"))?;
                let certificates = u64::try_from(columns.int()?).unwrap_or_default();
                Ok(RuleCount { rule, certificates })
            })
            .await
    }
}
