//! Objects of Jamf Pro, changed as a person does it in the console.

use super::{Answer, Asked, changed};
use crate::{
    Shared,
    api::Body,
    device::{Refusal, merged},
    jamf::{
        Jamf, event,
        object::{Computer, Location, MobileDevice, Person},
        tree::Node,
        webhook::Event,
    },
    tenant::{Record, Time},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{get, post},
};
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/jamf/{kind}", post(make))
        .route("/jamf/{kind}/{id}", get(show).patch(change).delete(remove))
        .route("/jamf/{kind}/{id}/events", post(happen))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Computers,
    MobileDevices,
    Users,
}

fn nothing() -> Refusal {
    Refusal::missing("there is no such object")
}

async fn make(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(kind): Path<Kind>,
    Body(properties): Body<Value>,
) -> Answer<(StatusCode, Json<Value>)> {
    let guids = [shared.world.fresh_guid(), shared.world.fresh_guid()];
    changed(&shared, &asked, |tenant, now| {
        let jamf = &mut tenant.jamf;
        let made = match kind {
            Kind::Computers => {
                let blank = blank_computer(jamf.computers.next(), guids, now);
                let made = jamf.computers.add(fixed(&blank, properties)?, now);
                jamf.webhooks.happened(Event::ComputerAdded, &event::computer(&made), now);
                json!(*made)
            }
            Kind::MobileDevices => {
                let blank = blank_mobile_device(jamf.mobile_devices.next(), guids, now);
                let made = jamf.mobile_devices.add(fixed(&blank, properties)?, now);
                let about = event::mobile_device(&made);
                jamf.webhooks.happened(Event::MobileDeviceEnrolled, &about, now);
                json!(*made)
            }
            Kind::Users => {
                let id = jamf.people.next();
                let name = format!("user{id}");
                let blank = Person { id, name, full_name: String::new(), email: String::new() };
                json!(*jamf.people.add(fixed(&blank, properties)?, now))
            }
        };
        Ok((StatusCode::CREATED, Json(made)))
    })?
}

async fn show(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((kind, id)): Path<(Kind, u32)>,
) -> Answer<Json<Value>> {
    let tenant = asked.tenant(&shared.world)?;
    let found = shared.world.read(tenant, |tenant| match kind {
        Kind::Computers => tenant.jamf.computers.find(id).map(|found| json!(*found)),
        Kind::MobileDevices => tenant.jamf.mobile_devices.find(id).map(|found| json!(*found)),
        Kind::Users => tenant.jamf.people.find(id).map(|found| json!(*found)),
    });
    found.map_err(Refusal::missing)?.map(Json).ok_or_else(nothing)
}

/// Changes an object, and tells of its inventory and of whether it can be reached by MDM.
async fn change(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((kind, id)): Path<(Kind, u32)>,
    Body(patch): Body<Value>,
) -> Answer<Json<Value>> {
    changed(&shared, &asked, |tenant, now| {
        let jamf = &mut tenant.jamf;
        match kind {
            Kind::Computers => {
                let old = jamf.computers.find(id).ok_or_else(nothing)?;
                let new = jamf.computers.replace(fixed(&*old, patch)?, now).ok_or_else(nothing)?;
                let about = event::computer(&new);
                jamf.webhooks.happened(Event::ComputerInventoryCompleted, &about, now);
                if new.managed != old.managed {
                    jamf.webhooks.happened(Event::ComputerPushCapabilityChanged, &about, now);
                }
                Ok(Json(json!(*new)))
            }
            Kind::MobileDevices => {
                let old = jamf.mobile_devices.find(id).ok_or_else(nothing)?;
                let new = fixed(&*old, patch)?;
                let new = jamf.mobile_devices.replace(new, now).ok_or_else(nothing)?;
                let about = event::mobile_device(&new);
                match (old.managed, new.managed) {
                    (true, false) => {
                        jamf.webhooks.happened(Event::MobileDeviceUnEnrolled, &about, now);
                    }
                    (false, true) => {
                        jamf.webhooks.happened(Event::MobileDeviceEnrolled, &about, now);
                    }
                    _ => {}
                }
                Ok(Json(json!(*new)))
            }
            Kind::Users => {
                let old = jamf.people.find(id).ok_or_else(nothing)?;
                let new = jamf.people.replace(fixed(&*old, patch)?, now).ok_or_else(nothing)?;
                Ok(Json(json!(*new)))
            }
        }
    })?
}

/// Deletes an object as the console does: no webhook tells of it.
async fn remove(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((kind, id)): Path<(Kind, u32)>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, now| {
        let jamf = &mut tenant.jamf;
        let gone = match kind {
            Kind::Computers => jamf.computers.remove(id, now).map(drop),
            Kind::MobileDevices => jamf.mobile_devices.remove(id, now).map(drop),
            Kind::Users => jamf.people.remove(id, now).map(drop),
        };
        gone.map(|()| StatusCode::NO_CONTENT).ok_or_else(nothing)
    })?
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventBody {
    event: Event,
}

/// Lets an event happen to an object, without anything else.
async fn happen(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((kind, id)): Path<(Kind, u32)>,
    Body(body): Body<EventBody>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, now| {
        let jamf = &mut tenant.jamf;
        let about = about_object(jamf, kind, id).ok_or_else(nothing)?;
        jamf.webhooks.happened(body.event, &about, now);
        Ok(StatusCode::ACCEPTED)
    })?
}

fn about_object(jamf: &Jamf, kind: Kind, id: u32) -> Option<Node> {
    match kind {
        Kind::Computers => jamf.computers.find(id).map(|found| event::computer(&found)),
        Kind::MobileDevices => {
            jamf.mobile_devices.find(id).map(|found| event::mobile_device(&found))
        }
        Kind::Users => None,
    }
}

/// The object with these properties; its number stays.
fn fixed<R>(old: &R, properties: Value) -> Result<R, Refusal>
where
    R: Record<Id = u32> + Serialize + DeserializeOwned,
{
    let new: R = merged(old, properties)?;
    if new.id() == old.id() { Ok(new) } else { Err(Refusal::bad("a number cannot be chosen")) }
}

fn blank_computer(id: u32, [udid, management_id]: [Uuid; 2], now: Time) -> Computer {
    Computer {
        id,
        name: format!("JMAC-NEW-{id}"),
        udid,
        serial_number: format!("JN{id:08}"),
        management_id,
        managed: true,
        supervised: true,
        location: Location::default(),
        last_contact: now,
        enrolled: now,
    }
}

fn blank_mobile_device(id: u32, [udid, management_id]: [Uuid; 2], now: Time) -> MobileDevice {
    MobileDevice {
        id,
        name: format!("JPAD-NEW-{id}"),
        udid,
        serial_number: format!("JP{id:08}"),
        management_id,
        managed: true,
        supervised: true,
        ownership: "Institutional".to_owned(),
        location: Location::default(),
        last_contact: now,
        enrolled: now,
    }
}
