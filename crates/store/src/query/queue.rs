//! What a directory has asked to be revoked, kept until it was told the outcome.

use lanyard_lifecycle::id::DirectoryId;

use crate::{
    Store, StoreError,
    record::{NewQueueRequest, QueueAnswer, QueueRequest},
    sql::{ColumnType, Connection, Insert, Sql, Value, sql},
    transaction::{Act, Done, Question, Reads, Transaction},
};

impl Store {
    /// Records requests that a directory has handed out. Those that are known stay as they are.
    pub async fn take_queue_requests(
        &self,
        requests: Vec<NewQueueRequest>,
    ) -> Result<(), StoreError> {
        self.backend.write(Take(requests)).await
    }

    /// Records what a directory is to be told of requests that change no certificate. What does
    /// change one is told in [`RuleBatch::answers`](crate::RuleBatch::answers). Requests that were
    /// not taken are recorded by neither.
    pub async fn answer_queue_requests(&self, answers: Vec<QueueAnswer>) -> Result<(), StoreError> {
        self.backend.write(Answer(answers)).await
    }

    /// The requests that were taken and that the directory was not told about, oldest first.
    pub async fn queue_requests(
        &self,
        directory: DirectoryId,
        limit: u32,
    ) -> Result<Vec<QueueRequest>, StoreError> {
        self.backend.read(List { directory, limit }).await
    }

    /// Forgets requests that the directory was told about.
    pub async fn forget_queue_requests(
        &self,
        directory: DirectoryId,
        contexts: Vec<String>,
    ) -> Result<(), StoreError> {
        self.backend.write(Forget { directory, contexts }).await
    }
}

static REQUEST: Insert = Insert::new(
    "revocation_request",
    &[
        ("directory", ColumnType::Blob),
        ("context", ColumnType::Text),
        ("serial", ColumnType::Text),
        ("taken_at", ColumnType::Int),
    ],
    "ON CONFLICT (directory, context) DO NOTHING",
);

struct Take(Vec<NewQueueRequest>);

impl Act for Take {
    type Outcome = ();
    const NAME: &'static str = "take_queue_requests";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        let directories: Vec<[u8; 16]> = self.0.iter().map(|r| r.directory.to_bytes()).collect();
        let rows: Vec<[Value<'_>; 4]> = self
            .0
            .iter()
            .zip(&directories)
            .map(|(request, directory)| {
                [
                    directory[..].into(),
                    request.context.as_str().into(),
                    request.serial.as_str().into(),
                    request.taken_at.unix().into(),
                ]
            })
            .collect();
        let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 4]>::as_slice).collect();
        tx.connection.insert(&REQUEST, &rows).await?;
        Ok(Done::Keep(()))
    }
}

static ANSWER: Sql =
    sql!("UPDATE revocation_request SET outcome = $3 WHERE directory = $1 AND context = $2");

/// Records what directories are to be told.
pub(super) async fn answer<C: Connection>(
    connection: &mut C,
    answers: &[QueueAnswer],
) -> Result<(), StoreError> {
    for QueueAnswer { directory, context, outcome } in answers {
        let directory = directory.to_bytes();
        let values = [directory[..].into(), context.as_str().into(), outcome.as_str().into()];
        connection.execute(&ANSWER, &values).await?;
    }
    Ok(())
}

struct Answer(Vec<QueueAnswer>);

impl Act for Answer {
    type Outcome = ();
    const NAME: &'static str = "answer_queue_requests";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        answer(tx.connection, &self.0).await.map(Done::Keep)
    }
}

struct List {
    directory: DirectoryId,
    limit: u32,
}

static LIST: Sql = sql!(
    "SELECT context, serial, taken_at, outcome FROM revocation_request WHERE directory = $1 \
     ORDER BY taken_at, context LIMIT $2"
);

impl Question for List {
    type Answer = Vec<QueueRequest>;
    const NAME: &'static str = "queue_requests";
    const READS: Reads = Reads::Many;

    async fn ask<C: Connection>(&self, connection: &mut C) -> Result<Self::Answer, StoreError> {
        let id = self.directory.to_bytes();
        let directory = self.directory;
        connection
            .fetch(&LIST, &[id[..].into(), i64::from(self.limit).into()], |columns| {
                Ok(QueueRequest {
                    request: NewQueueRequest {
                        directory,
                        context: columns.string()?,
                        serial: columns.string()?,
                        taken_at: columns.time()?,
                    },
                    outcome: columns.optional_string()?,
                })
            })
            .await
    }
}

struct Forget {
    directory: DirectoryId,
    contexts: Vec<String>,
}

static FORGET: Sql = sql!("DELETE FROM revocation_request WHERE directory = $1 AND context = $2");

impl Act for Forget {
    type Outcome = ();
    const NAME: &'static str = "forget_queue_requests";

    async fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> Result<Done<()>, StoreError> {
        let directory = self.directory.to_bytes();
        for context in &self.contexts {
            tx.connection
                .execute(&FORGET, &[directory[..].into(), context.as_str().into()])
                .await?;
        }
        Ok(Done::Keep(()))
    }
}
