//! Subscriptions to changes: made after a handshake, renewed, and ended.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;

use super::call::Call;
use super::directory::USERS;
use super::error::GraphError;
use super::list::context;
use crate::Shared;
use crate::tenant::{Position, Tenant, Time, World};

/// How long a subscription to users may live: 41,760 minutes.
const LONGEST: Duration = Duration::from_hours(696);

/// How long a client has to answer the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

const PER_TENANT: usize = 1_000;
const PER_APP: usize = 100;

/// Whether notifications are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authorization {
    /// They are.
    Given,
    /// Not before the client has authorized the subscription again.
    Required,
}

/// A subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: Uuid,
    pub(super) app: Uuid,
    pub(super) resource: String,
    pub(super) change_type: String,
    pub(super) notification_url: Url,
    pub(super) lifecycle_url: Option<Url>,
    pub(super) client_state: Option<String>,
    pub(super) expires: Time,
    pub(super) authorization: Authorization,
    /// How far the changes were read.
    pub(super) read: Position,
}

impl Subscription {
    /// Whether it is about changes of this type.
    pub(super) fn wants(&self, change: &str) -> bool {
        self.change_type.split(',').any(|own| own.trim().eq_ignore_ascii_case(change))
    }
}

/// Subscriptions by their id.
pub(super) type Subscriptions = BTreeMap<Uuid, Subscription>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    change_type: String,
    notification_url: String,
    lifecycle_notification_url: Option<String>,
    resource: String,
    expiration_date_time: Time,
    client_state: Option<String>,
}

/// What a client may change later.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Renewal {
    expiration_date_time: Option<Time>,
    notification_url: Option<String>,
}

fn invalid(message: impl Into<String>) -> GraphError {
    GraphError::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
}

/// `POST /subscriptions`
pub(super) async fn create(
    shared: &Shared,
    call: &Call,
) -> Result<(StatusCode, Value), GraphError> {
    let order: Order = call.json()?;
    check(call, &order)?;
    let world = &shared.world;
    check_expiry(order.expiration_date_time, world.now())?;
    let notification_url = address(&order.notification_url)?;
    let lifecycle_url = order.lifecycle_notification_url.as_deref().map(address).transpose()?;
    world.read(call.caller.tenant, |tenant| check_quota(call, tenant))??;

    shake_hands(shared, &notification_url).await?;
    if let Some(url) = &lifecycle_url {
        shake_hands(shared, url).await?;
    }
    let id = world.fresh_guid();
    let made = world.change(call.caller.tenant, |tenant, _| {
        let subscription = Subscription {
            id,
            app: call.caller.app,
            resource: order.resource.trim_matches('/').to_owned(),
            change_type: order.change_type,
            notification_url,
            lifecycle_url,
            client_state: order.client_state,
            expires: order.expiration_date_time,
            authorization: Authorization::Given,
            read: tenant.users.position(),
        };
        tenant.graph.subscriptions.insert(id, subscription.clone());
        subscription
    })?;
    Ok((StatusCode::CREATED, shown(world, call, &made)))
}

fn check(call: &Call, order: &Order) -> Result<(), GraphError> {
    let resource = order.resource.trim_matches('/');
    match resource {
        "users" => call.needs(USERS)?,
        other => {
            let message = format!(
                "Subscriptions to the resource '{other}' are not supported by the simulator, or \
                 not by the service."
            );
            return Err(invalid(message));
        }
    }
    let known = |change: &str| matches!(change.trim(), "created" | "updated" | "deleted");
    if order.change_type.is_empty() || !order.change_type.split(',').all(known) {
        return Err(invalid(format!("The change type '{}' is not supported.", order.change_type)));
    }
    if order.client_state.as_ref().is_some_and(|state| state.len() > 128) {
        return Err(invalid("The client state is longer than 128 characters."));
    }
    Ok(())
}

fn check_expiry(expires: Time, now: Time) -> Result<(), GraphError> {
    if expires <= now {
        return Err(invalid("Subscription expiration must be in the future."));
    }
    if expires > now.plus(LONGEST) {
        return Err(invalid("Subscription expiration can only be 41760 minutes in the future."));
    }
    Ok(())
}

/// The simulator calls nobody outside of this machine.
fn address(text: &str) -> Result<Url, GraphError> {
    let url = Url::parse(text).map_err(|_| invalid(format!("'{text}' is not a URL.")))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if loopback && matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(invalid(format!("The simulator notifies loopback addresses only, not '{text}'.")))
    }
}

fn check_quota(call: &Call, tenant: &Tenant) -> Result<(), GraphError> {
    let all = &tenant.graph.subscriptions;
    let own = all.values().filter(|own| own.app == call.caller.app).count();
    if all.len() < PER_TENANT && own < PER_APP {
        return Ok(());
    }
    let message = "The quota of subscriptions is exceeded.";
    Err(GraphError::new(StatusCode::FORBIDDEN, "QuotaExceeded", message))
}

/// The client proves that it expects notifications: it answers a token with the token.
async fn shake_hands(shared: &Shared, url: &Url) -> Result<(), GraphError> {
    let failed = |why: &str| {
        GraphError::new(
            StatusCode::BAD_REQUEST,
            "ValidationError",
            format!("Subscription validation request failed. {why}"),
        )
    };
    let token = format!(
        "Validation: Testing client application reachability for subscription Request-Id: {}",
        shared.world.fresh_guid()
    );
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("validationToken", &token);
    let request = shared
        .http
        .post(url)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .timeout(HANDSHAKE)
        .send();
    let response = request.await.map_err(|_| failed("The endpoint did not answer in time."))?;
    if response.status() != StatusCode::OK {
        let why =
            format!("Notification endpoint must respond with 200 OK, not {}.", response.status());
        return Err(failed(&why));
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("text/plain")) {
        return Err(failed("The answer must be text/plain."));
    }
    match response.text().await {
        Ok(text) if text == token => Ok(()),
        _ => Err(failed("The validation token did not come back.")),
    }
}

/// `GET /subscriptions`
pub(super) fn list(world: &World, call: &Call, tenant: &Tenant) -> Value {
    let own = tenant.graph.subscriptions.values().filter(|own| own.app == call.caller.app);
    let value: Vec<Value> = own.map(|subscription| shown(world, call, subscription)).collect();
    json!({ "@odata.context": context(world, call, "subscriptions"), "value": value })
}

/// `GET /subscriptions/{id}`
pub(super) fn find(
    world: &World,
    call: &Call,
    tenant: &Tenant,
    key: &str,
) -> Result<Value, GraphError> {
    let own = id(key).ok().and_then(|id| tenant.graph.subscriptions.get(&id));
    let own = own.filter(|own| own.app == call.caller.app);
    own.map(|own| shown(world, call, own)).ok_or_else(|| missing(key))
}

/// `PATCH /subscriptions/{id}`: renews it.
pub(super) fn renew(world: &World, call: &Call, key: &str) -> Result<Value, GraphError> {
    let renewal: Renewal = call.json()?;
    let url = renewal.notification_url.as_deref().map(address).transpose()?;
    let now = world.now();
    if let Some(expires) = renewal.expiration_date_time {
        check_expiry(expires, now)?;
    }
    let renewed = change(world, call, key, |own| {
        own.expires = renewal.expiration_date_time.unwrap_or(own.expires);
        own.notification_url = url.unwrap_or_else(|| own.notification_url.clone());
        own.authorization = Authorization::Given;
        own.clone()
    })?;
    Ok(shown(world, call, &renewed))
}

/// `POST /subscriptions/{id}/reauthorize`
pub(super) fn reauthorize(world: &World, call: &Call, key: &str) -> Result<(), GraphError> {
    change(world, call, key, |own| own.authorization = Authorization::Given)
}

/// `DELETE /subscriptions/{id}`
pub(super) fn delete(world: &World, call: &Call, key: &str) -> Result<(), GraphError> {
    let id = id(key)?;
    world.change(call.caller.tenant, |tenant, _| {
        let all = &mut tenant.graph.subscriptions;
        if all.get(&id).is_none_or(|own| own.app != call.caller.app) {
            return Err(missing(key));
        }
        all.remove(&id);
        Ok(())
    })?
}

fn change<R>(
    world: &World,
    call: &Call,
    key: &str,
    how: impl FnOnce(&mut Subscription) -> R,
) -> Result<R, GraphError> {
    let id = id(key)?;
    world.change(call.caller.tenant, |tenant, _| {
        let own = tenant.graph.subscriptions.get_mut(&id);
        own.filter(|own| own.app == call.caller.app).map(how).ok_or_else(|| missing(key))
    })?
}

fn id(key: &str) -> Result<Uuid, GraphError> {
    key.parse().map_err(|_| missing(key))
}

fn missing(key: &str) -> GraphError {
    let message = format!("The object '{key}' was not found.");
    GraphError::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
}

fn shown(world: &World, call: &Call, own: &Subscription) -> Value {
    json!({
        "@odata.context": context(world, call, "subscriptions/$entity"),
        "id": own.id,
        "resource": own.resource,
        "applicationId": own.app,
        "changeType": own.change_type,
        "clientState": own.client_state,
        "notificationUrl": own.notification_url,
        "lifecycleNotificationUrl": own.lifecycle_url,
        "expirationDateTime": own.expires,
        "creatorId": call.caller.principal,
        "latestSupportedTlsVersion": "v1_2",
    })
}
