//! What issuance leaves behind: certificates that were prepared and not completed, and those that
//! are only kept for a while.

use std::sync::Arc;

use lanyard_pki::{SerialNumber, Time};

use super::issue::DELETE_PREPARED;
use crate::{
    Store, StoreError,
    record::{AuditEntry, Unfinished},
    sql::{Columns, Connection, Sql, one_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Gives a prepared certificate up, with the transaction that waits for it: it ends as
    /// declined with `reason`. True if it was prepared.
    pub async fn abandon_certificate(
        &self,
        serial: SerialNumber,
        reason: String,
        at: Time,
        audit: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.backend.write(Abandon { serial, reason, at, audit: audit.map(Arc::new) }).await
    }

    /// The certificates that were prepared and neither completed nor abandoned, oldest first, at
    /// most `limit`; at start these are what a crash left behind.
    pub async fn unfinished(&self, limit: u32) -> Result<Vec<Unfinished>, StoreError> {
        self.backend.read(FindUnfinished { limit }).await
    }

    /// The certificate of this serial number, if it was prepared and neither completed nor
    /// abandoned: for the client that asks again.
    pub async fn unfinished_by_serial(
        &self,
        serial: SerialNumber,
    ) -> Result<Option<Unfinished>, StoreError> {
        self.backend.read(FindUnfinishedBySerial(serial)).await
    }

    /// Drops certificates (not their revocation data) that were only kept for a while
    /// ([`Keep::RevocationOnly`](crate::Keep::RevocationOnly)), at most `limit`; tells how many.
    pub async fn forget_certificates(&self, now: Time, limit: u32) -> Result<u64, StoreError> {
        self.backend.write(Forget { now, limit }).await
    }
}

struct Abandon {
    serial: SerialNumber,
    reason: String,
    at: Time,
    audit: Option<Arc<AuditEntry>>,
}

static ABANDON: Sql =
    sql!("UPDATE certificate SET state = 2 WHERE serial = $1 AND state = 0 RETURNING id");
static ABANDON_ENROLLMENT: Sql = sql!(
    "UPDATE enrollment SET state = 2, decided_at = $2, reason = $3 \
     WHERE certificate = $1 AND state = 1"
);

impl Act for Abandon {
    type Outcome = bool;
    const NAME: &'static str = "abandon_certificate";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<bool>, StoreError> {
        let serial = self.serial.as_bytes().into();
        let Some(id) = tx.connection.fetch_optional(&ABANDON, &[serial], one_int).await? else {
            return Ok(Done::Keep(false));
        };
        tx.connection.execute(&DELETE_PREPARED, &[id.into()]).await?;
        let values = [id.into(), self.at.unix().into(), self.reason.as_str().into()];
        tx.connection.execute(&ABANDON_ENROLLMENT, &values).await?;
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(true))
    }
}

struct FindUnfinished {
    limit: u32,
}

static UNFINISHED: Sql = sql!(
    "SELECT c.serial, c.ca, c.organization, c.department, c.endpoint, c.prepared_at, p.tbs \
     FROM prepared p JOIN certificate c ON c.id = p.id ORDER BY p.id LIMIT $1"
);
static UNFINISHED_BY_SERIAL: Sql = sql!(
    "SELECT c.serial, c.ca, c.organization, c.department, c.endpoint, c.prepared_at, p.tbs \
     FROM certificate c JOIN prepared p ON p.id = c.id WHERE c.serial = $1"
);

impl Question for FindUnfinished {
    type Answer = Vec<Unfinished>;
    const NAME: &'static str = "unfinished";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let limit = i64::from(self.limit);
        connection.fetch(&UNFINISHED, &[limit.into()], unfinished).await
    }
}

struct FindUnfinishedBySerial(SerialNumber);

impl Question for FindUnfinishedBySerial {
    type Answer = Option<Unfinished>;
    const NAME: &'static str = "unfinished_by_serial";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let serial = self.0.as_bytes();
        connection.fetch_optional(&UNFINISHED_BY_SERIAL, &[serial.into()], unfinished).await
    }
}

/// The columns that `UNFINISHED` and `UNFINISHED_BY_SERIAL` share.
fn unfinished(columns: &mut Columns<'_>) -> Result<Unfinished, StoreError> {
    Ok(Unfinished {
        serial: columns.serial()?,
        ca: columns.ca()?,
        scope: columns.scope()?,
        endpoint: columns.endpoint()?,
        prepared_at: columns.time()?,
        tbs: columns.bytes()?,
    })
}

struct Forget {
    now: Time,
    limit: u32,
}

static FORGET: Sql = sql!(
    "DELETE FROM certificate_der WHERE id IN (SELECT id FROM certificate_der \
     WHERE kept_until IS NOT NULL AND kept_until <= $1 ORDER BY kept_until LIMIT $2)"
);

impl Act for Forget {
    type Outcome = u64;
    const NAME: &'static str = "forget_certificates";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<u64>, StoreError> {
        let values = [self.now.unix().into(), i64::from(self.limit).into()];
        tx.connection.execute(&FORGET, &values).await.map(Done::Keep)
    }
}
