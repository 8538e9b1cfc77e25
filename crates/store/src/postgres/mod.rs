//! PostgreSQL: issuance many at a time through one writer, everything else in transactions of its
//! own on a pool. Not here: what is written.
//!
//! Nothing that compatible distributed engines refuse: no LISTEN, no advisory locks, no triggers,
//! no sequences. A transaction that loses against another (SQLSTATE 40001, 40P01) is repeated. A
//! connection that is lost before the commit is replaced and the transaction repeated; one that
//! is lost during the commit leaves it open what happened, and the caller is told `Unavailable`.

mod batch;
mod connection;
mod error;
mod open;
mod writer;

use std::sync::Arc;

use sqlx::{Connection as _, PgPool, Postgres as Driver, pool::PoolConnection};
use tokio::sync::oneshot;

use self::{
    connection::PostgresConnection,
    error::{Failed, attempts},
    writer::Writer,
};
use crate::{
    Access, Options, StoreError,
    transaction::{Act, Done, Ids, Job, Question, Transaction},
};

#[derive(Debug)]
pub(crate) struct Postgres {
    pool: PgPool,
    access: Access,
    ids: Arc<Ids>,
    writer: Option<Writer>,
}

impl Postgres {
    pub(crate) async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        let pool = open::pool(url, options)?;
        let mut connection = pool.acquire().await?;
        match options.access {
            Access::Writing => open::migrate(&mut connection).await?,
            Access::Reading => open::check_for_reading(&mut connection).await?,
        }
        let ids = Arc::new(open::ids(&mut connection).await?);
        drop(connection);
        let writer = match options.access {
            Access::Writing => Some(Writer::start(pool.clone(), Arc::clone(&ids), options)),
            Access::Reading => None,
        };
        Ok(Self { pool, access: options.access, ids, writer })
    }

    pub(crate) async fn write<A: Act>(&self, act: A) -> Result<A::Outcome, StoreError> {
        let Some(writer) = &self.writer else {
            return Err(StoreError::ReadOnly("the store was opened for reading".to_owned()));
        };
        let (reply, outcome) = oneshot::channel();
        match A::many_at_a_time(Job { act, reply }) {
            Ok(batched) => {
                writer.submit(batched)?;
                outcome.await.unwrap_or(Err(StoreError::Closed))
            }
            Err(job) => attempts(|| self.transact(&job.act)).await,
        }
    }

    /// One act in one transaction.
    async fn transact<A: Act>(&self, act: &A) -> Result<A::Outcome, Failed> {
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let mut raw = PostgresConnection::new(&mut transaction);
        let mut tx = Transaction::new(&mut raw, &self.ids);
        let outcome = match act.perform(&mut tx).await {
            Ok(Done::Keep(outcome)) => {
                tx.finish().await?;
                transaction.commit().await.map_err(error::during_commit)?;
                outcome
            }
            Ok(Done::Undo(outcome)) => {
                transaction.rollback().await?;
                outcome
            }
            Err(error) => {
                if error == StoreError::Contended {
                    self.ids.leap();
                }
                drop(transaction);
                close_if_broken(connection, &error).await;
                return Err(error.into());
            }
        };
        Ok(outcome)
    }

    pub(crate) async fn read<Q: Question>(&self, question: Q) -> Result<Q::Answer, StoreError> {
        attempts(|| async {
            let mut connection = self.pool.acquire().await?;
            let answer = question.ask(&mut PostgresConnection::new(&mut connection)).await;
            if let Err(error) = &answer {
                close_if_broken(connection, error).await;
            }
            Ok(answer?)
        })
        .await
    }

    /// All statements of the question as of one moment.
    pub(crate) async fn stream<Q: Question<Answer = ()>>(
        &self,
        question: Q,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut transaction = connection.begin_with(begin).await?;
        question.ask(&mut PostgresConnection::new(&mut transaction)).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        if self.access == Access::Writing
            && let Some(writer) = &self.writer
        {
            writer.close().await;
        }
        self.pool.close().await;
    }
}

/// Keeps a connection that does not answer from going back to the pool.
async fn close_if_broken(connection: PoolConnection<Driver>, error: &StoreError) {
    if matches!(error, StoreError::Unavailable(_)) {
        // It is broken: that it cannot say goodbye tells nothing new.
        let _ = connection.close().await;
    }
}
