//! Readers: short questions are answered on the caller's thread (a few microseconds, less than
//! waking another one), long ones on tokio's blocking threads, a few at a time.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::FutureExt;
use tokio::sync::Semaphore;

use super::{connection::SqliteConnection, open};
use crate::{StoreError, transaction::Question};

#[derive(Debug)]
pub(super) struct Readers {
    short: Arc<Pool>,
    long: Arc<Pool>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(path: &Path, size: usize) -> Result<Self, StoreError> {
        let size = size.max(1);
        Ok(Self {
            short: Arc::new(Pool::open(path, size)?),
            long: Arc::new(Pool::open(path, size)?),
            permits: Arc::new(Semaphore::new(size)),
        })
    }

    /// Answers on this thread, unless every connection is in use.
    pub(super) async fn ask_here<Q: Question>(&self, question: Q) -> Result<Q::Answer, StoreError> {
        if let Some(answer) = self.short.try_ask(&question)? {
            return answer;
        }
        let pool = Arc::clone(&self.short);
        blocking(move || pool.ask(&question)).await
    }

    /// Answers on another thread.
    pub(super) async fn ask_elsewhere<Q: Question>(
        &self,
        question: Q,
    ) -> Result<Q::Answer, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::Closed)?;
        let pool = Arc::clone(&self.long);
        blocking(move || {
            let answer = pool.ask(&question);
            drop(permit);
            answer
        })
        .await
    }

    /// Answers on another thread, all statements of the question as of one moment.
    pub(super) async fn ask_at_one_moment<Q: Question>(
        &self,
        question: Q,
    ) -> Result<Q::Answer, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::Closed)?;
        let pool = Arc::clone(&self.long);
        blocking(move || {
            let mut connection = pool.wait()?;
            let connection = connection.as_mut().ok_or(StoreError::Closed)?;
            connection.run("BEGIN")?;
            let answer = ask(&question, connection);
            let ended = connection.run("COMMIT");
            drop(permit);
            ended.and(answer)
        })
        .await
    }

    pub(super) fn close(&self) {
        self.permits.close();
        self.short.close();
        self.long.close();
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Closed))
}

fn ask<Q: Question>(
    question: &Q,
    connection: &mut SqliteConnection,
) -> Result<Q::Answer, StoreError> {
    let _span = tracing::trace_span!("store.read", store.question = Q::NAME).entered();
    // Nothing in SQLite is ever waited for.
    question.ask(connection).now_or_never().unwrap_or(Err(StoreError::Closed))
}

type Slot = Mutex<Option<SqliteConnection>>;

struct Pool {
    connections: Vec<Slot>,
    next: AtomicUsize,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.connections.len())
    }
}

impl Pool {
    fn open(path: &Path, size: usize) -> Result<Self, StoreError> {
        let connections = (0..size)
            .map(|_| open::for_reading(path).map(|connection| Mutex::new(Some(connection))))
            .collect::<Result<_, _>>()?;
        Ok(Self { connections, next: AtomicUsize::new(0) })
    }

    fn try_ask<Q: Question>(
        &self,
        question: &Q,
    ) -> Result<Option<Result<Q::Answer, StoreError>>, StoreError> {
        // The first connection that is free: with few callers one stays warm.
        for slot in &self.connections {
            match slot.try_lock() {
                Ok(mut connection) => {
                    let connection = connection.as_mut().ok_or(StoreError::Closed)?;
                    return Ok(Some(ask(question, connection)));
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Poisoned(_)) => return Err(StoreError::Closed),
            }
        }
        Ok(None)
    }

    fn ask<Q: Question>(&self, question: &Q) -> Result<Q::Answer, StoreError> {
        let mut connection = self.wait()?;
        ask(question, connection.as_mut().ok_or(StoreError::Closed)?)
    }

    fn wait(&self) -> Result<MutexGuard<'_, Option<SqliteConnection>>, StoreError> {
        for slot in &self.connections {
            if let Ok(connection) = slot.try_lock() {
                return Ok(connection);
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len().max(1);
        let slot = self.connections.get(turn).ok_or(StoreError::Closed)?;
        slot.lock().map_err(|_| StoreError::Closed)
    }

    fn close(&self) {
        for slot in &self.connections {
            if let Ok(mut connection) = slot.lock() {
                connection.take();
            }
        }
    }
}
