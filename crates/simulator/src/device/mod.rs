//! Devices as actors: what administrators and users do to them, and what happens when they check in.
//!
//! Nothing happens at a device before it checks in: a wipe is pending, then issued, and only then is the device gone.

mod checkin;
mod control;
mod mode;

pub use checkin::{Agenda, CHECK_IN_INTERVAL, Reach, run, settle};
pub use control::control_routes;
pub(crate) use control::{Refusal, Wanted, merged};
pub use mode::Mode;

use crate::{
    intune::{Issued, revocation::Cause},
    tenant::{ManagedDevice, ManagementState, Removal, Tenant, Time},
};
use std::sync::Arc;
use uuid::Uuid;

/// What can be done to a managed device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// An administrator resets it to the state it was sold in.
    Wipe,
    /// An administrator has the company's data removed.
    Retire,
    /// An administrator takes it out of Intune's list. It is gone at once, and nothing is revoked.
    Delete,
    /// It checks in, if it can.
    Sync,
    /// Its user takes it out of management. It is gone at once.
    Unenroll,
    /// An administrator takes back a wipe or a retirement that the device does not know of yet.
    Cancel,
}

impl Action {
    /// The action with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "wipe" => Some(Self::Wipe),
            "retire" => Some(Self::Retire),
            "delete" => Some(Self::Delete),
            "sync" => Some(Self::Sync),
            "unenroll" => Some(Self::Unenroll),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }
}

/// There is no such managed device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such managed device")]
pub struct NoDevice;

/// Does something to a managed device, and says what is left of it.
pub fn act(
    tenant: &mut Tenant,
    id: Uuid,
    action: Action,
    now: Time,
) -> Result<Option<Arc<ManagedDevice>>, NoDevice> {
    tenant.managed_devices.find(id).ok_or(NoDevice)?;
    match action {
        Action::Wipe => order(tenant, id, ManagementState::WipePending, now),
        Action::Retire => order(tenant, id, ManagementState::RetirePending, now),
        Action::Cancel => cancel(tenant, id, now),
        Action::Delete => leave(tenant, id, None, now),
        Action::Unenroll => leave(tenant, id, Some(Cause::Unenrolled), now),
        Action::Sync if tenant.intune.agenda.is_offline(id) => {}
        Action::Sync => check_in(tenant, id, now),
    }
    Ok(tenant.managed_devices.find(id))
}

/// Something for the device to do when it checks in. What is under way already goes on.
fn order(tenant: &mut Tenant, id: Uuid, state: ManagementState, now: Time) {
    let under_way = [ManagementState::WipeIssued, ManagementState::RetireIssued];
    tenant.managed_devices.change(id, now, |device| {
        if !under_way.contains(&device.management_state) {
            device.management_state = state;
        }
    });
    tenant.intune.agenda.expect(id, now);
}

/// Takes back an order that was not given to the device yet.
fn cancel(tenant: &mut Tenant, id: Uuid, now: Time) {
    tenant.managed_devices.change(id, now, |device| {
        device.management_state = match device.management_state {
            ManagementState::WipePending => ManagementState::WipeCanceled,
            ManagementState::RetirePending => ManagementState::RetireCanceled,
            state => state,
        };
    });
}

/// The device asks what there is to do. Orders are given at one check-in, and carried out by the next.
fn check_in(tenant: &mut Tenant, id: Uuid, now: Time) {
    let Some(device) = tenant.managed_devices.find(id) else { return };
    let (next, cause) = match device.management_state {
        ManagementState::WipeIssued | ManagementState::RetireIssued => {
            return leave(tenant, id, None, now);
        }
        ManagementState::WipePending => (ManagementState::WipeIssued, Some(Cause::Wiped)),
        ManagementState::RetirePending => (ManagementState::RetireIssued, Some(Cause::Retired)),
        state => (state, None),
    };
    tenant.managed_devices.change(id, now, |device| {
        device.management_state = next;
        device.last_sync_date_time = now;
    });
    match cause {
        Some(cause) => {
            tenant.intune.revoke(cause, now, |issued: &Issued| issued.device_id == id);
            tenant.intune.agenda.expect(id, now);
        }
        None => tenant.intune.agenda.done(id),
    }
}

/// The device is gone from Intune; in Entra ID it stays.
fn leave(tenant: &mut Tenant, id: Uuid, cause: Option<Cause>, now: Time) {
    if let Some(cause) = cause {
        tenant.intune.revoke(cause, now, |issued: &Issued| issued.device_id == id);
    }
    tenant.managed_devices.remove(id, Removal::Permanent, now);
    tenant.intune.agenda.forget(id);
}
