//! Opening a PostgreSQL store: pool, schema, record numbers.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Acquire, Executor, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    Options, StoreError, StoreUrl,
    migration::{Applied, Dialect, Migration, newest, pending},
    transaction::Ids,
};

/// How long to wait for a connection: an outage must become an answer before clients give up.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);

pub(super) fn pool(url: &str, options: Options) -> Result<PgPool, StoreError> {
    let address = || StoreError::Address(StoreUrl::Postgres(url.to_owned()).to_string());
    let connect = PgConnectOptions::from_str(url)
        .map_err(|_| address())?
        .application_name("lanyard")
        .statement_cache_capacity(256);
    let size = u32::try_from(options.readers).unwrap_or(u32::MAX).saturating_add(3);
    Ok(PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(CONNECTION_WAIT)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET lock_timeout = '10s'").await?;
                connection.execute("SET client_min_messages = 'warning'").await?;
                Ok(())
            })
        })
        .connect_lazy_with(connect))
}

/// Brings the schema up to date. Of several processes that start at once one does it: the row of
/// the migration is written first, and its key lets the others wait.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    let create = "CREATE TABLE IF NOT EXISTS schema_migration \
         (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum BYTEA NOT NULL)";
    if !has_table(connection).await?
        && let Err(error) = connection.execute(create).await
        && !has_table(connection).await?
    {
        return Err(error.into());
    }
    loop {
        let applied = applied(connection).await?;
        let Some(next) = pending(&applied, Dialect::Postgres)?.first() else { return Ok(()) };
        match apply(connection, next).await {
            Ok(()) => {
                tracing::info!(version = next.version, name = next.name, "Migrated the store");
            }
            // Another process was first: look again.
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
}

async fn apply(
    connection: &mut PgConnection,
    migration: &'static Migration,
) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)")
        .bind(migration.version)
        .bind(migration.name)
        .bind(&migration.checksum(Dialect::Postgres)[..])
        .execute(&mut *transaction)
        .await?;
    transaction.execute(sqlx::raw_sql(migration.text(Dialect::Postgres))).await?;
    transaction.commit().await?;
    Ok(())
}

/// Checks that there is a store of this program's version.
pub(super) async fn check_for_reading(connection: &mut PgConnection) -> Result<(), StoreError> {
    if !has_table(connection).await? {
        return Err(StoreError::Missing("this database".to_owned()));
    }
    let applied = applied(connection).await?;
    if pending(&applied, Dialect::Postgres)?.is_empty() {
        return Ok(());
    }
    let found = applied.iter().map(|applied| applied.version).max().unwrap_or(0);
    Err(StoreError::SchemaTooOld { found, needed: newest() })
}

async fn has_table(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM information_schema.tables \
         WHERE table_schema = current_schema() AND table_name = 'schema_migration'",
    )
    .fetch_one(connection)
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<Applied>, StoreError> {
    let rows = sqlx::query("SELECT version, checksum FROM schema_migration ORDER BY version")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok(Applied { version: row.try_get(0)?, checksum: row.try_get(1)? }))
        .collect()
}

/// Record numbers of this process: told apart by the number of its first connection's server
/// process, which no other process has at the same time.
pub(super) async fn ids(connection: &mut PgConnection) -> Result<Ids, StoreError> {
    let row = sqlx::query(
        "SELECT GREATEST((SELECT MAX(id) FROM certificate), (SELECT MAX(id) FROM enrollment), \
         (SELECT MAX(number) FROM notice), 0), \
         pg_backend_pid()",
    )
    .fetch_one(connection)
    .await?;
    Ok(Ids::after(row.try_get(0)?, i64::from(row.try_get::<i32, _>(1)?)))
}
