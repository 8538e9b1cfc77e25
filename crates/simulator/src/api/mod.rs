//! The control interface: what scripts and the page at `/_control/` do to a tenant.

use axum::Router;

use crate::{Shared, intune, jamf};

/// Its routes, below `/_control`.
pub fn routes() -> Router<Shared> {
    Router::new().merge(intune::control_routes()).merge(jamf::control_routes())
}
