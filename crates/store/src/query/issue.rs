//! Issuance: a certificate, its client's transaction and its audit entry in one act, before the
//! certificate leaves.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use lanyard_pki::Time;

use super::{
    enrollment::{self, EnrollmentRow},
    notice::{NOTICE, NoticeRow},
    request,
};
use crate::{
    Store, StoreError,
    column::{OrganizationColumn, StandingCode, optional_time, organization_column, texts_column},
    record::{AuditEntry, Claim, Issuance, Keep, NewCertificate},
    sql::{ColumnType, Connection, Insert, Sql, Value, sql},
    transaction::{Act, Batched, CountKey, Done, Job, Transaction},
};

impl Store {
    /// Records a certificate that was signed and has not left yet, and with it the client's
    /// transaction, the notice that a directory is owed, and an audit entry. Whether the serial number and the transaction are free is
    /// decided here, once, for all processes; on any outcome but `Issued` nothing is recorded, and
    /// the certificate must not leave.
    ///
    /// The returned future may be dropped: then the caller does not know, and finds out through
    /// the transaction or the serial number.
    pub async fn issue_certificate(
        &self,
        certificate: NewCertificate,
        claim: Claim,
        audit: Option<AuditEntry>,
    ) -> Result<Issuance, StoreError> {
        self.backend.write(Issue { certificate, claim, audit: audit.map(Arc::new) }).await
    }

    /// Drops certificates (not their revocation data) that were only kept for a while
    /// ([`Keep::RevocationOnly`](crate::Keep::RevocationOnly)), at most `limit`; tells how many.
    pub async fn forget_certificates(&self, now: Time, limit: u32) -> Result<u64, StoreError> {
        self.backend.write(Forget { now, limit }).await
    }
}

pub(crate) struct Issue {
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
        ("kind", ColumnType::Int),
        ("object", ColumnType::Blob),
        ("directory", ColumnType::Blob),
        ("source", ColumnType::Int),
        ("endpoint", ColumnType::Blob),
        ("organization", ColumnType::Blob),
        ("department", ColumnType::Blob),
        ("not_before", ColumnType::Int),
        ("not_after", ColumnType::Int),
        ("issued_at", ColumnType::Int),
        ("crl_partition", ColumnType::Int),
        ("certificate_until", ColumnType::Int),
        ("due", ColumnType::Int),
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
            i64::from(new.binding.kind.code()).into(),
            self.object[..].into(),
            self.directory.as_ref().map(|d| &d[..]).into(),
            i64::from(new.source.code()).into(),
            self.endpoint[..].into(),
            self.organization.as_slice().into(),
            self.department.as_ref().map(|d| &d[..]).into(),
            new.not_before.unix().into(),
            new.not_after.unix().into(),
            new.issued_at.unix().into(),
            i64::from(new.crl_partition.0).into(),
            optional_time(until).into(),
            optional_time(new.due).into(),
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

/// The columns of a certificate's bytes.
pub(crate) struct DerRow<'a> {
    new: &'a NewCertificate,
    id: i64,
    fingerprint: [u8; 32],
}

impl<'a> DerRow<'a> {
    pub(crate) fn new(new: &'a NewCertificate, id: i64) -> Self {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, &new.der).as_ref());
        Self { new, id, fingerprint }
    }

    pub(crate) fn values(&self) -> [Value<'_>; 4] {
        let kept_until = match self.new.keep {
            Keep::Everything => None,
            Keep::RevocationOnly { certificate_until } => Some(certificate_until),
        };
        [
            self.id.into(),
            self.fingerprint[..].into(),
            optional_time(kept_until).into(),
            self.new.der.as_slice().into(),
        ]
    }
}

impl Act for Issue {
    type Outcome = Issuance;
    const NAME: &'static str = "issue_certificate";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Issuance>, StoreError> {
        let id = tx.ids.next(self.certificate.issued_at);
        if let Some(refusal) = self.claim(tx, id).await? {
            // Nothing was written yet.
            return Ok(Done::Keep(refusal));
        }
        let row = CertificateRow::new(&self.certificate, id);
        if tx.connection.insert(&CERTIFICATE, &[&row.values()]).await? == 0 {
            return Ok(Done::Undo(Issuance::SerialTaken));
        }
        let der = DerRow::new(&self.certificate, id);
        tx.connection.insert(&CERTIFICATE_DER, &[&der.values()]).await?;
        if let Some(notice) = &self.certificate.notice {
            let row = NoticeRow::new(notice, tx.ids.next(notice.created_at));
            tx.connection.insert(&NOTICE, &[&row.values()]).await?;
        }
        self.note(tx);
        Ok(Done::Keep(Issuance::Issued))
    }

    fn many_at_a_time(job: Job<Self>) -> Result<Batched, Job<Self>> {
        Ok(Batched(Box::new(job)))
    }
}

impl Issue {
    /// Counts it, and remembers its audit entry.
    pub(crate) fn note<C: Connection>(&self, tx: &mut Transaction<'_, C>) {
        let NewCertificate { scope, binding, .. } = &self.certificate;
        let key = CountKey { scope: *scope, kind: binding.kind, standing: StandingCode::Good };
        tx.count(key, 1);
        tx.audit(self.audit.as_ref());
    }

    /// Claims the transaction, or says why it cannot be.
    async fn claim<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
        certificate: i64,
    ) -> Result<Option<Issuance>, StoreError> {
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
                    .map(|stored| Some(Issuance::TransactionExists(Box::new(stored))))
                    .ok_or_else(|| StoreError::Conflict("enrollment".to_owned()))
            }
            Claim::Approve { request, by, expires_at } => {
                let approved = tx
                    .connection
                    .execute(
                        &request::APPROVE,
                        &[
                            request.0.into(),
                            certificate.into(),
                            by.as_str().into(),
                            self.certificate.issued_at.unix().into(),
                            expires_at.unix().into(),
                        ],
                    )
                    .await?;
                if approved == 1 {
                    return Ok(None);
                }
                let stored = enrollment::find_by_id(tx.connection, *request).await?;
                Ok(Some(stored.map_or(Issuance::NoSuchRequest, |stored| {
                    Issuance::TransactionExists(Box::new(stored))
                })))
            }
        }
    }
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
