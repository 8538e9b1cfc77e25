//! Which service answers what: services are told apart by the first part of the path.

use axum::{Router, middleware};

use crate::{Shared, api, entra, fault, graph, intune, jamf};

/// Everything that the simulator answers.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .nest("/login", entra::routes())
        .nest("/imds", entra::managed_identity_routes())
        .nest("/graph", graph::routes())
        .nest("/manage", intune::routes())
        .nest("/jamf", jamf::routes())
        .layer(middleware::from_fn_with_state(shared.clone(), fault::inject))
        .nest("/_control", api::routes())
        .merge(api::index())
        .with_state(shared)
}
