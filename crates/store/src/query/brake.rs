//! The brake's batches: what rules would have done, until a person decides.

use std::sync::Arc;

use lanyard_pki::Time;

use super::ruled::{facts_column, held_back_columns, lasting_code};
use crate::{
    Store, StoreError,
    column::{StandingCode, standing_columns},
    record::{
        AuditEntry, BatchId, BatchState, BrakeBatch, BrakeDecision, Cursor, Decided,
        HeldBackCertificate, NewHeldBack, Page,
    },
    sql::{Columns, Connection, Sql, Value, one_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// The brake's batches, newest first.
    pub async fn brake_batches(&self, limit: u32) -> Result<Vec<BrakeBatch>, StoreError> {
        self.backend.read(Batches { limit }).await
    }

    /// The certificates that are held back with a batch.
    pub async fn held_back(
        &self,
        batch: BatchId,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<HeldBackCertificate>, StoreError> {
        self.backend.read(OfBatch { batch, after, limit: limit.max(1) }).await
    }

    /// The certificates of confirmed batches that are not carried out yet, at most `limit`. Each
    /// leaves the list when [`record_rules`](Store::record_rules) records it.
    pub async fn confirmed_held_back(
        &self,
        limit: u32,
    ) -> Result<Vec<HeldBackCertificate>, StoreError> {
        self.backend.read(Confirmed { limit }).await
    }

    /// Decides about a whole batch, once.
    pub async fn decide_held_back(
        &self,
        batch: BatchId,
        decision: BrakeDecision,
        by: String,
        at: Time,
        audit: Option<AuditEntry>,
    ) -> Result<Decided, StoreError> {
        let audit = audit.map(Arc::new);
        self.backend.write(Decide { batch, decision, by, at, audit }).await
    }
}

const HELD: i64 = 0;
const CONFIRMED: i64 = 1;
const DISCARDED: i64 = 2;

pub(super) fn state(code: i64) -> Result<BatchState, StoreError> {
    match code {
        HELD => Ok(BatchState::Held),
        CONFIRMED => Ok(BatchState::Confirmed),
        DISCARDED => Ok(BatchState::Discarded),
        _ => Err(StoreError::unreadable("state of what is held back")),
    }
}

static OPEN: Sql = sql!("SELECT id FROM brake_batch WHERE state = 0");
static BEGIN: Sql = sql!(
    "INSERT INTO brake_batch (id, state, opened_at) \
     SELECT COALESCE(MAX(id), 0) + 1, 0, $1 FROM brake_batch RETURNING id"
);
/// What a rule has said before, with a batch that waits or is decided, stays with it.
static SAID_AGAIN: Sql = sql!(
    "UPDATE held_back SET standing = $3, reason = $4, \
     since = CASE WHEN since < $5 THEN since ELSE $5 END, lasting = $6, facts = $7 \
     WHERE id = (SELECT id FROM certificate WHERE serial = $1) AND rule = $2"
);
static HOLD_BACK: Sql = sql!(
    "INSERT INTO held_back (id, rule, standing, reason, since, lasting, facts, batch, held_at) \
     SELECT id, $2, $3, $4, $5, $6, $7, $8, $9 FROM certificate WHERE serial = $1 \
     ON CONFLICT (id) DO UPDATE SET rule = excluded.rule, standing = excluded.standing, \
     reason = excluded.reason, since = excluded.since, lasting = excluded.lasting, \
     facts = excluded.facts, batch = excluded.batch, held_at = excluded.held_at"
);
static RELEASE: Sql = sql!("DELETE FROM held_back WHERE id = $1");

/// Holds back. What is new joins the batch that waits, or begins one.
pub(super) async fn hold_back<C: Connection>(
    connection: &mut C,
    all: &[NewHeldBack],
    now: Time,
) -> Result<(), StoreError> {
    let mut open = None;
    for NewHeldBack { serial, ruled } in all {
        let facts = facts_column(&ruled.facts)?;
        let (reason, since) = standing_columns(&ruled.standing);
        let [serial, rule, standing, reason, since, lasting, facts]: [Value<'_>; 7] = [
            serial.as_bytes().into(),
            ruled.rule.name().into(),
            StandingCode::of(&ruled.standing).code().into(),
            reason.into(),
            since.into(),
            lasting_code(ruled.lasting).into(),
            facts.as_str().into(),
        ];
        let values = [serial, rule, standing, reason, since, lasting, facts];
        if connection.execute(&SAID_AGAIN, &values).await? > 0 {
            continue;
        }
        let batch = match open {
            Some(batch) => batch,
            None => open_batch(connection, now).await?,
        };
        open = Some(batch);
        let (batch, now) = (batch.into(), now.unix().into());
        let values = [serial, rule, standing, reason, since, lasting, facts, batch, now];
        connection.execute(&HOLD_BACK, &values).await?;
    }
    Ok(())
}

async fn open_batch<C: Connection>(connection: &mut C, now: Time) -> Result<i64, StoreError> {
    if let Some(open) = connection.fetch_optional(&OPEN, &[], one_int).await? {
        return Ok(open);
    }
    let begun = connection.fetch_optional(&BEGIN, &[now.unix().into()], one_int).await?;
    begun.ok_or_else(|| StoreError::unreadable("number of a batch"))
}

/// Forgets what was held back of a certificate.
pub(super) async fn release<C: Connection>(
    connection: &mut C,
    certificate: i64,
) -> Result<(), StoreError> {
    connection.execute(&RELEASE, &[certificate.into()]).await.map(|_| ())
}

struct Batches {
    limit: u32,
}

static BATCHES: Sql = sql!(
    "SELECT b.id, b.state, b.opened_at, (SELECT COUNT(*) FROM held_back h WHERE h.batch = b.id), \
     b.decided_by, b.decided_at FROM brake_batch b ORDER BY b.id DESC LIMIT $1"
);

impl Question for Batches {
    type Answer = Vec<BrakeBatch>;
    const NAME: &'static str = "brake_batches";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection
            .fetch(&BATCHES, &[i64::from(self.limit).into()], |columns| {
                Ok(BrakeBatch {
                    id: BatchId(columns.int()?),
                    state: state(columns.int()?)?,
                    opened_at: columns.time()?,
                    certificates: u64::try_from(columns.int()?).unwrap_or_default(),
                    decided_by: columns.optional_string()?,
                    decided_at: columns.optional_time()?,
                })
            })
            .await
    }
}

macro_rules! held_back {
    ($rest:literal) => {
        sql!(concat!(
            "SELECT h.id, c.serial, c.organization, c.department, c.kind, c.object, c.directory, ",
            held_back_columns!(),
            " FROM held_back h JOIN brake_batch b ON b.id = h.batch \
             JOIN certificate c ON c.id = h.id ",
            $rest
        ))
    };
}

/// A range of one batch and not equality: then the order is the index's in PostgreSQL too, which
/// would else rather walk all certificates that are held back in theirs.
pub(crate) static OF_BATCH: Sql = held_back!(
    "WHERE (h.batch, h.id) > ($1, $2) AND h.batch <= $1 ORDER BY h.batch, h.id LIMIT $3"
);
pub(crate) static TO_CARRY_OUT: Sql =
    held_back!("WHERE b.state = 1 ORDER BY h.batch, h.id LIMIT $1");

fn certificate(columns: &mut Columns<'_>) -> Result<(i64, HeldBackCertificate), StoreError> {
    let id = columns.int()?;
    let serial = columns.serial()?;
    let scope = columns.scope()?;
    let binding = columns.binding()?;
    let held_back = columns.held_back()?;
    let held_back = held_back.ok_or_else(|| StoreError::unreadable("held back certificate"))?;
    Ok((id, HeldBackCertificate { serial, scope, binding, held_back }))
}

struct OfBatch {
    batch: BatchId,
    after: Option<Cursor>,
    limit: u32,
}

impl Question for OfBatch {
    type Answer = Page<HeldBackCertificate>;
    const NAME: &'static str = "held_back";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let after = self.after.map_or(0, |cursor| cursor.0);
        let values = [self.batch.0.into(), after.into(), i64::from(self.limit).into()];
        let found = connection.fetch(&OF_BATCH, &values, certificate).await?;
        let full = found.len() >= self.limit as usize;
        let next = found.last().filter(|_| full).map(|(id, _)| Cursor(*id));
        Ok(Page { items: found.into_iter().map(|(_, held)| held).collect(), next })
    }
}

struct Confirmed {
    limit: u32,
}

impl Question for Confirmed {
    type Answer = Vec<HeldBackCertificate>;
    const NAME: &'static str = "confirmed_held_back";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let values = [i64::from(self.limit).into()];
        let found = connection.fetch(&TO_CARRY_OUT, &values, certificate).await?;
        Ok(found.into_iter().map(|(_, held)| held).collect())
    }
}

struct Decide {
    batch: BatchId,
    decision: BrakeDecision,
    by: String,
    at: Time,
    audit: Option<Arc<AuditEntry>>,
}

static DECIDE: Sql = sql!(
    "UPDATE brake_batch SET state = $2, decided_by = $3, decided_at = $4 \
     WHERE id = $1 AND state = 0"
);
static STATE: Sql = sql!("SELECT state FROM brake_batch WHERE id = $1");

impl Act for Decide {
    type Outcome = Decided;
    const NAME: &'static str = "decide_held_back";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Decided>, StoreError> {
        let to = match self.decision {
            BrakeDecision::Confirm => CONFIRMED,
            BrakeDecision::Discard => DISCARDED,
        };
        let batch = self.batch.0.into();
        let values = [batch, to.into(), self.by.as_str().into(), self.at.unix().into()];
        if tx.connection.execute(&DECIDE, &values).await? == 1 {
            tx.audit(self.audit.as_ref());
            return Ok(Done::Keep(Decided::Recorded));
        }
        let found = tx.connection.fetch_optional(&STATE, &[batch], one_int).await?;
        Ok(Done::Keep(match found {
            Some(code) => Decided::Before(state(code)?),
            None => Decided::NoSuchBatch,
        }))
    }
}
