//! Objects of directories: found by id and by name, those that a sweep did not show, and who
//! changed since.

use lanyard_lifecycle::{
    id::{DirectoryId, ObjectId},
    object::{ObjectKey, ObjectState, Presence, Properties},
};

use super::apply::{email, other_id, user_name};
use crate::{
    Store, StoreError,
    record::{
        Cursor, FeedKey, MirroredObject, ObjectChanged, ObjectName, ObjectSequence, Page, Sweep,
    },
    sql::{Columns, Connection, Sql, Value, one_int, sql},
    transaction::{Question, Reads},
};

/// How many objects of one name are told at most.
const NAMESAKES: i64 = 8;

impl Store {
    /// An object; none if nothing was ever learnt of it. One read by key.
    pub async fn object(&self, key: ObjectKey) -> Result<Option<MirroredObject>, StoreError> {
        self.backend.read(ByKey(key)).await
    }

    /// The objects with a name, at most eight, those that are there first.
    pub async fn objects_named(
        &self,
        feed: FeedKey,
        name: ObjectName,
    ) -> Result<Vec<MirroredObject>, StoreError> {
        self.backend.read(ByName { feed, name }).await
    }

    /// The objects that are there as far as is known and that the whole readings from `sweep` on
    /// have not shown, in the order in which they became known.
    pub async fn unseen_objects(
        &self,
        feed: FeedKey,
        sweep: Sweep,
        after: Cursor,
        limit: u32,
    ) -> Result<Page<ObjectKey>, StoreError> {
        self.backend.read(Unseen { feed, sweep, after, limit }).await
    }

    /// The place of the latest change.
    pub async fn object_sequence(&self) -> Result<ObjectSequence, StoreError> {
        self.backend.read(Latest).await
    }

    /// The objects that changed after `after`, in the order of their latest change, at most
    /// `limit`. Go on after the last one's sequence.
    pub async fn object_changes(
        &self,
        after: ObjectSequence,
        limit: u32,
    ) -> Result<Vec<ObjectChanged>, StoreError> {
        self.backend.read(Changes { after, limit }).await
    }
}

/// A plus sign keeps SQLite from walking all objects of a kind where a name leads to the one.
macro_rules! object {
    ($rest:literal) => {
        sql!(concat!(
            "SELECT d.id, o.kind, o.object, o.presence, o.learnt, o.first_seen, o.absent_since, \
             o.last_seen, o.sequence, o.properties, \
             CASE WHEN o.last_told > 0 AND (o.last_told >= f.swept \
             OR o.presence = 0 AND o.first_seen IS NOT NULL) THEN f.as_of END \
             FROM directory_object o JOIN directory d ON d.number = +o.directory \
             LEFT JOIN directory_feed f ON f.directory = o.directory AND f.kind = o.kind ",
            $rest
        ))
    };
}

/// An object that is neither there nor absent was listed once and never told: nothing is known of it.
static BY_KEY: Sql = object!(
    "WHERE o.directory = (SELECT number FROM directory WHERE id = $1) \
     AND o.kind = $2 AND o.object = $3 AND (o.presence = 1 OR o.absent_since IS NOT NULL)"
);
static BY_USER_NAME: Sql = object!(
    "WHERE o.user_name = $3 AND o.user_name IS NOT NULL AND d.id = $1 AND +o.kind = $2 \
     ORDER BY o.presence DESC, o.id DESC LIMIT $4"
);
static BY_EMAIL: Sql = object!(
    "WHERE o.email = $3 AND o.email IS NOT NULL AND d.id = $1 AND +o.kind = $2 \
     ORDER BY o.presence DESC, o.id DESC LIMIT $4"
);
static BY_OTHER_ID: Sql = object!(
    "WHERE o.other_id = $3 AND o.other_id IS NOT NULL AND d.id = $1 AND +o.kind = $2 \
     ORDER BY o.presence DESC, o.id DESC LIMIT $4"
);

impl Columns<'_> {
    pub(super) fn object(&mut self) -> Result<ObjectId, StoreError> {
        self.array().map(ObjectId::from_bytes)
    }

    fn object_key(&mut self) -> Result<ObjectKey, StoreError> {
        let directory = DirectoryId::from_bytes(self.array()?);
        Ok(ObjectKey { directory, kind: self.object_kind()?, object: self.object()? })
    }
}

fn mirrored(columns: &mut Columns<'_>) -> Result<MirroredObject, StoreError> {
    let key = columns.object_key()?;
    let is_present = columns.int()? == 1;
    let learnt = columns.time()?;
    let first_seen = columns.optional_time()?;
    let absent_since = columns.optional_time()?;
    let last_seen = Sweep(columns.int()?);
    let sequence = ObjectSequence(columns.int()?);
    let properties = columns.optional_text()?;
    let confirmed = columns.optional_time()?;
    let unreadable = || StoreError::unreadable("object of a directory");
    let presence = if is_present {
        let properties = properties.ok_or_else(unreadable)?;
        Presence::Present(serde_json::from_str(properties).map_err(|_| unreadable())?)
    } else {
        Presence::Absent
    };
    let state = ObjectState { key, presence, learnt };
    Ok(MirroredObject { state, confirmed, first_seen, absent_since, last_seen, sequence })
}

struct ByKey(ObjectKey);

impl Question for ByKey {
    type Answer = Option<MirroredObject>;
    const NAME: &'static str = "object";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let (directory, object) = (self.0.directory.to_bytes(), self.0.object.to_bytes());
        let kind = i64::from(self.0.kind.code());
        let values = [directory[..].into(), kind.into(), object[..].into()];
        connection.fetch_optional(&BY_KEY, &values, mirrored).await
    }
}

impl ObjectName {
    /// Whether an object with these properties bears the name: it is found by it.
    #[must_use]
    pub fn is_borne_by(&self, properties: &Properties) -> bool {
        let is_text =
            |borne: Option<&str>| borne.is_some_and(|borne| borne.to_lowercase() == self.text());
        match self {
            Self::UserPrincipalName(_) | Self::Username(_) => is_text(user_name(properties)),
            Self::Email(_) => is_text(email(properties)),
            Self::GraphId(id) | Self::EntraDeviceId(id) => other_id(properties) == Some(*id),
        }
    }

    pub(super) fn code(&self) -> i64 {
        match self {
            Self::UserPrincipalName(_) => 0,
            Self::Username(_) => 1,
            Self::Email(_) => 2,
            Self::GraphId(_) => 3,
            Self::EntraDeviceId(_) => 4,
        }
    }

    /// As it is compared.
    pub(super) fn text(&self) -> String {
        match self {
            Self::UserPrincipalName(name) | Self::Username(name) | Self::Email(name) => {
                name.to_lowercase()
            }
            Self::GraphId(id) | Self::EntraDeviceId(id) => id.to_string(),
        }
    }
}

struct ByName {
    feed: FeedKey,
    name: ObjectName,
}

impl Question for ByName {
    type Answer = Vec<MirroredObject>;
    const NAME: &'static str = "objects_named";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let directory = self.feed.directory.to_bytes();
        let text = self.name.text();
        let (sql, name): (_, Value<'_>) = match &self.name {
            ObjectName::UserPrincipalName(_) | ObjectName::Username(_) => {
                (&BY_USER_NAME, text.as_str().into())
            }
            ObjectName::Email(_) => (&BY_EMAIL, text.as_str().into()),
            ObjectName::GraphId(id) | ObjectName::EntraDeviceId(id) => {
                (&BY_OTHER_ID, id.as_bytes()[..].into())
            }
        };
        let kind = i64::from(self.feed.kind.code());
        let values = [directory[..].into(), kind.into(), name, NAMESAKES.into()];
        connection.fetch(sql, &values, mirrored).await
    }
}

struct Unseen {
    feed: FeedKey,
    sweep: Sweep,
    after: Cursor,
    limit: u32,
}

/// Walks the rows themselves: an index on what every sweep changes would cost each of them more
/// than this does.
static UNSEEN: Sql = sql!(
    "SELECT id, object FROM directory_object WHERE id > $1 \
     AND +directory = (SELECT number FROM directory WHERE id = $2) \
     AND +kind = $3 AND presence = 1 AND last_seen < $4 ORDER BY id LIMIT $5"
);

impl Question for Unseen {
    type Answer = Page<ObjectKey>;
    const NAME: &'static str = "unseen_objects";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let FeedKey { directory, kind } = self.feed;
        let id = directory.to_bytes();
        let values = [
            self.after.0.into(),
            id[..].into(),
            i64::from(kind.code()).into(),
            self.sweep.0.into(),
            i64::from(self.limit).into(),
        ];
        let found = connection
            .fetch(&UNSEEN, &values, |columns| {
                let place = columns.int()?;
                Ok((place, ObjectKey { directory, kind, object: columns.object()? }))
            })
            .await?;
        let is_full = found.len() >= usize::try_from(self.limit).unwrap_or(usize::MAX);
        let next = found.last().filter(|_| is_full).map(|(place, _)| Cursor(*place));
        Ok(Page { items: found.into_iter().map(|(_, key)| key).collect(), next })
    }
}

struct Latest;

static LATEST: Sql = sql!("SELECT value FROM counter WHERE name = 'object'");

impl Question for Latest {
    type Answer = ObjectSequence;
    const NAME: &'static str = "object_sequence";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let value = connection.fetch_optional(&LATEST, &[], one_int).await?;
        value.map(ObjectSequence).ok_or_else(|| StoreError::unreadable("counter"))
    }
}

struct Changes {
    after: ObjectSequence,
    limit: u32,
}

static CHANGES: Sql = sql!(
    "SELECT o.sequence, d.id, o.kind, o.object FROM directory_object o \
     JOIN directory d ON d.number = o.directory \
     WHERE o.sequence > $1 ORDER BY o.sequence LIMIT $2"
);

impl Question for Changes {
    type Answer = Vec<ObjectChanged>;
    const NAME: &'static str = "object_changes";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let values = [self.after.0.into(), i64::from(self.limit).into()];
        connection
            .fetch(&CHANGES, &values, |columns| {
                let sequence = ObjectSequence(columns.int()?);
                Ok(ObjectChanged { sequence, key: columns.object_key()? })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, StoreUrl, backend::Backend};

    /// What SQLite does for a statement, in its words.
    fn plan(connection: &rusqlite::Connection, sql: &Sql) -> String {
        let explained = format!("EXPLAIN QUERY PLAN {}", sql.sqlite);
        let mut statement = connection.prepare(&explained).unwrap();
        let mut rows = statement.raw_query();
        let mut steps = String::new();
        while let Some(row) = rows.next().unwrap() {
            steps += &row.get::<_, String>(3).unwrap();
            steps += "; ";
        }
        steps
    }

    #[tokio::test]
    async fn an_object_is_found_by_the_index_of_what_it_is_known_by() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lanyard.db");
        let url = StoreUrl::Sqlite(path.clone());
        let store = Store::open(&url, Options::WRITING).await.unwrap();
        assert!(matches!(store.backend, Backend::Sqlite(_)));
        let connection = rusqlite::Connection::open(path).unwrap();
        for (sql, index) in [
            (&BY_KEY, "o USING INDEX directory_object_key (directory=? AND kind=? AND object=?)"),
            (&BY_USER_NAME, "o USING INDEX directory_object_user_name (user_name=?)"),
            (&BY_EMAIL, "o USING INDEX directory_object_email (email=?)"),
            (&BY_OTHER_ID, "o USING INDEX directory_object_other_id (other_id=?)"),
            (&UNSEEN, "directory_object USING INTEGER PRIMARY KEY (rowid>?)"),
            (&CHANGES, "o USING INDEX directory_object_changed (sequence>?)"),
            (&super::super::apply::REMOVED, "USING INDEX directory_object_other_id (other_id=?)"),
        ] {
            let plan = plan(&connection, sql);
            assert!(plan.contains(index) && !plan.contains("SCAN o"), "{plan}");
        }
    }
}
