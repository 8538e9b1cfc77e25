//! Issuance in two durable steps: prepare, before the key is used, and complete, before the
//! certificate leaves. What is left of a crash in between is in `recovery`.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use lanyard_lifecycle::id::Scope;
use lanyard_pki::{SerialNumber, Time};

use super::{
    enrollment::{self, EnrollmentRow},
    request,
};
use crate::{
    Store, StoreError,
    column::{OrganizationColumn, StandingCode, optional_time, organization_column, texts_column},
    record::{AuditEntry, CertificateState, Claim, Completion, Keep, NewCertificate, Preparation},
    sql::{ColumnType, Columns, Connection, Insert, Sql, Value, sql},
    transaction::{Act, Batched, CountKey, Done, Job, Transaction},
};

impl Store {
    /// Records a certificate that is about to be signed, and with it the client's transaction and
    /// an audit entry. Whether the serial number and the transaction are free is decided here,
    /// once, for all processes; on any outcome but `Prepared` nothing is recorded.
    ///
    /// The returned future may be dropped: then the caller does not know, and finds out through
    /// the transaction or [`unfinished`](Self::unfinished).
    pub async fn prepare_certificate(
        &self,
        certificate: NewCertificate,
        claim: Claim,
        audit: Option<AuditEntry>,
    ) -> Result<Preparation, StoreError> {
        let act = Prepare { certificate, claim, audit: audit.map(Arc::new) };
        self.backend.write(act).await
    }

    /// Stores a signed certificate. The first one wins: whoever completes a serial number again is
    /// given the stored one, and must hand that out.
    pub async fn complete_certificate(
        &self,
        serial: SerialNumber,
        der: Vec<u8>,
        issued_at: Time,
        audit: Option<AuditEntry>,
    ) -> Result<Completion, StoreError> {
        let act = Complete { serial, der, issued_at, audit: audit.map(Arc::new) };
        self.backend.write(act).await
    }
}

pub(crate) struct Prepare {
    pub(crate) certificate: NewCertificate,
    pub(crate) claim: Claim,
    pub(crate) audit: Option<Arc<AuditEntry>>,
}

pub(crate) static CERTIFICATE: Insert = Insert::new(
    "certificate",
    &[
        ("id", ColumnType::Int),
        ("serial", ColumnType::Blob),
        ("ca", ColumnType::Int),
        ("state", ColumnType::Int),
        ("kind", ColumnType::Int),
        ("object", ColumnType::Blob),
        ("directory", ColumnType::Blob),
        ("source", ColumnType::Int),
        ("endpoint", ColumnType::Blob),
        ("organization", ColumnType::Blob),
        ("department", ColumnType::Blob),
        ("not_before", ColumnType::Int),
        ("not_after", ColumnType::Int),
        ("prepared_at", ColumnType::Int),
        ("crl_partition", ColumnType::Int),
        ("certificate_until", ColumnType::Int),
        ("profile", ColumnType::Text),
        ("spki_sha256", ColumnType::Blob),
        ("subject", ColumnType::Text),
        ("common_name", ColumnType::Text),
        ("upn", ColumnType::Text),
        ("requester", ColumnType::Text),
        ("alternative_names", ColumnType::Text),
    ],
    "ON CONFLICT (serial) DO NOTHING",
);

pub(crate) static PREPARED: Insert =
    Insert::new("prepared", &[("id", ColumnType::Int), ("tbs", ColumnType::Blob)], "");

pub(crate) static CERTIFICATE_DER: Insert = Insert::new(
    "certificate_der",
    &[
        ("id", ColumnType::Int),
        ("fingerprint", ColumnType::Blob),
        ("kept_until", ColumnType::Int),
        ("der", ColumnType::Blob),
    ],
    "",
);

/// A certificate's columns, those that have no other place to be borrowed from owned.
pub(crate) struct CertificateRow<'a> {
    new: &'a NewCertificate,
    id: i64,
    object: [u8; 16],
    directory: Option<[u8; 16]>,
    endpoint: [u8; 16],
    organization: OrganizationColumn,
    department: Option<[u8; 16]>,
    alternative_names: Option<String>,
}

impl<'a> CertificateRow<'a> {
    pub(crate) fn new(new: &'a NewCertificate, id: i64) -> Self {
        let names = match new.keep {
            Keep::Everything => texts_column(&new.names.alternative_names),
            Keep::RevocationOnly { .. } => None,
        };
        Self {
            new,
            id,
            object: new.binding.object.to_bytes(),
            directory: new.binding.directory.map(lanyard_lifecycle::DirectoryId::to_bytes),
            endpoint: new.endpoint.to_bytes(),
            organization: organization_column(new.scope.organization),
            department: new.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes),
            alternative_names: names,
        }
    }

    pub(crate) fn values(&self) -> [Value<'_>; 23] {
        let new = self.new;
        let (kept, until) = match new.keep {
            Keep::Everything => (Some(new), None),
            Keep::RevocationOnly { certificate_until } => (None, Some(certificate_until)),
        };
        let names = kept.map(|new| &new.names);
        [
            self.id.into(),
            new.serial.as_bytes().into(),
            new.ca.0.into(),
            CertificateState::Prepared.code().into(),
            i64::from(new.binding.kind.code()).into(),
            self.object[..].into(),
            self.directory.as_ref().map(|d| &d[..]).into(),
            i64::from(new.source.code()).into(),
            self.endpoint[..].into(),
            self.organization.as_slice().into(),
            self.department.as_ref().map(|d| &d[..]).into(),
            new.not_before.unix().into(),
            new.not_after.unix().into(),
            new.prepared_at.unix().into(),
            i64::from(new.crl_partition.0).into(),
            optional_time(until).into(),
            new.profile.as_str().into(),
            kept.map(|new| &new.spki_sha256[..]).into(),
            names.and_then(|names| names.subject.as_deref()).into(),
            names.and_then(|names| names.common_name.as_deref()).into(),
            names.and_then(|names| names.upn.as_deref()).into(),
            names.and_then(|names| names.requester.as_deref()).into(),
            self.alternative_names.as_deref().into(),
        ]
    }
}

impl Act for Prepare {
    type Outcome = Preparation;
    const NAME: &'static str = "prepare_certificate";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Preparation>, StoreError> {
        let id = tx.ids.next(self.certificate.prepared_at);
        if let Some(refusal) = self.claim(tx, id).await? {
            // Nothing was written yet.
            return Ok(Done::Keep(refusal));
        }
        let row = CertificateRow::new(&self.certificate, id);
        if tx.connection.insert(&CERTIFICATE, &[&row.values()]).await? == 0 {
            return Ok(Done::Undo(Preparation::SerialTaken));
        }
        let prepared = [id.into(), self.certificate.tbs.as_slice().into()];
        tx.connection.insert(&PREPARED, &[&prepared]).await?;
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(Preparation::Prepared))
    }

    fn many_at_a_time(job: Job<Self>) -> Result<Batched, Job<Self>> {
        Ok(Batched::Prepare(Box::new(job)))
    }
}

impl Prepare {
    /// Claims the transaction, or says why it cannot be.
    async fn claim<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
        certificate: i64,
    ) -> Result<Option<Preparation>, StoreError> {
        match &self.claim {
            Claim::None => Ok(None),
            Claim::New(new) => {
                let id = tx.ids.next(new.received_at);
                let row = EnrollmentRow::accepted(new, id, certificate);
                if tx.connection.insert(&enrollment::ENROLLMENT, &[&row.values()]).await? == 1 {
                    return Ok(None);
                }
                let stored =
                    enrollment::find(tx.connection, new.endpoint, &new.transaction_id).await?;
                stored
                    .map(|stored| Some(Preparation::TransactionExists(Box::new(stored))))
                    .ok_or_else(|| StoreError::Conflict("enrollment".to_owned()))
            }
            Claim::Approve { request, by } => {
                let approved = tx
                    .connection
                    .execute(
                        &request::APPROVE,
                        &[
                            request.0.into(),
                            certificate.into(),
                            by.as_str().into(),
                            self.certificate.prepared_at.unix().into(),
                        ],
                    )
                    .await?;
                if approved == 1 {
                    return Ok(None);
                }
                let stored = enrollment::find_by_id(tx.connection, *request).await?;
                Ok(Some(stored.map_or(Preparation::NoSuchRequest, |stored| {
                    Preparation::TransactionExists(Box::new(stored))
                })))
            }
        }
    }
}

pub(crate) struct Complete {
    pub(crate) serial: SerialNumber,
    pub(crate) der: Vec<u8>,
    pub(crate) issued_at: Time,
    pub(crate) audit: Option<Arc<AuditEntry>>,
}

static COMPLETE: Sql = sql!(
    "UPDATE certificate SET state = 1, issued_at = $2 WHERE serial = $1 AND state = 0 \
     RETURNING id, kind, organization, department, certificate_until"
);
static COMPLETED: Sql = sql!(
    "SELECT c.state, d.der FROM certificate c LEFT JOIN certificate_der d ON d.id = c.id \
     WHERE c.serial = $1"
);
pub(super) static DELETE_PREPARED: Sql = sql!("DELETE FROM prepared WHERE id = $1");

/// What completing learns of the prepared certificate.
pub(crate) struct Found {
    pub(crate) id: i64,
    pub(crate) key: CountKey,
    pub(crate) kept_until: Option<i64>,
}

impl Found {
    /// Columns: id, kind, organization, department, certificate_until.
    pub(crate) fn read(columns: &mut Columns<'_>) -> Result<Self, StoreError> {
        let id = columns.int()?;
        let kind = columns.kind()?;
        let scope: Scope = columns.scope()?;
        let kept_until = columns.optional_int()?;
        Ok(Self { id, key: CountKey { scope, kind, standing: StandingCode::Good }, kept_until })
    }
}

impl Act for Complete {
    type Outcome = Completion;
    const NAME: &'static str = "complete_certificate";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Completion>, StoreError> {
        let serial = self.serial.as_bytes();
        let values = [serial.into(), self.issued_at.unix().into()];
        let Some(found) = tx.connection.fetch_optional(&COMPLETE, &values, Found::read).await?
        else {
            return self.stored(tx).await.map(Done::Keep);
        };
        tx.connection.execute(&DELETE_PREPARED, &[found.id.into()]).await?;
        let fingerprint = self.fingerprint();
        let values = self.der_values(&found, &fingerprint);
        tx.connection.insert(&CERTIFICATE_DER, &[&values]).await?;
        tx.count(found.key, 1);
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(Completion::Completed))
    }

    fn many_at_a_time(job: Job<Self>) -> Result<Batched, Job<Self>> {
        Ok(Batched::Complete(job))
    }
}

impl Complete {
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, &self.der).as_ref());
        fingerprint
    }

    pub(crate) fn der_values<'a>(
        &'a self,
        found: &Found,
        fingerprint: &'a [u8; 32],
    ) -> [Value<'a>; 4] {
        [
            found.id.into(),
            fingerprint[..].into(),
            found.kept_until.into(),
            self.der.as_slice().into(),
        ]
    }

    async fn stored<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Completion, StoreError> {
        let stored = tx
            .connection
            .fetch_optional(&COMPLETED, &[self.serial.as_bytes().into()], |columns| {
                Ok((columns.certificate_state()?, columns.optional_bytes()?))
            })
            .await?;
        Ok(match stored {
            Some((CertificateState::Issued, der)) => Completion::AlreadyComplete(der),
            _ => Completion::NotPrepared,
        })
    }
}
