//! What Jamf Pro has: computers, mobile devices and the people they are assigned to.

use crate::tenant::{
    blueprint::Blueprint, clock::Time, people, seed::Space, table::Record, user::User,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// To whom a device is assigned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Location {
    /// The name of the user.
    pub username: String,
    /// How the user is called.
    pub real_name: String,
    /// Where mail goes.
    pub email: String,
}

impl Location {
    fn of(blueprint: &Blueprint, n: u64) -> Self {
        let Some(owner) = blueprint.owner(n) else { return Self::default() };
        let user = User::generate(blueprint, owner);
        Self {
            username: people::alias(owner),
            real_name: user.display_name,
            email: user.mail.unwrap_or_default(),
        }
    }
}

/// A computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Computer {
    /// `$JSSID`.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its hardware's id.
    pub udid: Uuid,
    /// Its serial number.
    pub serial_number: String,
    /// By what MDM commands name it.
    pub management_id: Uuid,
    /// Whether Jamf Pro manages it.
    pub managed: bool,
    /// Whether it is supervised.
    pub supervised: bool,
    /// To whom it is assigned.
    pub location: Location,
    /// When it was heard of last.
    pub last_contact: Time,
    /// When it was enrolled.
    pub enrolled: Time,
}

/// A phone or a tablet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MobileDevice {
    /// `$JSSID`.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its hardware's id.
    pub udid: Uuid,
    /// Its serial number.
    pub serial_number: String,
    /// By what MDM commands name it.
    pub management_id: Uuid,
    /// Whether Jamf Pro manages it.
    pub managed: bool,
    /// Whether it is supervised.
    pub supervised: bool,
    /// Whose it is, in the words of Jamf Pro: `Institutional`, `Personal`.
    pub ownership: String,
    /// To whom it is assigned.
    pub location: Location,
    /// When it was heard of last.
    pub last_contact: Time,
    /// When it was enrolled.
    pub enrolled: Time,
}

/// Somebody whom devices can be assigned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// A number.
    pub id: u32,
    /// The user name.
    pub name: String,
    /// How the user is called.
    pub full_name: String,
    /// Where mail goes.
    pub email: String,
}

/// The number on the wire of the `n`-th generated object.
fn number(n: u64) -> u32 {
    u32::try_from(n + 1).unwrap_or(u32::MAX)
}

fn back(id: u32) -> Option<u64> {
    u64::from(id).checked_sub(1)
}

/// Mobile devices have other hardware than computers.
const MOBILE: u64 = 1 << 40;
/// Management ids are no hardware's ids.
const MANAGEMENT: u64 = 1 << 41;

impl Record for Computer {
    type Id = u32;
    type Alternate = Uuid;

    fn id(&self) -> u32 {
        self.id
    }

    fn alternate(&self) -> Option<Uuid> {
        Some(self.udid)
    }

    fn generated(blueprint: &Blueprint) -> u64 {
        blueprint.jamf_computers
    }

    fn generate(blueprint: &Blueprint, n: u64) -> Self {
        Self {
            id: number(n),
            name: format!("JMAC-{n:06}"),
            udid: blueprint.seed.guid(Space::Jamf, n),
            serial_number: format!("JC{n:08}"),
            management_id: blueprint.seed.guid(Space::Jamf, n | MANAGEMENT),
            managed: true,
            supervised: true,
            location: Location::of(blueprint, n),
            last_contact: blueprint.past(n, "jamf.contact", 1),
            enrolled: blueprint.past(n, "jamf.enrolled", 700),
        }
    }

    fn ordinal(_: &Blueprint, id: u32) -> Option<u64> {
        back(id)
    }

    fn ordinal_of_alternate(blueprint: &Blueprint, udid: &Uuid) -> Option<u64> {
        blueprint.seed.ordinal(Space::Jamf, *udid).filter(|n| *n < MOBILE)
    }
}

impl Record for MobileDevice {
    type Id = u32;
    type Alternate = Uuid;

    fn id(&self) -> u32 {
        self.id
    }

    fn alternate(&self) -> Option<Uuid> {
        Some(self.udid)
    }

    fn generated(blueprint: &Blueprint) -> u64 {
        blueprint.jamf_mobile_devices
    }

    fn generate(blueprint: &Blueprint, n: u64) -> Self {
        let personal = blueprint.seed.percent(n, "jamf.byod") < 20;
        Self {
            id: number(n),
            name: format!("JPAD-{n:06}"),
            udid: blueprint.seed.guid(Space::Jamf, n | MOBILE),
            serial_number: format!("JM{n:08}"),
            management_id: blueprint.seed.guid(Space::Jamf, n | MOBILE | MANAGEMENT),
            managed: true,
            supervised: !personal,
            ownership: if personal { "Personal" } else { "Institutional" }.to_owned(),
            location: Location::of(blueprint, n),
            last_contact: blueprint.past(n, "jamf.mobile.contact", 1),
            enrolled: blueprint.past(n, "jamf.mobile.enrolled", 700),
        }
    }

    fn ordinal(_: &Blueprint, id: u32) -> Option<u64> {
        back(id)
    }

    fn ordinal_of_alternate(blueprint: &Blueprint, udid: &Uuid) -> Option<u64> {
        blueprint
            .seed
            .ordinal(Space::Jamf, *udid)
            .and_then(|n| n.checked_sub(MOBILE))
            .filter(|n| *n < MOBILE)
    }
}

impl Record for Person {
    type Id = u32;
    type Alternate = String;

    fn id(&self) -> u32 {
        self.id
    }

    fn alternate(&self) -> Option<String> {
        Some(self.name.to_lowercase())
    }

    fn generated(blueprint: &Blueprint) -> u64 {
        blueprint.users.min(blueprint.jamf_computers.max(blueprint.jamf_mobile_devices))
    }

    fn generate(blueprint: &Blueprint, n: u64) -> Self {
        let user = User::generate(blueprint, n);
        Self {
            id: number(n),
            name: people::alias(n),
            full_name: user.display_name,
            email: user.mail.unwrap_or_default(),
        }
    }

    fn ordinal(_: &Blueprint, id: u32) -> Option<u64> {
        back(id)
    }

    fn ordinal_of_alternate(blueprint: &Blueprint, name: &String) -> Option<u64> {
        people::ordinal(blueprint, &format!("{name}@{}", blueprint.domain))
    }
}
