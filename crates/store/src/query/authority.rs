//! CAs and registration authority certificates.

use std::sync::Arc;

use lanyard_pki::Time;

use crate::{
    Store, StoreError,
    column::{chain, chain_column, organization_column},
    record::{
        AuditEntry, Ca, CaId, CaMaterial, CaState, NewCa, NewRaCertificate, RaCertificate, RaId,
        RaState,
    },
    sql::{Columns, Connection, Sql, one_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Records a CA. A `Current` one retires the one before, in the same transaction. A key that
    /// another CA has is a [`StoreError::Conflict`].
    pub async fn add_ca(&self, ca: NewCa, audit: Option<AuditEntry>) -> Result<CaId, StoreError> {
        self.backend.write(AddCa { ca, audit: audit.map(Arc::new) }).await
    }

    /// Gives a CA its certificate and chain: a requested one becomes `Next`, any other keeps its
    /// state (its certificate was renewed). False if there is no such CA.
    pub async fn install_ca_material(
        &self,
        ca: CaId,
        material: CaMaterial,
        audit: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.backend.write(Install { ca, material, audit: audit.map(Arc::new) }).await
    }

    /// Makes a complete CA the current one and retires the one before. False if there is no such
    /// CA or it has no certificate.
    pub async fn activate_ca(
        &self,
        ca: CaId,
        at: Time,
        audit: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.backend.write(Activate { ca, at, audit: audit.map(Arc::new) }).await
    }

    /// All CAs, oldest first. There are few.
    pub async fn cas(&self) -> Result<Vec<Ca>, StoreError> {
        self.backend.read(ListCas).await
    }

    /// Records a registration authority certificate as the current one of its CA and retires the
    /// one before.
    pub async fn add_ra_certificate(
        &self,
        ra: NewRaCertificate,
        audit: Option<AuditEntry>,
    ) -> Result<RaId, StoreError> {
        self.backend.write(AddRa { ra, audit: audit.map(Arc::new) }).await
    }

    /// The registration authority certificates that end at `ends_from` or later, oldest first.
    pub async fn ra_certificates(&self, ends_from: Time) -> Result<Vec<RaCertificate>, StoreError> {
        self.backend.read(ListRas { ends_from }).await
    }
}

impl CaState {
    fn code(self) -> i64 {
        match self {
            Self::Requested => 0,
            Self::Next => 1,
            Self::Current => 2,
            Self::Retired => 3,
        }
    }

    fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            0 => Ok(Self::Requested),
            1 => Ok(Self::Next),
            2 => Ok(Self::Current),
            3 => Ok(Self::Retired),
            _ => Err(StoreError::unreadable("state of a CA")),
        }
    }
}

struct AddCa {
    ca: NewCa,
    audit: Option<Arc<AuditEntry>>,
}

static RETIRE_CURRENT: Sql =
    sql!("UPDATE ca SET state = 3, retired_at = $2 WHERE organization = $1 AND state = 2");
static ADD_CA: Sql = sql!(
    "INSERT INTO ca (id, organization, department, name, state, key_identifier, key_reference, \
     request, certificate, chain, not_before, not_after, created_at, activated_at) \
     SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 \
     FROM ca RETURNING id"
);

impl Act for AddCa {
    type Outcome = CaId;
    const NAME: &'static str = "add_ca";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<CaId>, StoreError> {
        let ca = &self.ca;
        let organization = organization_column(ca.scope.organization);
        let department = ca.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes);
        let created_at = ca.created_at.unix();
        let current = ca.state == CaState::Current;
        if current {
            let values = [organization.as_slice().into(), created_at.into()];
            tx.connection.execute(&RETIRE_CURRENT, &values).await?;
        }
        let material = ca.material.as_ref();
        let chain = material.map(|m| chain_column(&m.chain));
        let values = [
            organization.as_slice().into(),
            department.as_ref().map(|d| &d[..]).into(),
            ca.name.as_str().into(),
            ca.state.code().into(),
            ca.key_identifier[..].into(),
            ca.key_reference.as_str().into(),
            ca.request.as_deref().into(),
            material.map(|m| m.certificate.as_slice()).into(),
            chain.as_deref().into(),
            material.map(|m| m.not_before.unix()).into(),
            material.map(|m| m.not_after.unix()).into(),
            created_at.into(),
            current.then_some(created_at).into(),
        ];
        let id = tx.connection.fetch_optional(&ADD_CA, &values, one_int).await?;
        let id = id.ok_or_else(|| StoreError::unreadable("number of a CA"))?;
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(CaId(id)))
    }
}

struct Install {
    ca: CaId,
    material: CaMaterial,
    audit: Option<Arc<AuditEntry>>,
}

static INSTALL: Sql = sql!(
    "UPDATE ca SET certificate = $2, chain = $3, not_before = $4, not_after = $5, \
     state = CASE WHEN state = 0 THEN 1 ELSE state END WHERE id = $1"
);

impl Act for Install {
    type Outcome = bool;
    const NAME: &'static str = "install_ca_material";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<bool>, StoreError> {
        let material = &self.material;
        let chain = chain_column(&material.chain);
        let values = [
            self.ca.0.into(),
            material.certificate.as_slice().into(),
            chain.as_slice().into(),
            material.not_before.unix().into(),
            material.not_after.unix().into(),
        ];
        if tx.connection.execute(&INSTALL, &values).await? == 0 {
            return Ok(Done::Undo(false));
        }
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(true))
    }
}

struct Activate {
    ca: CaId,
    at: Time,
    audit: Option<Arc<AuditEntry>>,
}

static RETIRE_OTHERS: Sql = sql!(
    "UPDATE ca SET state = 3, retired_at = $2 WHERE id <> $1 AND state = 2 AND organization = \
     (SELECT organization FROM ca WHERE id = $1)"
);
static ACTIVATE: Sql = sql!(
    "UPDATE ca SET state = 2, activated_at = $2, retired_at = NULL \
     WHERE id = $1 AND certificate IS NOT NULL"
);

impl Act for Activate {
    type Outcome = bool;
    const NAME: &'static str = "activate_ca";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<bool>, StoreError> {
        let values = [self.ca.0.into(), self.at.unix().into()];
        tx.connection.execute(&RETIRE_OTHERS, &values).await?;
        if tx.connection.execute(&ACTIVATE, &values).await? == 0 {
            return Ok(Done::Undo(false));
        }
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(true))
    }
}

struct ListCas;

static CAS: Sql = sql!(
    "SELECT id, organization, department, name, state, key_identifier, key_reference, request, \
     certificate, chain, not_before, not_after, created_at, activated_at, retired_at \
     FROM ca ORDER BY id"
);

impl Question for ListCas {
    type Answer = Vec<Ca>;
    const NAME: &'static str = "cas";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch(&CAS, &[], ca).await
    }
}

fn ca(columns: &mut Columns<'_>) -> Result<Ca, StoreError> {
    let id = columns.ca()?;
    let scope = columns.scope()?;
    let name = columns.string()?;
    let state = CaState::from_code(columns.int()?)?;
    let key_identifier = columns.array()?;
    let key_reference = columns.string()?;
    let request = columns.optional_bytes()?;
    let certificate = columns.optional_bytes()?;
    let chain = chain(columns.optional_blob()?.unwrap_or_default())?;
    let (not_before, not_after) = (columns.optional_time()?, columns.optional_time()?);
    let material =
        certificate.zip(not_before).zip(not_after).map(|((certificate, not_before), not_after)| {
            CaMaterial { certificate, chain, not_before, not_after }
        });
    let created_at = columns.time()?;
    Ok(Ca {
        id,
        record: NewCa {
            scope,
            name,
            state,
            key_identifier,
            key_reference,
            request,
            material,
            created_at,
        },
        activated_at: columns.optional_time()?,
        retired_at: columns.optional_time()?,
    })
}

struct AddRa {
    ra: NewRaCertificate,
    audit: Option<Arc<AuditEntry>>,
}

static RETIRE_RAS: Sql = sql!("UPDATE ra_certificate SET state = 1 WHERE ca = $1 AND state = 0");
static ADD_RA: Sql = sql!(
    "INSERT INTO ra_certificate (id, ca, organization, department, state, certificate, \
     key_reference, not_before, not_after, created_at) \
     SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, 0, $4, $5, $6, $7, $8 \
     FROM ra_certificate RETURNING id"
);

impl Act for AddRa {
    type Outcome = RaId;
    const NAME: &'static str = "add_ra_certificate";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<RaId>, StoreError> {
        let ra = &self.ra;
        tx.connection.execute(&RETIRE_RAS, &[ra.ca.0.into()]).await?;
        let organization = organization_column(ra.scope.organization);
        let department = ra.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes);
        let values = [
            ra.ca.0.into(),
            organization.as_slice().into(),
            department.as_ref().map(|d| &d[..]).into(),
            ra.certificate.as_slice().into(),
            ra.key_reference.as_str().into(),
            ra.not_before.unix().into(),
            ra.not_after.unix().into(),
            ra.created_at.unix().into(),
        ];
        let id = tx.connection.fetch_optional(&ADD_RA, &values, one_int).await?;
        let id = id.ok_or_else(|| StoreError::unreadable("number of an RA certificate"))?;
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(RaId(id)))
    }
}

struct ListRas {
    ends_from: Time,
}

static RAS: Sql = sql!(
    "SELECT id, state, ca, organization, department, certificate, key_reference, not_before, \
     not_after, created_at FROM ra_certificate WHERE not_after >= $1 ORDER BY id"
);

impl Question for ListRas {
    type Answer = Vec<RaCertificate>;
    const NAME: &'static str = "ra_certificates";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection
            .fetch(&RAS, &[self.ends_from.unix().into()], |columns| {
                let id = RaId(columns.int()?);
                let state = match columns.int()? {
                    0 => RaState::Current,
                    1 => RaState::Retired,
                    _ => return Err(StoreError::unreadable("state of an RA certificate")),
                };
                let record = NewRaCertificate {
                    ca: columns.ca()?,
                    scope: columns.scope()?,
                    certificate: columns.bytes()?,
                    key_reference: columns.string()?,
                    not_before: columns.time()?,
                    not_after: columns.time()?,
                    created_at: columns.time()?,
                };
                Ok(RaCertificate { id, record, state })
            })
            .await
    }
}
