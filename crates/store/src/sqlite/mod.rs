//! SQLite: one writer thread that commits for many callers at once, readers beside it, and a
//! checkpointer that keeps the log short. Not here: what is written.
//!
//! A data folder belongs to one writing process, which holds an advisory lock on `<path>.lock`
//! for as long as it has the store open.

mod checkpoint;
mod connection;
mod error;
mod open;
mod reader;
mod writer;

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use self::{
    checkpoint::Checkpointer,
    reader::Readers,
    writer::{Pending, Writer},
};
use crate::{
    Access, Options, StoreError,
    transaction::{Act, Job, Question, Reads},
};

#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    writer: Option<Writer>,
    readers: Readers,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let writer = match options.access {
            Access::Writing => {
                let lock = open::lock(path)?;
                let connection = open::for_writing(path)?;
                let checkpointer = Checkpointer::start(open::for_checkpoints(path)?);
                Some(Writer::start(connection, checkpointer, lock, options)?)
            }
            Access::Reading => {
                open::check_for_reading(path)?;
                None
            }
        };
        let readers = Readers::open(path, options.readers)?;
        Ok(Self { path: path.to_owned(), writer, readers })
    }

    pub(crate) async fn write<A: Act>(&self, act: A) -> Result<A::Outcome, StoreError> {
        let Some(writer) = &self.writer else {
            return Err(StoreError::ReadOnly(format!(
                "{} was opened for reading",
                self.path.display()
            )));
        };
        let (reply, outcome) = oneshot::channel();
        writer.submit(Box::new(Pending::new(Job { act, reply })))?;
        outcome.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(crate) async fn read<Q: Question>(&self, question: Q) -> Result<Q::Answer, StoreError> {
        match Q::READS {
            Reads::Point => self.readers.ask_here(question).await,
            Reads::Many => self.readers.ask_elsewhere(question).await,
        }
    }

    pub(crate) async fn stream<Q: Question<Answer = ()>>(
        &self,
        question: Q,
    ) -> Result<(), StoreError> {
        self.readers.ask_at_one_moment(question).await
    }

    pub(crate) async fn close(&self) {
        // Readers first: the last connection clears the log away, and a reader's may not.
        self.readers.close();
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }
}
