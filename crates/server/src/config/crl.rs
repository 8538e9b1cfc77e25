//! `[crl]`: certificate revocation lists.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ocsp::a_minute_or_more;
use super::unit::Span;

/// Certificate revocation lists (RFC 5280).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct CrlSection {
    /// Who may fetch the CRL.
    pub access: CrlAccess,
    /// A file with the token of `/crl/<token>`. Without it, a token that follows from the installation's secret;
    /// `lanyard ca show` tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// The token itself.
    #[serde(skip)]
    pub token: Option<SecretString>,
    /// How long a CRL is valid (nextUpdate).
    #[garde(custom(a_minute_or_more))]
    pub validity: Span,
    /// How often a full CRL is made even though nothing changed.
    #[garde(custom(a_minute_or_more))]
    pub interval: Span,
    /// Revoked certificates from which on delta CRLs are made between two full ones. 0 makes none.
    pub delta_from: u32,
    /// Partitions of the partitioned CRL (issuing distribution point). 0 makes none.
    #[garde(range(max = 4096))]
    pub partitions: u16,
}

impl Default for CrlSection {
    fn default() -> Self {
        Self {
            access: CrlAccess::default(),
            token_file: None,
            token: None,
            validity: Span::days(7),
            interval: Span::days(1),
            delta_from: 10_000,
            partitions: 0,
        }
    }
}

/// Who may fetch the CRL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum CrlAccess {
    /// Whoever knows the token: a CRL tells how many certificates are revoked, and when.
    #[default]
    Token,
    /// Anyone, at `/crl` too.
    Public,
}
