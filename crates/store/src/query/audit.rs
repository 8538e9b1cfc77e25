//! The audit trail: appended in the transaction of the act, chained by SHA-256, checked on demand.
//!
//! Each hash covers the hash before, the number and every field, each behind its length, so no
//! entry can be changed, removed, put in or reordered without every later hash changing; the head
//! row tells if the end is missing.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use lanyard_pki::Time;

use super::lookup::{Owner, owner};
use crate::{
    Store, StoreError,
    column::{OrganizationColumn, organization_column},
    record::{AuditEntry, AuditOutcome, AuditRecord, AuditVerdict, Cursor, Page, Within},
    sql::{ColumnType, Columns, Connection, Insert, Sql, Value, one_int, one_optional_int, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Remembers an act that changed nothing in the store: a refusal, a sign-in.
    pub async fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.backend.write(Remember(Arc::new(entry))).await
    }

    /// Entries, newest first.
    pub async fn audit_entries(
        &self,
        within: Within,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<AuditRecord>, StoreError> {
        self.backend.read(List { within, after, limit }).await
    }

    /// Checks the whole trail. Reads every entry, a bounded number at a time.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        self.backend.read(Verify).await
    }
}

struct Remember(Arc<AuditEntry>);

impl Act for Remember {
    type Outcome = ();
    const NAME: &'static str = "audit";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        tx.audit(Some(&self.0));
        Ok(Done::Keep(()))
    }
}

static AUDIT: Insert = Insert::new(
    "audit",
    &[
        ("number", ColumnType::Int),
        ("hash", ColumnType::Blob),
        ("at", ColumnType::Int),
        ("organization", ColumnType::Blob),
        ("department", ColumnType::Blob),
        ("actor", ColumnType::Text),
        ("address", ColumnType::Text),
        ("action", ColumnType::Text),
        ("target", ColumnType::Text),
        ("outcome", ColumnType::Int),
        ("detail", ColumnType::Text),
    ],
    "",
);

/// Advancing the head first takes its lock, so that nobody else appends until the commit.
static ADVANCE: Sql =
    sql!("UPDATE audit_head SET number = number + $1 WHERE id = 1 RETURNING number, hash");
static SET_HEAD: Sql = sql!("UPDATE audit_head SET hash = $1 WHERE id = 1");
static HEAD: Sql = sql!("SELECT number, hash FROM audit_head WHERE id = 1");

struct Owned {
    number: i64,
    hash: [u8; 32],
    organization: OrganizationColumn,
    department: Option<[u8; 16]>,
}

/// Chains entries to the trail, in order.
pub(crate) async fn append<C: Connection>(
    connection: &mut C,
    entries: &[Arc<AuditEntry>],
) -> Result<(), StoreError> {
    let added = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let head = connection
        .fetch_optional(&ADVANCE, &[added.into()], |columns| {
            Ok((columns.int()?, columns.array::<32>()?))
        })
        .await?;
    let (end, mut hash) = head.ok_or_else(|| StoreError::unreadable("head of the audit trail"))?;
    let owned: Vec<Owned> = entries
        .iter()
        .zip(end - added + 1..)
        .map(|(entry, number)| {
            hash = chained(&hash, number, entry);
            let organization = organization_column(entry.scope.organization);
            let department = entry.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes);
            Owned { number, hash, organization, department }
        })
        .collect();
    let rows: Vec<[Value<'_>; 11]> =
        entries.iter().zip(&owned).map(|(entry, owned)| values(entry, owned)).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 11]>::as_slice).collect();
    connection.insert(&AUDIT, &rows).await?;
    connection.execute(&SET_HEAD, &[hash[..].into()]).await?;
    Ok(())
}

fn values<'a>(entry: &'a AuditEntry, owned: &'a Owned) -> [Value<'a>; 11] {
    [
        owned.number.into(),
        owned.hash[..].into(),
        entry.at.unix().into(),
        owned.organization.as_slice().into(),
        owned.department.as_ref().map(|d| &d[..]).into(),
        entry.actor.as_str().into(),
        entry.address.as_deref().into(),
        entry.action.as_str().into(),
        entry.target.as_deref().into(),
        outcome_code(entry.outcome).into(),
        entry.detail.as_deref().into(),
    ]
}

/// The hash of an entry behind another.
fn chained(before: &[u8; 32], number: i64, entry: &AuditEntry) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(before);
    let AuditEntry { at, scope, actor, address, action, target, outcome, detail } = entry;
    let mut field = |bytes: Option<&[u8]>| match bytes {
        None => context.update(&[0]),
        Some(bytes) => {
            context.update(&[1]);
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        }
    };
    field(Some(&number.to_be_bytes()));
    field(Some(&at.unix().to_be_bytes()));
    field(Some(&scope.organization.to_bytes()));
    field(scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes).as_ref().map(|d| &d[..]));
    field(Some(actor.as_bytes()));
    field(address.as_deref().map(str::as_bytes));
    field(Some(action.as_bytes()));
    field(target.as_deref().map(str::as_bytes));
    field(Some(&outcome_code(*outcome).to_be_bytes()));
    field(detail.as_deref().map(str::as_bytes));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

fn outcome_code(outcome: AuditOutcome) -> i64 {
    match outcome {
        AuditOutcome::Done => 0,
        AuditOutcome::Refused => 1,
        AuditOutcome::Failed => 2,
    }
}

fn record(columns: &mut Columns<'_>) -> Result<AuditRecord, StoreError> {
    let number = columns.int()?;
    let hash = columns.array()?;
    let at: Time = columns.time()?;
    let entry = AuditEntry {
        at,
        scope: columns.scope()?,
        actor: columns.string()?,
        address: columns.optional_string()?,
        action: columns.string()?,
        target: columns.optional_string()?,
        outcome: match columns.int()? {
            0 => AuditOutcome::Done,
            1 => AuditOutcome::Refused,
            2 => AuditOutcome::Failed,
            _ => return Err(StoreError::unreadable("outcome of an audit entry")),
        },
        detail: columns.optional_string()?,
    };
    Ok(AuditRecord { number, entry, hash })
}

struct List {
    within: Within,
    after: Option<Cursor>,
    limit: u32,
}

static LIST: Sql = sql!(
    "SELECT number, hash, at, organization, department, actor, address, action, target, outcome, \
     detail FROM audit WHERE number < $1 AND ($2 = 1 OR organization = $3) \
     AND ($4 = 1 OR department = $5) ORDER BY number DESC LIMIT $6"
);

impl Question for List {
    type Answer = Page<AuditRecord>;
    const NAME: &'static str = "audit_entries";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let Owner { any_organization, organization, any_department, department } =
            owner(self.within);
        let values = [
            self.after.map_or(i64::MAX, |cursor| cursor.0).into(),
            any_organization.into(),
            organization.as_slice().into(),
            any_department.into(),
            department[..].into(),
            i64::from(self.limit).into(),
        ];
        let items = connection.fetch(&LIST, &values, record).await?;
        let full = items.len() >= self.limit as usize;
        let next = items.last().filter(|_| full).map(|last| Cursor(last.number));
        Ok(Page { items, next })
    }
}

struct Verify;

static NEXT: Sql = sql!(
    "SELECT number, hash, at, organization, department, actor, address, action, target, outcome, \
     detail FROM audit WHERE number > $1 AND number <= $2 ORDER BY number LIMIT 1000"
);
static PAST_HEAD: Sql = sql!("SELECT MIN(number) FROM audit WHERE number > $1");

impl Question for Verify {
    type Answer = AuditVerdict;
    const NAME: &'static str = "verify_audit";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let head = connection
            .fetch_optional(&HEAD, &[], |columns| Ok((columns.int()?, columns.array::<32>()?)))
            .await?;
        let Some((entries, head)) = head else {
            return Ok(AuditVerdict::Broken { number: 0 });
        };
        let (mut number, mut hash) = (0, [0; 32]);
        while number < entries {
            let values = [number.into(), entries.into()];
            let records = connection.fetch(&NEXT, &values, record).await?;
            if records.is_empty() {
                return Ok(AuditVerdict::Broken { number: number + 1 });
            }
            for record in records {
                hash = chained(&hash, number + 1, &record.entry);
                if record.number != number + 1 || record.hash != hash {
                    return Ok(AuditVerdict::Broken { number: number + 1 });
                }
                number += 1;
            }
        }
        if hash != head {
            return Ok(AuditVerdict::Broken { number: entries + 1 });
        }
        // Entries behind the head were put in, unless others append right now.
        let past = connection
            .fetch_optional(&PAST_HEAD, &[entries.into()], one_optional_int)
            .await?
            .flatten();
        let now = connection.fetch_optional(&HEAD, &[], one_int).await?;
        match past {
            Some(past) if now == Some(entries) => Ok(AuditVerdict::Broken { number: past }),
            _ => Ok(AuditVerdict::Intact { entries, head }),
        }
    }
}
