//! The store as callers hold it: one type over both databases.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::task::JoinHandle;

use crate::{
    StoreError, StoreUrl,
    postgres::Postgres,
    sqlite::Sqlite,
    transaction::{Act, Question},
};

/// The records of an installation. Cheap to clone; all clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) backend: Backend,
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read and write. A SQLite store is held by one process at a time; a second one is told
    /// [`StoreError::Locked`]. The schema is brought up to date.
    Writing,
    /// To read only, beside a server that may run. Every write is [`StoreError::ReadOnly`].
    Reading,
}

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What for.
    pub access: Access,
    /// How many writes may wait before [`StoreError::Busy`].
    pub queue: usize,
    /// How many writes share a transaction at most.
    pub batch: usize,
    /// Connections for reading.
    pub readers: usize,
}

impl Options {
    /// To read and write, with limits that suit a server.
    pub const WRITING: Self = Self { access: Access::Writing, queue: 2048, batch: 256, readers: 4 };
    /// To read only.
    pub const READING: Self = Self { access: Access::Reading, ..Self::WRITING };
}

impl Store {
    /// Opens a store, and makes it if it is not there and is opened for writing.
    pub async fn open(url: &StoreUrl, options: Options) -> Result<Self, StoreError> {
        let backend = match url {
            StoreUrl::Sqlite(path) => {
                let path = path.clone();
                let opening = tokio::task::spawn_blocking(move || Sqlite::open(&path, options));
                let sqlite = opening.await.map_err(|_| StoreError::Closed)??;
                Backend::Sqlite(Arc::new(sqlite))
            }
            StoreUrl::Postgres(url) => {
                Backend::Postgres(Arc::new(Postgres::open(url, options).await?))
            }
        };
        Ok(Self { backend })
    }

    /// Waits until every write that was accepted is done, then lets go of the store. Later
    /// operations on clones are [`StoreError::Closed`].
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Whether other processes may write to the same store at the same time.
    pub fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// Whether the store answers: reads a row.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.status_sequence().await.map(|_| ())
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Backend {
    pub(crate) async fn write<A: Act>(&self, act: A) -> Result<A::Outcome, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(act).await,
            Self::Postgres(postgres) => postgres.write(act).await,
        }
    }

    pub(crate) async fn read<Q: Question>(&self, question: Q) -> Result<Q::Answer, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(question).await,
            Self::Postgres(postgres) => postgres.read(question).await,
        }
    }

    /// Asks in the background, all statements of the question as of one moment.
    pub(crate) fn stream<Q: Question<Answer = ()>>(&self, question: Q) -> Answering {
        let this = self.clone();
        Answering(tokio::spawn(async move {
            match this {
                Self::Sqlite(sqlite) => sqlite.stream(question).await,
                Self::Postgres(postgres) => postgres.stream(question).await,
            }
        }))
    }
}

/// A question that is being answered in the background.
#[derive(Debug)]
pub(crate) struct Answering(JoinHandle<Result<(), StoreError>>);

impl Future for Answering {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answered = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(answered.unwrap_or(Err(StoreError::Closed)))
    }
}
