//! What Intune shows through Graph: managed devices and the certificates that it believes issued;
//! and what Identity Protection shows: risky users.

use serde_json::{Value, json};

use super::call::Call;
use super::directory::{beta_only, entity};
use super::error::GraphError;
use super::filter::Filter;
use super::list::{Size, context, list};
use crate::device::{Action, act};
use crate::intune::{Issued, Status};
use crate::tenant::{Tenant, World};

pub(super) const MANAGED: &[&str] =
    &["DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"];
pub(super) const CONFIGURATION: &[&str] =
    &["DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"];
const RISKY: &[&str] = &["IdentityRiskyUser.Read.All", "IdentityRiskyUser.ReadWrite.All"];

type Answer = Result<Value, GraphError>;

/// `GET /deviceManagement/managedDevices`
pub(super) fn managed_devices(world: &World, call: &Call, tenant: &Tenant) -> Answer {
    call.needs(MANAGED)?;
    let size = Size { default: 1000, most: 1000 };
    let path = "deviceManagement/managedDevices";
    list(world, call, path, size, &tenant.managed_devices, |filter: &Filter| {
        if let Some(id) = filter.only("id") {
            let id = id.parse().ok()?;
            return Some(tenant.managed_devices.find_in(call.view, id).into_iter().collect());
        }
        // The same device may be enrolled again under another Intune id: all are answered.
        let key = filter.only("azureADDeviceId")?.parse().ok()?;
        Some(tenant.managed_devices.all_by_in(call.view, &key))
    })
}

/// `GET /deviceManagement/managedDevices/{id}`
pub(super) fn managed_device(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(MANAGED)?;
    let id =
        key.parse().map_err(|_| GraphError::bad(format!("Invalid object identifier '{key}'.")))?;
    let found = tenant.managed_devices.find_in(call.view, id);
    let device = found.ok_or_else(|| GraphError::not_managed(world.fresh_guid()))?;
    entity(world, call, "deviceManagement/managedDevices/$entity", &*device)
}

/// `GET /identityProtection/riskyUsers`
pub(super) fn risky_users(world: &World, call: &Call, tenant: &Tenant) -> Answer {
    call.needs(RISKY)?;
    let size = Size { default: 100, most: 500 };
    list(world, call, "identityProtection/riskyUsers", size, &tenant.risky_users, |filter| {
        let id = filter.only("id")?.parse().ok()?;
        Some(tenant.risky_users.find_in(call.view, id).into_iter().collect())
    })
}

/// `GET /identityProtection/riskyUsers/{id}`
pub(super) fn risky_user(world: &World, call: &Call, tenant: &Tenant, key: &str) -> Answer {
    call.needs(RISKY)?;
    let missing = || GraphError::not_found(key);
    let id = key.parse().map_err(|_| missing())?;
    let user = tenant.risky_users.find_in(call.view, id).ok_or_else(missing)?;
    entity(world, call, "identityProtection/riskyUsers/$entity", &*user)
}

/// `GET /deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates`, in beta only.
pub(super) fn certificate_states(world: &World, call: &Call, tenant: &Tenant) -> Answer {
    beta_only(call)?;
    call.needs(CONFIGURATION)?;
    let filter = call.options.find("$filter").map(Filter::parse).transpose()?;
    let all = tenant.intune.certificates.issued().map(|issued| certificate_state(tenant, issued));
    let value: Vec<Value> =
        all.filter(|state| filter.as_ref().is_none_or(|filter| filter.meets(state))).collect();
    let what = "deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates";
    Ok(json!({ "@odata.context": context(world, call, what), "value": value }))
}

fn certificate_state(tenant: &Tenant, issued: &Issued) -> Value {
    let device = tenant.managed_devices.find(issued.device_id);
    let user = issued.user_id.and_then(|id| tenant.users.find(id));
    json!({
        "id": issued.certificate_request_id,
        "certificateRevokeStatus": match issued.status {
            Status::Active => "none",
            Status::RevocationRequested => "pending",
        },
        "certificateRevokeStatusLastChangeDateTime": issued.notified,
        "managedDeviceDisplayName": device.map(|device| device.device_name.clone()),
        "userPrincipalName": user.map(|user| user.user_principal_name.clone()),
        "certificateIssuanceDateTime": issued.notified,
        "certificateExpirationDateTime": issued.expires,
        "certificateIssuerName": issued.issuing_certificate_authority,
        "certificateThumbprint": issued.thumbprint,
        "certificateSerialNumber": issued.serial_number,
        "certificateSubjectName": issued.subject,
    })
}

/// `POST /deviceManagement/managedDevices/{id}/{action}` and `DELETE` of a device.
pub(super) fn order(world: &World, call: &Call, key: &str, name: &str) -> Result<(), GraphError> {
    call.needs(&[
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
        "DeviceManagementManagedDevices.ReadWrite.All",
    ])?;
    let action = match name {
        "wipe" => Action::Wipe,
        "retire" => Action::Retire,
        "syncDevice" => Action::Sync,
        "delete" => Action::Delete,
        other => return Err(GraphError::no_segment(other)),
    };
    let missing = || GraphError::not_managed(world.fresh_guid());
    let id = key.parse().map_err(|_| missing())?;
    let done = world.change(call.caller.tenant, |tenant, now| act(tenant, id, action, now))?;
    done.map(drop).map_err(|_| missing())
}
