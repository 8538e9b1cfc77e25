//! Revoke, hold, release; and who changed since.

use std::sync::Arc;

use lanyard_lifecycle::{refusal::Refusal, revocation::Standing, verdict::ByRule};
use lanyard_pki::SerialNumber;

use super::{brake, rule};
use crate::{
    Store, StoreError,
    column::{StandingCode, optional_time, standing_columns},
    record::{AuditEntry, StandingChange, StandingOutcome, StatusChange, StatusSequence},
    sql::{Connection, Sql, one_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Revokes, holds or releases an issued certificate. The rules are
    /// [`Standing::after`](lanyard_lifecycle::revocation::Standing::after), applied to what is
    /// stored by hand, in the transaction that stores the result. What rules hold against it stays;
    /// nothing follows what they have revoked for good.
    pub async fn change_standing(
        &self,
        serial: SerialNumber,
        change: StandingChange,
        audit: Option<AuditEntry>,
    ) -> Result<StandingOutcome, StoreError> {
        self.backend.write(ChangeStanding { serial, change, audit: audit.map(Arc::new) }).await
    }

    /// The place of the latest change. A CRL made after this call, from what is read after it,
    /// has every change up to here.
    pub async fn status_sequence(&self) -> Result<StatusSequence, StoreError> {
        self.backend.read(Latest).await
    }

    /// The certificates whose standing changed after `after`, in the order of their latest change,
    /// at most `limit`. Go on after the last one's sequence.
    pub async fn status_changes(
        &self,
        after: StatusSequence,
        limit: u32,
    ) -> Result<Vec<StatusChange>, StoreError> {
        self.backend.read(Changes { after, limit }).await
    }
}

struct ChangeStanding {
    serial: SerialNumber,
    change: StandingChange,
    audit: Option<Arc<AuditEntry>>,
}

/// The counter's row is locked until the commit, so numbers are committed in their order. It is
/// taken first, which also makes changes of one certificate wait for each other.
static TAKE: Sql =
    sql!("UPDATE counter SET value = value + $1 WHERE name = 'status' RETURNING value");

/// Takes as many numbers as are wanted, and returns the last.
pub(super) async fn take_numbers<C: Connection>(
    connection: &mut C,
    wanted: i64,
) -> Result<i64, StoreError> {
    let last = connection.fetch_optional(&TAKE, &[wanted.into()], one_int).await?;
    last.ok_or_else(|| StoreError::unreadable("counter"))
}

static CHANGE: Sql = sql!(
    "UPDATE certificate SET standing = $2, reason = $3, since = $4, revoked_by = $5, \
     revocation_recorded_at = $6, invalidity_date = $7, status_sequence = $8, \
     due = CASE WHEN $9 = 1 THEN NULL ELSE due END WHERE id = $1"
);

impl Act for ChangeStanding {
    type Outcome = StandingOutcome;
    const NAME: &'static str = "change_standing";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<StandingOutcome>, StoreError> {
        let sequence = take_numbers(tx.connection, 1).await?;
        let Some(present) = rule::present(tx.connection, &self.serial).await? else {
            return Ok(Done::Undo(StandingOutcome::NotIssued));
        };
        let wish = &self.change;
        let refused = |refusal| Ok(Done::Undo(StandingOutcome::Refused(refusal)));
        if present.by_rule.as_ref().is_some_and(ByRule::is_permanent) {
            return refused(Refusal::RevokedForGood);
        }
        let by_hand = match present.by_hand.after(wish.change, wish.at) {
            Ok(after) if after == present.by_hand => {
                return Ok(Done::Undo(StandingOutcome::Unchanged(present.standing)));
            }
            Ok(after) => after,
            Err(refusal) => return refused(refusal),
        };
        let after = rule::stand(tx, &present, by_hand, present.by_rule.as_ref()).await?;
        let is_for_good = matches!(by_hand, Standing::Revoked { .. });
        if is_for_good {
            brake::release(tx.connection, present.id).await?;
        }
        let (reason, since) = standing_columns(&after);
        let is_good = by_hand == Standing::NotRevoked;
        let by = Some(wish.by.as_str()).filter(|_| !is_good);
        let invalidity_date = wish.invalidity_date.filter(|_| !is_good);
        let values = [
            present.id.into(),
            StandingCode::of(&after).code().into(),
            reason.into(),
            since.into(),
            by.into(),
            wish.at.unix().into(),
            optional_time(invalidity_date).into(),
            sequence.into(),
            i64::from(is_for_good).into(),
        ];
        tx.connection.execute(&CHANGE, &values).await?;
        tx.audit(self.audit.as_ref());
        let sequence = StatusSequence(sequence);
        let before = present.standing;
        Ok(Done::Keep(StandingOutcome::Changed { before, after, sequence }))
    }
}

struct Latest;

static LATEST: Sql = sql!("SELECT value FROM counter WHERE name = 'status'");

pub(crate) async fn latest<C: Connection>(
    connection: &mut C,
) -> Result<StatusSequence, StoreError> {
    let value = connection.fetch_optional(&LATEST, &[], one_int).await?;
    value.map(StatusSequence).ok_or_else(|| StoreError::unreadable("counter"))
}

impl Question for Latest {
    type Answer = StatusSequence;
    const NAME: &'static str = "status_sequence";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        latest(connection).await
    }
}

struct Changes {
    after: StatusSequence,
    limit: u32,
}

static CHANGES: Sql = sql!(
    "SELECT status_sequence, serial, ca, crl_partition, standing, reason, since, \
     invalidity_date, not_after FROM certificate \
     WHERE status_sequence IS NOT NULL AND status_sequence > $1 \
     ORDER BY status_sequence LIMIT $2"
);

impl Question for Changes {
    type Answer = Vec<StatusChange>;
    const NAME: &'static str = "status_changes";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let values = [self.after.0.into(), i64::from(self.limit).into()];
        connection
            .fetch(&CHANGES, &values, |columns| {
                Ok(StatusChange {
                    sequence: StatusSequence(columns.int()?),
                    serial: columns.serial()?,
                    ca: columns.ca()?,
                    crl_partition: columns.crl_partition()?,
                    standing: columns.standing()?,
                    invalidity_date: columns.optional_time()?,
                    not_after: columns.time()?,
                })
            })
            .await
    }
}
