//! Certificate revocation lists: their numbers, their entries, and themselves.

use std::sync::Arc;

use lanyard_pki::Time;
use tokio::sync::{mpsc, oneshot};

use super::standing;
use crate::{
    Store, StoreError,
    column::organization_column,
    record::{
        AuditEntry, CaId, Crl, CrlKind, CrlNumber, CrlPartition, NewCrl, RevokedEntry,
        StatusSequence,
    },
    sql::{Columns, Connection, Sql, one_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// The next CRL number of a CA and partition. A number that is reserved and not used leaves a
    /// gap, which RFC 5280 allows.
    pub async fn reserve_crl_number(
        &self,
        ca: CaId,
        partition: CrlPartition,
    ) -> Result<CrlNumber, StoreError> {
        self.backend.write(Reserve { ca, partition }).await
    }

    /// Stores a signed CRL and drops all but the newest `keep` of its CA, partition and kind.
    /// A number that was used is a [`StoreError::Conflict`].
    pub async fn record_crl(
        &self,
        crl: NewCrl,
        keep: u32,
        audit: Option<AuditEntry>,
    ) -> Result<(), StoreError> {
        self.backend.write(Record { crl, keep, audit: audit.map(Arc::new) }).await
    }

    /// The newest full or delta CRL of a CA and partition; of `delta`, one on any base.
    pub async fn latest_crl(
        &self,
        ca: CaId,
        partition: CrlPartition,
        delta: bool,
    ) -> Result<Option<Crl>, StoreError> {
        self.backend.read(Latest { ca, partition, delta }).await
    }

    /// The certificates of a CA that are on hold or revoked and end at `ends_from` or later, as of
    /// one moment. Expired ones are passed over without being read.
    pub async fn revoked(
        &self,
        ca: CaId,
        partition: CrlPartition,
        ends_from: Time,
    ) -> Result<RevokedEntries, StoreError> {
        let (chunks, entries) = mpsc::channel(4);
        let (place, sequence) = oneshot::channel();
        let question =
            Revoked { ca, partition, ends_from, out: std::sync::Mutex::new(Some((place, chunks))) };
        let answered = self.backend.stream(question);
        match sequence.await {
            Ok(sequence) => Ok(RevokedEntries { sequence, entries, answered: Some(answered) }),
            // The question ended before it began to answer: its error says why.
            Err(_) => match answered.await {
                Err(error) => Err(error),
                Ok(()) => Err(StoreError::Closed),
            },
        }
    }
}

/// The certificates of a CA that are on hold or revoked, read while they are used.
#[derive(Debug)]
pub struct RevokedEntries {
    sequence: StatusSequence,
    entries: mpsc::Receiver<Result<Vec<RevokedEntry>, StoreError>>,
    answered: Option<crate::backend::Answering>,
}

impl RevokedEntries {
    /// Every change up to here is in the entries, and none after.
    pub fn sequence(&self) -> StatusSequence {
        self.sequence
    }

    /// The next entries, in order of certificate end; `None` after the last.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<RevokedEntry>>, StoreError> {
        if let Some(chunk) = self.entries.recv().await {
            return chunk.map(Some);
        }
        match self.answered.take() {
            Some(answered) => answered.await.map(|()| None),
            None => Ok(None),
        }
    }

    /// All entries that are left.
    pub async fn collect(mut self) -> Result<Vec<RevokedEntry>, StoreError> {
        let mut all = Vec::new();
        while let Some(chunk) = self.next_chunk().await? {
            all.extend(chunk);
        }
        Ok(all)
    }
}

type Out = (oneshot::Sender<StatusSequence>, mpsc::Sender<Result<Vec<RevokedEntry>, StoreError>>);

struct Revoked {
    ca: CaId,
    partition: CrlPartition,
    ends_from: Time,
    out: std::sync::Mutex<Option<Out>>,
}

static REVOKED: Sql = sql!(
    "SELECT serial, crl_partition, standing, reason, since, invalidity_date, not_after \
     FROM certificate WHERE standing <> 0 AND ca = $1 AND not_after >= $2 \
     AND ($3 = 0 OR crl_partition = $3) ORDER BY not_after, serial"
);

impl Question for Revoked {
    type Answer = ();
    const NAME: &'static str = "revoked";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<(), StoreError> {
        let out = self.out.lock().ok().and_then(|mut out| out.take());
        let Some((place, chunks)) = out else { return Ok(()) };
        let sequence = standing::latest(connection).await?;
        if place.send(sequence).is_err() {
            return Ok(());
        }
        let values =
            [self.ca.0.into(), self.ends_from.unix().into(), i64::from(self.partition.0).into()];
        let entry = |columns: &mut Columns<'_>| {
            Ok(RevokedEntry {
                serial: columns.serial()?,
                crl_partition: columns.crl_partition()?,
                standing: columns.standing()?,
                invalidity_date: columns.optional_time()?,
                not_after: columns.time()?,
            })
        };
        connection.stream(&REVOKED, &values, entry, chunks).await
    }
}

struct Reserve {
    ca: CaId,
    partition: CrlPartition,
}

static RESERVE: Sql = sql!(
    "INSERT INTO crl_number (ca, crl_partition, number) VALUES ($1, $2, 1) \
     ON CONFLICT (ca, crl_partition) DO UPDATE SET number = crl_number.number + 1 \
     RETURNING number"
);

impl Act for Reserve {
    type Outcome = CrlNumber;
    const NAME: &'static str = "reserve_crl_number";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<CrlNumber>, StoreError> {
        let values = [self.ca.0.into(), i64::from(self.partition.0).into()];
        let number = tx.connection.fetch_optional(&RESERVE, &values, one_int).await?;
        let number = number.ok_or_else(|| StoreError::unreadable("CRL number"))?;
        Ok(Done::Keep(CrlNumber(number)))
    }
}

struct Record {
    crl: NewCrl,
    keep: u32,
    audit: Option<Arc<AuditEntry>>,
}

const FULL: i64 = 0;
const DELTA: i64 = 1;

static RECORD: Sql = sql!(
    "INSERT INTO crl (ca, crl_partition, kind, number, base, organization, department, \
     this_update, next_update, status_sequence, entries, der) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
);
static DROP_OLD: Sql = sql!(
    "DELETE FROM crl WHERE ca = $1 AND crl_partition = $2 AND kind = $3 AND number NOT IN \
     (SELECT number FROM crl WHERE ca = $1 AND crl_partition = $2 AND kind = $3 \
     ORDER BY number DESC LIMIT $4)"
);

impl Act for Record {
    type Outcome = ();
    const NAME: &'static str = "record_crl";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        let crl = &self.crl;
        let (kind, base) = match crl.kind {
            CrlKind::Full => (FULL, None),
            CrlKind::Delta { base } => (DELTA, Some(base.0)),
        };
        let organization = organization_column(crl.scope.organization);
        let department = crl.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes);
        let (ca, partition) = (crl.ca.0.into(), i64::from(crl.partition.0).into());
        let values = [
            ca,
            partition,
            kind.into(),
            crl.number.0.into(),
            base.into(),
            organization.as_slice().into(),
            department.as_ref().map(|d| &d[..]).into(),
            crl.this_update.unix().into(),
            crl.next_update.unix().into(),
            crl.sequence.0.into(),
            i64::try_from(crl.entries).unwrap_or(i64::MAX).into(),
            crl.der.as_slice().into(),
        ];
        tx.connection.execute(&RECORD, &values).await?;
        let keep = i64::from(self.keep.max(1)).into();
        tx.connection.execute(&DROP_OLD, &[ca, partition, kind.into(), keep]).await?;
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(()))
    }
}

struct Latest {
    ca: CaId,
    partition: CrlPartition,
    delta: bool,
}

static LATEST: Sql = sql!(
    "SELECT ca, organization, department, crl_partition, base, number, this_update, \
     next_update, status_sequence, entries, der FROM crl \
     WHERE ca = $1 AND crl_partition = $2 AND kind = $3 ORDER BY number DESC LIMIT 1"
);

impl Question for Latest {
    type Answer = Option<Crl>;
    const NAME: &'static str = "latest_crl";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let kind = if self.delta { DELTA } else { FULL };
        let values = [self.ca.0.into(), i64::from(self.partition.0).into(), kind.into()];
        connection
            .fetch_optional(&LATEST, &values, |columns| {
                Ok(Crl {
                    ca: columns.ca()?,
                    scope: columns.scope()?,
                    partition: columns.crl_partition()?,
                    kind: columns
                        .optional_int()?
                        .map_or(CrlKind::Full, |base| CrlKind::Delta { base: CrlNumber(base) }),
                    number: CrlNumber(columns.int()?),
                    this_update: columns.time()?,
                    next_update: columns.time()?,
                    sequence: StatusSequence(columns.int()?),
                    entries: u64::try_from(columns.int()?).unwrap_or_default(),
                    der: columns.bytes()?,
                })
            })
            .await
    }
}
