//! What the control interface does to managed devices.

use super::{Action, Mode, NoDevice, Reach, act, settle};
use crate::{Shared, api::Body, intune, tenant::World};
use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{post, put},
};
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt;
use uuid::Uuid;

/// Its routes, below `/_control`.
pub fn control_routes() -> Router<Shared> {
    Router::new()
        .route("/managedDevices/{id}/{action}", post(action))
        .route("/managedDevices/{id}/mode", put(mode))
        .route("/managedDevices/{id}/reach", put(reach))
}

/// Why the control interface does not do something.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl Refusal {
    /// It is not there.
    pub(crate) fn missing(what: impl fmt::Display) -> Self {
        Self(StatusCode::NOT_FOUND, what.to_string())
    }

    /// What is asked for makes no sense.
    pub(crate) fn bad(what: impl fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, what.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// Which tenant is meant: the first, unless `?tenant=` names another.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    tenant: Option<String>,
}

impl Wanted {
    /// The tenant.
    pub(crate) fn tenant(&self, world: &World) -> Result<Uuid, Refusal> {
        let found = match &self.tenant {
            Some(name) => world.tenant_called(name).ok(),
            None => world.tenants().next(),
        };
        found.ok_or_else(|| Refusal::missing("there is no such tenant"))
    }
}

/// What `patch` makes of something: properties that it names are replaced, within objects too.
pub(crate) fn merged<T: Serialize + DeserializeOwned>(old: &T, patch: Value) -> Result<T, Refusal> {
    let mut whole = serde_json::to_value(old).map_err(Refusal::bad)?;
    overlay(&mut whole, patch);
    serde_json::from_value(whole).map_err(Refusal::bad)
}

fn overlay(whole: &mut Value, patch: Value) {
    match (whole, patch) {
        (Value::Object(whole), Value::Object(patch)) => {
            for (name, value) in patch {
                overlay(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, patch) => *whole = patch,
    }
}

async fn action(
    State(shared): State<Shared>,
    Path((id, name)): Path<(Uuid, String)>,
) -> Result<Json<Value>, Refusal> {
    settle(&shared.world);
    let action = Action::parse(&name).ok_or_else(|| {
        Refusal::missing("wipe, retire, cancel, delete, sync and unenroll can be done")
    })?;
    let tenant = tenant_of(&shared.world, id)?;
    let outcome = shared.world.change(tenant, |tenant, now| {
        let left = act(tenant, id, action, now)?;
        let due = left.as_ref().map(|device| intune::due(tenant, device, now)).unwrap_or_default();
        let state = left.map(|device| device.management_state);
        Ok::<_, NoDevice>(json!({
            "id": id,
            "present": state.is_some(),
            "managementState": state,
            "certificatesDue": due,
        }))
    });
    outcome.map_err(Refusal::missing)?.map(Json).map_err(Refusal::missing)
}

#[derive(Deserialize)]
struct ModeBody {
    mode: Mode,
}

async fn mode(
    State(shared): State<Shared>,
    Path(id): Path<Uuid>,
    Body(body): Body<ModeBody>,
) -> Result<StatusCode, Refusal> {
    let tenant = tenant_of(&shared.world, id)?;
    let set = shared.world.change(tenant, |tenant, _| tenant.intune.agenda.set_mode(id, body.mode));
    set.map_err(Refusal::missing)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct ReachBody {
    reach: Reach,
}

async fn reach(
    State(shared): State<Shared>,
    Path(id): Path<Uuid>,
    Body(body): Body<ReachBody>,
) -> Result<StatusCode, Refusal> {
    let tenant = tenant_of(&shared.world, id)?;
    let set = shared.world.change(tenant, |tenant, now| {
        tenant.intune.agenda.reach(id, body.reach, now);
    });
    set.map_err(Refusal::missing)?;
    settle(&shared.world);
    Ok(StatusCode::NO_CONTENT)
}

/// The tenant that manages this device.
fn tenant_of(world: &World, id: Uuid) -> Result<Uuid, Refusal> {
    let found = world.tenant_where(|tenant| tenant.managed_devices.find(id).is_some());
    found.map_err(|_| Refusal::missing(NoDevice))
}
