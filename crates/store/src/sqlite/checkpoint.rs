//! Moves the write-ahead log into the database file, beside the writer instead of within its
//! commits.
//!
//! A passive checkpoint never makes the writer wait. Under steady load it also never quite
//! reaches the end of the log, so once the log is [`LONG`] the writer itself moves the little
//! that is left, between two batches; then the log starts anew.

use std::{
    cell::Cell,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
};

use rusqlite::hooks::Wal;

use super::connection::SqliteConnection;
use crate::StoreError;

/// Pages in the log from which the checkpointer works.
const WORTH_WHILE: i32 = 8_192;
/// Pages in the log from which the writer finishes the checkpointer's work.
const LONG: i32 = 4 * WORTH_WHILE;

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

thread_local! {
    /// Pages in the log after this thread's last commit.
    static LOGGED: Cell<i32> = const { Cell::new(0) };
}

#[derive(Debug)]
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (wake, woken) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || work(&connection, &woken));
        // Without its thread the writer does all checkpoints itself.
        Self { wake: Some(wake), thread: thread.ok() }
    }

    /// To be called before the first commit of the writer.
    pub(super) fn watch(writer: &mut SqliteConnection) -> Result<(), StoreError> {
        let hook = |_: &mut Wal, pages| {
            LOGGED.set(pages);
            Ok(())
        };
        Ok(writer.raw_mut().wal_hook(Some(hook))?)
    }

    /// To be called on the writer's thread after each commit.
    pub(super) fn after_commit(&self, writer: &SqliteConnection) {
        let logged = LOGGED.get();
        if logged >= LONG {
            checkpoint(writer, PASSIVE);
        } else if logged >= WORTH_WHILE
            && let Some(wake) = &self.wake
            && let Err(TrySendError::Disconnected(())) = wake.try_send(())
        {
            checkpoint(writer, PASSIVE);
        }
    }

    /// Moves what can be moved, so that the log's room can be used again; tells what was.
    pub(super) fn make_room(writer: &SqliteConnection) -> Moved {
        checkpoint(writer, PASSIVE)
    }

    /// Ends the checkpointer and leaves no log behind.
    pub(super) fn finish(mut self, writer: &SqliteConnection) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        checkpoint(writer, TRUNCATE);
    }
}

fn work(connection: &SqliteConnection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        checkpoint(connection, PASSIVE);
    }
}

/// A checkpoint that fails is tried again later: the log keeps everything meanwhile.
fn checkpoint(connection: &SqliteConnection, mode: &str) -> Moved {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    match connection.raw().query_row(mode, (), read) {
        Ok((logged, moved)) if moved >= logged => Moved::All,
        Ok(_) => Moved::Some,
        Err(error) => {
            tracing::warn!(%error, "The store's log could not be moved into its file for now");
            Moved::Some
        }
    }
}

/// How much of the log a checkpoint moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    All,
    Some,
}
