//! Groups, and what leaving one costs a device.

use super::{Answer, Asked, change, look};
use crate::{
    Shared,
    api::Body,
    device::{Refusal, Wanted},
    intune::{Group, Intune, reassign, revocation::Cause},
    tenant::Space,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{get, put},
};
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/groups", get(groups).post(make_group))
        .route("/groups/{id}", get(group).put(put_group).delete(delete_group))
        .route("/groups/{id}/members/{member}", put(join).delete(leave))
}

async fn groups(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        let groups = tenant.intune.groups.iter().map(|(id, group)| shown(*id, group));
        Json(json!({ "value": groups.collect::<Vec<_>>() }))
    })
}

fn shown(id: Uuid, group: &Group) -> Value {
    json!({ "id": id, "displayName": group.display_name, "members": group.members })
}

fn no_group() -> Refusal {
    Refusal::missing("there is no such group")
}

async fn make_group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Body(group): Body<Group>,
) -> Answer<(StatusCode, Json<Value>)> {
    change(&shared, &asked, |tenant, _| {
        let (intune, seed) = (&mut tenant.intune, tenant.blueprint.seed);
        intune.made += 1;
        let id = seed.guid(Space::Group, intune.made);
        let body = Json(shown(id, &group));
        intune.groups.insert(id, group);
        (StatusCode::CREATED, body)
    })
}

async fn group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        tenant.intune.groups.get(&id).map(|group| Json(shown(id, group))).ok_or_else(no_group)
    })?
}

async fn put_group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
    Body(group): Body<Group>,
) -> Answer<Json<Value>> {
    change(&shared, &asked, |tenant, now| {
        let body = Json(shown(id, &group));
        reassign(tenant, Cause::GroupLeft, now, |intune| {
            intune.groups.insert(id, group);
        });
        body
    })
}

async fn delete_group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
) -> Answer<StatusCode> {
    change_group(&shared, &asked, id, |intune| {
        intune.groups.remove(&id);
    })
}

async fn join(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((id, member)): Path<(Uuid, Uuid)>,
) -> Answer<StatusCode> {
    change_group(&shared, &asked, id, |intune| {
        intune.groups.entry(id).or_default().members.insert(member);
    })
}

async fn leave(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((id, member)): Path<(Uuid, Uuid)>,
) -> Answer<StatusCode> {
    change_group(&shared, &asked, id, |intune| {
        intune.groups.entry(id).or_default().members.remove(&member);
    })
}

fn change_group(
    shared: &Shared,
    asked: &Wanted,
    id: Uuid,
    how: impl FnOnce(&mut Intune),
) -> Answer<StatusCode> {
    change(shared, asked, |tenant, now| {
        if !tenant.intune.groups.contains_key(&id) {
            return Err(no_group());
        }
        reassign(tenant, Cause::GroupLeft, now, how);
        Ok(StatusCode::NO_CONTENT)
    })?
}
