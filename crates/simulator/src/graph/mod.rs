//! Microsoft Graph: the directory, managed devices, risky users, reports, changes and batches.

mod batch;
mod call;
mod delta;
mod directory;
mod error;
mod export;
mod filter;
mod list;
mod management;
mod notify;
mod reply;
mod shape;
mod subscription;
mod throttle;
mod zip;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use call::{Call, Options, Version, segments};
use error::GraphError;
use reply::{Outcome, Reply};

pub use notify::{LifecycleEvent, announce, run};

use crate::Shared;
use crate::device;
use crate::entra::bearer;
use crate::fault::Seen;
use crate::tenant::app::GRAPH;
use crate::tenant::{Blueprint, Tenant, Time, World};

/// How much a request may carry.
const MOST_OCTETS: usize = 4 << 20;

/// What Graph keeps in a tenant besides the objects of its tables.
#[derive(Debug, Default)]
pub struct Graph {
    subscriptions: subscription::Subscriptions,
    announcements: Vec<(subscription::Subscription, LifecycleEvent)>,
    jobs: export::Jobs,
    /// What was used of the limits.
    pub limits: throttle::Limits,
    /// Positions of delta queries that are older are worth nothing.
    pub positions_from: Time,
}

impl Graph {
    /// Nobody has subscribed yet.
    pub fn new(_blueprint: &Blueprint) -> Self {
        Self { positions_from: Time::from_unix_seconds(i64::MIN), ..Self::default() }
    }

    /// The subscriptions, for the control interface.
    pub fn subscriptions(&self) -> Vec<(Uuid, String, Time)> {
        let shown = |own: &subscription::Subscription| (own.id, own.resource.clone(), own.expires);
        self.subscriptions.values().map(shown).collect()
    }
}

/// Its routes, below its own prefix.
pub fn routes() -> Router<Shared> {
    Router::new().route("/exports/{tenant}/{id}", get(report)).fallback(answer)
}

async fn answer(State(shared): State<Shared>, Seen(view): Seen, request: Request) -> Response {
    device::settle(&shared.world);
    shared.world.expire_deleted();
    let (parts, body) = request.into_parts();
    let client_request = parts.headers.get("client-request-id").and_then(|id| id.to_str().ok());
    let client_request = client_request.unwrap_or_default().to_owned();
    let refuse = |error| Reply::of(&shared, Err(error), &client_request).into_response();
    let path = parts.uri.path();
    let (version, below) = match (path.strip_prefix("/v1.0/"), path.strip_prefix("/beta/")) {
        (Some(below), _) => (Version::V1, below),
        (None, Some(below)) => (Version::Beta, below),
        (None, None) => {
            let version = path.split('/').nth(1).unwrap_or_default();
            return refuse(GraphError::bad(format!("Invalid version: {version}.")));
        }
    };
    let caller = match bearer(&shared.world, &parts.headers, GRAPH) {
        Ok(caller) => caller,
        Err(error) => return refuse(error.into()),
    };
    let Ok(body) = axum::body::to_bytes(body, MOST_OCTETS).await else {
        return refuse(GraphError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "The request is too large.",
        ));
    };
    let call = Call {
        caller,
        version,
        segments: segments(below),
        options: Options::read(parts.uri.query().unwrap_or_default()),
        method: parts.method,
        headers: parts.headers,
        body,
        view,
    };
    if call.segments == ["$batch"] && call.method == http::Method::POST {
        let outcome = batch::answer(&shared, &call).await.map(|body| (StatusCode::OK, Some(body)));
        return Reply::of(&shared, outcome, &client_request).into_response();
    }
    dispatch(&shared, &call).await.into_response()
}

/// Answers one request, of its own or out of a batch.
async fn dispatch(shared: &Shared, call: &Call) -> Reply {
    let client_request = call.headers.get("client-request-id").and_then(|id| id.to_str().ok());
    let client_request = client_request.unwrap_or_default();
    let counted = shared
        .world
        .change_quietly(call.caller.tenant, |tenant, now| throttle::count(tenant, call, now));
    let used = match counted.map_err(GraphError::from).and_then(|counted| counted) {
        Ok(used) => used,
        Err(error) => return Reply::of(shared, Err(error), client_request),
    };
    Reply::of(shared, perform(shared, call).await, client_request).with_usage(used)
}

async fn perform(shared: &Shared, call: &Call) -> Outcome {
    let world = &shared.world;
    let names: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), names.as_slice()) {
        ("GET", names) => {
            let body =
                world.read(call.caller.tenant, |tenant| show(world, call, tenant, names))??;
            Ok((StatusCode::OK, Some(body)))
        }
        ("POST", ["deviceManagement", "reports", "exportJobs"]) => {
            export::order(world, call).map(|(status, body)| (status, Some(body)))
        }
        ("POST", ["deviceManagement", "managedDevices", key, action]) => {
            management::order(world, call, key, action).map(|()| (StatusCode::NO_CONTENT, None))
        }
        ("DELETE", ["deviceManagement", "managedDevices", key]) => {
            management::order(world, call, key, "delete").map(|()| (StatusCode::NO_CONTENT, None))
        }
        ("POST", ["subscriptions"]) => {
            subscription::create(shared, call).await.map(|(status, body)| (status, Some(body)))
        }
        ("PATCH", ["subscriptions", key]) => {
            subscription::renew(world, call, key).map(|body| (StatusCode::OK, Some(body)))
        }
        ("DELETE", ["subscriptions", key]) => {
            subscription::delete(world, call, key).map(|()| (StatusCode::NO_CONTENT, None))
        }
        ("POST", ["subscriptions", key, "reauthorize"]) => {
            subscription::reauthorize(world, call, key).map(|()| (StatusCode::OK, None))
        }
        (_, names) => Err(unknown(names)),
    }
}

fn show(world: &World, call: &Call, tenant: &Tenant, names: &[&str]) -> Result<Value, GraphError> {
    match names {
        ["users"] => directory::users(world, call, tenant),
        ["users", "$count"] => list::count(call, directory::USERS, &tenant.users),
        ["devices", "$count"] => list::count(call, directory::DEVICES, &tenant.devices),
        ["users", "delta"] => delta::users(world, call, tenant),
        ["users", key] => directory::user(world, call, tenant, key),
        ["users", key, "ownedDevices" | "registeredDevices"] => {
            directory::devices_of_user(world, call, tenant, key)
        }
        ["me"] => directory::me(world, call, tenant),
        ["devices"] => directory::devices(world, call, tenant),
        ["devices", "delta"] => delta::devices(world, call, tenant),
        ["devices", key] => directory::device(world, call, tenant, key),
        ["devices", key, "registeredOwners" | "registeredUsers"] => {
            directory::people_of_device(world, call, tenant, key)
        }
        [set @ ("users" | "devices"), key, "memberOf"] => {
            let member = directory::id_of(call, tenant, set, key)?;
            directory::groups_of(world, call, tenant, member)
        }
        ["directory", "deletedItems", "microsoft.graph.user"] => {
            directory::deleted(world, call, tenant, None)
        }
        ["directory", "deletedItems", key] => directory::deleted(world, call, tenant, Some(key)),
        ["organization"] => Ok(directory::organization(world, call, tenant)),
        ["servicePrincipals"] => directory::service_principals(world, call, tenant),
        ["servicePrincipals", key] => directory::service_principal(call, tenant, key),
        ["servicePrincipals", key, "endpoints"] => directory::endpoints(world, call, tenant, key),
        ["servicePrincipals", key, "appRoleAssignments"] => {
            directory::roles_of_app(world, call, tenant, key)
        }
        ["deviceManagement", "managedDevices"] => management::managed_devices(world, call, tenant),
        ["deviceManagement", "managedDevices", key] => {
            management::managed_device(world, call, tenant, key)
        }
        ["deviceManagement", "deviceConfigurationsAllManagedDeviceCertificateStates"] => {
            management::certificate_states(world, call, tenant)
        }
        ["deviceManagement", "reports", "exportJobs", key] => export::job(world, call, tenant, key),
        ["identityProtection", "riskyUsers"] => management::risky_users(world, call, tenant),
        ["identityProtection", "riskyUsers", key] => {
            management::risky_user(world, call, tenant, key)
        }
        ["subscriptions"] => Ok(subscription::list(world, call, tenant)),
        ["subscriptions", key] => subscription::find(world, call, tenant, key),
        names => Err(unknown(names)),
    }
}

fn unknown(names: &[&str]) -> GraphError {
    GraphError::no_segment(names.first().copied().unwrap_or_default())
}

#[derive(Debug, Deserialize)]
struct Signature {
    sig: Option<Uuid>,
}

/// A report, to whoever has its link.
async fn report(
    State(shared): State<Shared>,
    Path((tenant, id)): Path<(Uuid, String)>,
    Query(signature): Query<Signature>,
) -> Response {
    let world = &shared.world;
    match world.read(tenant, |tenant| export::report(world, tenant, &id, signature.sig)) {
        Ok(Ok(archive)) => ([(header::CONTENT_TYPE, "application/zip")], archive).into_response(),
        Ok(Err(status)) => status.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
