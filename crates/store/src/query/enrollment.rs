//! Enrollments: the memory of transactions. Those that wait for a decision are in `request`.

use lanyard_lifecycle::id::EndpointId;
use lanyard_pki::Time;

use crate::{
    Store, StoreError,
    column::{OrganizationColumn, optional_time, organization_column},
    record::{Enrollment, EnrollmentId, EnrollmentState, NewEnrollment},
    sql::{ColumnType, Columns, Connection, Insert, Sql, Value, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
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

    pub(super) fn pending(new: &'a NewEnrollment, id: i64) -> Self {
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
            "e.received_at, e.expires_at, e.state, c.serial, e.decided_by, ",
            "e.decided_at, e.reason ",
            "FROM enrollment e LEFT JOIN certificate c ON c.id = e.certificate ",
            $rest
        ))
    };
}
pub(super) use select_enrollment;

static FIND: Sql = select_enrollment!("WHERE e.endpoint = $1 AND e.transaction_id = $2");
static FIND_BY_ID: Sql = select_enrollment!("WHERE e.id = $1");
pub(super) fn read(columns: &mut Columns<'_>) -> Result<Enrollment, StoreError> {
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
    let serial = columns.optional_serial()?;
    let state = match (decision, &serial) {
        (PENDING, _) => EnrollmentState::Pending,
        (DECLINED, _) => EnrollmentState::Declined,
        (ACCEPTED, Some(_)) => EnrollmentState::Issued,
        _ => return Err(StoreError::unreadable("state of an enrollment")),
    };
    Ok(Enrollment {
        id,
        request,
        state,
        serial,
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

struct Forget {
    now: Time,
    limit: u32,
}

/// How many of the oldest transactions are looked at for each one that may be forgotten.
const OLDEST: i64 = 16;

// Transactions lie in the order in which they came and those that are decided are kept alike long, so
// the oldest are those to forget, and an index on the expiry would only cost. Those that wait, which
// may do so for longer and are few, have an index of their own.
static FORGET: Sql = sql!(
    "DELETE FROM enrollment WHERE id IN (SELECT e.id FROM \
     (SELECT id, expires_at FROM \
     (SELECT id, expires_at FROM enrollment WHERE state <> 0 ORDER BY id LIMIT $3) decided \
     UNION ALL SELECT id, expires_at FROM enrollment WHERE state = 0 AND expires_at <= $1) e \
     WHERE e.expires_at <= $1 ORDER BY e.id LIMIT $2)"
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
