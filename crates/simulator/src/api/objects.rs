//! Users, devices, managed devices and risky users: listed, made, changed and taken away.
//!
//! Properties have the names of Graph.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::body::Body;
use crate::Shared;
use crate::device::{Refusal, Wanted, merged, settle};
use crate::tenant::managed_device::NO_GRACE_PERIOD;
use crate::tenant::{
    Device, ManagedDevice, Record, Removal, RiskyUser, Table, Tenant, Time, User, View, World,
};

/// How many are listed at once where nobody says how many.
const LISTED: usize = 100;

/// Objects that can be made and changed.
pub(super) trait Kept: Record<Id = Uuid> + Serialize + DeserializeOwned {
    /// As the path calls them.
    const NAME: &'static str;
    /// How they go away.
    const REMOVAL: Removal;

    fn table(tenant: &Tenant) -> &Table<Self>;
    fn table_mut(tenant: &mut Tenant) -> &mut Table<Self>;
    /// The object that a text calls by another key than its id.
    fn called(tenant: &Tenant, name: &str) -> Option<Uuid>;
    /// What a new one is where nobody says otherwise.
    fn fresh(tenant: &Tenant, id: Uuid, given: &Map<String, Value>, now: Time) -> Value;
    /// What follows in other tables when it was made or changed.
    fn follow(_tenant: &mut Tenant, _changed: &Self, _now: Time) {}
    /// What follows in other tables when it is gone.
    fn bereave(_tenant: &mut Tenant, _gone: Uuid, _now: Time) {}
}

fn text<'a>(given: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    given.get(name).and_then(Value::as_str)
}

impl Kept for User {
    const NAME: &'static str = "users";
    const REMOVAL: Removal = Removal::Soft;

    fn table(tenant: &Tenant) -> &Table<Self> {
        &tenant.users
    }

    fn table_mut(tenant: &mut Tenant) -> &mut Table<Self> {
        &mut tenant.users
    }

    fn called(tenant: &Tenant, name: &str) -> Option<Uuid> {
        tenant.users.find_by(&name.to_lowercase()).map(|user| user.id)
    }

    fn fresh(tenant: &Tenant, id: Uuid, given: &Map<String, Value>, now: Time) -> Value {
        let alias = id.simple().to_string();
        let upn = format!("user-{}@{}", alias.get(..8).unwrap_or(&alias), tenant.domain());
        let upn = text(given, "userPrincipalName").unwrap_or(&upn);
        let name = upn.split('@').next().unwrap_or(upn);
        json!({
            "id": id,
            "userPrincipalName": upn,
            "displayName": name,
            "mail": upn,
            "createdDateTime": now,
        })
    }

    fn follow(tenant: &mut Tenant, changed: &Self, now: Time) {
        mark_risky(tenant, changed.id, false, now);
    }

    fn bereave(tenant: &mut Tenant, gone: Uuid, now: Time) {
        mark_risky(tenant, gone, true, now);
    }
}

/// Identity Protection remembers whether the user is there.
fn mark_risky(tenant: &mut Tenant, id: Uuid, deleted: bool, now: Time) {
    let risky = tenant.risky_users.find(id);
    if risky.is_some_and(|risky| risky.is_deleted != deleted) {
        tenant.risky_users.change(id, now, |risky| risky.is_deleted = deleted);
    }
}

impl Kept for Device {
    const NAME: &'static str = "devices";
    const REMOVAL: Removal = Removal::Permanent;

    fn table(tenant: &Tenant) -> &Table<Self> {
        &tenant.devices
    }

    fn table_mut(tenant: &mut Tenant) -> &mut Table<Self> {
        &mut tenant.devices
    }

    fn called(tenant: &Tenant, name: &str) -> Option<Uuid> {
        tenant.devices.find_by(&name.parse().ok()?).map(|device| device.id)
    }

    fn fresh(_: &Tenant, id: Uuid, _: &Map<String, Value>, now: Time) -> Value {
        // A device has two ids, and they differ.
        let device_id = Uuid::from_u128(id.as_u128() ^ 0xd);
        json!({
            "id": id,
            "deviceId": device_id,
            "displayName": format!("PC-{}", &id.simple().to_string()[..8]),
            "operatingSystem": "Windows",
            "trustType": "AzureAd",
            "registrationDateTime": now,
        })
    }
}

impl Kept for ManagedDevice {
    const NAME: &'static str = "managedDevices";
    const REMOVAL: Removal = Removal::Permanent;

    fn table(tenant: &Tenant) -> &Table<Self> {
        &tenant.managed_devices
    }

    fn table_mut(tenant: &mut Tenant) -> &mut Table<Self> {
        &mut tenant.managed_devices
    }

    fn called(tenant: &Tenant, name: &str) -> Option<Uuid> {
        tenant.managed_devices.find_by(&name.parse().ok()?).map(|device| device.id)
    }

    fn fresh(tenant: &Tenant, id: Uuid, given: &Map<String, Value>, now: Time) -> Value {
        let user = text(given, "userId")
            .and_then(|id| id.parse().ok())
            .and_then(|id| tenant.users.find(id));
        json!({
            "id": id,
            "deviceName": format!("PC-{}", &id.simple().to_string()[..8]),
            "operatingSystem": "Windows",
            "enrolledDateTime": now,
            "lastSyncDateTime": now,
            "complianceGracePeriodExpirationDateTime": NO_GRACE_PERIOD,
            "userPrincipalName": user.as_ref().map(|user| &user.user_principal_name),
            "userDisplayName": user.as_ref().map(|user| &user.display_name),
            "emailAddress": user.as_ref().and_then(|user| user.mail.as_ref()),
        })
    }

    /// Intune tells Entra ID whether a device is compliant.
    fn follow(tenant: &mut Tenant, changed: &Self, now: Time) {
        let compliant = Some(changed.compliance_state.is_compliant());
        let device = changed.azure_ad_device_id.and_then(|id| tenant.devices.find_by(&id));
        if let Some(device) = device.filter(|device| device.is_compliant != compliant) {
            tenant.devices.change(device.id, now, |device| device.is_compliant = compliant);
        }
    }
}

impl Kept for RiskyUser {
    const NAME: &'static str = "riskyUsers";
    const REMOVAL: Removal = Removal::Permanent;

    fn table(tenant: &Tenant) -> &Table<Self> {
        &tenant.risky_users
    }

    fn table_mut(tenant: &mut Tenant) -> &mut Table<Self> {
        &mut tenant.risky_users
    }

    fn called(tenant: &Tenant, name: &str) -> Option<Uuid> {
        tenant.users.find_by(&name.to_lowercase()).map(|user| user.id)
    }

    fn fresh(tenant: &Tenant, id: Uuid, _: &Map<String, Value>, now: Time) -> Value {
        let user = tenant.users.find(id);
        json!({
            "id": id,
            "riskLevel": "high",
            "riskState": "atRisk",
            "riskLastUpdatedDateTime": now,
            "userDisplayName": user.as_ref().map_or("", |user| &user.display_name),
            "userPrincipalName": user.as_ref().map_or("", |user| &user.user_principal_name),
        })
    }
}

/// The routes of one kind of objects.
pub(super) fn routes<T: Kept>() -> Router<Shared> {
    Router::new().route(&format!("/{}", T::NAME), get(list::<T>).post(make::<T>)).route(
        &format!("/{}/{{id}}", T::NAME),
        get(show::<T>).patch(change::<T>).delete(remove::<T>),
    )
}

#[derive(Debug, Deserialize)]
struct Part {
    tenant: Option<String>,
    search: Option<String>,
    #[serde(default)]
    from: u64,
    top: Option<usize>,
}

/// The tenant that is named, or the first.
pub(super) fn named(world: &World, tenant: Option<&str>) -> Result<Uuid, Refusal> {
    let found = match tenant {
        Some(name) => world.tenant_called(name).ok(),
        None => world.tenants().next(),
    };
    found.ok_or_else(|| Refusal::missing("there is no such tenant"))
}

fn shown(record: &impl Serialize) -> Json<Value> {
    Json(json!(record))
}

async fn list<T: Kept>(
    State(shared): State<Shared>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    settle(&shared.world);
    let tenant = named(&shared.world, part.tenant.as_deref())?;
    let search = part.search.unwrap_or_default().to_lowercase();
    let top = part.top.unwrap_or(LISTED).min(10_000);
    let found = shared.world.read(tenant, |tenant| find::<T>(tenant, &search, part.from, top));
    let (value, next) = found.map_err(Refusal::missing)?;
    let value: Vec<&T> = value.iter().map(|record| &**record).collect();
    Ok(Json(json!({ "value": value, "next": next })))
}

/// How many objects a search looks at before it answers what it has, with a place to go on at.
const LOOKED_AT: u64 = 50_000;

/// Objects that a text names, or any property of which contains it.
pub(super) fn find<T: Kept>(
    tenant: &Tenant,
    search: &str,
    from: u64,
    top: usize,
) -> (Vec<Arc<T>>, Option<u64>) {
    let table = T::table(tenant);
    let named = search.parse().ok().and_then(|id| table.find(id));
    let named = named.or_else(|| T::called(tenant, search).and_then(|id| table.find(id)));
    if let Some(named) = named {
        return (vec![named], None);
    }
    let contains = |record: &T| {
        search.is_empty()
            || serde_json::to_string(record).is_ok_and(|text| text.to_lowercase().contains(search))
    };
    let page = table.page_until(View::Current, from, LOOKED_AT, top, contains);
    (page.records, page.next)
}

/// Where an object is: which tenant has it, and its id.
pub(super) fn locate<T: Kept>(world: &World, name: &str) -> Result<(Uuid, Uuid), Refusal> {
    for tenant in world.tenants() {
        let found = world.read(tenant, |tenant| {
            let by_id = name.parse().ok().filter(|id| T::table(tenant).find(*id).is_some());
            by_id.or_else(|| T::called(tenant, name))
        });
        if let Ok(Some(id)) = found {
            return Ok((tenant, id));
        }
    }
    Err(Refusal::missing(format!("{} has no {name}", T::NAME)))
}

async fn show<T: Kept>(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    settle(&shared.world);
    let (tenant, id) = locate::<T>(&shared.world, &name)?;
    let found = shared.world.read(tenant, |tenant| T::table(tenant).find(id));
    found.ok().flatten().map(|record| shown(&*record)).ok_or_else(|| Refusal::missing("it is gone"))
}

async fn make<T: Kept>(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
    Body(given): Body<Map<String, Value>>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let tenant = wanted.tenant(&shared.world)?;
    Ok((StatusCode::CREATED, shown(&*made::<T>(&shared.world, tenant, given)?)))
}

/// A new object, of which this much is said.
pub(super) fn made<T: Kept>(
    world: &World,
    tenant: Uuid,
    given: Map<String, Value>,
) -> Result<Arc<T>, Refusal> {
    let id = match text(&given, "id") {
        Some(id) => id.parse().map_err(|_| Refusal::bad(format!("{id} is no GUID")))?,
        None => world.fresh_guid(),
    };
    let made = world.change(tenant, |tenant, now| {
        if T::table(tenant).find(id).is_some() {
            return Err(Refusal(StatusCode::CONFLICT, format!("there is a {id} already")));
        }
        let mut whole = T::fresh(tenant, id, &given, now);
        for (name, value) in given {
            whole[name] = value;
        }
        let record: T = serde_json::from_value(whole).map_err(Refusal::bad)?;
        check_alternate(T::table(tenant), &record)?;
        let record = T::table_mut(tenant).put(record, now);
        T::follow(tenant, &record, now);
        Ok(record)
    });
    made.map_err(Refusal::missing)?
}

/// Names of users and ids of devices are unique; a device may be enrolled twice.
fn check_alternate<T: Kept>(table: &Table<T>, record: &T) -> Result<(), Refusal> {
    if T::NAME == ManagedDevice::NAME {
        return Ok(());
    }
    let key = record.alternate();
    let other = key.as_ref().and_then(|key| table.find_by(key));
    if other.is_some_and(|other| other.id() != record.id()) {
        return Err(Refusal(StatusCode::CONFLICT, format!("there is a {key:?} already")));
    }
    Ok(())
}

async fn change<T: Kept>(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(patch): Body<Map<String, Value>>,
) -> Result<Json<Value>, Refusal> {
    settle(&shared.world);
    patched::<T>(&shared.world, &name, patch).map(|record| shown(&*record))
}

/// Changes an object, and says what it is then.
pub(super) fn patched<T: Kept>(
    world: &World,
    name: &str,
    patch: Map<String, Value>,
) -> Result<Arc<T>, Refusal> {
    if T::NAME == RiskyUser::NAME && locate::<T>(world, name).is_err() {
        return first_risk(world, name, patch);
    }
    let (tenant, id) = locate::<T>(world, name)?;
    let changed = world.change(tenant, |tenant, now| {
        let Some(old) = T::table(tenant).find(id) else {
            return first::<T>(tenant, id, patch, now);
        };
        let record: T = merged(&*old, Value::Object(patch))?;
        if record.id() != id {
            return Err(Refusal::bad("the id of an object cannot be changed"));
        }
        check_alternate(T::table(tenant), &record)?;
        let record = T::table_mut(tenant).put(record, now);
        T::follow(tenant, &record, now);
        Ok(record)
    });
    changed.map_err(Refusal::missing)?
}

/// A user who was never thought risky becomes so.
fn first_risk<T: Kept>(
    world: &World,
    name: &str,
    patch: Map<String, Value>,
) -> Result<Arc<T>, Refusal> {
    let (tenant, id) = locate::<User>(world, name)?;
    let made = world.change(tenant, |tenant, now| first::<T>(tenant, id, patch, now));
    made.map_err(Refusal::missing)?
}

fn first<T: Kept>(
    tenant: &mut Tenant,
    id: Uuid,
    patch: Map<String, Value>,
    now: Time,
) -> Result<Arc<T>, Refusal> {
    let mut whole = T::fresh(tenant, id, &patch, now);
    for (name, value) in patch {
        whole[name] = value;
    }
    let record = serde_json::from_value(whole).map_err(Refusal::bad)?;
    Ok(T::table_mut(tenant).put(record, now))
}

#[derive(Debug, Deserialize)]
struct Removed {
    #[serde(default)]
    permanent: bool,
}

async fn remove<T: Kept>(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(removed): Query<Removed>,
) -> Result<StatusCode, Refusal> {
    taken_away::<T>(&shared.world, &name, removed.permanent)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an object away; a user that went softly before can be taken away for good.
pub(super) fn taken_away<T: Kept>(
    world: &World,
    name: &str,
    permanent: bool,
) -> Result<(), Refusal> {
    let (tenant, id) = match (locate::<T>(world, name), name.parse()) {
        (Ok(found), _) => found,
        (Err(_), Ok(id)) if permanent => {
            let gone = |tenant: &Tenant| T::table(tenant).removed(id).is_some();
            let tenant = world.tenant_where(gone);
            (tenant.map_err(|_| Refusal::missing(format!("{} has no {name}", T::NAME)))?, id)
        }
        (Err(refusal), _) => return Err(refusal),
    };
    let removal = if permanent { Removal::Permanent } else { T::REMOVAL };
    let gone = world.change(tenant, |tenant, now| {
        let table = T::table_mut(tenant);
        let gone = table.remove(id, removal, now).or_else(|| table.purge(id, now)).is_some();
        if gone {
            T::bereave(tenant, id, now);
        }
        gone
    });
    match gone {
        Ok(true) => Ok(()),
        _ => Err(Refusal::missing(format!("{} has no {name}", T::NAME))),
    }
}

/// `POST /users/{id}/restore`
pub(super) async fn restore(
    State(shared): State<Shared>,
    Path(id): Path<Uuid>,
) -> Result<Json<Value>, Refusal> {
    brought_back(&shared.world, id).map(|user| shown(&*user))
}

/// Brings a deleted user back.
pub(super) fn brought_back(world: &World, id: Uuid) -> Result<Arc<User>, Refusal> {
    let missing = || Refusal::missing("no such user was deleted within the last 30 days");
    world.expire_deleted();
    let tenant = world.tenant_where(|tenant| tenant.users.removed(id).is_some());
    let restored = world.change(tenant.map_err(|_| missing())?, |tenant, now| {
        let user = tenant.users.restore(id, now)?;
        User::follow(tenant, &user, now);
        Some(user)
    });
    restored.ok().flatten().ok_or_else(missing)
}
