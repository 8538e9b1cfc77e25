//! PostgreSQL's SQLSTATEs as [`StoreError`]s, and how often a transaction is tried.

use std::time::Duration;

use sqlx::{Error, error::DatabaseError};

use crate::StoreError;

/// How often a transaction is tried before its caller is told.
const ATTEMPTS: u32 = 6;

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

/// An error during the commit: whether it took place is unknown, so it must not be repeated.
pub(super) fn during_commit(error: Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Unavailable(text) => {
            StoreError::Unavailable(format!("the connection was lost during a commit: {text}"))
        }
        error => error,
    }
}

/// Tries again while others are in the way, each time after a longer pause.
pub(super) async fn attempts<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = Duration::from_millis(2);
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(StoreError::Contended) => {}
            done => return done,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    attempt().await
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
            Err::<(), _>(StoreError::Contended)
        })
        .await;
        assert_eq!((lost, tries.get()), (Err(StoreError::Contended), ATTEMPTS));
    }

    #[tokio::test]
    async fn any_other_end_is_the_end() {
        let tries = Cell::new(0);
        let done = attempts(|| async {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(StoreError::Contended) } else { Ok(tries.get()) }
        })
        .await;
        assert_eq!(done, Ok(3));
        let failed = attempts(|| async { Err::<(), _>(StoreError::Closed) }).await;
        assert_eq!(failed, Err(StoreError::Closed));
    }
}
