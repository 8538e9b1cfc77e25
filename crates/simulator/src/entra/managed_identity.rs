//! The endpoints of managed identities: that of virtual machines (IMDS) and that of App Service.
//!
//! Tokens are cached for hours, as in the real service: a role that is granted shows late.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::endpoint::check_assigned;
use super::form::Form;
use super::resource;
use super::token::{Grant, Proof, access_token};
use crate::Shared;
use crate::tenant::{App, Tenant, Time, World};

/// How long such a token lives, in seconds.
const LIFE: i64 = 86_400;

/// What App Service's endpoint expects in `X-IDENTITY-HEADER`.
pub const IDENTITY_HEADER: &str = "rehearsal-identity-header";

/// Tokens by client and resource.
pub(super) type Cache = HashMap<(Uuid, String), Cached>;

/// A token that is given out until half of its life is over.
#[derive(Clone)]
pub(super) struct Cached {
    token: String,
    from: Time,
    until: Time,
}

impl std::fmt::Debug for Cached {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cached").field("until", &self.until).finish_non_exhaustive()
    }
}

struct Refusal(StatusCode, &'static str, &'static str);

impl Refusal {
    fn respond(&self) -> Response {
        let Self(status, error, text) = self;
        (*status, Json(json!({ "error": error, "error_description": text }))).into_response()
    }
}

/// `GET /metadata/identity/oauth2/token`, of the first tenant.
pub(super) async fn virtual_machine(
    State(shared): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let tenant = shared.world.tenants().next().unwrap_or_default();
    answer(&shared.world, tenant, Host::VirtualMachine, &headers, query)
}

/// `GET /{tenant}/metadata/identity/oauth2/token`
pub(super) async fn virtual_machine_of(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let tenant = shared.world.tenant_called(&tenant).unwrap_or_default();
    answer(&shared.world, tenant, Host::VirtualMachine, &headers, query)
}

/// `GET /msi/token`, of the first tenant.
pub(super) async fn app_service(
    State(shared): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let tenant = shared.world.tenants().next().unwrap_or_default();
    answer(&shared.world, tenant, Host::AppService, &headers, query)
}

/// `GET /{tenant}/msi/token`
pub(super) async fn app_service_of(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let tenant = shared.world.tenant_called(&tenant).unwrap_or_default();
    answer(&shared.world, tenant, Host::AppService, &headers, query)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    VirtualMachine,
    AppService,
}

fn answer(
    world: &World,
    tenant: Uuid,
    host: Host,
    headers: &HeaderMap,
    query: Option<String>,
) -> Response {
    let form = Form::read(query.unwrap_or_default().as_bytes());
    match token(world, tenant, host, headers, &form) {
        Ok(body) => Json(body).into_response(),
        Err(refusal) => refusal.respond(),
    }
}

fn token(
    world: &World,
    tenant: Uuid,
    host: Host,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Value, Refusal> {
    check_request(host, headers, form)?;
    let invalid = Refusal(
        StatusCode::BAD_REQUEST,
        "invalid_resource",
        "AADSTS500011: The resource principal was not found in the tenant.",
    );
    let name = form.find("resource").ok_or(Refusal(
        StatusCode::BAD_REQUEST,
        "invalid_resource",
        "The parameter resource is missing.",
    ))?;
    let unknown = || Refusal(StatusCode::BAD_REQUEST, "invalid_request", "Identity not found");
    let fault = |_| Refusal(StatusCode::UNAUTHORIZED, "unknown_source", "Unknown source");
    let found = world
        .read(tenant, |tenant| {
            let client = identity(tenant, host, form).ok_or_else(unknown)?;
            let resource = resource::find(world, tenant, name).ok_or(invalid)?;
            check_assigned(tenant, client, resource)
                .map_err(|_| Refusal(StatusCode::BAD_REQUEST, "invalid_grant", "Not assigned"))?;
            let key = (client.app_id, name.to_owned());
            let now = world.now();
            let known = tenant.entra.cache.get(&key);
            if let Some(known) = known.filter(|known| still_given(known, now)) {
                return Ok((key, known.clone()));
            }
            let grant = Grant {
                client,
                proof: Proof::Certificate,
                resource,
                audience: name,
                user: None,
                scope: "",
                now,
                seconds: LIFE,
            };
            let token = access_token(world, tenant, &grant).map_err(|_| unknown())?;
            let until = Time::from_unix_seconds(now.unix_seconds() + LIFE);
            Ok((key, Cached { token, from: now, until }))
        })
        .map_err(fault)?;
    let (key, cached) = found?;
    let client = key.0;
    world
        .change(tenant, |tenant, _| tenant.entra.cache.insert(key, cached.clone()))
        .map_err(fault)?;
    let expires = cached.until.unix_seconds();
    let mut body = json!({
        "access_token": cached.token,
        "expires_on": expires.to_string(),
        "resource": name,
        "token_type": "Bearer",
        "client_id": client,
    });
    if host == Host::VirtualMachine {
        body["refresh_token"] = "".into();
        body["expires_in"] = (expires - world.now().unix_seconds()).to_string().into();
        body["not_before"] = cached.from.unix_seconds().to_string().into();
    }
    Ok(body)
}

fn still_given(cached: &Cached, now: Time) -> bool {
    now.since(cached.from).as_secs() * 2 < LIFE.unsigned_abs()
}

fn check_request(host: Host, headers: &HeaderMap, form: &Form) -> Result<(), Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let version = form.find("api-version");
    match host {
        Host::VirtualMachine => {
            if header("metadata").is_none_or(|value| !value.eq_ignore_ascii_case("true")) {
                let text = "Required metadata header not specified";
                return Err(Refusal(StatusCode::BAD_REQUEST, "bad_request_102", text));
            }
            if header("x-forwarded-for").is_some() {
                let text = "Request came through a proxy";
                return Err(Refusal(StatusCode::BAD_REQUEST, "bad_request_102", text));
            }
        }
        Host::AppService => {
            if header("x-identity-header") != Some(IDENTITY_HEADER) {
                let text = "The X-IDENTITY-HEADER is not the expected one";
                return Err(Refusal(StatusCode::UNAUTHORIZED, "unauthorized", text));
            }
        }
    }
    let known: &[&str] = match host {
        Host::VirtualMachine => &["2018-02-01", "2019-08-01", "2021-02-01"],
        Host::AppService => &["2019-08-01"],
    };
    if version.is_none_or(|version| !known.contains(&version)) {
        let text = "The parameter api-version is missing or not supported.";
        return Err(Refusal(StatusCode::BAD_REQUEST, "invalid_request", text));
    }
    Ok(())
}

/// The identity that is asked for; the only one where none is.
fn identity<'a>(tenant: &'a Tenant, host: Host, form: &Form) -> Option<&'a App> {
    let object = match host {
        Host::VirtualMachine => form.find("object_id"),
        Host::AppService => form.find("principal_id"),
    };
    let resource_id = match host {
        Host::VirtualMachine => form.find("msi_res_id"),
        Host::AppService => form.find("mi_res_id"),
    };
    let mut identities = tenant.apps.all().filter(|app| app.managed_identity);
    if let Some(client) = form.find("client_id") {
        let client: Uuid = client.parse().ok()?;
        return identities.find(|app| app.app_id == client);
    }
    if let Some(object) = object {
        let object: Uuid = object.parse().ok()?;
        return identities.find(|app| app.service_principal == object);
    }
    if let Some(name) = resource_id.and_then(|id| id.rsplit('/').next()) {
        return identities.find(|app| app.display_name.eq_ignore_ascii_case(name));
    }
    identities.next()
}
