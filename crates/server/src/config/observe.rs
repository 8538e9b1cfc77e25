//! `[observe]`: who may look at the server's health.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may look at the server's health.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ObserveSection {
    /// Who may read `/metrics` (Prometheus).
    pub metrics: Audience,
    /// Who may see the status page at `/`.
    pub status_page: Audience,
}

impl Default for ObserveSection {
    fn default() -> Self {
        Self { metrics: Audience::LocalNetwork, status_page: Audience::Anyone }
    }
}

/// Who may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Audience {
    /// Anyone.
    Anyone,
    /// Loopback, private and link-local addresses.
    LocalNetwork,
    /// Nobody: the page answers 404.
    Nobody,
}
