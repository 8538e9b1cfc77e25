//! PostgreSQL's SQLSTATEs as [`StoreError`]s, and how often a transaction is tried.

use std::time::Duration;

use sqlx::{Error, error::DatabaseError};

use crate::StoreError;

/// How often a transaction is tried before its caller is told.
const ATTEMPTS: u32 = 8;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Database(database) => from_database(database.as_ref()),
            Error::PoolTimedOut => Self::Unavailable("no connection was to be had".to_owned()),
            Error::PoolClosed => Self::Closed,
            Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => {
                Self::Unavailable(error.to_string())
            }
            Error::Configuration(_) => Self::Address("postgres://…".to_owned()),
            _ => Self::Statement(error.to_string()),
        }
    }
}

fn from_database(error: &dyn DatabaseError) -> StoreError {
    let text = error.message().to_owned();
    let state = error.code().unwrap_or_default();
    match state.as_ref() {
        // Two processes picked one record number: the next attempt picks another.
        "23505" if error.constraint().is_some_and(|name| name.ends_with("_pkey")) => {
            match error.table() {
                Some("certificate" | "enrollment" | "ca" | "ra_certificate") => {
                    StoreError::Contended
                }
                _ => StoreError::Conflict(text),
            }
        }
        "40001" | "40P01" | "55P03" => StoreError::Contended,
        "53100" => StoreError::DiskFull(text),
        "25006" => StoreError::ReadOnly(text),
        "XX001" | "XX002" => StoreError::Corrupt(text),
        state => match state.get(..2) {
            Some("23") => StoreError::Conflict(text),
            // Connections, too many of them, shut down, I/O errors, wrong passwords.
            Some("08" | "53" | "57" | "58" | "28") => StoreError::Unavailable(text),
            _ => StoreError::Statement(text),
        },
    }
}

/// The end of an attempt that failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) error: StoreError,
    again: Again,
}

/// Whether an attempt may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        let again = match error {
            StoreError::Contended | StoreError::Unavailable(_) => Again::Yes,
            _ => Again::No,
        };
        Self { error, again }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        // Who waited for a connection has waited long enough.
        let again = if matches!(error, Error::PoolTimedOut) { Some(Again::No) } else { None };
        let failed = Self::from(StoreError::from(error));
        Self { again: again.unwrap_or(failed.again), ..failed }
    }
}

/// An error during the commit: if the connection was lost, whether it took place is unknown, so it
/// must not be repeated.
pub(super) fn during_commit(error: Error) -> Failed {
    match StoreError::from(error) {
        StoreError::Unavailable(text) => {
            let text = format!("the connection was lost during a commit: {text}");
            Failed { error: StoreError::Unavailable(text), again: Again::No }
        }
        error => error.into(),
    }
}

/// Tries again while others are in the way or connections turn out to be broken, each time after
/// a longer pause.
pub(super) async fn attempts<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Failed>>,
{
    let mut pause = Duration::from_millis(1);
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Failed { error, again: Again::No }) => return Err(error),
            Err(Failed { again: Again::Yes, .. }) => {}
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    attempt().await.map_err(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_lost_race_is_repeated_and_then_reported() {
        let tries = Cell::new(0);
        let lost = attempts(|| async {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::Contended.into())
        })
        .await;
        assert_eq!((lost, tries.get()), (Err(StoreError::Contended), ATTEMPTS));
    }

    #[tokio::test]
    async fn any_other_end_is_the_end() {
        let tries = Cell::new(0);
        let done = attempts(|| async {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(StoreError::Contended.into()) } else { Ok(tries.get()) }
        })
        .await;
        assert_eq!(done, Ok(3));
        let failed = attempts(|| async { Err::<(), _>(StoreError::Closed.into()) }).await;
        assert_eq!(failed, Err(StoreError::Closed));
    }

    #[tokio::test]
    async fn a_commit_that_may_have_happened_is_not_repeated() {
        let tries = Cell::new(0);
        let lost = attempts(|| async {
            tries.set(tries.get() + 1);
            Err::<(), _>(during_commit(Error::WorkerCrashed))
        })
        .await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        assert_eq!(tries.get(), 1);
    }
}
