//! What the control interface does to Jamf Pro: what a person would do in its console.

use super::{
    Cluster, Jamf, Offers,
    access::Credential,
    event,
    object::{Computer, Location, MobileDevice, Person},
    tree::Node,
    webhook::{Event, Webhook},
};
use crate::{
    Shared,
    device::{Refusal, Wanted, merged},
    tenant::{Record, Tenant, Time},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{delete, get, post, put},
};
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

/// Its routes, below `/_control`.
pub fn control_routes() -> Router<Shared> {
    Router::new()
        .route("/jamf", get(about))
        .route("/jamf/cluster", put(cluster))
        .route("/jamf/offers", put(offers))
        .route("/jamf/tokens", delete(forget_tokens))
        .route("/jamf/accounts/{name}", put(put_account).delete(delete_account))
        .route("/jamf/clients/{id}", put(put_client).delete(delete_client))
        .route("/jamf/webhooks", get(webhooks).post(make_webhook))
        .route("/jamf/webhooks/{id}", delete(delete_webhook))
        .route("/jamf/{kind}", post(make))
        .route("/jamf/{kind}/{id}", get(show).patch(change).delete(remove))
        .route("/jamf/{kind}/{id}/events", post(happen))
}

type Answer<T> = Result<T, Refusal>;
type Asked = Query<Wanted>;

fn changed<R>(
    shared: &Shared,
    asked: &Wanted,
    how: impl FnOnce(&mut Tenant, Time) -> R,
) -> Answer<R> {
    let tenant = asked.tenant(&shared.world)?;
    shared.world.change(tenant, how).map_err(Refusal::missing)
}

async fn about(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    let tenant = asked.tenant(&shared.world)?;
    let about = shared.world.read(tenant, |tenant| {
        let jamf = &tenant.jamf;
        json!({
            "baseUrl": format!("{}/jamf/{}", shared.world.base_url(), tenant.domain()),
            "version": jamf.version,
            "cluster": jamf.cluster,
            "offers": jamf.offers,
            "accounts": jamf.access.accounts,
            "clients": jamf.access.clients,
            "computers": jamf.computers.count(),
            "mobileDevices": jamf.mobile_devices.count(),
            "users": jamf.people.count(),
        })
    });
    about.map(Json).map_err(Refusal::missing)
}

async fn cluster(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Json(cluster): Json<Cluster>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.cluster = cluster)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn offers(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Json(offers): Json<Offers>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.offers = offers)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn forget_tokens(State(shared): State<Shared>, Query(asked): Asked) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.access.forget_tokens())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_account(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(name): Path<String>,
    Json(credential): Json<Credential>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.access.accounts.insert(name, credential))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_account(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    let gone = changed(&shared, &asked, |tenant, _| tenant.jamf.access.accounts.remove(&name))?;
    gone.map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Refusal::missing("there is no such account"))
}

async fn put_client(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<String>,
    Json(credential): Json<Credential>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.access.clients.insert(id, credential))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_client(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let gone = changed(&shared, &asked, |tenant, _| tenant.jamf.access.clients.remove(&id))?;
    gone.map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Refusal::missing("there is no such client"))
}

async fn webhooks(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    let tenant = asked.tenant(&shared.world)?;
    let listed = shared.world.read(tenant, |tenant| {
        let listed =
            tenant.jamf.webhooks.iter().map(|(id, hook)| json!({ "id": id, "webhook": hook }));
        json!({ "value": listed.collect::<Vec<_>>() })
    });
    listed.map(Json).map_err(Refusal::missing)
}

async fn make_webhook(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Json(hook): Json<Webhook>,
) -> Answer<(StatusCode, Json<Value>)> {
    let id = changed(&shared, &asked, |tenant, _| tenant.jamf.webhooks.add(hook))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn delete_webhook(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<u32>,
) -> Answer<StatusCode> {
    let gone = changed(&shared, &asked, |tenant, _| tenant.jamf.webhooks.remove(id))?;
    if gone {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::missing("there is no such webhook"))
    }
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
    Json(properties): Json<Value>,
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
    Json(patch): Json<Value>,
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
    Json(body): Json<EventBody>,
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
