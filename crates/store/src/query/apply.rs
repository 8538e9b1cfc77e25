//! Recording what directories say: changes and how far their feed has come, in one transaction.
//!
//! What was known already is only marked as seen again, so that a sweep over a million unchanged
//! objects touches no index. Older news never replaces newer; where a feed's seems older, the object
//! is asked for again, for the feed will not tell it twice.
//!
//! A feed vouches for what it has told itself. What a look-up has found to be otherwise is no word of
//! the feed's (`last_told` is 0 from then on): it is asked for again until the feed tells of it.

use std::collections::BTreeMap;

use lanyard_lifecycle::{
    id::{DirectoryId, ObjectId},
    object::{ObjectKey, ObjectKind, ObjectState, Presence, Properties},
};
use lanyard_pki::Time;
use uuid::Uuid;

use super::feed;
use crate::{
    Store, StoreError,
    record::{Applied, HeldLease, ObjectBatch, ObjectChange, Sweep},
    sql::{ColumnType, Columns, Connection, Insert, Sql, Touch, Value, one_int, sql},
    transaction::{Act, Done, Transaction},
};

impl Store {
    /// Records what a directory said. A directory that is not known is a
    /// [`StoreError::Conflict`].
    pub async fn apply_objects(&self, batch: ObjectBatch) -> Result<Applied, StoreError> {
        let changes = Changes::of(&batch)?;
        self.backend.write(Apply { batch, changes }).await
    }
}

struct Apply {
    batch: ObjectBatch,
    changes: Changes,
}

impl Act for Apply {
    type Outcome = Applied;
    const NAME: &'static str = "apply_objects";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<Applied>, StoreError> {
        let batch = &self.batch;
        if let Some(lease) = &batch.lease
            && !is_held(tx.connection, lease, batch.now).await?
        {
            return Ok(Done::Undo(Applied::LeaseLost));
        }
        let directory = number(tx.connection, batch.directory).await?;
        let changed = if self.changes.is_empty() {
            Vec::new()
        } else {
            self.changes.write(tx.connection, directory, batch).await?
        };
        if let Some(progress) = &batch.progress {
            feed::save(tx.connection, directory, progress).await?;
        }
        Ok(Done::Keep(Applied::Recorded(changed)))
    }
}

/// Holds the lease's row until the commit, so that nobody takes the lease meanwhile.
static HELD: Sql = sql!(
    "UPDATE lease SET held_until = held_until \
     WHERE name = $1 AND fence = $2 AND held_until > $3"
);

pub(super) async fn is_held<C: Connection>(
    connection: &mut C,
    lease: &HeldLease,
    now: Time,
) -> Result<bool, StoreError> {
    let values = [lease.name.as_str().into(), lease.fence.0.into(), now.unix().into()];
    Ok(connection.execute(&HELD, &values).await? == 1)
}

static NUMBER: Sql = sql!("SELECT number FROM directory WHERE id = $1");

async fn number<C: Connection>(
    connection: &mut C,
    directory: DirectoryId,
) -> Result<i64, StoreError> {
    let id = directory.to_bytes();
    let found = connection.fetch_optional(&NUMBER, &[id[..].into()], one_int).await?;
    found.ok_or_else(|| StoreError::Conflict(format!("no directory {directory}")))
}

/// A batch's changes, one an object, in the order of their keys: whoever else writes objects locks
/// them in the same order.
struct Changes {
    states: Vec<Row>,
    seen: Vec<(ObjectKey, Time)>,
    removals: Vec<(ObjectKind, Uuid, Time)>,
}

/// What is written of an object.
struct Row {
    kind: ObjectKind,
    object: [u8; 16],
    learnt: Time,
    /// None of an object that is absent.
    present: Option<Told>,
}

/// What is written of an object that is there.
struct Told {
    properties: String,
    other_id: Option<Uuid>,
    user_name: Option<String>,
    email: Option<String>,
}

impl Changes {
    /// The last word on each object.
    fn of(batch: &ObjectBatch) -> Result<Self, StoreError> {
        let mut states: BTreeMap<(ObjectKind, ObjectId), &ObjectState> = BTreeMap::new();
        let mut seen: BTreeMap<ObjectKey, Time> = BTreeMap::new();
        let mut removals: BTreeMap<(ObjectKind, Uuid), Time> = BTreeMap::new();
        for change in &batch.changes {
            match change {
                ObjectChange::State(ObjectState { key, .. }) | ObjectChange::Seen { key, .. }
                    if key.directory != batch.directory =>
                {
                    return Err(StoreError::Conflict(format!(
                        "an object of {} among those of {}",
                        key.directory, batch.directory
                    )));
                }
                ObjectChange::Seen { key, learnt } => {
                    seen.insert(*key, *learnt);
                }
                ObjectChange::State(state) => {
                    if let Presence::Present(Properties::EntraDevice(device)) = &state.presence
                        && let Some(graph_id) = device.graph_id
                    {
                        removals.remove(&(state.key.kind, graph_id));
                    }
                    states.insert((state.key.kind, state.key.object), state);
                }
                ObjectChange::RemovedByGraphId { kind, graph_id, learnt } => {
                    removals.insert((*kind, *graph_id), *learnt);
                }
            }
        }
        let states = states.into_values().map(Row::of).collect::<Result<_, _>>()?;
        let removals = removals.into_iter().map(|((kind, id), learnt)| (kind, id, learnt));
        Ok(Self { states, seen: seen.into_iter().collect(), removals: removals.collect() })
    }

    fn is_empty(&self) -> bool {
        self.states.is_empty() && self.seen.is_empty() && self.removals.is_empty()
    }

    /// Writes all of it and tells which objects have changed.
    async fn write<C: Connection>(
        &self,
        connection: &mut C,
        directory: i64,
        batch: &ObjectBatch,
    ) -> Result<Vec<ObjectKey>, StoreError> {
        let before = number_changes(connection, self.states.len() + self.seen.len()).await?;
        let mut sequence = before;
        let mut next = || {
            sequence += 1;
            sequence
        };
        let rows: Vec<[Value<'_>; 14]> =
            self.states.iter().map(|row| row.values(directory, batch.sweep.0, next())).collect();
        let slices: Vec<&[Value<'_>]> = rows.iter().map(<[_; 14]>::as_slice).collect();
        let written = connection.insert(&OBJECT, &slices).await?;
        if written < slices.len() as u64 {
            for row in &rows {
                settle(connection, row, batch).await?;
            }
        }
        for (key, learnt) in &self.seen {
            see(connection, directory, key, *learnt, batch, next()).await?;
        }
        self.remove(connection, directory, batch).await?;
        let id = batch.directory;
        connection.fetch(&CHANGED, &[before.into()], |columns| changed(columns, id)).await
    }

    /// Removes what is named by another id. Several may have the same.
    async fn remove<C: Connection>(
        &self,
        connection: &mut C,
        directory: i64,
        batch: &ObjectBatch,
    ) -> Result<(), StoreError> {
        let mut removed: Vec<(i64, Time)> = Vec::new();
        for (kind, graph_id, learnt) in &self.removals {
            let (directory, kind) = (directory.into(), i64::from(kind.code()).into());
            let (graph_id, now) = (&graph_id.as_bytes()[..], batch.now.unix());
            let values = [directory, kind, graph_id.into(), learnt.unix().into(), now.into()];
            let rows = connection.fetch(&REMOVED, &values, one_int).await?;
            removed.extend(rows.into_iter().map(|row| (row, *learnt)));
            if batch.sweep > Sweep::NONE {
                connection.execute(&DOUBT_NAMED, &[directory, kind, graph_id.into()]).await?;
            }
        }
        let mut sequence = number_changes(connection, removed.len()).await?;
        for (row, learnt) in removed {
            sequence += 1;
            let values = [row.into(), learnt.unix().into(), sequence.into(), batch.sweep.0.into()];
            connection.execute(&REMOVE, &values).await?;
        }
        Ok(())
    }
}

/// Takes as many numbers of the sequence, and returns the one before the first.
async fn number_changes<C: Connection>(
    connection: &mut C,
    wanted: usize,
) -> Result<i64, StoreError> {
    let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
    let last = connection.fetch_optional(&NEXT, &[wanted.into()], one_int).await?;
    last.map(|last| last - wanted).ok_or_else(|| StoreError::unreadable("counter"))
}

/// Decides about a row that may be older than what is known. Times are of several clocks, and clocks
/// are set: what is known from a time that is yet to come gives way, and a feed's news that seems
/// old, and will not be told again, is reason to ask again.
async fn settle<C: Connection>(
    connection: &mut C,
    row: &[Value<'_>; 14],
    batch: &ObjectBatch,
) -> Result<(), StoreError> {
    let [directory, kind, object, presence, properties, learnt, sweep, ..] = *row;
    let values = [directory, kind, object, learnt, batch.now.unix().into()];
    if connection.execute(&GIVE_WAY, &values).await? > 0 {
        connection.insert(&OBJECT, &[row]).await?;
    } else if batch.sweep > Sweep::NONE {
        let values = [directory, kind, object, presence, properties, learnt, sweep];
        connection.execute(&DOUBT, &values).await?;
    }
    Ok(())
}

/// Marks an object as seen. One that was absent is back; what it is like now has to be looked up.
/// Nothing is known any more of one that was never seen before.
async fn see<C: Connection>(
    connection: &mut C,
    directory: i64,
    key: &ObjectKey,
    learnt: Time,
    batch: &ObjectBatch,
    sequence: i64,
) -> Result<(), StoreError> {
    let sweep = batch.sweep.0;
    let object = key.object.to_bytes();
    let (kind, object) = (i64::from(key.kind.code()), &object[..]);
    let values = [directory.into(), kind.into(), object.into(), sweep.into()];
    if connection.execute(&SEE, &values).await? > 0 {
        return Ok(());
    }
    let learnt = learnt.unix();
    let values = [
        directory.into(),
        kind.into(),
        object.into(),
        sweep.into(),
        learnt.into(),
        sequence.into(),
        batch.now.unix().into(),
    ];
    if connection.execute(&SEE_AGAIN, &values).await? > 0 {
        return Ok(());
    }
    if connection.execute(&FORGET_ABSENCE, &values).await? == 0 && batch.sweep > Sweep::NONE {
        connection.execute(&DOUBT_ABSENCE, &[directory.into(), kind.into(), object.into()]).await?;
    }
    Ok(())
}

fn changed(columns: &mut Columns<'_>, directory: DirectoryId) -> Result<ObjectKey, StoreError> {
    let kind = columns.object_kind()?;
    Ok(ObjectKey { directory, kind, object: columns.object()? })
}

impl Row {
    fn of(state: &ObjectState) -> Result<Self, StoreError> {
        let present = match &state.presence {
            Presence::Present(properties) => Some(Told {
                properties: serde_json::to_string(properties)
                    .map_err(|error| StoreError::Conflict(format!("an object: {error}")))?,
                other_id: other_id(properties),
                user_name: user_name(properties).map(str::to_lowercase),
                email: email(properties).map(str::to_lowercase),
            }),
            Presence::Absent => None,
        };
        let ObjectKey { kind, object, .. } = state.key;
        Ok(Self { kind, object: object.to_bytes(), learnt: state.learnt, present })
    }

    fn values(&self, directory: i64, sweep: i64, sequence: i64) -> [Value<'_>; 14] {
        let told = self.present.as_ref();
        let learnt = self.learnt.unix();
        [
            directory.into(),
            i64::from(self.kind.code()).into(),
            self.object[..].into(),
            i64::from(told.is_some()).into(),
            told.map(|told| told.properties.as_str()).into(),
            learnt.into(),
            sweep.into(),
            sweep.into(),
            sequence.into(),
            told.map(|_| learnt).into(),
            Some(learnt).filter(|_| told.is_none()).into(),
            told.and_then(|told| told.other_id.as_ref()).map(|id| &id.as_bytes()[..]).into(),
            told.and_then(|told| told.user_name.as_deref()).into(),
            told.and_then(|told| told.email.as_deref()).into(),
        ]
    }
}

/// The id by which it is known elsewhere: to Graph's change feed, to Entra ID.
pub(super) fn other_id(properties: &Properties) -> Option<Uuid> {
    match properties {
        Properties::EntraDevice(device) => device.graph_id,
        Properties::IntuneDevice(device) => device.azure_ad_device_id,
        _ => None,
    }
}

/// The name by which a user is looked up. A device's user is not the device's name.
pub(super) fn user_name(properties: &Properties) -> Option<&str> {
    match properties {
        Properties::EntraUser(user) => user.user_principal_name.as_deref(),
        Properties::JamfUser(user) => user.name.as_deref(),
        _ => None,
    }
}

pub(super) fn email(properties: &Properties) -> Option<&str> {
    match properties {
        Properties::EntraUser(user) => user.mail.as_deref(),
        Properties::JamfUser(user) => user.email.as_deref(),
        _ => None,
    }
}

/// The counter's row is locked until the commit, so numbers are committed in their order.
static NEXT: Sql =
    sql!("UPDATE counter SET value = value + $1 WHERE name = 'object' RETURNING value");

static OBJECT: Insert = Insert::touching(
    "directory_object",
    &[
        ("directory", ColumnType::Int),
        ("kind", ColumnType::Int),
        ("object", ColumnType::Blob),
        ("presence", ColumnType::Int),
        ("properties", ColumnType::Text),
        ("learnt", ColumnType::Int),
        ("last_seen", ColumnType::Int),
        ("last_told", ColumnType::Int),
        ("sequence", ColumnType::Int),
        ("first_seen", ColumnType::Int),
        ("absent_since", ColumnType::Int),
        ("other_id", ColumnType::Blob),
        ("user_name", ColumnType::Text),
        ("email", ColumnType::Text),
    ],
    "ON CONFLICT (directory, kind, object) DO UPDATE SET \
     sequence = CASE WHEN directory_object.presence = excluded.presence AND \
     (excluded.presence = 0 OR directory_object.properties = excluded.properties) \
     AND (excluded.presence = 1 OR directory_object.absent_since IS NOT NULL) \
     THEN directory_object.sequence ELSE excluded.sequence END, \
     presence = excluded.presence, \
     properties = COALESCE(excluded.properties, directory_object.properties), \
     learnt = excluded.learnt, \
     last_seen = CASE WHEN excluded.last_seen > directory_object.last_seen \
     THEN excluded.last_seen ELSE directory_object.last_seen END, \
     last_told = CASE WHEN excluded.last_told > directory_object.last_told \
     THEN excluded.last_told \
     WHEN excluded.last_told > 0 OR directory_object.presence = excluded.presence AND \
     (excluded.presence = 0 OR directory_object.properties = excluded.properties) \
     THEN directory_object.last_told ELSE 0 END, \
     first_seen = COALESCE(directory_object.first_seen, excluded.first_seen), \
     absent_since = CASE WHEN excluded.presence = 1 THEN NULL \
     ELSE COALESCE(directory_object.absent_since, excluded.absent_since) END, \
     other_id = CASE WHEN excluded.presence = 1 THEN excluded.other_id \
     ELSE directory_object.other_id END, \
     user_name = CASE WHEN excluded.presence = 1 THEN excluded.user_name \
     ELSE directory_object.user_name END, \
     email = CASE WHEN excluded.presence = 1 THEN excluded.email ELSE directory_object.email END \
     WHERE excluded.learnt >= directory_object.learnt",
    Touch {
        sqlite: "UPDATE directory_object SET learnt = ?6, last_seen = max(last_seen, ?7), \
                 last_told = max(last_told, ?7) \
                 WHERE directory = ?1 AND kind = ?2 AND object = ?3 AND presence = ?4 \
                 AND (absent_since IS NOT NULL OR properties = ?5) AND learnt <= ?6",
        values: 7,
    },
);

static SEE: Sql = sql!(
    "UPDATE directory_object SET \
     last_seen = CASE WHEN last_seen < $4 THEN $4 ELSE last_seen END \
     WHERE directory = $1 AND kind = $2 AND object = $3 AND presence = 1"
);
static SEE_AGAIN: Sql = sql!(
    "UPDATE directory_object SET presence = 1, absent_since = NULL, sequence = $6, \
     last_seen = CASE WHEN last_seen < $4 THEN $4 ELSE last_seen END, last_told = 0 \
     WHERE directory = $1 AND kind = $2 AND object = $3 AND presence = 0 \
     AND (learnt < $5 OR learnt > $7) AND properties IS NOT NULL"
);
/// The row stays for a while, so that whoever follows the sequence learns of it.
static FORGET_ABSENCE: Sql = sql!(
    "UPDATE directory_object SET absent_since = NULL, sequence = $6, learnt = $5, \
     last_seen = CASE WHEN last_seen < $4 THEN $4 ELSE last_seen END, last_told = 0 \
     WHERE directory = $1 AND kind = $2 AND object = $3 AND presence = 0 \
     AND (learnt < $5 OR learnt > $7) AND properties IS NULL AND absent_since IS NOT NULL"
);

static GIVE_WAY: Sql = sql!(
    "UPDATE directory_object SET learnt = $4 \
     WHERE directory = $1 AND kind = $2 AND object = $3 AND learnt > $4 AND learnt > $5"
);
static DOUBT: Sql = sql!(
    "UPDATE directory_object SET \
     last_told = CASE WHEN presence <> $4 OR presence = 1 AND properties <> $5 THEN 0 \
     WHEN last_told < $7 THEN $7 ELSE last_told END, \
     last_seen = CASE WHEN presence <> $4 OR presence = 1 AND properties <> $5 \
     OR last_seen > $7 THEN last_seen ELSE $7 END \
     WHERE directory = $1 AND kind = $2 AND object = $3 AND learnt > $6"
);
static DOUBT_ABSENCE: Sql = sql!(
    "UPDATE directory_object SET last_told = 0 \
     WHERE directory = $1 AND kind = $2 AND object = $3 AND presence = 0"
);
/// Of those that a removal has left as they were.
static DOUBT_NAMED: Sql = sql!(
    "UPDATE directory_object SET last_told = 0 WHERE other_id = $3 AND other_id IS NOT NULL \
     AND +directory = $1 AND +kind = $2 AND presence = 1"
);

/// A plus sign keeps SQLite from walking all objects of the kind.
pub(super) static REMOVED: Sql = sql!(
    "SELECT id FROM directory_object WHERE other_id = $3 AND other_id IS NOT NULL \
     AND +directory = $1 AND +kind = $2 AND presence = 1 AND (learnt <= $4 OR learnt > $5) \
     ORDER BY id"
);
static REMOVE: Sql = sql!(
    "UPDATE directory_object SET presence = 0, learnt = $2, sequence = $3, last_told = $4, \
     absent_since = COALESCE(absent_since, $2) WHERE id = $1"
);

/// Whoever changes an object holds the counter, so nothing of others lies beyond.
static CHANGED: Sql =
    sql!("SELECT kind, object FROM directory_object WHERE sequence > $1 ORDER BY sequence");
