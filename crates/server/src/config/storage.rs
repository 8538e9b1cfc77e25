//! `[storage]`: where certificates, requests and the audit trail are recorded.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Where certificates, requests and the audit trail are recorded.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct StorageSection {
    /// A PostgreSQL database: `postgres://user@host/database`, without the password. Without it, an embedded SQLite
    /// database in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(no_password)))]
    pub url: Option<String>,
    /// A file with the database's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// The password itself.
    #[serde(skip)]
    pub password: Option<SecretString>,
}

fn no_password(url: &str, _: &()) -> garde::Result {
    let url = url::Url::parse(url)
        .map_err(|error| garde::Error::new(format!("is not an address: {error}")))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(garde::Error::new(
            "must begin with postgres://; leave it out for the embedded store",
        ));
    }
    if url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password") {
        return Err(garde::Error::new(
            "holds a password: name a file with it in storage.password_file",
        ));
    }
    Ok(())
}
