//! Intune: SCEP profiles and the challenges, validations, notifications and revocation requests that come of them.
//!
//! Managed devices themselves are in `tenant`; what happens to them, and when, is `device`'s.

pub mod certificates;
pub mod challenge;
mod code;
mod control;
mod expected;
mod issuance;
mod profile;
pub mod revocation;
mod routes;
mod validation;
mod wire;

pub use certificates::{Issued, Status};
pub use challenge::{Challenge, Flaw};
pub use code::Code;
pub use control::control_routes;
pub use expected::{AltName, AltNameKind, Expected};
pub use issuance::{Made, Refused, due};
pub use profile::{
    Assignment, CertificateType, KeyStorage, Profile, Purposes, Settings, Variables,
};
pub use routes::{Service, routes, services};

use crate::{
    Shared, device,
    tenant::{Blueprint, ManagedDevice, Space, Tenant, Time},
};
use certificates::Certificates;
use challenge::Keys;
use revocation::{Cause, Queue};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// What Intune keeps in a tenant besides the devices.
#[derive(Debug)]
pub struct Intune {
    /// SCEP profiles.
    pub profiles: BTreeMap<Uuid, Profile>,
    /// Groups that profiles are assigned to.
    pub groups: BTreeMap<Uuid, Group>,
    /// Users whose licence was lost or taken away.
    pub unlicensed: BTreeSet<Uuid>,
    /// The keys for Windows Hello that the directory lists, by user: SHA-256 of the
    /// SubjectPublicKeyInfo in hexadecimal.
    pub registered_keys: BTreeMap<Uuid, BTreeSet<String>>,
    /// Requests for certificates, and the certificates that were notified.
    pub certificates: Certificates,
    /// What the certification authority is to revoke.
    pub queue: Queue,
    /// Devices that have something to do when they check in.
    pub agenda: device::Agenda,
    /// Oddities of the service that can be switched.
    pub oddities: Oddities,
    /// How many profiles and groups were made.
    made: u64,
    keys: Keys,
}

/// A group of users and devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub display_name: String,
    /// The ids of users, of Entra devices (either of the two) or of managed devices.
    pub members: BTreeSet<Uuid>,
}

/// Oddities of the service that can be switched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Oddities {
    /// What uploaded results are answered with.
    pub upload_answer: UploadAnswer,
    /// This code is the answer of ScepActions whatever is asked, also one that nobody knows.
    pub code: Option<String>,
}

/// What uploaded results are answered with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UploadAnswer {
    /// `true` or `false`
    #[default]
    Boolean,
    /// `"true"` or `"false"`
    Text,
    /// `false`, and nothing is taken.
    Refusal,
}

impl Intune {
    /// What it keeps in a new tenant: a profile for devices and one for their users.
    pub fn new(blueprint: &Arc<Blueprint>) -> Self {
        let profile = |n, settings| {
            let id = blueprint.seed.guid(Space::Intune, n);
            (id, Profile { id, version: 1, settings })
        };
        Self {
            profiles: [profile(0, Settings::default()), profile(1, Settings::user())].into(),
            groups: BTreeMap::new(),
            unlicensed: BTreeSet::new(),
            registered_keys: BTreeMap::new(),
            certificates: Certificates::default(),
            queue: Queue::default(),
            agenda: device::Agenda::default(),
            oddities: Oddities::default(),
            made: 0,
            keys: Keys::service(),
        }
    }

    /// The profile for devices that every tenant is generated with.
    pub fn device_profile(blueprint: &Blueprint) -> Uuid {
        blueprint.seed.guid(Space::Intune, 0)
    }

    /// The profile for users that every tenant is generated with.
    pub fn user_profile(blueprint: &Blueprint) -> Uuid {
        blueprint.seed.guid(Space::Intune, 1)
    }

    /// Takes a new certificate for signing challenges: those made before are refused.
    pub fn renew_signing(&mut self) {
        self.keys.renew_signing();
    }

    /// Asks for the revocation of every certificate that is valid and of which this is true.
    pub fn revoke(&mut self, cause: Cause, now: Time, is: impl Fn(&Issued) -> bool) {
        let active = self
            .certificates
            .issued_mut()
            .filter(|issued| issued.status == Status::Active && issued.expires > now && is(issued));
        for issued in active {
            issued.status = Status::RevocationRequested;
            self.queue.push(issued, cause, now);
        }
    }
}

/// Whether a profile is assigned to a device.
pub fn is_targeted(tenant: &Tenant, profile: &Profile, device: &ManagedDevice) -> bool {
    match &profile.settings.assignment {
        Assignment::AllDevices => true,
        Assignment::Groups(groups) => {
            let entra = device.azure_ad_device_id;
            let object = entra.and_then(|id| tenant.devices.find_by(&id)).map(|found| found.id);
            let names: Vec<Uuid> =
                [Some(device.id), entra, object, device.user_id].into_iter().flatten().collect();
            groups
                .iter()
                .filter_map(|group| tenant.intune.groups.get(group))
                .any(|group| names.iter().any(|name| group.members.contains(name)))
        }
    }
}

/// Changes what is assigned to whom, and asks for the revocation of what is thereby lost.
pub fn reassign(tenant: &mut Tenant, cause: Cause, now: Time, change: impl FnOnce(&mut Intune)) {
    let held: Vec<(Uuid, Uuid)> = tenant
        .intune
        .certificates
        .issued()
        .filter(|issued| issued.status == Status::Active)
        .map(|issued| (issued.device_id, issued.profile_id))
        .collect();
    let has = |tenant: &Tenant, (device, profile): (Uuid, Uuid)| {
        let device = tenant.managed_devices.find(device);
        let profile = tenant.intune.profiles.get(&profile);
        matches!((device, profile), (Some(device), Some(profile))
            if is_targeted(tenant, profile, &device))
    };
    let before: BTreeSet<_> = held.into_iter().filter(|pair| has(tenant, *pair)).collect();
    change(&mut tenant.intune);
    let lost: BTreeSet<_> = before.into_iter().filter(|pair| !has(tenant, *pair)).collect();
    let is = |issued: &Issued| lost.contains(&(issued.device_id, issued.profile_id));
    tenant.intune.revoke(cause, now, is);
}

/// What Intune does of its own accord, until the simulator stops: devices check in when it is time.
pub async fn run(shared: Shared) {
    device::run(shared).await;
}
