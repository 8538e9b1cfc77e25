//! The schema's history, numbered alike for both databases, and the check that a store and this
//! program agree on it; not here: running the statements.
//!
//! Forward only: expand first, contract in a later version. A released text never changes.

use aws_lc_rs::digest::{SHA256, digest};

use crate::StoreError;

/// One step of the schema.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

static MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "first",
        sqlite: include_str!("../migrations/sqlite/0001_first.sql"),
        postgres: include_str!("../migrations/postgres/0001_first.sql"),
    },
    Migration {
        version: 2,
        name: "directories",
        sqlite: include_str!("../migrations/sqlite/0002_directories.sql"),
        postgres: include_str!("../migrations/postgres/0002_directories.sql"),
    },
    Migration {
        version: 3,
        name: "tethers",
        sqlite: include_str!("../migrations/sqlite/0003_tethers.sql"),
        postgres: include_str!("../migrations/postgres/0003_tethers.sql"),
    },
];

/// Which of the two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Migration {
    pub(crate) fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    pub(crate) fn checksum(&self, dialect: Dialect) -> [u8; 32] {
        let mut checksum = [0; 32];
        checksum.copy_from_slice(digest(&SHA256, self.text(dialect).as_bytes()).as_ref());
        checksum
    }
}

/// A migration that a store says it has had.
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) checksum: Vec<u8>,
}

/// The migrations that a store still needs.
pub(crate) fn pending(
    applied: &[Applied],
    dialect: Dialect,
) -> Result<&'static [Migration], StoreError> {
    let known = newest();
    if let Some(newer) = applied.iter().map(|a| a.version).filter(|v| *v > known).max() {
        return Err(StoreError::SchemaTooNew { found: newer, known });
    }
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        let Some(done) = applied.iter().find(|a| a.version == migration.version) else {
            return Ok(MIGRATIONS.get(index..).unwrap_or_default());
        };
        if done.checksum != migration.checksum(dialect) {
            return Err(StoreError::SchemaDiffers { version: migration.version });
        }
    }
    Ok(&[])
}

/// The version that this program needs.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(migration: &Migration) -> Applied {
        let checksum = migration.checksum(Dialect::Sqlite).to_vec();
        Applied { version: migration.version, checksum }
    }

    #[test]
    fn a_new_store_needs_everything_and_an_up_to_date_one_nothing() {
        assert_eq!(pending(&[], Dialect::Sqlite).unwrap().len(), MIGRATIONS.len());
        let all: Vec<Applied> = MIGRATIONS.iter().map(applied).collect();
        assert!(pending(&all, Dialect::Sqlite).unwrap().is_empty());
    }

    #[test]
    fn a_newer_store_is_refused_in_words() {
        let newer = Applied { version: newest() + 1, checksum: vec![0; 32] };
        let error = pending(&[newer], Dialect::Sqlite).unwrap_err();
        assert!(error.to_string().contains("use the newer program"), "{error}");
    }

    #[test]
    fn a_migration_with_another_text_is_refused() {
        let other = Applied { version: 1, checksum: vec![0; 32] };
        let error = pending(&[other], Dialect::Postgres).unwrap_err();
        assert_eq!(error, StoreError::SchemaDiffers { version: 1 });
    }

    #[test]
    fn versions_rise_by_one() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|m| m.version).collect();
        assert_eq!(versions, (1..=newest()).collect::<Vec<_>>());
        assert!(MIGRATIONS.iter().all(|m| !m.name.is_empty()));
    }
}
