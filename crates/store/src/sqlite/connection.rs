//! A SQLite connection as the statements see it: every future is ready at once.

use std::future::ready;

use rusqlite::{
    Row as SqliteRow, Statement, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use tokio::sync::mpsc;

use crate::{
    StoreError,
    sql::{CHUNK, Columns, Connection, Insert, Row, Sql, Value},
};

/// A connection of the writer, of the checkpointer or of a reader.
pub(crate) struct SqliteConnection {
    raw: rusqlite::Connection,
}

impl SqliteConnection {
    pub(crate) fn new(raw: rusqlite::Connection) -> Self {
        raw.set_prepared_statement_cache_capacity(64);
        Self { raw }
    }

    pub(crate) fn raw(&self) -> &rusqlite::Connection {
        &self.raw
    }

    pub(crate) fn raw_mut(&mut self) -> &mut rusqlite::Connection {
        &mut self.raw
    }

    /// Runs a statement that has neither values nor rows.
    pub(crate) fn run(&self, sql: &'static str) -> Result<(), StoreError> {
        self.raw.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    fn execute_text(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.raw.prepare_cached(sql)?;
        bind(&mut statement, values)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn insert_row(&self, insert: &Insert, values: &[Value<'_>]) -> Result<u64, StoreError> {
        if let Some(touch) = &insert.touch {
            let first = values.get(..touch.values).unwrap_or(values);
            let touched = self.execute_text(touch.sqlite, first)?;
            if touched > 0 {
                return Ok(touched);
            }
        }
        self.execute_text(insert.sqlite(), values)
    }

    fn for_each<T, D>(
        &self,
        sql: &Sql,
        values: &[Value<'_>],
        decode: D,
        mut keep: impl FnMut(T) -> bool,
    ) -> Result<(), StoreError>
    where
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    {
        let mut statement = self.raw.prepare_cached(sql.sqlite)?;
        bind(&mut statement, values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if !keep(decode(&mut Columns::new(row))?) {
                break;
            }
        }
        Ok(())
    }
}

fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), StoreError> {
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(value)) => ValueRef::Integer(*value),
            Self::Blob(Some(value)) => ValueRef::Blob(value),
            Self::Text(Some(value)) => ValueRef::Text(value.as_bytes()),
            Self::Int(None) | Self::Blob(None) | Self::Text(None) => ValueRef::Null,
        }))
    }
}

impl Row for SqliteRow<'_> {
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(StoreError::unreadable("number")),
        }
    }

    fn blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(value) => Ok(Some(value)),
            _ => Err(StoreError::unreadable("value")),
        }
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.get_ref(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(value) => {
                str::from_utf8(value).map(Some).map_err(|_| StoreError::unreadable("text"))
            }
            _ => Err(StoreError::unreadable("text")),
        }
    }
}

impl Connection for SqliteConnection {
    fn execute(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, StoreError>> + Send {
        ready(self.execute_text(sql.sqlite, values))
    }

    fn fetch<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send
    where
        T: Send,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send,
    {
        let mut all = Vec::new();
        let end = self.for_each(sql, values, decode, |row| {
            all.push(row);
            true
        });
        ready(end.map(|()| all))
    }

    fn fetch_optional<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send
    where
        T: Send,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send,
    {
        // A statement that writes is done only once it was stepped to its end.
        let mut first = None;
        let end = self.for_each(sql, values, decode, |row| {
            first.get_or_insert(row);
            true
        });
        ready(end.map(|()| first))
    }

    fn insert(
        &mut self,
        insert: &'static Insert,
        rows: &[&[Value<'_>]],
    ) -> impl Future<Output = Result<u64, StoreError>> + Send {
        ready(rows.iter().map(|values| self.insert_row(insert, values)).sum())
    }

    fn stream<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
        sink: mpsc::Sender<Result<Vec<T>, StoreError>>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send
    where
        T: Send + 'static,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send,
    {
        let mut chunk = Vec::with_capacity(CHUNK);
        let end = self.for_each(sql, values, decode, |row| {
            chunk.push(row);
            if chunk.len() < CHUNK {
                return true;
            }
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
            sink.blocking_send(Ok(full)).is_ok()
        });
        if end.is_ok() && !chunk.is_empty() {
            // Nobody listens any more: then the entries matter to nobody.
            let _ = sink.blocking_send(Ok(chunk));
        }
        ready(end)
    }
}
