//! Entra ID: discovery, keys, tokens, people signing in, and managed identities.

mod authorize;
mod client;
mod device_code;
mod discovery;
mod endpoint;
mod error;
mod form;
pub mod keys;
mod managed_identity;
mod resource;
mod sign_in;
pub mod token;

use axum::Router;
use axum::routing::{get, post};

pub use managed_identity::IDENTITY_HEADER;
pub use token::{BearerError, Caller, CallerKind, bearer};

use crate::Shared;
use crate::tenant::Blueprint;

/// What signing in needs besides people and applications.
#[derive(Debug, Default)]
pub struct Entra {
    /// Keys that sign tokens.
    pub keys: keys::Keys,
    sign_ins: sign_in::SignIns,
    device_codes: device_code::DeviceCodes,
    cache: managed_identity::Cache,
}

impl Entra {
    /// Nobody has signed in.
    pub fn new(_blueprint: &Blueprint) -> Self {
        Self::default()
    }
}

/// The routes of the sign-in service, below its own prefix.
pub fn routes() -> Router<Shared> {
    let authorize = get(authorize::page).post(authorize::chosen);
    Router::new()
        .route("/device", get(authorize::device_page).post(authorize::device_chosen))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::v2))
        .route("/{tenant}/.well-known/openid-configuration", get(discovery::v1))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/{tenant}/discovery/keys", get(discovery::keys))
        .route("/{tenant}/oauth2/v2.0/token", post(endpoint::v2))
        .route("/{tenant}/oauth2/token", post(endpoint::v1))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device_code::start))
        .route("/{tenant}/oauth2/devicecode", post(device_code::start))
        .route("/{tenant}/oauth2/v2.0/authorize", authorize.clone())
        .route("/{tenant}/oauth2/authorize", authorize)
        .route("/{tenant}/oauth2/v2.0/logout", get(authorize::logout))
}

/// The endpoints of managed identities, below their own prefix.
pub fn managed_identity_routes() -> Router<Shared> {
    Router::new()
        .route("/metadata/identity/oauth2/token", get(managed_identity::virtual_machine))
        .route(
            "/{tenant}/metadata/identity/oauth2/token",
            get(managed_identity::virtual_machine_of),
        )
        .route("/msi/token", get(managed_identity::app_service))
        .route("/{tenant}/msi/token", get(managed_identity::app_service_of))
}
