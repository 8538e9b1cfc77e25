//! Entra ID: what it keeps in a tenant, and its routes.

use axum::Router;

use crate::Shared;
use crate::tenant::Blueprint;

/// What Entra ID keeps in a tenant besides the objects of its tables.
#[derive(Debug, Default)]
pub struct Entra {}

impl Entra {
    /// What it keeps in a new tenant.
    pub fn new(_blueprint: &Blueprint) -> Self {
        Self::default()
    }
}

/// Its routes, below its own prefix.
pub fn routes() -> Router<Shared> {
    Router::new()
}

/// The endpoints of managed identities, below their own prefix.
pub fn managed_identity_routes() -> Router<Shared> {
    Router::new()
}
