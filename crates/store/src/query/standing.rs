//! Revoke, hold, release; and who changed since.

use std::sync::Arc;

use lanyard_pki::SerialNumber;

use crate::{
    Store, StoreError,
    column::{StandingCode, optional_time, standing_columns},
    record::{AuditEntry, StandingChange, StandingOutcome, StatusChange, StatusSequence},
    sql::{Connection, Sql, one_int, sql},
    transaction::{Act, CountKey, Done, Question, Reads, Transaction},
};

impl Store {
    /// Revokes, holds or releases an issued certificate. The rules are
    /// [`Standing::after`](lanyard_lifecycle::revocation::Standing::after), applied to what is
    /// stored, in the transaction that stores the result.
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
static NEXT: Sql =
    sql!("UPDATE counter SET value = value + 1 WHERE name = 'status' RETURNING value");

static PRESENT: Sql = sql!(
    "SELECT id, kind, organization, department, standing, reason, since FROM certificate \
     WHERE serial = $1"
);

static CHANGE: Sql = sql!(
    "UPDATE certificate SET standing = $2, reason = $3, since = $4, revoked_by = $5, \
     revocation_recorded_at = $6, invalidity_date = $7, status_sequence = $8 WHERE id = $1"
);

impl Act for ChangeStanding {
    type Outcome = StandingOutcome;
    const NAME: &'static str = "change_standing";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<StandingOutcome>, StoreError> {
        let sequence = tx.connection.fetch_optional(&NEXT, &[], one_int).await?;
        let sequence = sequence.ok_or_else(|| StoreError::unreadable("counter"))?;
        let present = tx
            .connection
            .fetch_optional(&PRESENT, &[self.serial.as_bytes().into()], |columns| {
                let id = columns.int()?;
                let kind = columns.kind()?;
                Ok((id, kind, columns.scope()?, columns.standing()?))
            })
            .await?;
        let Some((id, kind, scope, before)) = present else {
            return Ok(Done::Undo(StandingOutcome::NotIssued));
        };
        let wish = &self.change;
        let after = match before.after(wish.change, wish.at) {
            Ok(after) if after == before => {
                return Ok(Done::Undo(StandingOutcome::Unchanged(before)));
            }
            Ok(after) => after,
            Err(refusal) => return Ok(Done::Undo(StandingOutcome::Refused(refusal))),
        };
        let (old, new) = (StandingCode::of(&before), StandingCode::of(&after));
        let (reason, since) = standing_columns(&after);
        let by = Some(wish.by.as_str()).filter(|_| new != StandingCode::Good);
        let invalidity_date = wish.invalidity_date.filter(|_| new != StandingCode::Good);
        let values = [
            id.into(),
            new.code().into(),
            reason.into(),
            since.into(),
            by.into(),
            wish.at.unix().into(),
            optional_time(invalidity_date).into(),
            sequence.into(),
        ];
        tx.connection.execute(&CHANGE, &values).await?;
        tx.count(CountKey { scope, kind, standing: old }, -1);
        tx.count(CountKey { scope, kind, standing: new }, 1);
        tx.audit(self.audit.as_ref());
        let sequence = StatusSequence(sequence);
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
