//! Users and devices of Entra ID, and what belongs to them.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Version};
use super::error::GraphError;
use super::filter::Filter;
use super::list::{Size, context, list};
use super::shape::{Shown as _, projected};
use crate::entra::CallerKind;
use crate::tenant::{App, Device, Tenant, User, World};

pub(super) const USERS: &[&str] = &["User.Read.All", "Directory.Read.All"];
pub(super) const DEVICES: &[&str] = &["Device.Read.All", "Directory.Read.All"];
pub(super) const APPS: &[&str] = &["Application.Read.All", "Directory.Read.All"];

const SIZE: Size = Size { default: 100, most: 999 };

type Answer = Result<Value, GraphError>;

/// `GET /users`
pub(super) fn users(world: &World, call: &Call, tenant: &Tenant) -> Answer {
    call.needs(USERS)?;
    list(world, call, "users", SIZE, &tenant.users, |filter: &Filter| {
        if let Some(id) = filter.only("id") {
            let id = id.parse().ok()?;
            return Some(tenant.users.find_in(call.view, id).into_iter().collect());
        }
        let key = filter.only("userPrincipalName")?.to_lowercase();
        Some(tenant.users.find_by_in(call.view, &key).into_iter().collect())
    })
}

/// `GET /users/{id|userPrincipalName}`
pub(super) fn user(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(USERS)?;
    let user = find_user(call, tenant, key).ok_or_else(|| GraphError::not_found(key))?;
    entity(world, call, "users/$entity", &*user)
}

/// `GET /me`
pub(super) fn me(world: &World, call: &Call, tenant: &Tenant) -> Answer {
    if call.caller.kind != CallerKind::User {
        let message = "/me request is only valid with delegated authentication flow.";
        return Err(GraphError::bad(message));
    }
    call.needs(&["User.Read", "User.Read.All", "Directory.Read.All"])?;
    let id = call.caller.principal;
    let user = tenant
        .users
        .find_in(call.view, id)
        .ok_or_else(|| GraphError::not_found(&id.to_string()))?;
    entity(world, call, "users/$entity", &*user)
}

fn find_user(call: &Call, tenant: &Tenant, key: &str) -> Option<Arc<User>> {
    if let Ok(id) = key.parse() {
        return tenant.users.find_in(call.view, id);
    }
    let key = key.strip_prefix("userPrincipalName=").unwrap_or(key).to_lowercase();
    tenant.users.find_by_in(call.view, &key)
}

/// `GET /devices`
pub(super) fn devices(world: &World, call: &Call, tenant: &Tenant) -> Answer {
    call.needs(DEVICES)?;
    list(world, call, "devices", SIZE, &tenant.devices, |filter: &Filter| {
        if let Some(id) = filter.only("id") {
            let id = id.parse().ok()?;
            return Some(tenant.devices.find_in(call.view, id).into_iter().collect());
        }
        let key = filter.only("deviceId")?.parse().ok()?;
        Some(tenant.devices.find_by_in(call.view, &key).into_iter().collect())
    })
}

/// `GET /devices/{id}` and `GET /devices(deviceId='{deviceId}')`
pub(super) fn device(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(DEVICES)?;
    let device = find_device(call, tenant, key)?;
    entity(world, call, "devices/$entity", &*device)
}

/// `GET …/registeredOwners` and `GET …/registeredUsers`
pub(super) fn people_of_device(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(&["Directory.Read.All"])?;
    let device = find_device(call, tenant, key)?;
    let owner = device.registered_owner.and_then(|id| tenant.users.find_in(call.view, id));
    collection(world, call, "directoryObjects", owner.into_iter().collect())
}

/// `GET …/ownedDevices` and `GET …/registeredDevices`
pub(super) fn devices_of_user(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(&["Directory.Read.All"])?;
    let user = find_user(call, tenant, key).ok_or_else(|| GraphError::not_found(key))?;
    collection(world, call, "directoryObjects", tenant.devices_of(call.view, user.id))
}

/// `GET …/memberOf`: the groups that a user or device is in.
pub(super) fn groups_of(world: &World, call: &Call, tenant: &Tenant, member: Uuid) -> Answer {
    call.needs(&["Directory.Read.All"])?;
    let groups = tenant.intune.groups.iter().filter(|(_, group)| group.members.contains(&member));
    let value: Vec<Value> = groups
        .map(|(id, group)| {
            json!({ "@odata.type": "#microsoft.graph.group", "id": id, "displayName": group.display_name })
        })
        .collect();
    Ok(json!({ "@odata.context": context(world, call, "directoryObjects"), "value": value }))
}

/// The id of the user or device that a path names.
pub(super) fn id_of(
    call: &Call,
    tenant: &Tenant,
    set: &str,
    key: &str,
) -> Result<Uuid, GraphError> {
    match set {
        "devices" => Ok(find_device(call, tenant, key)?.id),
        _ => Ok(find_user(call, tenant, key).ok_or_else(|| GraphError::not_found(key))?.id),
    }
}

fn find_device(call: &Call, tenant: &Tenant, key: &str) -> Result<Arc<Device>, GraphError> {
    let invalid = || GraphError::bad_request(format!("Invalid object identifier '{key}'."));
    let found = match key.split_once('=') {
        Some(("deviceId", device_id)) => {
            let device_id = device_id.parse().map_err(|_| invalid())?;
            tenant.devices.find_by_in(call.view, &device_id)
        }
        Some(_) => return Err(invalid()),
        None => tenant.devices.find_in(call.view, key.parse().map_err(|_| invalid())?),
    };
    found.ok_or_else(|| GraphError::not_found(key.trim_start_matches("deviceId=")))
}

/// `GET /directory/deletedItems/microsoft.graph.user` and `GET /directory/deletedItems/{id}`
pub(super) fn deleted(world: &World, call: &Call, tenant: &Tenant, key: Option<&str>) -> Answer {
    call.needs(USERS)?;
    let whole = |(at, user): (crate::tenant::Time, Arc<User>)| {
        let mut whole = user.whole();
        whole["deletedDateTime"] = at.to_string().into();
        whole
    };
    match key {
        None => {
            let value: Vec<Value> = tenant.users.all_removed().into_iter().map(whole).collect();
            let context = context(world, call, "directoryObjects");
            Ok(json!({ "@odata.context": context, "value": value }))
        }
        Some(key) => {
            let id = key.parse().map_err(|_| GraphError::not_found(key))?;
            tenant.users.removed(id).map(whole).ok_or_else(|| GraphError::not_found(key))
        }
    }
}

/// `GET /organization`
pub(super) fn organization(world: &World, call: &Call, tenant: &Tenant) -> Value {
    json!({
        "@odata.context": context(world, call, "organization"),
        "value": [{
            "id": tenant.id,
            "displayName": tenant.name,
            "verifiedDomains": [{ "name": tenant.domain(), "isDefault": true, "isInitial": true }],
        }],
    })
}

/// `GET /servicePrincipals`, by `$filter=appId eq '…'` too.
pub(super) fn service_principals(world: &World, call: &Call, tenant: &Tenant) -> Answer {
    call.needs(APPS)?;
    let filter = call.options.find("$filter").map(Filter::parse).transpose()?;
    let all = tenant.apps.all().map(principal);
    let value: Vec<Value> =
        all.filter(|app| filter.as_ref().is_none_or(|filter| filter.meets(app))).collect();
    Ok(json!({ "@odata.context": context(world, call, "servicePrincipals"), "value": value }))
}

/// `GET /servicePrincipals/{id}` and `GET /servicePrincipals(appId='{appId}')`
pub(super) fn service_principal(call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(APPS)?;
    Ok(principal(find_app(tenant, key)?))
}

/// `GET …/appRoleAssignments`: the roles that the application has.
pub(super) fn roles_of_app(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(APPS)?;
    let app = find_app(tenant, key)?;
    let own = tenant.apps.assignments().filter(|own| own.principal == app.service_principal);
    let value: Vec<Value> = own
        .filter_map(|own| {
            let resource = tenant.apps.find(own.resource)?;
            Some(json!({
                "appRoleId": own.role,
                "principalDisplayName": app.display_name,
                "principalId": own.principal,
                "principalType": "ServicePrincipal",
                "resourceDisplayName": resource.display_name,
                "resourceId": resource.service_principal,
            }))
        })
        .collect();
    Ok(json!({ "@odata.context": context(world, call, "appRoleAssignments"), "value": value }))
}

/// `GET …/endpoints`: where the services of an application are.
pub(super) fn endpoints(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(APPS)?;
    let app = find_app(tenant, key)?;
    let services = match app.app_id {
        crate::tenant::app::INTUNE => crate::intune::services(world.base_url()).to_vec(),
        _ => Vec::new(),
    };
    let value: Vec<Value> = services
        .iter()
        .enumerate()
        .map(|(n, service)| {
            let seed = tenant.blueprint.seed;
            json!({
                "id": seed.guid(crate::tenant::Space::Intune, (1 << 40) + n as u64),
                "deletedDateTime": null,
                "capability": service.capability,
                "providerId": app.app_id,
                "providerName": service.provider_name,
                "providerResourceId": service.provider_name,
                "uri": service.uri,
            })
        })
        .collect();
    let what = format!("servicePrincipals('{}')/endpoints", app.service_principal);
    Ok(json!({ "@odata.context": context(world, call, &what), "value": value }))
}

fn find_app<'a>(tenant: &'a Tenant, key: &str) -> Result<&'a App, GraphError> {
    let missing = || GraphError::not_found(key);
    if let Some(app_id) = key.strip_prefix("appId=") {
        let app_id = app_id.parse().map_err(|_| missing())?;
        return tenant.apps.find(app_id).ok_or_else(missing);
    }
    let id: Uuid = key.parse().map_err(|_| missing())?;
    tenant.apps.all().find(|app| app.service_principal == id).ok_or_else(missing)
}

fn principal(app: &App) -> Value {
    json!({
        "id": app.service_principal,
        "appId": app.app_id,
        "displayName": app.display_name,
        "accountEnabled": true,
        "appRoleAssignmentRequired": app.assignment_required,
        "servicePrincipalType": if app.managed_identity { "ManagedIdentity" } else { "Application" },
        "appRoles": app.roles.iter().map(|role| json!({
            "id": role.id,
            "value": role.value,
            "allowedMemberTypes": role.allowed_member_types,
            "isEnabled": true,
        })).collect::<Vec<_>>(),
    })
}

/// One object, with its context.
pub(super) fn entity<T: super::shape::Shown>(
    world: &World,
    call: &Call,
    what: &str,
    object: &T,
) -> Answer {
    let mut body = projected(object, call.options.select().as_deref())?;
    body["@odata.context"] = context(world, call, what).into();
    Ok(body)
}

fn collection<T: super::shape::Shown>(
    world: &World,
    call: &Call,
    what: &str,
    objects: Vec<Arc<T>>,
) -> Answer {
    let select = call.options.select();
    let mut value = Vec::new();
    for object in objects {
        let mut part = projected(&*object, select.as_deref())?;
        part["@odata.type"] = format!("#{}", T::KIND.name()).into();
        value.push(part);
    }
    Ok(json!({ "@odata.context": context(world, call, what), "value": value }))
}

/// Some paths are there in beta only.
pub(super) fn beta_only(call: &Call) -> Result<(), GraphError> {
    match call.version {
        Version::Beta => Ok(()),
        Version::V1 => {
            let segment = call.segments.last().map_or("", String::as_str);
            let message = format!("Resource not found for the segment '{segment}'.");
            Err(GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message))
        }
    }
}
