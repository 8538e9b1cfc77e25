//! The writer: one thread, one connection, one transaction for all acts that wait.
//!
//! Nearly always all acts of a transaction go through. If one of them has to be undone, the
//! transaction starts over with a savepoint for each, so that it takes nothing along; savepoints
//! for all from the start would copy every page that is written. If the transaction as a whole
//! fails, its acts are tried one by one, so that a large one that finds the disk full does not
//! fail the small ones beside it. Replies go out after the commit.

use std::{
    fs::File,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::{
    checkpoint::{Checkpointer, Moved},
    connection::SqliteConnection,
};
use crate::{
    Options, StoreError,
    transaction::{Act, Done, Ids, Job, Transaction},
};

/// How long a batch may grow under load, at most.
const LINGER: Duration = Duration::from_millis(4);
/// How many acts make waiting for more of them needless.
const ENOUGH: usize = 48;

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
        lock: File,
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
            pace: None,
            full: false,
            _lock: lock,
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
         coalesce((SELECT max(id) FROM enrollment), 0), \
         coalesce((SELECT max(number) FROM notice), 0))",
        (),
        |row| row.get(0),
    )?)
}

/// Performs an act behind a savepoint.
fn perform_alone(work: &mut dyn Work, tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let mark = tx.mark();
    tx.connection.run("SAVEPOINT act")?;
    if work.perform(tx)? == Writes::DoNotCount {
        tx.go_back_to(mark);
        tx.connection.run("ROLLBACK TO act")?;
    }
    tx.connection.run("RELEASE act")
}

/// What is undone when an act has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    Together,
    EachAlone,
}

/// Whether a transaction was committed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Committed {
    Yes,
    No,
}

/// What the writer's thread works with.
struct Desk {
    connection: SqliteConnection,
    checkpointer: Checkpointer,
    ids: Ids,
    batch: usize,
    /// How long the last batch took, if it held more than one act.
    pace: Option<Duration>,
    /// Whether the disk was found full and the log not yet moved since.
    full: bool,
    /// Released when this thread has let go of the store.
    _lock: File,
}

impl Desk {
    fn work(mut self, mut waiting: mpsc::Receiver<Box<dyn Work>>) {
        let mut batch = Vec::with_capacity(self.batch);
        while let Some(first) = waiting.blocking_recv() {
            batch.push(first);
            self.linger(&waiting);
            while batch.len() < self.batch
                && let Ok(next) = waiting.try_recv()
            {
                batch.push(next);
            }
            batch.retain(|work| work.is_wanted());
            let start = Instant::now();
            let company = batch.len() > 1;
            self.carry_out(&mut batch);
            self.pace = company.then(|| start.elapsed().min(LINGER));
            self.checkpointer.after_commit(&self.connection);
        }
        self.checkpointer.finish(&self.connection);
    }

    /// Lets a batch grow while there is load, as long as the batch before took. A commit costs as
    /// much as several acts, and while keys are used for thousands of enrollments a second, acts
    /// come one at a time, just too late for the commit before. The busier processor and disk are,
    /// the longer a commit takes and the more acts share the next. Whoever is alone does not wait.
    fn linger(&self, waiting: &mpsc::Receiver<Box<dyn Work>>) {
        if let Some(pace) = self.pace
            && waiting.len() < ENOUGH
        {
            thread::sleep(pace);
        }
    }

    fn carry_out(&mut self, batch: &mut Vec<Box<dyn Work>>) {
        self.make_room();
        let mut done = self.transact(batch, Undo::Together);
        if done == Ok(Committed::No) {
            done = self.transact(batch, Undo::EachAlone);
        }
        let full = matches!(done, Err(StoreError::DiskFull(_)));
        self.full |= full;
        if full {
            self.make_room();
        }
        match done {
            Ok(_) => batch.drain(..).for_each(Work::reply),
            Err(error) if batch.len() == 1 && !full => {
                batch.drain(..).for_each(|work| work.fail(error.clone()));
            }
            Err(_) => {
                for mut work in batch.drain(..) {
                    match self.transact(std::slice::from_mut(&mut work), Undo::EachAlone) {
                        Ok(_) => work.reply(),
                        Err(error) => work.fail(error),
                    }
                }
            }
        }
    }

    /// While the disk is full, what room there is goes to the database file first: once all of the
    /// log is moved there, the log's own room can be used again. Used up by the log, it would only
    /// make the log longer.
    fn make_room(&mut self) {
        if self.full && Checkpointer::make_room(&self.connection) == Moved::All {
            self.full = false;
        }
    }

    fn transact(
        &mut self,
        batch: &mut [Box<dyn Work>],
        undo: Undo,
    ) -> Result<Committed, StoreError> {
        if batch.is_empty() {
            return Ok(Committed::Yes);
        }
        self.connection.run("BEGIN IMMEDIATE")?;
        let done = match self.perform_all(batch, undo) {
            Ok(Committed::Yes) => self.connection.run("COMMIT").map(|()| Committed::Yes),
            other => other,
        };
        // Some errors end the transaction by themselves.
        if done != Ok(Committed::Yes) && !self.connection.raw().is_autocommit() {
            self.connection.run("ROLLBACK")?;
        }
        done
    }

    /// `Committed::No` if one has to be undone and is not alone.
    fn perform_all(
        &mut self,
        batch: &mut [Box<dyn Work>],
        undo: Undo,
    ) -> Result<Committed, StoreError> {
        let mut tx = Transaction::new(&mut self.connection, &self.ids);
        for work in batch {
            match undo {
                Undo::Together => {
                    if work.perform(&mut tx)? == Writes::DoNotCount {
                        return Ok(Committed::No);
                    }
                }
                Undo::EachAlone => perform_alone(work.as_mut(), &mut tx)?,
            }
        }
        let finished = tx.finish().now_or_never().unwrap_or(Err(StoreError::Closed));
        finished.map(|()| Committed::Yes)
    }
}
