//! What a directory's word about an object means for the certificates that are tethered to it.
//!
//! One opinion for each thing that its directory may say of an object, good ones included, so that a
//! person can be told everything that a verdict rests on. Asking the directories is the caller's:
//! [`objects`] says about what, and what was learnt comes back as [`Sight`]s. Whether an opinion is
//! recorded for good is decided in [`crate::verdict::to_record`].

mod enroll;
mod judge;
mod rules;
mod sight;

use lanyard_pki::Time;

use crate::binding::Binding;
use crate::id::ObjectId;
use crate::kind::{Kind, Source};
use crate::object::{ObjectKey, ObjectKind};

pub use enroll::{Vouched, may_enroll};
pub use judge::judge;
pub use rules::{Compliance, Newcomers, OnWipe, Outage, Rules};
pub use sight::{Known, Sight};

/// A certificate, as far as its tether needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tethered {
    /// What it is tethered to.
    pub binding: Binding,
    /// The channel it was issued through.
    pub source: Source,
    /// When it was issued.
    pub issued_at: Time,
}

/// The objects whose sights a verdict needs; none for a certificate that follows none.
#[must_use]
pub fn objects(tethered: &Tethered, rules: &Rules) -> Vec<ObjectKey> {
    let Some(directory) = tethered.binding.directory else { return Vec::new() };
    let object = tethered.binding.object;
    let key = |kind, object| ObjectKey { directory, kind, object };
    let (device, user) = object.jamf_numbers();
    let jamf_device = ObjectId::jamf_device(device);
    let jamf_user = ObjectId::jamf_user(0, user);
    match tethered.binding.kind {
        Kind::EntraUser if rules.checks_user_risk() => {
            vec![key(ObjectKind::EntraUser, object), key(ObjectKind::RiskyUser, object)]
        }
        Kind::EntraUser => vec![key(ObjectKind::EntraUser, object)],
        Kind::EntraDevice => vec![key(ObjectKind::EntraDevice, object)],
        Kind::IntuneDevice | Kind::IntuneBootstrap => vec![key(ObjectKind::IntuneDevice, object)],
        Kind::JamfComputer => vec![key(ObjectKind::JamfComputer, jamf_device)],
        Kind::JamfDevice => vec![key(ObjectKind::JamfMobileDevice, jamf_device)],
        Kind::JamfUserOnComputer => {
            vec![key(ObjectKind::JamfComputer, jamf_device), key(ObjectKind::JamfUser, jamf_user)]
        }
        Kind::JamfUserOnDevice => vec![
            key(ObjectKind::JamfMobileDevice, jamf_device),
            key(ObjectKind::JamfUser, jamf_user),
        ],
        Kind::Static
        | Kind::DomainController
        | Kind::RadiusServer
        | Kind::FleetDevice
        | Kind::FleetUser
        | Kind::AdComputer
        | Kind::AdUser => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
