//! A tenant: its people, devices and applications, without a word about HTTP.
//!
//! What the services say about them is each service's; what Intune and Jamf Pro keep besides is in
//! their own folders.

pub mod app;
pub mod blueprint;
pub mod clock;
pub mod device;
pub mod managed_device;
pub mod people;
pub mod seed;
pub mod spec;
pub mod table;
#[cfg(test)]
mod tests;
pub mod user;
mod world;

use std::sync::Arc;

use uuid::Uuid;

pub use app::{App, AppCertificate, AppRole, Apps, Assignment, MemberType, Secret, TokenVersion};
pub use blueprint::{Blueprint, MOST_DEVICES};
pub use clock::{Clock, Pace, Time};
pub use device::{Device, Platform};
pub use managed_device::{ComplianceState, ManagedDevice, ManagementState, OwnerType};
pub use seed::{Seed, Space};
pub use spec::{AppSpec, REHEARSAL_SECRET, TenantSpec};
pub use table::{Changed, Position, Record, Removal, Table, View};
pub use user::{RiskLevel, RiskState, RiskyUser, User};
pub use world::{NoTenant, World};

use crate::entra::Entra;
use crate::graph::Graph;
use crate::intune::Intune;
use crate::jamf::Jamf;

/// A tenant with everything that its services know.
#[derive(Debug)]
pub struct Tenant {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What its objects are generated from.
    pub blueprint: Arc<Blueprint>,
    /// Users of Entra ID.
    pub users: Table<User>,
    /// Devices of Entra ID.
    pub devices: Table<Device>,
    /// Devices that Intune manages.
    pub managed_devices: Table<ManagedDevice>,
    /// Users that were ever thought risky.
    pub risky_users: Table<RiskyUser>,
    /// Applications, their credentials and roles.
    pub apps: Apps,
    /// What signing in needs besides: signing keys, codes.
    pub entra: Entra,
    /// What Graph keeps besides: subscriptions, export jobs.
    pub graph: Graph,
    /// What Intune keeps besides.
    pub intune: Intune,
    /// What Jamf Pro keeps.
    pub jamf: Jamf,
}

impl Tenant {
    /// Makes the tenant that `spec` describes.
    pub fn new(spec: &TenantSpec, seed: Seed, now: Time) -> Self {
        let blueprint = spec.blueprint(seed, now).shared();
        Self {
            id: spec.id.unwrap_or_else(|| seed.guid(Space::Tenant, 0)),
            name: spec.name.clone(),
            users: Table::new(Arc::clone(&blueprint)),
            devices: Table::new(Arc::clone(&blueprint)),
            managed_devices: Table::new(Arc::clone(&blueprint)),
            risky_users: Table::new(Arc::clone(&blueprint)),
            apps: spec.apps(seed),
            entra: Entra::new(&blueprint),
            graph: Graph::new(&blueprint),
            intune: Intune::new(&blueprint),
            jamf: Jamf::new(&blueprint),
            blueprint,
        }
    }

    /// The domain of its people's names.
    pub fn domain(&self) -> &str {
        &self.blueprint.domain
    }

    /// The devices of Entra ID that a user owns.
    pub fn devices_of(&self, view: View, user: Uuid) -> Vec<Arc<Device>> {
        let blueprint = &self.blueprint;
        let n = User::ordinal(blueprint, user).filter(|n| *n < blueprint.users);
        let generated = n.into_iter().flat_map(|n| {
            let step = usize::try_from(blueprint.users).unwrap_or(usize::MAX);
            (n..blueprint.devices).step_by(step.max(1))
        });
        let generated = generated
            .map(|n| blueprint.seed.guid(Space::Device, n))
            .filter(|id| !self.devices.is_touched(*id))
            .filter_map(|id| self.devices.find_in(view, id));
        let touched = self.devices.all_touched(view);
        generated.chain(touched).filter(|own| own.registered_owner == Some(user)).collect()
    }

    /// Whether a request names this tenant, by id or by domain.
    pub fn is_called(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.id.to_string()) || name.eq_ignore_ascii_case(self.domain())
    }
}
