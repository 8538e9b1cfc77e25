//! Enrollments that wait for a decision, and the memory of transactions.

use std::sync::Arc;

use lanyard_lifecycle::id::EndpointId;
use lanyard_pki::Time;

use super::lookup::{Owner, owner};
use crate::{
    Store, StoreError,
    column::{OrganizationColumn, optional_time, organization_column},
    record::{
        AuditEntry, CertificateState, Cursor, Declined, Enrollment, EnrollmentId, EnrollmentState,
        NewEnrollment, Page, Submission, Within,
    },
    sql::{ColumnType, Columns, Connection, Insert, Sql, Value, sql},
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
        by: String,
        at: Time,
        reason: String,
        audit: Option<AuditEntry>,
    ) -> Result<Declined, StoreError> {
        self.backend.write(Decline { request, by, at, reason, audit: audit.map(Arc::new) }).await
    }

    /// The transaction of this id at this endpoint.
    pub async fn enrollment(
        &self,
        endpoint: EndpointId,
        transaction_id: &[u8],
    ) -> Result<Option<Enrollment>, StoreError> {
        let transaction_id = transaction_id.to_vec();
        self.backend.read(Find { endpoint, transaction_id }).await
    }

    /// The request that people name by this number.
    pub async fn enrollment_by_id(
        &self,
        request: EnrollmentId,
    ) -> Result<Option<Enrollment>, StoreError> {
        self.backend.read(FindById(request)).await
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

    /// Drops transactions past their expiry, pending ones too, from the oldest on, at most `limit`;
    /// tells how many.
    pub async fn forget_enrollments(&self, now: Time, limit: u32) -> Result<u64, StoreError> {
        self.backend.write(Forget { now, limit }).await
    }
}

pub(crate) static ENROLLMENT: Insert = Insert::new(
    "enrollment",
    &[
        ("id", ColumnType::Int),
        ("endpoint", ColumnType::Blob),
        ("transaction_id", ColumnType::Blob),
        ("organization", ColumnType::Blob),
        ("department", ColumnType::Blob),
        ("signer_sha256", ColumnType::Blob),
        ("csr_sha256", ColumnType::Blob),
        ("csr", ColumnType::Blob),
        ("context", ColumnType::Text),
        ("subject", ColumnType::Text),
        ("renews", ColumnType::Blob),
        ("address", ColumnType::Text),
        ("received_at", ColumnType::Int),
        ("expires_at", ColumnType::Int),
        ("state", ColumnType::Int),
        ("certificate", ColumnType::Int),
        ("decided_at", ColumnType::Int),
    ],
    "ON CONFLICT (endpoint, transaction_id) DO NOTHING",
);

const PENDING: i64 = 0;
const ACCEPTED: i64 = 1;
const DECLINED: i64 = 2;

/// An enrollment's columns, those that have no other place to be borrowed from owned.
pub(crate) struct EnrollmentRow<'a> {
    new: &'a NewEnrollment,
    id: i64,
    certificate: Option<i64>,
    endpoint: [u8; 16],
    organization: OrganizationColumn,
    department: Option<[u8; 16]>,
}

impl<'a> EnrollmentRow<'a> {
    /// Accepted at once: what a later decision would need is not kept.
    pub(crate) fn accepted(new: &'a NewEnrollment, id: i64, certificate: i64) -> Self {
        Self::new(new, id, Some(certificate))
    }

    fn pending(new: &'a NewEnrollment, id: i64) -> Self {
        Self::new(new, id, None)
    }

    fn new(new: &'a NewEnrollment, id: i64, certificate: Option<i64>) -> Self {
        Self {
            new,
            id,
            certificate,
            endpoint: new.endpoint.to_bytes(),
            organization: organization_column(new.scope.organization),
            department: new.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes),
        }
    }

    pub(crate) fn values(&self) -> [Value<'_>; 17] {
        let new = self.new;
        let undecided = self.certificate.is_none().then_some(new);
        let state = if undecided.is_some() { PENDING } else { ACCEPTED };
        let decided_at = self.certificate.map(|_| new.received_at);
        [
            self.id.into(),
            self.endpoint[..].into(),
            new.transaction_id.as_slice().into(),
            self.organization.as_slice().into(),
            self.department.as_ref().map(|d| &d[..]).into(),
            new.signer_sha256[..].into(),
            new.csr_sha256[..].into(),
            undecided.and_then(|new| new.csr.as_deref()).into(),
            undecided.and_then(|new| new.context.as_deref()).into(),
            new.subject.as_deref().into(),
            new.renews.as_ref().map(lanyard_pki::SerialNumber::as_bytes).into(),
            new.address.as_deref().into(),
            new.received_at.unix().into(),
            new.expires_at.unix().into(),
            state.into(),
            self.certificate.into(),
            optional_time(decided_at).into(),
        ]
    }
}

macro_rules! select_enrollment {
    ($rest:literal) => {
        sql!(concat!(
            "SELECT e.id, e.endpoint, e.transaction_id, e.organization, e.department, ",
            "e.signer_sha256, e.csr_sha256, e.csr, e.context, e.subject, e.renews, e.address, ",
            "e.received_at, e.expires_at, e.state, c.state, c.serial, e.decided_by, ",
            "e.decided_at, e.reason ",
            "FROM enrollment e LEFT JOIN certificate c ON c.id = e.certificate ",
            $rest
        ))
    };
}

static FIND: Sql = select_enrollment!("WHERE e.endpoint = $1 AND e.transaction_id = $2");
static FIND_BY_ID: Sql = select_enrollment!("WHERE e.id = $1");
static FIND_PENDING: Sql = select_enrollment!(
    "WHERE e.state = 0 AND e.id > $1 AND ($2 = 1 OR e.organization = $3) \
     AND ($4 = 1 OR e.department = $5) ORDER BY e.id LIMIT $6"
);

pub(crate) static APPROVE: Sql = sql!(
    "UPDATE enrollment SET state = 1, csr = NULL, context = NULL, certificate = $2, \
     decided_by = $3, decided_at = $4 WHERE id = $1 AND state = 0"
);

fn read(columns: &mut Columns<'_>) -> Result<Enrollment, StoreError> {
    let id = EnrollmentId(columns.int()?);
    let endpoint = columns.endpoint()?;
    let transaction_id = columns.bytes()?;
    let request = NewEnrollment {
        endpoint,
        transaction_id,
        scope: columns.scope()?,
        signer_sha256: columns.array()?,
        csr_sha256: columns.array()?,
        csr: columns.optional_bytes()?,
        context: columns.optional_string()?,
        subject: columns.optional_string()?,
        renews: columns.optional_serial()?,
        address: columns.optional_string()?,
        received_at: columns.time()?,
        expires_at: columns.time()?,
    };
    let decision = columns.int()?;
    let certificate = columns.optional_certificate_state()?;
    let state = match (decision, certificate) {
        (PENDING, _) => EnrollmentState::Pending,
        (DECLINED, _) => EnrollmentState::Declined,
        (ACCEPTED, Some(CertificateState::Prepared)) => EnrollmentState::Issuing,
        (ACCEPTED, Some(CertificateState::Issued)) => EnrollmentState::Issued,
        _ => return Err(StoreError::unreadable("state of an enrollment")),
    };
    Ok(Enrollment {
        id,
        request,
        state,
        serial: columns.optional_serial()?,
        decided_by: columns.optional_string()?,
        decided_at: columns.optional_time()?,
        reason: columns.optional_string()?,
    })
}

pub(crate) async fn find<C: Connection>(
    connection: &mut C,
    endpoint: EndpointId,
    transaction_id: &[u8],
) -> Result<Option<Enrollment>, StoreError> {
    let endpoint = endpoint.to_bytes();
    connection.fetch_optional(&FIND, &[endpoint[..].into(), transaction_id.into()], read).await
}

pub(crate) async fn find_by_id<C: Connection>(
    connection: &mut C,
    request: EnrollmentId,
) -> Result<Option<Enrollment>, StoreError> {
    connection.fetch_optional(&FIND_BY_ID, &[request.0.into()], read).await
}

struct Find {
    endpoint: EndpointId,
    transaction_id: Vec<u8>,
}

impl Question for Find {
    type Answer = Option<Enrollment>;
    const NAME: &'static str = "enrollment";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        find(connection, self.endpoint, &self.transaction_id).await
    }
}

struct FindById(EnrollmentId);

impl Question for FindById {
    type Answer = Option<Enrollment>;
    const NAME: &'static str = "enrollment_by_id";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        find_by_id(connection, self.0).await
    }
}

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

struct Decline {
    request: EnrollmentId,
    by: String,
    at: Time,
    reason: String,
    audit: Option<Arc<AuditEntry>>,
}

static DECLINE: Sql = sql!(
    "UPDATE enrollment SET state = 2, csr = NULL, context = NULL, decided_by = $2, \
     decided_at = $3, reason = $4 WHERE id = $1 AND state = 0"
);

impl Act for Decline {
    type Outcome = Declined;
    const NAME: &'static str = "decline_enrollment";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Declined>, StoreError> {
        let values = [
            self.request.0.into(),
            self.by.as_str().into(),
            self.at.unix().into(),
            self.reason.as_str().into(),
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

struct Forget {
    now: Time,
    limit: u32,
}

/// How many of the oldest transactions are looked at for each one that may be forgotten.
const OLDEST: i64 = 16;

// Transactions lie in the order in which they came and are kept alike long, so the oldest are
// those to forget, and an index on the expiry would only cost. One whose certificate is being
// signed stays until that is done.
static FORGET: Sql = sql!(
    "DELETE FROM enrollment WHERE id IN (SELECT e.id FROM \
     (SELECT id, certificate, expires_at FROM enrollment ORDER BY id LIMIT $3) e \
     LEFT JOIN prepared p ON p.id = e.certificate \
     WHERE e.expires_at <= $1 AND p.id IS NULL ORDER BY e.id LIMIT $2)"
);

impl Act for Forget {
    type Outcome = u64;
    const NAME: &'static str = "forget_enrollments";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<u64>, StoreError> {
        let limit = i64::from(self.limit);
        let values = [self.now.unix().into(), limit.into(), (limit * OLDEST).into()];
        tx.connection.execute(&FORGET, &values).await.map(Done::Keep)
    }
}
