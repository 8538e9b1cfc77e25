//! Records and queries of a Lanyard installation, in SQLite or PostgreSQL.
//!
//! A write is one transaction, named, retried on conflict, with its audit entry inside; it never
//! signs or calls out. Issuance is one of them: [`Store::issue_certificate`], before the certificate
//! leaves. Everything a caller is told to have happened survives a crash.
//!
//! Not here: what the records mean (`lanyard-lifecycle`), and when to write them
//! (`lanyard-authority`).
//!
//! The way of a write: `query/*` (an `Act` with its statements) →
//! `sqlite/writer` or `postgres/writer` (many acts, one transaction) → reply after the commit.

mod backend;
mod column;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod migration;
mod postgres;
mod query;
mod record;
mod sql;
mod sqlite;
mod transaction;
mod url;

pub use backend::{Access, Options, Store};
pub use error::StoreError;
pub use query::{RevokedEntries, StoredSetting};
pub use record::*;
pub use url::StoreUrl;
