//! Tenants, time, faults, limits, keys, delta tokens and subscriptions.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::Body;
use crate::Shared;
use crate::device::{Refusal, Wanted, settle};
use crate::fault::Fault;
use crate::graph::{LifecycleEvent, announce};
use crate::tenant::{Tenant, Time};

type Answer = Result<Json<Value>, Refusal>;

/// `GET /tenants`
pub(super) async fn tenants(State(shared): State<Shared>) -> Json<Value> {
    settle(&shared.world);
    let shown = |tenant: &Tenant| {
        json!({
            "id": tenant.id,
            "name": tenant.name,
            "domain": tenant.domain(),
            "users": tenant.users.count(),
            "devices": tenant.devices.count(),
            "managedDevices": tenant.managed_devices.count(),
            "riskyUsers": tenant.risky_users.count(),
            "apps": tenant.apps.all().count(),
        })
    };
    let world = &shared.world;
    let all: Vec<Value> = world.tenants().filter_map(|id| world.read(id, shown).ok()).collect();
    Json(json!({ "value": all }))
}

/// `GET /time`
pub(super) async fn time(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({ "now": shared.world.now() }))
}

/// How far to go: by a span or to a date.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Travel {
    /// By so many seconds.
    advance: Option<f64>,
    /// To this date, which is not past.
    to: Option<Time>,
}

/// `POST /time`
pub(super) async fn travel(State(shared): State<Shared>, Body(travel): Body<Travel>) -> Answer {
    let now = shared.world.now();
    let span = match (travel.advance, travel.to) {
        (Some(seconds), None) => Duration::try_from_secs_f64(seconds).map_err(|_| {
            Refusal::bad("time goes forward only: advance is a positive number of seconds")
        })?,
        (None, Some(to)) if to >= now => to.since(now),
        (None, Some(to)) => {
            return Err(Refusal::bad(format!("time goes forward only: it is {now}, past {to}")));
        }
        _ => return Err(Refusal::bad("say either advance, in seconds, or to, a date")),
    };
    let now = shared.world.advance(span);
    settle(&shared.world);
    Ok(Json(json!({ "now": now })))
}

/// `PUT /faults`
pub(super) async fn put_faults(State(shared): State<Shared>, Body(rules): Body<Value>) -> Answer {
    let list = match rules {
        Value::Object(mut named) => {
            let list = named.remove("faults");
            if let Some(unknown) = named.keys().next() {
                return Err(Refusal::bad(format!("{unknown} is not known; say faults, a list")));
            }
            list.ok_or_else(|| Refusal::bad("say faults, a list of rules"))?
        }
        list => list,
    };
    let faults: Vec<Fault> = serde_json::from_value(list).map_err(Refusal::bad)?;
    for fault in &faults {
        fault.check().map_err(Refusal::bad)?;
    }
    shared.faults.replace(faults);
    Ok(shown_faults(&shared))
}

/// `GET /faults`
pub(super) async fn faults(State(shared): State<Shared>) -> Json<Value> {
    shown_faults(&shared)
}

/// `DELETE /faults`
pub(super) async fn clear_faults(State(shared): State<Shared>) -> StatusCode {
    shared.faults.replace(Vec::new());
    StatusCode::NO_CONTENT
}

/// `DELETE /faults/{place}`: ends one, by its place in the list, from 0.
pub(super) async fn end_fault(
    State(shared): State<Shared>,
    Path(place): Path<usize>,
) -> Result<StatusCode, Refusal> {
    if shared.faults.end(place) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::missing(format!("there is no fault at place {place}")))
    }
}

fn shown_faults(shared: &Shared) -> Json<Value> {
    let (faults, picked): (Vec<Fault>, Vec<u64>) = shared.faults.all().into_iter().unzip();
    Json(json!({ "faults": faults, "picked": picked }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Limits {
    /// Whether nothing is limited.
    lifted: bool,
}

/// `PUT /limits`: of Graph, for all tenants or the one that is named.
pub(super) async fn limits(
    State(shared): State<Shared>,
    Body(limits): Body<Limits>,
) -> Result<StatusCode, Refusal> {
    for tenant in shared.world.tenants() {
        let set = shared.world.change_quietly(tenant, |tenant, _| {
            tenant.graph.limits.lifted = limits.lifted;
        });
        set.map_err(Refusal::missing)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Rotation {
    /// Whether tokens of the keys before are worth nothing from now on.
    withdraw_old: bool,
}

/// `POST /keys/rotate`
pub(super) async fn rotate_keys(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
    Body(rotation): Body<Rotation>,
) -> Answer {
    let tenant = wanted.tenant(&shared.world)?;
    let current = shared.world.change(tenant, |tenant, _| {
        tenant.entra.keys.rotate();
        if rotation.withdraw_old {
            tenant.entra.keys.withdraw_old();
        }
        tenant.entra.keys.current()
    });
    let current = current.map_err(Refusal::missing)?;
    let current =
        current.map_err(|error| Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(Json(json!({ "kid": current.id() })))
}

/// `POST /deltaTokens/expire`: every position is lost, and clients have to start again.
pub(super) async fn expire_positions(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<StatusCode, Refusal> {
    let tenant = wanted.tenant(&shared.world)?;
    let expired = shared.world.change(tenant, |tenant, now| {
        tenant.graph.positions_from = now.plus(Duration::from_millis(1));
    });
    expired.map_err(Refusal::missing)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /subscriptions`
pub(super) async fn subscriptions(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let tenant = wanted.tenant(&shared.world)?;
    let all = shared.world.read(tenant, |tenant| tenant.graph.subscriptions());
    let shown = all.map_err(Refusal::missing)?.into_iter().map(|(id, resource, expires)| {
        json!({ "id": id, "resource": resource, "expirationDateTime": expires })
    });
    Ok(Json(json!({ "value": shown.collect::<Vec<_>>() })))
}

/// `POST /subscriptions/{id}/{missed|subscriptionRemoved|reauthorizationRequired}`
pub(super) async fn lifecycle(
    State(shared): State<Shared>,
    Path((id, event)): Path<(Uuid, String)>,
) -> Result<StatusCode, Refusal> {
    let event = LifecycleEvent::parse(&event).ok_or_else(|| {
        Refusal::missing("missed, subscriptionRemoved and reauthorizationRequired can be announced")
    })?;
    if announce(&shared, id, event) {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(Refusal::missing("there is no such subscription"))
    }
}
