//! Requests that wait for a person's decision.

use std::sync::Arc;

use super::{
    enrollment::{ENROLLMENT, EnrollmentRow, find, find_by_id, read, select_enrollment},
    lookup::{Owner, owner},
};
use crate::{
    Store, StoreError,
    record::{
        AuditEntry, Cursor, Decline, Declined, Enrollment, EnrollmentId, NewEnrollment, Page,
        Submission, Within,
    },
    sql::{Connection, Sql, one_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Records a request that a person has to decide on, unless its transaction was claimed.
    pub async fn submit_enrollment(
        &self,
        enrollment: NewEnrollment,
        audit: Option<AuditEntry>,
    ) -> Result<Submission, StoreError> {
        self.backend.write(Submit { enrollment, audit: audit.map(Arc::new) }).await
    }

    /// Declines a pending request.
    pub async fn decline_enrollment(
        &self,
        request: EnrollmentId,
        decline: Decline,
        audit: Option<AuditEntry>,
    ) -> Result<Declined, StoreError> {
        self.backend.write(DeclineRequest { request, decline, audit: audit.map(Arc::new) }).await
    }

    /// The requests that wait for a decision, oldest first.
    pub async fn pending_enrollments(
        &self,
        within: Within,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Enrollment>, StoreError> {
        self.backend.read(Pending { within, after, limit }).await
    }

    /// How many requests wait for a decision.
    pub async fn count_pending_enrollments(&self) -> Result<u64, StoreError> {
        self.backend.read(CountPending).await
    }
}

static FIND_PENDING: Sql = select_enrollment!(
    "WHERE e.state = 0 AND e.id > $1 AND ($2 = 1 OR e.organization = $3) \
     AND ($4 = 1 OR e.department = $5) ORDER BY e.id LIMIT $6"
);

pub(crate) static APPROVE: Sql = sql!(
    "UPDATE enrollment SET state = 1, csr = NULL, context = NULL, certificate = $2, \
     decided_by = $3, decided_at = $4, expires_at = $5 WHERE id = $1 AND state = 0"
);

struct Pending {
    within: Within,
    after: Option<Cursor>,
    limit: u32,
}

impl Question for Pending {
    type Answer = Page<Enrollment>;
    const NAME: &'static str = "pending_enrollments";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let Owner { any_organization, organization, any_department, department } =
            owner(self.within);
        let values = [
            self.after.map_or(0, |cursor| cursor.0).into(),
            any_organization.into(),
            organization.as_slice().into(),
            any_department.into(),
            department[..].into(),
            i64::from(self.limit).into(),
        ];
        let items = connection.fetch(&FIND_PENDING, &values, read).await?;
        let full = items.len() >= self.limit as usize;
        let next = items.last().filter(|_| full).map(|last| Cursor(last.id.0));
        Ok(Page { items, next })
    }
}

struct CountPending;

static PENDING_COUNT: Sql = sql!("SELECT COUNT(*) FROM enrollment WHERE state = 0");

impl Question for CountPending {
    type Answer = u64;
    const NAME: &'static str = "count_pending_enrollments";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let n = connection.fetch_optional(&PENDING_COUNT, &[], one_int).await?;
        Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
    }
}

struct Submit {
    enrollment: NewEnrollment,
    audit: Option<Arc<AuditEntry>>,
}

impl Act for Submit {
    type Outcome = Submission;
    const NAME: &'static str = "submit_enrollment";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Submission>, StoreError> {
        let id = tx.ids.next(self.enrollment.received_at);
        let row = EnrollmentRow::pending(&self.enrollment, id);
        if tx.connection.insert(&ENROLLMENT, &[&row.values()]).await? == 1 {
            tx.audit(self.audit.as_ref());
            return Ok(Done::Keep(Submission::Submitted(EnrollmentId(id))));
        }
        let NewEnrollment { endpoint, transaction_id, .. } = &self.enrollment;
        let stored = find(tx.connection, *endpoint, transaction_id).await?;
        stored
            .map(|stored| Done::Keep(Submission::Exists(Box::new(stored))))
            .ok_or_else(|| StoreError::Conflict("enrollment".to_owned()))
    }
}

struct DeclineRequest {
    request: EnrollmentId,
    decline: Decline,
    audit: Option<Arc<AuditEntry>>,
}

static DECLINE: Sql = sql!(
    "UPDATE enrollment SET state = 2, csr = NULL, context = NULL, decided_by = $2, \
     decided_at = $3, reason = $4, expires_at = $5 WHERE id = $1 AND state = 0"
);

impl Act for DeclineRequest {
    type Outcome = Declined;
    const NAME: &'static str = "decline_enrollment";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Declined>, StoreError> {
        let decline = &self.decline;
        let values = [
            self.request.0.into(),
            decline.by.as_str().into(),
            decline.at.unix().into(),
            decline.reason.as_str().into(),
            decline.expires_at.unix().into(),
        ];
        if tx.connection.execute(&DECLINE, &values).await? == 1 {
            tx.audit(self.audit.as_ref());
            return Ok(Done::Keep(Declined::Declined));
        }
        let stored = find_by_id(tx.connection, self.request).await?;
        Ok(Done::Keep(
            stored.map_or(Declined::NoSuchRequest, |stored| Declined::NotPending(stored.state)),
        ))
    }
}
