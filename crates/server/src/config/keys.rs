//! `[keys]`: how key files are protected.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// How key files are protected.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct KeysSection {
    /// A file with the passphrase that encrypts key files. Without a passphrase, key files are protected by their
    /// permissions alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<PathBuf>,
    /// The passphrase itself.
    #[serde(skip)]
    pub passphrase: Option<SecretString>,
}
