//! Microsoft Graph: what it keeps in a tenant, and its routes.

use axum::Router;

use crate::Shared;
use crate::tenant::Blueprint;

/// What Microsoft Graph keeps in a tenant besides the objects of its tables.
#[derive(Debug, Default)]
pub struct Graph {}

impl Graph {
    /// What it keeps in a new tenant.
    pub fn new(_blueprint: &Blueprint) -> Self {
        Self::default()
    }
}

/// Its routes, below its own prefix.
pub fn routes() -> Router<Shared> {
    Router::new()
}

/// What Graph does of its own accord, until the simulator stops: change notifications.
pub fn run(_shared: Shared) -> std::future::Ready<()> {
    std::future::ready(())
}
