//! A PostgreSQL connection as the statements see it.

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Column, PgConnection, Postgres, Row as _, TypeInfo,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio::sync::mpsc;

use crate::{
    StoreError,
    sql::{CHUNK, ColumnType, Columns, Connection, Insert, Row, Sql, Value},
};

/// A connection for one transaction or one question.
pub(super) struct PostgresConnection<'c> {
    raw: &'c mut PgConnection,
}

impl<'c> PostgresConnection<'c> {
    pub(super) fn new(raw: &'c mut PgConnection) -> Self {
        Self { raw }
    }

    pub(super) fn raw(&mut self) -> &mut PgConnection {
        self.raw
    }
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn query<'q>(sql: &'static Sql, values: &'q [Value<'q>]) -> Statement<'q> {
    values.iter().fold(sqlx::query(sql.postgres), |query, value| match *value {
        Value::Int(value) => query.bind(value),
        Value::Blob(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
    })
}

/// An insertion of many rows: a column is an array.
fn insertion<'q>(insert: &'static Insert, rows: &[&'q [Value<'q>]]) -> Statement<'q> {
    let query = sqlx::query(AssertSqlSafe(insert.postgres()));
    insert.columns.iter().enumerate().fold(query, |query, (index, (_, column_type))| {
        let column = rows.iter().map(|values| values.get(index));
        match column_type {
            ColumnType::Int => query.bind(column.map(int).collect::<Vec<_>>()),
            ColumnType::Blob => query.bind(column.map(blob).collect::<Vec<_>>()),
            ColumnType::Text => query.bind(column.map(text).collect::<Vec<_>>()),
        }
    })
}

fn int(value: Option<&Value<'_>>) -> Option<i64> {
    match value {
        Some(Value::Int(value)) => *value,
        _ => None,
    }
}

fn blob<'q>(value: Option<&'q Value<'q>>) -> Option<&'q [u8]> {
    match value {
        Some(Value::Blob(value)) => *value,
        _ => None,
    }
}

fn text<'q>(value: Option<&'q Value<'q>>) -> Option<&'q str> {
    match value {
        Some(Value::Text(value)) => *value,
        _ => None,
    }
}

impl Row for PgRow {
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.column(column).type_info().name() {
            "INT2" => Ok(self.try_get::<Option<i16>, _>(column)?.map(i64::from)),
            "INT4" => Ok(self.try_get::<Option<i32>, _>(column)?.map(i64::from)),
            _ => Ok(self.try_get(column)?),
        }
    }

    fn blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        Ok(self.try_get(column)?)
    }
}

impl Connection for PostgresConnection<'_> {
    async fn execute(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        Ok(query(sql, values).execute(&mut *self.raw).await?.rows_affected())
    }

    async fn fetch<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
    ) -> Result<Vec<T>, StoreError>
    where
        T: Send,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send,
    {
        let rows = query(sql, values).fetch_all(&mut *self.raw).await?;
        rows.iter().map(|row| decode(&mut Columns::new(row))).collect()
    }

    async fn fetch_optional<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
    ) -> Result<Option<T>, StoreError>
    where
        T: Send,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send,
    {
        let row = query(sql, values).fetch_optional(&mut *self.raw).await?;
        row.map(|row| decode(&mut Columns::new(&row))).transpose()
    }

    async fn insert(
        &mut self,
        insert: &'static Insert,
        rows: &[&[Value<'_>]],
    ) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        Ok(insertion(insert, rows).execute(&mut *self.raw).await?.rows_affected())
    }

    async fn stream<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
        sink: mpsc::Sender<Result<Vec<T>, StoreError>>,
    ) -> Result<(), StoreError>
    where
        T: Send + 'static,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send,
    {
        let mut rows = query(sql, values).fetch(&mut *self.raw);
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.try_next().await? {
            chunk.push(decode(&mut Columns::new(&row))?);
            if chunk.len() == CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
                if sink.send(Ok(full)).await.is_err() {
                    return Ok(());
                }
            }
        }
        if !chunk.is_empty() {
            // Nobody listens any more: then the entries matter to nobody.
            let _ = sink.send(Ok(chunk)).await;
        }
        Ok(())
    }
}
