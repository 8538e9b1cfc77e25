//! Where a store is: a SQLite file or a PostgreSQL database.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::StoreError;

/// The address of a store: `sqlite:<path>` or `postgres://…`.
///
/// A PostgreSQL address may hold a password, so `Debug` and `Display` leave everything between
/// the scheme and the host out.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite database file; its companions (`-wal`, `-shm`, `.lock`) lie beside it.
    Sqlite(PathBuf),
    /// A PostgreSQL connection string.
    Postgres(String),
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(StoreError::Address(text.to_owned()));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(StoreError::Address(redacted(text)))
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&redacted(url)),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The address without user, password and parameters.
fn redacted(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split('?').next().unwrap_or_default();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_a_connection_string_are_understood() {
        assert_eq!(
            "sqlite:/var/lib/lanyard/lanyard.db".parse::<StoreUrl>().unwrap(),
            StoreUrl::Sqlite("/var/lib/lanyard/lanyard.db".into())
        );
        assert_eq!(
            "sqlite://data/lanyard.db".parse::<StoreUrl>().unwrap(),
            StoreUrl::Sqlite("data/lanyard.db".into())
        );
        assert!(matches!("postgresql://db/lanyard".parse(), Ok(StoreUrl::Postgres(_))));
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for text in ["", "sqlite:", "mysql://db/lanyard", "lanyard.db"] {
            let error = text.parse::<StoreUrl>().unwrap_err();
            assert!(error.to_string().contains("sqlite:<path>"), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: StoreUrl =
            "postgres://ca:hunter2@db.example/lanyard?password=hunter2".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://db.example/lanyard");
        assert_eq!(format!("{url:?}"), "postgres://db.example/lanyard");
        let error = "mysql://ca:hunter2@db/lanyard".parse::<StoreUrl>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
