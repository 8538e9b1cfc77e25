//! Where everything is, and with which keys tokens are signed.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::error::TokenError;
use super::token::issuer;
use crate::Shared;
use crate::tenant::{TokenVersion, World};

/// Names under which no tenant in particular is meant.
const ANY_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// `/{tenant}/v2.0/.well-known/openid-configuration`
pub(super) async fn v2(State(shared): State<Shared>, Path(tenant): Path<String>) -> Response {
    document(&shared.world, &tenant, TokenVersion::V2)
}

/// `/{tenant}/.well-known/openid-configuration`
pub(super) async fn v1(State(shared): State<Shared>, Path(tenant): Path<String>) -> Response {
    document(&shared.world, &tenant, TokenVersion::V1)
}

fn document(world: &World, tenant: &str, version: TokenVersion) -> Response {
    let (name, issuer) = match tenant_issuer(world, tenant, version) {
        Ok(found) => found,
        Err(error) => return error.respond(world),
    };
    let login = format!("{}/login/{name}", world.base_url());
    let (oauth, keys) = match version {
        TokenVersion::V1 => ("oauth2", "discovery/keys"),
        TokenVersion::V2 => ("oauth2/v2.0", "discovery/v2.0/keys"),
    };
    let document = json!({
        "token_endpoint": format!("{login}/{oauth}/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{login}/{keys}"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("{login}/{oauth}/authorize"),
        "device_authorization_endpoint": format!("{login}/{oauth}/devicecode"),
        "end_session_endpoint": format!("{login}/{oauth}/logout"),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username",
            "name", "tid", "ver", "oid", "email"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    });
    Json(document).into_response()
}

/// `/{tenant}/discovery/v2.0/keys` and, without issuers, `/{tenant}/discovery/keys`
pub(super) async fn keys(State(shared): State<Shared>, Path(tenant): Path<String>) -> Response {
    published(&shared.world, &tenant).unwrap_or_else(|error| error.respond(&shared.world))
}

fn published(world: &World, tenant: &str) -> Result<Response, TokenError> {
    let (_, issuer) = tenant_issuer(world, tenant, TokenVersion::V2)?;
    let id = match world.tenant_called(tenant) {
        Ok(id) => id,
        Err(_) => world.tenants().next().ok_or_else(|| TokenError::Tenant(tenant.to_owned()))?,
    };
    let keys = world.read(id, |tenant| tenant.entra.keys.published())??;
    let keys: Vec<Value> = keys.iter().map(|key| key.published(Some(&issuer))).collect();
    Ok(Json(json!({ "keys": keys })).into_response())
}

/// How the documents call the tenant, and its issuer; a template where none in particular is meant.
fn tenant_issuer(
    world: &World,
    tenant: &str,
    version: TokenVersion,
) -> Result<(String, String), TokenError> {
    if ANY_TENANT.contains(&tenant) {
        let template = match version {
            TokenVersion::V1 => "https://sts.windows.net/{tenantid}/".to_owned(),
            TokenVersion::V2 => format!("{}/login/{{tenantid}}/v2.0", world.base_url()),
        };
        return Ok((tenant.to_owned(), template));
    }
    let id = world.tenant_called(tenant).map_err(|_| TokenError::Tenant(tenant.to_owned()))?;
    Ok((id.to_string(), issuer(world.base_url(), id, version)))
}
