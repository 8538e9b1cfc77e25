//! Names that directories were asked for and did not know.

use lanyard_pki::Time;

use crate::{
    Store, StoreError,
    column::one_time,
    record::{FeedKey, ObjectName},
    sql::{Connection, Sql, Value, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Remembers that a directory does not know a name.
    pub async fn record_missing(
        &self,
        feed: FeedKey,
        name: ObjectName,
        learnt: Time,
    ) -> Result<(), StoreError> {
        self.backend.write(Record { name: Name::of(feed, &name), learnt }).await
    }

    /// When a directory last did not know a name; none if it was not asked of late.
    pub async fn missing_since(
        &self,
        feed: FeedKey,
        name: ObjectName,
    ) -> Result<Option<Time>, StoreError> {
        self.backend.read(Since(Name::of(feed, &name))).await
    }

    /// Forgets names, and objects that were never there, that were asked for before `before`: at
    /// most `limit` of each. Returns how many.
    pub async fn forget_missing(&self, before: Time, limit: u32) -> Result<u64, StoreError> {
        self.backend.write(Forget { before, limit }).await
    }
}

/// A name as its columns.
struct Name {
    directory: [u8; 16],
    kind: i64,
    asked_by: i64,
    text: String,
}

impl Name {
    fn of(feed: FeedKey, name: &ObjectName) -> Self {
        Self {
            directory: feed.directory.to_bytes(),
            kind: i64::from(feed.kind.code()),
            asked_by: name.code(),
            text: name.text(),
        }
    }

    fn values(&self) -> [Value<'_>; 4] {
        let Self { directory, kind, asked_by, text } = self;
        [directory[..].into(), (*kind).into(), (*asked_by).into(), text.as_str().into()]
    }
}

struct Record {
    name: Name,
    learnt: Time,
}

static RECORD: Sql = sql!(
    "INSERT INTO directory_missing (directory, kind, asked_by, name, learnt) \
     SELECT number, $2, $3, $4, $5 FROM directory WHERE id = $1 \
     ON CONFLICT (directory, kind, asked_by, name) DO UPDATE SET learnt = excluded.learnt"
);

impl Act for Record {
    type Outcome = ();
    const NAME: &'static str = "record_missing";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        let [directory, kind, asked_by, text] = self.name.values();
        let values = [directory, kind, asked_by, text, self.learnt.unix().into()];
        tx.connection.execute(&RECORD, &values).await?;
        Ok(Done::Keep(()))
    }
}

struct Since(Name);

static SINCE: Sql = sql!(
    "SELECT learnt FROM directory_missing \
     WHERE directory = (SELECT number FROM directory WHERE id = $1) \
     AND kind = $2 AND asked_by = $3 AND name = $4"
);

impl Question for Since {
    type Answer = Option<Time>;
    const NAME: &'static str = "missing_since";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch_optional(&SINCE, &self.0.values(), one_time).await
    }
}

struct Forget {
    before: Time,
    limit: u32,
}

static FORGET_NAMES: Sql = sql!(
    "DELETE FROM directory_missing WHERE (directory, kind, asked_by, name) IN \
     (SELECT directory, kind, asked_by, name FROM directory_missing \
     WHERE learnt < $1 ORDER BY learnt LIMIT $2)"
);
static FORGET_OBJECTS: Sql = sql!(
    "DELETE FROM directory_object WHERE id IN (SELECT id FROM directory_object \
     WHERE first_seen IS NULL AND learnt < $1 ORDER BY id LIMIT $2)"
);

impl Act for Forget {
    type Outcome = u64;
    const NAME: &'static str = "forget_missing";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<u64>, StoreError> {
        let values = [self.before.unix().into(), i64::from(self.limit).into()];
        let names = tx.connection.execute(&FORGET_NAMES, &values).await?;
        Ok(Done::Keep(names + tx.connection.execute(&FORGET_OBJECTS, &values).await?))
    }
}
