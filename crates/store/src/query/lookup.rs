//! Single certificates: their status, themselves, and how many there are.

use lanyard_lifecycle::kind::Kind;
use lanyard_pki::SerialNumber;

use super::ruled::{by_rule_columns, held_back_columns, with_rules};
use crate::{
    Store, StoreError,
    column::{OrganizationColumn, StandingCode, organization_column, texts},
    record::{Certificate, Counts, Names, StatusRecord, Summary, Within},
    sql::{Columns, Connection, Sql, one_blob, sql},
    transaction::{Question, Reads},
};

impl Store {
    /// What a status answer needs to know. One read by key.
    pub async fn certificate_status(
        &self,
        serial: SerialNumber,
    ) -> Result<Option<StatusRecord>, StoreError> {
        self.backend.read(FindStatus(serial)).await
    }

    /// A certificate, whole.
    pub async fn certificate(
        &self,
        serial: SerialNumber,
    ) -> Result<Option<Certificate>, StoreError> {
        self.backend.read(FindCertificate(serial)).await
    }

    /// The issued certificate's DER, while it is kept.
    pub async fn certificate_der(
        &self,
        serial: SerialNumber,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.backend.read(FindDer(serial)).await
    }

    /// The certificate with this SHA-256 over its DER.
    pub async fn certificate_by_fingerprint(
        &self,
        fingerprint: [u8; 32],
    ) -> Result<Option<Certificate>, StoreError> {
        self.backend.read(FindByFingerprint(fingerprint)).await
    }

    /// How many certificates were issued, by kind and standing. The numbers are kept, not counted.
    pub async fn counts(&self, within: Within) -> Result<Vec<Counts>, StoreError> {
        self.backend.read(Count(within)).await
    }
}

/// The conditions of a [`Within`]: `1` where a column does not matter.
pub(crate) struct Owner {
    pub(crate) any_organization: i64,
    pub(crate) organization: OrganizationColumn,
    pub(crate) any_department: i64,
    pub(crate) department: [u8; 16],
}

pub(crate) fn owner(within: Within) -> Owner {
    let nobody = lanyard_lifecycle::id::OrganizationId::DEFAULT;
    let (any_organization, organization, any_department, department) = match within {
        Within::Everywhere => (1, nobody, 1, [0; 16]),
        Within::Organization(organization) => (0, organization, 1, [0; 16]),
        Within::Department(organization, department) => (0, organization, 0, department.to_bytes()),
    };
    let organization = organization_column(organization);
    Owner { any_organization, organization, any_department, department }
}

struct FindStatus(SerialNumber);

static STATUS: Sql = sql!(concat!(
    "SELECT c.ca, c.kind, c.object, c.directory, c.source, c.endpoint, c.organization, \
     c.department, c.not_before, c.not_after, c.issued_at, c.standing, c.reason, c.since, \
     c.invalidity_date, ",
    by_rule_columns!(),
    ", ",
    held_back_columns!(),
    " FROM certificate c ",
    with_rules!(),
    " WHERE c.serial = $1"
));

pub(super) fn status(columns: &mut Columns<'_>) -> Result<StatusRecord, StoreError> {
    let ca = columns.ca()?;
    let binding = columns.binding()?;
    let source = columns.source()?;
    let endpoint = columns.endpoint()?;
    let scope = columns.scope()?;
    let not_before = columns.time()?;
    let not_after = columns.time()?;
    let issued_at = columns.time()?;
    let standing = columns.standing()?;
    let invalidity_date = columns.optional_time()?;
    let (by_rule, by_hand) = match columns.by_rule()? {
        Some((by_rule, by_hand)) => (Some(by_rule), by_hand),
        None => (None, standing),
    };
    Ok(StatusRecord {
        ca,
        binding,
        source,
        endpoint,
        scope,
        not_before,
        not_after,
        issued_at,
        standing,
        by_hand,
        by_rule,
        held_back: columns.held_back()?,
        invalidity_date,
    })
}

impl Question for FindStatus {
    type Answer = Option<StatusRecord>;
    const NAME: &'static str = "certificate_status";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch_optional(&STATUS, &[self.0.as_bytes().into()], status).await
    }
}

/// The columns of a [`Summary`], in the order in which [`summary`] reads them.
macro_rules! summary_columns {
    () => {
        "c.serial, c.ca, c.crl_partition, c.organization, c.department, c.kind, c.object, \
         c.directory, c.source, c.endpoint, c.profile, c.subject, c.common_name, \
         c.alternative_names, c.upn, c.requester, c.not_before, c.not_after, \
         c.issued_at, c.standing, c.reason, c.since, c.revoked_by, \
         CASE WHEN c.standing <> 0 THEN \
         (SELECT r.rule FROM certificate_rule r WHERE r.id = c.id) END, \
         c.revocation_recorded_at, c.invalidity_date"
    };
}
pub(crate) use summary_columns;

pub(crate) fn summary(columns: &mut Columns<'_>) -> Result<Summary, StoreError> {
    Ok(Summary {
        serial: columns.serial()?,
        ca: columns.ca()?,
        crl_partition: columns.crl_partition()?,
        scope: columns.scope()?,
        binding: columns.binding()?,
        source: columns.source()?,
        endpoint: columns.endpoint()?,
        profile: columns.string()?,
        names: Names {
            subject: columns.optional_string()?,
            common_name: columns.optional_string()?,
            alternative_names: texts(columns.optional_text()?)?,
            upn: columns.optional_string()?,
            requester: columns.optional_string()?,
        },
        not_before: columns.time()?,
        not_after: columns.time()?,
        issued_at: columns.time()?,
        standing: columns.standing()?,
        revoked_by: columns.optional_string()?,
        rule: columns.rule()?,
        revocation_recorded_at: columns.optional_time()?,
        invalidity_date: columns.optional_time()?,
    })
}

fn certificate(columns: &mut Columns<'_>) -> Result<Certificate, StoreError> {
    Ok(Certificate {
        summary: summary(columns)?,
        spki_sha256: columns.optional_array()?,
        fingerprint: columns.optional_array()?,
        der: columns.optional_bytes()?,
    })
}

struct FindCertificate(SerialNumber);

static CERTIFICATE: Sql = sql!(concat!(
    "SELECT ",
    summary_columns!(),
    ", c.spki_sha256, d.fingerprint, d.der FROM certificate c \
     LEFT JOIN certificate_der d ON d.id = c.id WHERE c.serial = $1"
));

impl Question for FindCertificate {
    type Answer = Option<Certificate>;
    const NAME: &'static str = "certificate";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch_optional(&CERTIFICATE, &[self.0.as_bytes().into()], certificate).await
    }
}

struct FindByFingerprint([u8; 32]);

static BY_FINGERPRINT: Sql = sql!(concat!(
    "SELECT ",
    summary_columns!(),
    ", c.spki_sha256, d.fingerprint, d.der FROM certificate_der d \
     JOIN certificate c ON c.id = d.id WHERE d.fingerprint = $1"
));

impl Question for FindByFingerprint {
    type Answer = Option<Certificate>;
    const NAME: &'static str = "certificate_by_fingerprint";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch_optional(&BY_FINGERPRINT, &[self.0[..].into()], certificate).await
    }
}

struct FindDer(SerialNumber);

static DER: Sql = sql!(
    "SELECT d.der FROM certificate c JOIN certificate_der d ON d.id = c.id WHERE c.serial = $1"
);

impl Question for FindDer {
    type Answer = Option<Vec<u8>>;
    const NAME: &'static str = "certificate_der";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch_optional(&DER, &[self.0.as_bytes().into()], one_blob).await
    }
}

struct Count(Within);

static COUNTS: Sql = sql!(
    "SELECT kind, standing, CAST(SUM(n) AS BIGINT) FROM certificate_count \
     WHERE ($1 = 1 OR organization = $2) AND ($3 = 1 OR department = $4) \
     GROUP BY kind, standing ORDER BY kind, standing"
);

impl Question for Count {
    type Answer = Vec<Counts>;
    const NAME: &'static str = "counts";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let Owner { any_organization, organization, any_department, department } = owner(self.0);
        let values = [
            any_organization.into(),
            organization.as_slice().into(),
            any_department.into(),
            department[..].into(),
        ];
        let rows = connection
            .fetch(&COUNTS, &values, |columns| {
                let kind = columns.kind()?;
                let standing = StandingCode::from_code(columns.int()?)?;
                Ok((kind, standing, u64::try_from(columns.int()?).unwrap_or_default()))
            })
            .await?;
        let mut counts: Vec<Counts> = Vec::new();
        for (kind, standing, n) in rows {
            let index = counts.iter().position(|c| c.kind == kind).unwrap_or_else(|| {
                counts.push(none_of(kind));
                counts.len() - 1
            });
            match standing {
                StandingCode::Good => counts[index].good = n,
                StandingCode::OnHold => counts[index].on_hold = n,
                StandingCode::Revoked => counts[index].revoked = n,
            }
        }
        Ok(counts)
    }
}

fn none_of(kind: Kind) -> Counts {
    Counts { kind, good: 0, on_hold: 0, revoked: 0 }
}
