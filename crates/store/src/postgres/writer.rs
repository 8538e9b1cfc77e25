//! The writer: issuance steps of many callers in one transaction.

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
    query::issue::{Complete, Prepare},
    record::{Completion, Preparation},
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

/// Steps that share a transaction, with what came of them once it is committed.
struct Batch {
    prepares: Vec<Job<Prepare>>,
    completes: Vec<Job<Complete>>,
}

struct Outcomes {
    prepares: Vec<Result<Preparation, StoreError>>,
    completes: Vec<Result<Completion, StoreError>>,
}

impl Batch {
    fn of(steps: impl Iterator<Item = Batched>) -> Self {
        let mut batch = Self { prepares: Vec::new(), completes: Vec::new() };
        for step in steps {
            match step {
                // Nobody waits for it any more, so it need not begin.
                Batched::Prepare(job) if job.reply.is_closed() => {}
                Batched::Complete(job) if job.reply.is_closed() => {}
                Batched::Prepare(job) => batch.prepares.push(*job),
                Batched::Complete(job) => batch.completes.push(job),
            }
        }
        batch
    }

    async fn carry_out(self, pool: &PgPool, ids: &Ids) {
        if self.prepares.is_empty() && self.completes.is_empty() {
            return;
        }
        match attempts(|| self.transact(pool, ids)).await {
            Ok(outcomes) => {
                reply(self.prepares, outcomes.prepares);
                reply(self.completes, outcomes.completes);
            }
            Err(error) => {
                let (prepares, completes) = (self.prepares.len(), self.completes.len());
                reply(self.prepares, vec![Err(error.clone()); prepares]);
                reply(self.completes, vec![Err(error); completes]);
            }
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
        let prepares: Vec<&Prepare> = self.prepares.iter().map(|job| &job.act).collect();
        let completes: Vec<&Complete> = self.completes.iter().map(|job| &job.act).collect();
        if batch::prepare(&mut tx, &prepares).await? == Together::No
            || batch::complete(&mut tx, &completes).await? == Together::No
        {
            transaction.rollback().await?;
            return Ok(None);
        }
        tx.finish().await?;
        transaction.commit().await.map_err(during_commit)?;
        Ok(Some(Outcomes {
            prepares: prepares.iter().map(|_| Ok(Preparation::Prepared)).collect(),
            completes: completes.iter().map(|_| Ok(Completion::Completed)).collect(),
        }))
    }

    async fn one_by_one(
        &self,
        connection: &mut PgConnection,
        ids: &Ids,
    ) -> Result<Outcomes, Failed> {
        let mut transaction = connection.begin().await?;
        let mut raw = PostgresConnection::new(&mut transaction);
        let mut tx = Transaction::new(&mut raw, ids);
        let mut outcomes = Outcomes { prepares: Vec::new(), completes: Vec::new() };
        for job in &self.prepares {
            outcomes.prepares.push(one(&mut tx, &job.act).await?);
        }
        for job in &self.completes {
            outcomes.completes.push(one(&mut tx, &job.act).await?);
        }
        tx.finish().await?;
        transaction.commit().await.map_err(during_commit)?;
        Ok(outcomes)
    }
}

/// One step behind a savepoint. The outer error ends the whole transaction.
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

fn reply<A: Act>(jobs: Vec<Job<A>>, outcomes: Vec<Result<A::Outcome, StoreError>>) {
    for (job, outcome) in jobs.into_iter().zip(outcomes) {
        // Whoever asked may be gone by now.
        let _ = job.reply.send(outcome);
    }
}
