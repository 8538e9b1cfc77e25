//! Notices: written, claimed, delivered, tried again, given up. Lists of them are in `notices`.

use std::sync::Arc;

use lanyard_lifecycle::id::DirectoryId;
use lanyard_pki::Time;

use crate::{
    Store, StoreError,
    column::{OrganizationColumn, organization_column},
    record::{Attempt, AuditEntry, FailedAttempt, NewNotice, Notice, NoticeId, NoticeState},
    sql::{ColumnType, Columns, Connection, Insert, Sql, Value, sql},
    transaction::{Act, Done, Transaction},
};

impl Store {
    /// Records a notice that goes with no certificate: that an enrollment failed. One that goes
    /// with a certificate is recorded by [`issue_certificate`](Store::issue_certificate). A number
    /// that was used is a [`StoreError::Conflict`].
    pub async fn record_notice(
        &self,
        notice: NewNotice,
        audit: Option<AuditEntry>,
    ) -> Result<(), StoreError> {
        self.backend.write(Record { notice, audit: audit.map(Arc::new) }).await
    }

    /// Claims notices that are due, the longest due first, at most `limit`: until `until` nobody
    /// else is given them. Each claim begins an attempt.
    pub async fn claim_notices(
        &self,
        now: Time,
        until: Time,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        self.backend.write(Claim { now, until, limit }).await
    }

    /// Claims one notice, due or not, for whoever waits for its being told; none if it has ended. This
    /// begins an attempt, and takes the notice from whoever has claimed it before.
    pub async fn claim_notice(
        &self,
        id: NoticeId,
        until: Time,
    ) -> Result<Option<Notice>, StoreError> {
        self.backend.write(ClaimOne { id, until }).await
    }

    /// Records that a directory has taken a notice, whoever told it. False if it had ended before.
    pub async fn deliver_notice(&self, id: NoticeId, at: Time) -> Result<bool, StoreError> {
        self.backend.write(Deliver { id, at }).await
    }

    /// Records that an attempt failed. False if it is not the last one that was begun, or the
    /// notice has ended: somebody else is seeing to it.
    pub async fn fail_notice(
        &self,
        id: NoticeId,
        failed: FailedAttempt,
        audit: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.backend.write(Fail { id, failed, audit: audit.map(Arc::new) }).await
    }

    /// Drops notices that ended before `before`, at most `limit`; tells how many.
    pub async fn forget_notices(&self, before: Time, limit: u32) -> Result<u64, StoreError> {
        self.backend.write(Forget { before, limit }).await
    }
}

pub(crate) static NOTICE: Insert = Insert::new(
    "notice",
    &[
        ("number", ColumnType::Int),
        ("id", ColumnType::Blob),
        ("endpoint", ColumnType::Blob),
        ("directory", ColumnType::Blob),
        ("organization", ColumnType::Blob),
        ("department", ColumnType::Blob),
        ("serial", ColumnType::Blob),
        ("transaction_id", ColumnType::Blob),
        ("payload", ColumnType::Blob),
        ("created_at", ColumnType::Int),
        ("state", ColumnType::Int),
        ("attempts", ColumnType::Int),
        ("next_attempt", ColumnType::Int),
    ],
    "",
);

/// A notice's columns, those that have no other place to be borrowed from owned.
pub(crate) struct NoticeRow<'a> {
    new: &'a NewNotice,
    number: i64,
    id: [u8; 16],
    endpoint: [u8; 16],
    directory: [u8; 16],
    organization: OrganizationColumn,
    department: Option<[u8; 16]>,
}

impl<'a> NoticeRow<'a> {
    pub(crate) fn new(new: &'a NewNotice, number: i64) -> Self {
        Self {
            new,
            number,
            id: new.id.to_bytes(),
            endpoint: new.endpoint.to_bytes(),
            directory: new.directory.to_bytes(),
            organization: organization_column(new.scope.organization),
            department: new.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes),
        }
    }

    pub(crate) fn values(&self) -> [Value<'_>; 13] {
        let new = self.new;
        let attempts = i64::from(new.claimed_until.is_some());
        [
            self.number.into(),
            self.id[..].into(),
            self.endpoint[..].into(),
            self.directory[..].into(),
            self.organization.as_slice().into(),
            self.department.as_ref().map(|d| &d[..]).into(),
            new.serial.as_ref().map(lanyard_pki::SerialNumber::as_bytes).into(),
            new.transaction_id.as_slice().into(),
            new.payload.as_slice().into(),
            new.created_at.unix().into(),
            WAITING.into(),
            attempts.into(),
            new.claimed_until.unwrap_or(new.created_at).unix().into(),
        ]
    }
}

const WAITING: i64 = 0;
const DELIVERED: i64 = 1;
const GIVEN_UP: i64 = 2;

impl NoticeState {
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Waiting => WAITING,
            Self::Delivered => DELIVERED,
            Self::GivenUp => GIVEN_UP,
        }
    }

    pub(super) fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            WAITING => Ok(Self::Waiting),
            DELIVERED => Ok(Self::Delivered),
            GIVEN_UP => Ok(Self::GivenUp),
            _ => Err(StoreError::unreadable("state of a notice")),
        }
    }
}

/// The columns that [`notice`] reads.
macro_rules! notice_columns {
    () => {
        "number, id, endpoint, directory, organization, department, serial, transaction_id, \
         payload, created_at, state, attempts, next_attempt, last_error, ended_at"
    };
}

pub(super) use notice_columns;

pub(super) fn notice(columns: &mut Columns<'_>) -> Result<(i64, Notice), StoreError> {
    let number = columns.int()?;
    Ok((
        number,
        Notice {
            id: NoticeId::from_bytes(columns.array()?),
            endpoint: columns.endpoint()?,
            directory: DirectoryId::from_bytes(columns.array()?),
            scope: columns.scope()?,
            serial: columns.optional_serial()?,
            transaction_id: columns.bytes()?,
            payload: columns.optional_bytes()?,
            created_at: columns.time()?,
            state: NoticeState::from_code(columns.int()?)?,
            attempt: Attempt(
                u32::try_from(columns.int()?)
                    .map_err(|_| StoreError::unreadable("attempts of a notice"))?,
            ),
            next_attempt: columns.time()?,
            last_error: columns.optional_string()?,
            ended_at: columns.optional_time()?,
        },
    ))
}

struct Record {
    notice: NewNotice,
    audit: Option<Arc<AuditEntry>>,
}

impl Act for Record {
    type Outcome = ();
    const NAME: &'static str = "record_notice";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        let row = NoticeRow::new(&self.notice, tx.ids.next(self.notice.created_at));
        tx.connection.insert(&NOTICE, &[&row.values()]).await?;
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(()))
    }
}

struct Claim {
    now: Time,
    until: Time,
    limit: u32,
}

/// The conditions come twice: whoever waited for another's claim sees what it made of the rows.
pub(crate) static CLAIM: Sql = sql!(concat!(
    "UPDATE notice SET attempts = attempts + 1, next_attempt = $2 WHERE number IN \
     (SELECT number FROM notice WHERE state = 0 AND next_attempt <= $1 \
     ORDER BY next_attempt LIMIT $3) AND state = 0 AND next_attempt <= $1 RETURNING ",
    notice_columns!()
));

impl Act for Claim {
    type Outcome = Vec<Notice>;
    const NAME: &'static str = "claim_notices";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Vec<Notice>>, StoreError> {
        let (now, until) = (self.now.unix(), self.until.unix().max(self.now.unix() + 1));
        let values = [now.into(), until.into(), i64::from(self.limit).into()];
        let mut claimed = tx.connection.fetch(&CLAIM, &values, notice).await?;
        claimed.sort_by_key(|(number, _)| *number);
        Ok(Done::Keep(claimed.into_iter().map(|(_, notice)| notice).collect()))
    }
}

struct ClaimOne {
    id: NoticeId,
    until: Time,
}

static CLAIM_ONE: Sql = sql!(concat!(
    "UPDATE notice SET attempts = attempts + 1, next_attempt = $2 \
     WHERE id = $1 AND state = 0 RETURNING ",
    notice_columns!()
));

impl Act for ClaimOne {
    type Outcome = Option<Notice>;
    const NAME: &'static str = "claim_notice";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Option<Notice>>, StoreError> {
        let id = self.id.to_bytes();
        let values = [id[..].into(), self.until.unix().into()];
        let claimed = tx.connection.fetch(&CLAIM_ONE, &values, notice).await?;
        Ok(Done::Keep(claimed.into_iter().next().map(|(_, notice)| notice)))
    }
}

struct Deliver {
    id: NoticeId,
    at: Time,
}

static DELIVER: Sql = sql!(
    "UPDATE notice SET state = 1, ended_at = $2, payload = NULL, last_error = NULL \
     WHERE id = $1 AND state = 0"
);

impl Act for Deliver {
    type Outcome = bool;
    const NAME: &'static str = "deliver_notice";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<bool>, StoreError> {
        let id = self.id.to_bytes();
        let values = [id[..].into(), self.at.unix().into()];
        Ok(Done::Keep(tx.connection.execute(&DELIVER, &values).await? == 1))
    }
}

struct Fail {
    id: NoticeId,
    failed: FailedAttempt,
    audit: Option<Arc<AuditEntry>>,
}

static TRY_AGAIN: Sql = sql!(
    "UPDATE notice SET last_error = $3, next_attempt = $4 \
     WHERE id = $1 AND attempts = $2 AND state = 0"
);
static GIVE_UP: Sql = sql!(
    "UPDATE notice SET last_error = $3, state = 2, ended_at = $4, payload = NULL \
     WHERE id = $1 AND attempts = $2 AND state = 0"
);

impl Act for Fail {
    type Outcome = bool;
    const NAME: &'static str = "fail_notice";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<bool>, StoreError> {
        let FailedAttempt { attempt, at, error, next } = &self.failed;
        let id = self.id.to_bytes();
        let (sql, time) = match next {
            Some(next) => (&TRY_AGAIN, next),
            None => (&GIVE_UP, at),
        };
        let values =
            [id[..].into(), i64::from(attempt.0).into(), error.as_str().into(), time.unix().into()];
        if tx.connection.execute(sql, &values).await? == 0 {
            return Ok(Done::Keep(false));
        }
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(true))
    }
}

struct Forget {
    before: Time,
    limit: u32,
}

static FORGET: Sql = sql!(
    "DELETE FROM notice WHERE number IN (SELECT number FROM notice \
     WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2)"
);

impl Act for Forget {
    type Outcome = u64;
    const NAME: &'static str = "forget_notices";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<u64>, StoreError> {
        let values = [self.before.unix().into(), i64::from(self.limit).into()];
        tx.connection.execute(&FORGET, &values).await.map(Done::Keep)
    }
}
