//! Directories, and how far the mirror has come with each of their feeds.

use lanyard_lifecycle::{id::DirectoryId, object::ObjectKind};

use crate::{
    Store, StoreError,
    column::{optional_time, organization_column},
    record::{
        Cursor, Demand, Directory, FeedKey, FeedPhase, FeedProgress, FeedTrouble, ObjectCount,
        Sweep,
    },
    sql::{Columns, Connection, Sql, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Records a directory, or its new name and owner. When it was added stays.
    pub async fn record_directory(&self, directory: Directory) -> Result<(), StoreError> {
        self.backend.write(RecordDirectory(directory)).await
    }

    /// All directories that were ever configured.
    pub async fn directories(&self) -> Result<Vec<Directory>, StoreError> {
        self.backend.read(Directories).await
    }

    /// How far a feed has come; none if it was never read.
    pub async fn feed(&self, key: FeedKey) -> Result<Option<FeedProgress>, StoreError> {
        self.backend.read(Feed(key)).await
    }

    /// How far every feed has come.
    pub async fn feeds(&self) -> Result<Vec<FeedProgress>, StoreError> {
        self.backend.read(Feeds).await
    }

    /// Demands that a feed be read at once, whichever process reads it. Of a directory that is not
    /// known, nothing is recorded.
    pub async fn demand_feed(&self, key: FeedKey) -> Result<(), StoreError> {
        self.backend.write(DemandFeed(key)).await
    }

    /// How many objects of each kind are known. Counts: milliseconds for every hundred thousand.
    pub async fn object_counts(&self) -> Result<Vec<ObjectCount>, StoreError> {
        self.backend.read(Counts).await
    }
}

impl FeedPhase {
    fn code(self) -> i64 {
        match self {
            Self::Resting => 0,
            Self::ReadingAll => 1,
            Self::ReadingChanges => 2,
        }
    }

    fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            0 => Ok(Self::Resting),
            1 => Ok(Self::ReadingAll),
            2 => Ok(Self::ReadingChanges),
            _ => Err(StoreError::unreadable("phase of a feed")),
        }
    }
}

impl Columns<'_> {
    pub(super) fn object_kind(&mut self) -> Result<ObjectKind, StoreError> {
        let code = u8::try_from(self.int()?).ok();
        let kind = code.and_then(ObjectKind::from_code);
        kind.ok_or_else(|| StoreError::unreadable("kind of object"))
    }

    fn unsigned(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.int()?).map_err(|_| StoreError::unreadable("count"))
    }

    /// Directory, kind.
    fn feed_key(&mut self) -> Result<FeedKey, StoreError> {
        let directory = DirectoryId::from_bytes(self.array()?);
        Ok(FeedKey { directory, kind: self.object_kind()? })
    }
}

fn progress(columns: &mut Columns<'_>) -> Result<FeedProgress, StoreError> {
    Ok(FeedProgress {
        key: columns.feed_key()?,
        phase: FeedPhase::from_code(columns.int()?)?,
        cursor: columns.optional_string()?,
        sweep: Sweep(columns.int()?),
        swept: Sweep(columns.int()?),
        round_started: columns.optional_time()?,
        as_of: columns.optional_time()?,
        completed_at: columns.optional_time()?,
        seen: columns.unsigned()?,
        total: columns.optional_int()?.and_then(|total| u64::try_from(total).ok()),
        proved_to: columns.optional_int()?.map(Cursor),
        trouble: match (columns.optional_string()?, columns.optional_time()?) {
            (Some(text), Some(since)) => Some(FeedTrouble { text, since }),
            _ => None,
        },
        served: Demand(columns.int()?),
        demanded: Demand(columns.int()?),
    })
}

struct RecordDirectory(Directory);

static RECORD: Sql = sql!(
    "INSERT INTO directory (id, organization, department, name, added_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET \
     organization = excluded.organization, department = excluded.department, \
     name = excluded.name"
);

impl Act for RecordDirectory {
    type Outcome = ();
    const NAME: &'static str = "record_directory";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        let Directory { id, scope, name, added_at } = &self.0;
        let organization = organization_column(scope.organization);
        let department = scope.department.map(lanyard_lifecycle::id::DepartmentId::to_bytes);
        let id = id.to_bytes();
        let values = [
            id[..].into(),
            organization.as_slice().into(),
            department.as_ref().map(|department| &department[..]).into(),
            name.as_str().into(),
            added_at.unix().into(),
        ];
        tx.connection.execute(&RECORD, &values).await?;
        Ok(Done::Keep(()))
    }
}

struct Directories;

static DIRECTORIES: Sql =
    sql!("SELECT id, organization, department, name, added_at FROM directory ORDER BY number");

impl Question for Directories {
    type Answer = Vec<Directory>;
    const NAME: &'static str = "directories";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection
            .fetch(&DIRECTORIES, &[], |columns| {
                Ok(Directory {
                    id: DirectoryId::from_bytes(columns.array()?),
                    scope: columns.scope()?,
                    name: columns.string()?,
                    added_at: columns.time()?,
                })
            })
            .await
    }
}

macro_rules! progress {
    ($condition:literal) => {
        sql!(concat!(
            "SELECT d.id, f.kind, f.phase, f.cursor, f.sweep, f.swept, f.round_started, f.as_of, \
             f.completed_at, f.seen, f.total, f.proved_to, f.trouble, f.trouble_since, \
             f.served, f.demanded \
             FROM directory_feed f JOIN directory d ON d.number = f.directory ",
            $condition
        ))
    };
}

static FEED: Sql = progress!("WHERE d.id = $1 AND f.kind = $2");
static FEEDS: Sql = progress!("ORDER BY f.directory, f.kind");

struct Feed(FeedKey);

impl Question for Feed {
    type Answer = Option<FeedProgress>;
    const NAME: &'static str = "feed";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let directory = self.0.directory.to_bytes();
        let values = [directory[..].into(), i64::from(self.0.kind.code()).into()];
        connection.fetch_optional(&FEED, &values, progress).await
    }
}

struct Feeds;

impl Question for Feeds {
    type Answer = Vec<FeedProgress>;
    const NAME: &'static str = "feeds";
    const READS: Reads = Reads::Point;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection.fetch(&FEEDS, &[], progress).await
    }
}

static SAVE: Sql = sql!(
    "INSERT INTO directory_feed (directory, kind, phase, cursor, sweep, swept, round_started, \
     as_of, completed_at, seen, total, proved_to, trouble, trouble_since, \
     served) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
     ON CONFLICT (directory, kind) DO UPDATE SET phase = excluded.phase, \
     cursor = excluded.cursor, sweep = excluded.sweep, swept = excluded.swept, \
     round_started = excluded.round_started, as_of = excluded.as_of, \
     completed_at = excluded.completed_at, seen = excluded.seen, total = excluded.total, \
     proved_to = excluded.proved_to, trouble = excluded.trouble, \
     trouble_since = excluded.trouble_since, served = excluded.served"
);

/// Records how far a feed has come.
pub(super) async fn save<C: Connection>(
    connection: &mut C,
    directory: i64,
    progress: &FeedProgress,
) -> Result<(), StoreError> {
    let trouble = progress.trouble.as_ref();
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let values = [
        directory.into(),
        i64::from(progress.key.kind.code()).into(),
        progress.phase.code().into(),
        progress.cursor.as_deref().into(),
        progress.sweep.0.into(),
        progress.swept.0.into(),
        optional_time(progress.round_started).into(),
        optional_time(progress.as_of).into(),
        optional_time(progress.completed_at).into(),
        count(progress.seen).into(),
        progress.total.map(count).into(),
        progress.proved_to.map(|place| place.0).into(),
        trouble.map(|trouble| trouble.text.as_str()).into(),
        trouble.map(|trouble| trouble.since.unix()).into(),
        progress.served.0.into(),
    ];
    connection.execute(&SAVE, &values).await.map(|_| ())
}

struct DemandFeed(FeedKey);

static DEMAND: Sql = sql!(
    "INSERT INTO directory_feed (directory, kind, phase, sweep, swept, seen, served, demanded) \
     SELECT number, $2, 0, 0, 0, 0, 0, 1 FROM directory WHERE id = $1 \
     ON CONFLICT (directory, kind) DO UPDATE SET demanded = directory_feed.demanded + 1"
);

impl Act for DemandFeed {
    type Outcome = ();
    const NAME: &'static str = "demand_feed";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        let directory = self.0.directory.to_bytes();
        let values = [directory[..].into(), i64::from(self.0.kind.code()).into()];
        tx.connection.execute(&DEMAND, &values).await?;
        Ok(Done::Keep(()))
    }
}

struct Counts;

/// Both halves read an index alone.
static COUNTS: Sql = sql!(
    "SELECT d.id, o.kind, COUNT(*), \
     (SELECT COUNT(*) FROM directory_object a \
      WHERE a.directory = o.directory AND a.kind = o.kind AND a.presence = 0) \
     FROM directory_object o JOIN directory d ON d.number = o.directory \
     GROUP BY d.id, o.directory, o.kind ORDER BY o.directory, o.kind"
);

impl Question for Counts {
    type Answer = Vec<ObjectCount>;
    const NAME: &'static str = "object_counts";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        connection
            .fetch(&COUNTS, &[], |columns| {
                let feed = columns.feed_key()?;
                let (all, absent) = (columns.unsigned()?, columns.unsigned()?);
                Ok(ObjectCount { feed, present: all.saturating_sub(absent), absent })
            })
            .await
    }
}
