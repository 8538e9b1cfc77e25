//! The writer: one thread, one connection, one transaction for all acts that wait.
//!
//! Each act has a savepoint, so one that fails takes nothing along. Replies go out after the
//! commit. If the transaction as a whole fails, its acts are tried one by one, so that a large
//! one that finds the disk full does not fail the small ones beside it.

use std::{sync::Mutex, thread};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::{checkpoint::Checkpointer, connection::SqliteConnection};
use crate::{
    Options, StoreError,
    transaction::{Act, Done, Ids, Job, Transaction},
};

type Tx<'c> = Transaction<'c, SqliteConnection>;

/// An act that waits for its turn, whatever its outcome's type.
pub(super) trait Work: Send {
    /// False once nobody waits for the outcome any more.
    fn is_wanted(&self) -> bool;
    /// Performs it and keeps the outcome; tells whether what it wrote counts.
    fn perform(&mut self, tx: &mut Tx<'_>) -> Result<Writes, StoreError>;
    /// Tells the outcome.
    fn reply(self: Box<Self>);
    /// Tells that the transaction failed.
    fn fail(self: Box<Self>, error: StoreError);
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writes {
    Count,
    DoNotCount,
}

pub(super) struct Pending<A: Act> {
    job: Job<A>,
    outcome: Option<Result<A::Outcome, StoreError>>,
}

impl<A: Act> Pending<A> {
    pub(super) fn new(job: Job<A>) -> Self {
        Self { job, outcome: None }
    }
}

impl<A: Act> Work for Pending<A> {
    fn is_wanted(&self) -> bool {
        !self.job.reply.is_closed()
    }

    fn perform(&mut self, tx: &mut Tx<'_>) -> Result<Writes, StoreError> {
        let _span = tracing::trace_span!("store.write", store.act = A::NAME).entered();
        // Nothing in SQLite is ever waited for.
        let done = self.job.act.perform(tx).now_or_never().unwrap_or(Err(StoreError::Closed));
        match done {
            Ok(Done::Keep(outcome)) => {
                self.outcome = Some(Ok(outcome));
                Ok(Writes::Count)
            }
            Ok(Done::Undo(outcome)) => {
                self.outcome = Some(Ok(outcome));
                Ok(Writes::DoNotCount)
            }
            Err(error) if concerns_one_act(&error) => {
                self.outcome = Some(Err(error));
                Ok(Writes::DoNotCount)
            }
            Err(error) => Err(error),
        }
    }

    fn reply(self: Box<Self>) {
        // Whoever asked may be gone by now.
        let _ = self.job.reply.send(self.outcome.unwrap_or(Err(StoreError::Closed)));
    }

    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.job.reply.send(Err(error));
    }
}

/// True if the error says nothing about the acts beside it.
fn concerns_one_act(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict(_) | StoreError::Statement(_) | StoreError::Corrupt(_))
}

#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Work>>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl std::fmt::Debug for dyn Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

impl Writer {
    pub(super) fn start(
        mut connection: SqliteConnection,
        checkpointer: Checkpointer,
        options: Options,
    ) -> Result<Self, StoreError> {
        Checkpointer::watch(&mut connection)?;
        let (queue, waiting) = mpsc::channel(options.queue.max(1));
        let (end, ended) = oneshot::channel();
        let newest = newest_id(&connection)?;
        let desk = Desk {
            connection,
            checkpointer,
            ids: Ids::after(newest, 0),
            batch: options.batch.max(1),
        };
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                desk.work(waiting);
                let _ = end.send(());
            })
            .map_err(|error| StoreError::Unavailable(format!("no thread to write: {error}")))?;
        Ok(Self { queue: Mutex::new(Some(queue)), ended: Mutex::new(Some(ended)) })
    }

    pub(super) fn submit(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
        let queue = self.queue.lock().map_err(|_| StoreError::Closed)?;
        let queue = queue.as_ref().ok_or(StoreError::Closed)?;
        queue.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    /// Takes no more, and waits until what was taken is done.
    pub(super) async fn close(&self) {
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
        let ended = self.ended.lock().ok().and_then(|mut ended| ended.take());
        if let Some(ended) = ended {
            let _ = ended.await;
        }
    }
}

fn newest_id(connection: &SqliteConnection) -> Result<i64, StoreError> {
    Ok(connection.raw().query_row(
        "SELECT max(coalesce((SELECT max(id) FROM certificate), 0), \
         coalesce((SELECT max(id) FROM enrollment), 0))",
        (),
        |row| row.get(0),
    )?)
}

/// What the writer's thread works with.
struct Desk {
    connection: SqliteConnection,
    checkpointer: Checkpointer,
    ids: Ids,
    batch: usize,
}

impl Desk {
    fn work(mut self, mut waiting: mpsc::Receiver<Box<dyn Work>>) {
        let mut batch = Vec::with_capacity(self.batch);
        while let Some(first) = waiting.blocking_recv() {
            batch.push(first);
            while batch.len() < self.batch
                && let Ok(next) = waiting.try_recv()
            {
                batch.push(next);
            }
            batch.retain(|work| work.is_wanted());
            self.carry_out(&mut batch);
            self.checkpointer.after_commit(&self.connection);
        }
        self.checkpointer.finish(&self.connection);
    }

    fn carry_out(&mut self, batch: &mut Vec<Box<dyn Work>>) {
        match self.transact(batch) {
            Ok(()) => batch.drain(..).for_each(Work::reply),
            Err(error) if batch.len() == 1 => batch.drain(..).for_each(|w| w.fail(error.clone())),
            Err(_) => {
                for mut work in batch.drain(..) {
                    match self.transact(std::slice::from_mut(&mut work)) {
                        Ok(()) => work.reply(),
                        Err(error) => work.fail(error),
                    }
                }
            }
        }
    }

    fn transact(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.connection.run("BEGIN IMMEDIATE")?;
        let done = self.perform_all(batch).and_then(|()| self.connection.run("COMMIT"));
        // Some errors end the transaction by themselves.
        if done.is_err() && !self.connection.raw().is_autocommit() {
            self.connection.run("ROLLBACK")?;
        }
        done
    }

    fn perform_all(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
        let mut tx = Transaction::new(&mut self.connection, &self.ids);
        for work in batch {
            let mark = tx.mark();
            tx.connection.run("SAVEPOINT act")?;
            if work.perform(&mut tx)? == Writes::DoNotCount {
                tx.go_back_to(mark);
                tx.connection.run("ROLLBACK TO act")?;
            }
            tx.connection.run("RELEASE act")?;
        }
        tx.finish().now_or_never().unwrap_or(Err(StoreError::Closed))
    }
}
