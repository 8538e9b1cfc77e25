//! The seam between statements and the two drivers: values, rows and a connection that runs
//! static statements; not here: transactions (`transaction`) and what the statements mean.
//!
//! Statements are written once, with `$1` placeholders. SQLite reads the same text with `?1`,
//! made at compile time by [`sql!`]. Logic over a [`Connection`] is written once as `async`; on
//! SQLite every future is ready at once.

use std::sync::OnceLock;

use tokio::sync::mpsc;

use crate::StoreError;

/// A static statement in both spellings.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) postgres: &'static str,
    pub(crate) sqlite: &'static str,
}

/// Makes a [`Sql`] from one text with `$1` placeholders, or from two (SQLite's first).
macro_rules! sql {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const BYTES: [u8; TEXT.len()] = $crate::sql::question_marks(TEXT.as_bytes());
        const SQLITE: &str = match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => TEXT,
        };
        $crate::sql::Sql { postgres: TEXT, sqlite: SQLITE }
    }};
}
pub(crate) use sql;

/// The text with `$` replaced by `?`.
pub(crate) const fn question_marks<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = if text[i] == b'$' { b'?' } else { text[i] };
        i += 1;
    }
    bytes
}

/// A value bound to a placeholder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Int(Option<i64>),
    Blob(Option<&'a [u8]>),
    Text(Option<&'a str>),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(Some(value))
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        Self::Blob(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

/// The type of an inserted column, which PostgreSQL wants spelt out for arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Int,
    Blob,
    Text,
}

/// An insertion of any number of rows: one statement a row in SQLite (a function call each), one
/// statement for all in PostgreSQL (a round trip).
#[derive(Debug)]
pub(crate) struct Insert {
    table: &'static str,
    pub(crate) columns: &'static [(&'static str, ColumnType)],
    conflict: &'static str,
    pub(crate) touch: Option<Touch>,
    sqlite: OnceLock<String>,
    postgres: OnceLock<String>,
}

/// What SQLite tries before it inserts a row: an update of a row that is there already and as it
/// should be, naming no indexed column. SQLite writes every index whose columns an update names;
/// PostgreSQL compares values and needs no such help.
#[derive(Debug)]
pub(crate) struct Touch {
    pub(crate) sqlite: &'static str,
    /// How many of the row's values it takes, from the first on.
    pub(crate) values: usize,
}

impl Insert {
    pub(crate) const fn new(
        table: &'static str,
        columns: &'static [(&'static str, ColumnType)],
        conflict: &'static str,
    ) -> Self {
        Self {
            table,
            columns,
            conflict,
            touch: None,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// The same where SQLite tries an update first.
    pub(crate) const fn touching(
        table: &'static str,
        columns: &'static [(&'static str, ColumnType)],
        conflict: &'static str,
        touch: Touch,
    ) -> Self {
        Self {
            table,
            columns,
            conflict,
            touch: Some(touch),
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    pub(crate) fn sqlite(&self) -> &str {
        self.sqlite.get_or_init(|| {
            let marks = vec!["?"; self.columns.len()].join(", ");
            let Self { table, conflict, .. } = self;
            format!("INSERT INTO {table} ({}) VALUES ({marks}) {conflict}", self.names())
        })
    }

    pub(crate) fn postgres(&self) -> &str {
        self.postgres.get_or_init(|| {
            let arrays: Vec<String> = self
                .columns
                .iter()
                .enumerate()
                .map(|(i, (_, column_type))| {
                    let name = match column_type {
                        ColumnType::Int => "int8",
                        ColumnType::Blob => "bytea",
                        ColumnType::Text => "text",
                    };
                    format!("${}::{name}[]", i + 1)
                })
                .collect();
            let Self { table, conflict, .. } = self;
            format!(
                "INSERT INTO {table} ({}) SELECT * FROM UNNEST({}) {conflict}",
                self.names(),
                arrays.join(", ")
            )
        })
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// One row of a result, columns by position.
pub(crate) trait Row {
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError>;
    fn blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError>;
    fn text(&self, column: usize) -> Result<Option<&str>, StoreError>;
}

/// Reads a row's columns from left to right.
pub(crate) struct Columns<'r> {
    row: &'r dyn Row,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn new(row: &'r dyn Row) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        self.optional_int()?.ok_or_else(missing)
    }

    pub(crate) fn blob(&mut self) -> Result<&'r [u8], StoreError> {
        self.optional_blob()?.ok_or_else(missing)
    }

    pub(crate) fn text(&mut self) -> Result<&'r str, StoreError> {
        self.optional_text()?.ok_or_else(missing)
    }

    pub(crate) fn optional_int(&mut self) -> Result<Option<i64>, StoreError> {
        let column = self.advance();
        self.row.int(column)
    }

    pub(crate) fn optional_blob(&mut self) -> Result<Option<&'r [u8]>, StoreError> {
        let column = self.advance();
        self.row.blob(column)
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<&'r str>, StoreError> {
        let column = self.advance();
        self.row.text(column)
    }

    fn advance(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

/// Decodes a row of one number.
pub(crate) fn one_int(columns: &mut Columns<'_>) -> Result<i64, StoreError> {
    columns.int()
}

/// Decodes a row of one number that may be missing.
pub(crate) fn one_optional_int(columns: &mut Columns<'_>) -> Result<Option<i64>, StoreError> {
    columns.optional_int()
}

/// Decodes a row of one binary value.
pub(crate) fn one_blob(columns: &mut Columns<'_>) -> Result<Vec<u8>, StoreError> {
    columns.blob().map(<[u8]>::to_vec)
}

fn missing() -> StoreError {
    StoreError::Corrupt("a value that must be there is missing".to_owned())
}

/// A connection of either driver.
pub(crate) trait Connection: Send {
    /// Runs a statement and tells how many rows it changed.
    fn execute(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Runs a statement and decodes every row.
    fn fetch<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send
    where
        T: Send,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send;

    /// Runs a statement and decodes the first row, if there is one.
    fn fetch_optional<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send
    where
        T: Send,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send;

    /// Inserts rows and tells how many were (conflicting ones are passed over where the
    /// insertion says so).
    fn insert(
        &mut self,
        insert: &'static Insert,
        rows: &[&[Value<'_>]],
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Sends every decoded row in chunks; ends early, without error, when nobody listens.
    fn stream<T, D>(
        &mut self,
        sql: &'static Sql,
        values: &[Value<'_>],
        decode: D,
        sink: mpsc::Sender<Result<Vec<T>, StoreError>>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send
    where
        T: Send + 'static,
        D: Fn(&mut Columns<'_>) -> Result<T, StoreError> + Send;
}

/// Rows a chunk of a [`Connection::stream`].
pub(crate) const CHUNK: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    static INSERT: Insert = Insert::new(
        "crl",
        &[("number", ColumnType::Int), ("der", ColumnType::Blob), ("name", ColumnType::Text)],
        "ON CONFLICT DO NOTHING",
    );

    #[test]
    fn one_text_serves_both_databases() {
        const STATEMENT: Sql = sql!("SELECT a FROM b WHERE c = $1 AND d > $2");
        assert_eq!(STATEMENT.sqlite, "SELECT a FROM b WHERE c = ?1 AND d > ?2");
        assert_eq!(STATEMENT.postgres, "SELECT a FROM b WHERE c = $1 AND d > $2");
    }

    #[test]
    fn an_insertion_is_one_row_in_sqlite_and_arrays_in_postgresql() {
        assert_eq!(
            INSERT.sqlite(),
            "INSERT INTO crl (number, der, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        );
        assert_eq!(
            INSERT.postgres(),
            "INSERT INTO crl (number, der, name) SELECT * FROM \
             UNNEST($1::int8[], $2::bytea[], $3::text[]) ON CONFLICT DO NOTHING"
        );
    }
}
