//! `[tls]`: the certificate of the HTTPS listener.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::Span;

/// The certificate of the HTTPS listener.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct TlsSection {
    /// A PEM file with the listener's certificate and its chain. Without it, the authority certifies the listener itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// How often the files are looked at for a change. They are reloaded without a restart.
    pub reload_interval: Span,
    /// Further DNS names and IP addresses for the certificate that the authority issues to the listener. The host of
    /// `publication.base_url`, the machine's name and `localhost` are always in it.
    pub names: Vec<String>,
    /// How long the certificate that the authority issues to the listener is valid. A new one is made when a third is left.
    pub validity: Span,
}

impl Default for TlsSection {
    fn default() -> Self {
        Self {
            certificate_file: None,
            key_file: None,
            reload_interval: Span::minutes(1),
            names: Vec::new(),
            validity: Span::days(90),
        }
    }
}
