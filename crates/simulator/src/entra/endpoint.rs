//! The token endpoint: tokens for applications, and for people who signed in.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::TokenError;
use super::form::Form;
use super::resource::{self, Wanted};
use super::sign_in::{self, SignIn};
use super::token::{Grant, access_token, id_token};
use super::{client, device_code};
use crate::Shared;
use crate::tenant::{App, Tenant, World};

/// Which of the two endpoints is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    /// It takes a `resource`.
    V1,
    /// It takes a `scope`.
    V2,
}

/// `POST /{tenant}/oauth2/v2.0/token`
pub(super) async fn v2(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    respond(&shared.world, &tenant, Endpoint::V2, &headers, &body)
}

/// `POST /{tenant}/oauth2/token`
pub(super) async fn v1(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    respond(&shared.world, &tenant, Endpoint::V1, &headers, &body)
}

fn respond(
    world: &World,
    tenant: &str,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    match answer(world, tenant, endpoint, headers, &Form::read(body)) {
        Ok(body) => {
            let no_store = HeaderValue::from_static("no-store, no-cache");
            ([(header::CACHE_CONTROL, no_store)], Json(body)).into_response()
        }
        Err(error) => error.respond(world),
    }
}

fn answer(
    world: &World,
    tenant: &str,
    endpoint: Endpoint,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Value, TokenError> {
    let id = world.tenant_called(tenant).map_err(|_| TokenError::Tenant(tenant.to_owned()))?;
    match form.need("grant_type")? {
        "client_credentials" => {
            world.read(id, |tenant| of_app(world, tenant, endpoint, headers, form))?
        }
        "authorization_code" => {
            world.read(id, |tenant| {
                client::authenticate(world, tenant, headers, form).map(drop)
            })??;
            let signed_in = sign_in::redeem(world, id, form)?;
            world.read(id, |tenant| of_person(world, tenant, headers, form, &signed_in))?
        }
        "refresh_token" => {
            let signed_in = sign_in::refresh(world, id, form)?;
            world.read(id, |tenant| of_person(world, tenant, headers, form, &signed_in))?
        }
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
            let signed_in = device_code::redeem(world, id, form)?;
            world.read(id, |tenant| of_person(world, tenant, headers, form, &signed_in))?
        }
        other => Err(TokenError::GrantType(other.to_owned())),
    }
}

/// A token of the application's own.
fn of_app(
    world: &World,
    tenant: &Tenant,
    endpoint: Endpoint,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Value, TokenError> {
    let (client, proof) = client::authenticate(world, tenant, headers, form)?;
    if client.public_client {
        return Err(TokenError::NoCredential);
    }
    let audience = match endpoint {
        Endpoint::V1 => form.need("resource")?.to_owned(),
        Endpoint::V2 => Wanted::of_app(form.need("scope")?)?,
    };
    let resource = resource::find(world, tenant, &audience)
        .ok_or_else(|| TokenError::Resource(audience.clone()))?;
    check_assigned(tenant, client, resource)?;
    let seconds = lifetime(world);
    let (now, audience) = (world.now(), audience.as_str());
    let (user, scope) = (None, "");
    let grant = Grant { client, proof, resource, audience, user, scope, now, seconds };
    let token = access_token(world, tenant, &grant)?;
    Ok(match endpoint {
        Endpoint::V2 => json!({
            "token_type": "Bearer",
            "expires_in": seconds - 1,
            "ext_expires_in": seconds - 1,
            "access_token": token,
        }),
        Endpoint::V1 => json!({
            "token_type": "Bearer",
            "expires_in": (seconds - 1).to_string(),
            "ext_expires_in": (seconds - 1).to_string(),
            "expires_on": (now.unix_seconds() + seconds).to_string(),
            "not_before": now.unix_seconds().to_string(),
            "resource": audience,
            "access_token": token,
        }),
    })
}

/// Any application of the tenant gets a token without roles, unless an assignment is required.
pub(super) fn check_assigned(
    tenant: &Tenant,
    client: &App,
    resource: &App,
) -> Result<(), TokenError> {
    let roles = tenant.apps.roles_of(client.service_principal, resource);
    if resource.assignment_required && roles.is_empty() {
        return Err(TokenError::AppNotAssigned(client.app_id));
    }
    Ok(())
}

/// Tokens of a person who signed in.
fn of_person(
    world: &World,
    tenant: &Tenant,
    headers: &HeaderMap,
    form: &Form,
    signed_in: &SignIn,
) -> Result<Value, TokenError> {
    let (client, proof) = client::authenticate(world, tenant, headers, form)?;
    if client.app_id != signed_in.client {
        return Err(TokenError::Code);
    }
    let user = tenant.users.find(signed_in.user).ok_or(TokenError::NoUser)?;
    if !user.account_enabled {
        return Err(TokenError::UserDisabled);
    }
    let wanted = match form.find("scope") {
        Some(scope) => Wanted::of_scope(scope)?,
        None => Wanted::of_scope(&signed_in.scope)?,
    };
    let resource = resource::find(world, tenant, &wanted.resource)
        .ok_or_else(|| TokenError::Resource(wanted.resource.clone()))?;
    let scope = delegated(resource, &wanted.permissions)?;
    if resource.assignment_required && tenant.apps.roles_of(user.id, resource).is_empty() {
        return Err(TokenError::UserNotAssigned);
    }
    let seconds = lifetime(world);
    let grant = Grant {
        client,
        proof,
        resource,
        audience: &wanted.resource,
        user: Some(&user),
        scope: &scope,
        now: world.now(),
        seconds,
    };
    let mut body = json!({
        "token_type": "Bearer",
        "scope": scope,
        "expires_in": seconds - 1,
        "ext_expires_in": seconds - 1,
        "access_token": access_token(world, tenant, &grant)?,
    });
    let first = Wanted::of_scope(&signed_in.scope)?;
    if wanted.id_token || first.id_token {
        let nonce = signed_in.nonce.as_deref();
        body["id_token"] = id_token(world, tenant, client, &user, nonce)?.into();
    }
    if wanted.refresh_token || first.refresh_token {
        body["refresh_token"] = signed_in.refresh_token.clone().into();
    }
    Ok(body)
}

/// The delegated permissions that the resource defines, of those that are asked for.
fn delegated(resource: &App, wanted: &[String]) -> Result<String, TokenError> {
    if wanted.iter().any(|permission| permission == ".default") {
        return Ok(resource.scopes.join(" "));
    }
    for permission in wanted {
        if !resource.scopes.contains(permission) {
            return Err(TokenError::Consent(permission.clone()));
        }
    }
    Ok(wanted.join(" "))
}

/// Between 60 and 90 minutes, in seconds.
fn lifetime(world: &World) -> i64 {
    3600 + i64::try_from(world.below(1801)).unwrap_or(0)
}

/// Tells whether an application may ask people to sign in and be sent back there.
pub(super) fn check_redirect(app: &App, redirect_uri: &str) -> Result<(), TokenError> {
    let known = app.redirect_uris.iter().any(|own| same_redirect(own, redirect_uri));
    if known { Ok(()) } else { Err(TokenError::RedirectUri(redirect_uri.to_owned())) }
}

/// Redirects are compared as text; of a loopback address the port does not count (RFC 8252, 7.3).
fn same_redirect(own: &str, asked: &str) -> bool {
    if own == asked {
        return true;
    }
    let portless = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        (loopback && url.set_port(None).is_ok()).then_some(url)
    };
    portless(own).is_some_and(|own| portless(asked) == Some(own))
}

/// The tenant that a path names.
pub(super) fn tenant_of(world: &World, name: &str) -> Result<Uuid, TokenError> {
    match name {
        "common" | "organizations" => {
            world.tenants().next().ok_or_else(|| TokenError::Tenant(name.to_owned()))
        }
        _ => world.tenant_called(name).map_err(|_| TokenError::Tenant(name.to_owned())),
    }
}
