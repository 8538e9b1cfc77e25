//! The writer: certificates of many callers in one transaction.

use std::sync::{Arc, Mutex};

use sqlx::{Acquire, Executor, PgConnection, PgPool};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    batch::{self, Together},
    close_if_broken,
    connection::PostgresConnection,
    error::{Failed, attempts, during_commit},
};
use crate::{
    Options, StoreError,
    query::issue::Issue,
    record::Issuance,
    transaction::{Act, Batched, Done, Ids, Job, Transaction},
};

#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Batched>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Batched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Batched")
    }
}

impl Writer {
    pub(super) fn start(pool: PgPool, ids: Arc<Ids>, options: Options) -> Self {
        let (queue, mut waiting) = mpsc::channel(options.queue.max(1));
        let limit = options.batch.max(1);
        let task = tokio::spawn(async move {
            let mut taken = Vec::with_capacity(limit);
            while waiting.recv_many(&mut taken, limit).await > 0 {
                Batch::of(taken.drain(..)).carry_out(&pool, &ids).await;
            }
        });
        Self { queue: Mutex::new(Some(queue)), task: Mutex::new(Some(task)) }
    }

    pub(super) fn submit(&self, step: Batched) -> Result<(), StoreError> {
        let queue = self.queue.lock().map_err(|_| StoreError::Closed)?;
        let queue = queue.as_ref().ok_or(StoreError::Closed)?;
        queue.try_send(step).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    /// Takes no more, and waits until what was taken is done.
    pub(super) async fn close(&self) {
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
        let task = self.task.lock().ok().and_then(|mut task| task.take());
        if let Some(task) = task {
            // A panic of the task was reported where it happened.
            let _ = task.await;
        }
    }
}

/// Acts that share a transaction.
struct Batch(Vec<Job<Issue>>);

type Outcomes = Vec<Result<Issuance, StoreError>>;

impl Batch {
    fn of(acts: impl Iterator<Item = Batched>) -> Self {
        // Where nobody waits any more, it need not begin.
        Self(acts.map(|Batched(job)| *job).filter(|job| !job.reply.is_closed()).collect())
    }

    async fn carry_out(self, pool: &PgPool, ids: &Ids) {
        if self.0.is_empty() {
            return;
        }
        let outcomes = match attempts(|| self.transact(pool, ids)).await {
            Ok(outcomes) => outcomes,
            Err(error) => vec![Err(error); self.0.len()],
        };
        for (job, outcome) in self.0.into_iter().zip(outcomes) {
            // Whoever asked may be gone by now.
            let _ = job.reply.send(outcome);
        }
    }

    async fn transact(&self, pool: &PgPool, ids: &Ids) -> Result<Outcomes, Failed> {
        let mut connection = pool.acquire().await?;
        let done = match self.together(&mut connection, ids).await {
            Ok(Some(outcomes)) => Ok(outcomes),
            Ok(None)
            | Err(Failed { error: StoreError::Conflict(_) | StoreError::Statement(_), .. }) => {
                self.one_by_one(&mut connection, ids).await
            }
            Err(error) => Err(error),
        };
        if let Err(Failed { error, .. }) = &done {
            if *error == StoreError::Contended {
                ids.leap();
            }
            close_if_broken(connection, error).await;
        }
        done
    }

    async fn together(
        &self,
        connection: &mut PgConnection,
        ids: &Ids,
    ) -> Result<Option<Outcomes>, Failed> {
        let mut transaction = connection.begin().await?;
        let mut raw = PostgresConnection::new(&mut transaction);
        let mut tx = Transaction::new(&mut raw, ids);
        let acts: Vec<&Issue> = self.0.iter().map(|job| &job.act).collect();
        if batch::issue(&mut tx, &acts).await? == Together::No {
            transaction.rollback().await?;
            return Ok(None);
        }
        tx.finish().await?;
        transaction.commit().await.map_err(during_commit)?;
        Ok(Some(acts.iter().map(|_| Ok(Issuance::Issued)).collect()))
    }

    async fn one_by_one(
        &self,
        connection: &mut PgConnection,
        ids: &Ids,
    ) -> Result<Outcomes, Failed> {
        let mut transaction = connection.begin().await?;
        let mut raw = PostgresConnection::new(&mut transaction);
        let mut tx = Transaction::new(&mut raw, ids);
        let mut outcomes = Vec::with_capacity(self.0.len());
        for job in &self.0 {
            outcomes.push(one(&mut tx, &job.act).await?);
        }
        tx.finish().await?;
        transaction.commit().await.map_err(during_commit)?;
        Ok(outcomes)
    }
}

/// One act behind a savepoint. The outer error ends the whole transaction.
async fn one<A: Act>(
    tx: &mut Transaction<'_, PostgresConnection<'_>>,
    act: &A,
) -> Result<Result<A::Outcome, StoreError>, StoreError> {
    let mark = tx.mark();
    tx.connection.raw().execute("SAVEPOINT act").await?;
    let (outcome, end) = match act.perform(tx).await {
        Ok(Done::Keep(outcome)) => (Ok(outcome), "RELEASE SAVEPOINT act"),
        Ok(Done::Undo(outcome)) => (Ok(outcome), "ROLLBACK TO SAVEPOINT act"),
        Err(error @ (StoreError::Conflict(_) | StoreError::Statement(_))) => {
            (Err(error), "ROLLBACK TO SAVEPOINT act")
        }
        Err(error) => return Err(error),
    };
    if end.starts_with("ROLLBACK") {
        tx.go_back_to(mark);
    }
    tx.connection.raw().execute(end).await?;
    Ok(outcome)
}
