//! Settings that an installation keeps for itself: small JSON texts by name.

use std::sync::Arc;

use lanyard_lifecycle::id::OrganizationId;
use lanyard_pki::Time;

use crate::{
    Store, StoreError,
    column::organization_column,
    record::AuditEntry,
    sql::{Connection, Sql, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

/// A setting, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSetting {
    /// The value: JSON.
    pub value: String,
    /// When it was set.
    pub updated_at: Time,
    /// Who set it.
    pub updated_by: String,
}

impl Store {
    /// A setting of an organization.
    pub async fn setting(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredSetting>, StoreError> {
        self.backend.read(Read { organization, name: name.to_owned() }).await
    }

    /// Sets a setting.
    pub async fn set_setting(
        &self,
        organization: OrganizationId,
        name: &str,
        setting: StoredSetting,
        audit: Option<AuditEntry>,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        let audit = audit.map(Arc::new);
        self.backend.write(Write { organization, name, setting, audit }).await
    }

    /// Sets a setting unless it is set, and returns what holds then: the first of several
    /// processes wins.
    pub async fn setting_or(
        &self,
        organization: OrganizationId,
        name: &str,
        setting: StoredSetting,
    ) -> Result<StoredSetting, StoreError> {
        self.backend.write(WriteFirst { organization, name: name.to_owned(), setting }).await
    }
}

static READ: Sql =
    sql!("SELECT value, updated_at, updated_by FROM setting WHERE organization = $1 AND name = $2");

async fn read<C: Connection>(
    connection: &mut C,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<StoredSetting>, StoreError> {
    let organization = organization_column(organization);
    connection
        .fetch_optional(&READ, &[organization.as_slice().into(), name.into()], |columns| {
            Ok(StoredSetting {
                value: columns.string()?,
                updated_at: columns.time()?,
                updated_by: columns.string()?,
            })
        })
        .await
}

struct Read {
    organization: OrganizationId,
    name: String,
}

impl Question for Read {
    type Answer = Option<StoredSetting>;
    const NAME: &'static str = "setting";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        read(connection, self.organization, &self.name).await
    }
}

struct Write {
    organization: OrganizationId,
    name: String,
    setting: StoredSetting,
    audit: Option<Arc<AuditEntry>>,
}

static WRITE: Sql = sql!(
    "INSERT INTO setting (organization, name, value, updated_at, updated_by) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organization, name) DO UPDATE SET \
     value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by"
);

impl Act for Write {
    type Outcome = ();
    const NAME: &'static str = "set_setting";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        write(tx, &WRITE, self.organization, &self.name, &self.setting).await?;
        tx.audit(self.audit.as_ref());
        Ok(Done::Keep(()))
    }
}

async fn write<C: Connection>(
    tx: &mut Transaction<'_, C>,
    sql: &'static Sql,
    organization: OrganizationId,
    name: &str,
    setting: &StoredSetting,
) -> Result<(), StoreError> {
    let organization = organization_column(organization);
    let values = [
        organization.as_slice().into(),
        name.into(),
        setting.value.as_str().into(),
        setting.updated_at.unix().into(),
        setting.updated_by.as_str().into(),
    ];
    tx.connection.execute(sql, &values).await.map(|_| ())
}

struct WriteFirst {
    organization: OrganizationId,
    name: String,
    setting: StoredSetting,
}

static WRITE_FIRST: Sql = sql!(
    "INSERT INTO setting (organization, name, value, updated_at, updated_by) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organization, name) DO NOTHING"
);

impl Act for WriteFirst {
    type Outcome = StoredSetting;
    const NAME: &'static str = "setting_or";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<StoredSetting>, StoreError> {
        write(tx, &WRITE_FIRST, self.organization, &self.name, &self.setting).await?;
        let stored = read(tx.connection, self.organization, &self.name).await?;
        stored.map(Done::Keep).ok_or_else(|| StoreError::Conflict("setting".to_owned()))
    }
}
