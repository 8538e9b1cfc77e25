//! Opening a SQLite store: lock, file, settings, schema.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, config::DbConfig};

use super::connection::SqliteConnection;
use crate::{
    StoreError,
    migration::{Applied, Dialect, newest, pending},
};

/// Milliseconds to wait for a lock that SQLite itself takes; only a reading process of another
/// version, or a back-up tool, could hold one.
const BUSY_MILLISECONDS: u64 = 5_000;

/// Takes the lock of a store that is opened for writing.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = beside(path, ".lock");
    let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
        .open(&lock_path)
        .map_err(|error| unopenable(&lock_path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(format!(
            "{} is locked; a server runs on this data folder",
            lock_path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unopenable(&lock_path, &error)),
    }
}

/// Opens the writer's connection, makes the file if it is missing, and brings the schema up to
/// date.
pub(super) fn for_writing(path: &Path) -> Result<SqliteConnection, StoreError> {
    // Made here so that it is private from its first moment; SQLite gives its companions the
    // same mode.
    private(OpenOptions::new().create(true).truncate(false).write(true))
        .open(path)
        .map_err(|error| unopenable(path, &error))?;
    let raw = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    raw.pragma_update(None, "journal_mode", "WAL")?;
    raw.pragma_update(None, "synchronous", "FULL")?;
    raw.pragma_update(None, "wal_autocheckpoint", 0)?;
    raw.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Small on purpose: when a b-tree was balanced, the commit looks at every page in the cache.
    raw.pragma_update(None, "cache_size", -(8 << 10))?;
    raw.pragma_update(None, "temp_store", "MEMORY")?;
    migrate(&raw)?;
    Ok(SqliteConnection::new(raw))
}

/// Opens the checkpointer's connection.
pub(super) fn for_checkpoints(path: &Path) -> Result<SqliteConnection, StoreError> {
    let raw = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    raw.pragma_update(None, "synchronous", "FULL")?;
    raw.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(SqliteConnection::new(raw))
}

/// Opens a reader's connection.
pub(super) fn for_reading(path: &Path) -> Result<SqliteConnection, StoreError> {
    let raw = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    raw.pragma_update(None, "query_only", true)?;
    raw.pragma_update(None, "cache_size", -(8 << 10))?;
    raw.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(SqliteConnection::new(raw))
}

/// Checks that there is a store of this program's version.
pub(super) fn check_for_reading(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.display().to_string()));
    }
    let raw = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let applied = applied(&raw)?;
    if pending(&applied, Dialect::Sqlite)?.is_empty() {
        return Ok(());
    }
    let found = applied.iter().map(|applied| applied.version).max().unwrap_or(0);
    Err(StoreError::SchemaTooOld { found, needed: newest() })
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, StoreError> {
    let raw = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    raw.busy_timeout(std::time::Duration::from_millis(BUSY_MILLISECONDS))?;
    // Without this, statements are planned again for every value that is bound beside a partial
    // index: 40 microseconds a look-up. Statements here are written for one plan whatever the
    // values.
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    raw.pragma_update(None, "foreign_keys", true)?;
    raw.pragma_update(None, "trusted_schema", false)?;
    Ok(raw)
}

fn migrate(raw: &Connection) -> Result<(), StoreError> {
    raw.execute_batch("BEGIN IMMEDIATE")?;
    let migrated = apply(raw);
    let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = raw.execute_batch(end);
    migrated?;
    Ok(ended?)
}

fn apply(raw: &Connection) -> Result<(), StoreError> {
    for migration in pending(&applied(raw)?, Dialect::Sqlite)? {
        raw.execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_migration \
             (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL) STRICT",
        )?;
        raw.execute(
            "INSERT INTO schema_migration (version, name, checksum) VALUES (?1, ?2, ?3)",
            (migration.version, migration.name, migration.checksum(Dialect::Sqlite)),
        )?;
        raw.execute_batch(migration.text(Dialect::Sqlite))?;
        tracing::info!(version = migration.version, name = migration.name, "Migrated the store");
    }
    Ok(())
}

fn applied(raw: &Connection) -> Result<Vec<Applied>, StoreError> {
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'";
    if raw.query_row(table, (), |_| Ok(())).optional()?.is_none() {
        return Ok(Vec::new());
    }
    let mut statement = raw.prepare("SELECT version, checksum FROM schema_migration")?;
    let rows = statement
        .query_map((), |row| Ok(Applied { version: row.get(0)?, checksum: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn unopenable(path: &Path, error: &io::Error) -> StoreError {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull(text),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            StoreError::ReadOnly(text)
        }
        _ => StoreError::Unavailable(text),
    }
}

/// For the owner's eyes alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn statements_are_planned_once_whatever_values_they_are_given() {
        let folder = tempfile::tempdir().unwrap();
        let connection = for_writing(&folder.path().join("lanyard.db")).unwrap();
        for sql in [
            "SELECT ca, standing FROM certificate WHERE serial = ?1",
            "UPDATE certificate SET standing = 1 WHERE serial = ?1 AND standing = 0",
            "SELECT id FROM certificate WHERE status_sequence IS NOT NULL AND status_sequence > ?1",
            "SELECT id FROM certificate ORDER BY id DESC LIMIT ?1",
        ] {
            for value in 0..5 {
                let mut statement = connection.raw().prepare_cached(sql).unwrap();
                statement.raw_bind_parameter(1, value).unwrap();
                let mut rows = statement.raw_query();
                while rows.next().unwrap().is_some() {}
                drop(rows);
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
            }
        }
    }
}
