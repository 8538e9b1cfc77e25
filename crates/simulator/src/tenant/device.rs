//! Devices as Entra ID knows them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::blueprint::Blueprint;
use super::clock::Time;
use super::managed_device::ComplianceState;
use super::seed::Space;
use super::table::Record;

/// A device of Entra ID, by the property names of Graph. Certificates carry `device_id`, not `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub struct Device {
    pub id: Uuid,
    pub device_id: Uuid,
    pub display_name: String,
    #[serde(default = "yes")]
    pub account_enabled: bool,
    #[serde(default)]
    pub is_compliant: Option<bool>,
    #[serde(default)]
    pub is_managed: Option<bool>,
    #[serde(default)]
    pub management_type: Option<String>,
    #[serde(default)]
    pub mdm_app_id: Option<Uuid>,
    #[serde(default)]
    pub trust_type: Option<String>,
    #[serde(default)]
    pub profile_type: Option<String>,
    #[serde(default)]
    pub physical_ids: Vec<String>,
    #[serde(default)]
    pub on_premises_sync_enabled: Option<bool>,
    #[serde(default)]
    pub on_premises_security_identifier: Option<String>,
    pub registration_date_time: Time,
    pub operating_system: String,
    #[serde(default)]
    pub operating_system_version: Option<String>,
    /// Not Graph's: the users that the registeredOwners and registeredUsers of a device name.
    #[serde(default)]
    pub registered_owner: Option<Uuid>,
}

fn yes() -> bool {
    true
}

/// A platform that devices are generated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Windows 10 and later.
    Windows,
    /// A Mac.
    MacOs,
    /// An iPhone.
    Ios,
    /// An iPad.
    IpadOs,
    /// An Android phone.
    Android,
}

impl Platform {
    /// The platform of the `n`-th generated device; the first five differ.
    pub fn generated(blueprint: &Blueprint, n: u64) -> Self {
        const ALL: [Platform; 5] = [
            Platform::Windows,
            Platform::MacOs,
            Platform::Ios,
            Platform::Android,
            Platform::IpadOs,
        ];
        if let Some(platform) = usize::try_from(n).ok().and_then(|n| ALL.get(n)) {
            return *platform;
        }
        match blueprint.seed.percent(n, "platform") {
            0..60 => Self::Windows,
            60..75 => Self::Ios,
            75..85 => Self::MacOs,
            85..95 => Self::Android,
            _ => Self::IpadOs,
        }
    }

    /// As Entra ID and Intune write `operatingSystem`; Entra ID has another word for a Mac.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Ios => "iOS",
            Self::IpadOs => "iPadOS",
            Self::Android => "Android",
        }
    }

    const fn entra_name(self) -> &'static str {
        match self {
            Self::MacOs => "MacMDM",
            other => other.name(),
        }
    }

    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::Windows => "10.0.26100.4061",
            Self::MacOs => "15.5",
            Self::Ios | Self::IpadOs => "18.5",
            Self::Android => "15",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Windows => "PC",
            Self::MacOs => "MAC",
            Self::Ios => "IPHONE",
            Self::IpadOs => "IPAD",
            Self::Android => "DROID",
        }
    }
}

/// Intune's own application id, as devices name their management by it.
const INTUNE_MDM: Uuid = uuid::uuid!("0000000a-0000-0000-c000-000000000000");

/// The name of the `n`-th generated device.
pub(super) fn device_name(blueprint: &Blueprint, n: u64) -> String {
    format!("{}-{n:06}", Platform::generated(blueprint, n).prefix())
}

impl Record for Device {
    type Id = Uuid;
    type Alternate = Uuid;

    fn id(&self) -> Uuid {
        self.id
    }

    fn alternate(&self) -> Option<Uuid> {
        Some(self.device_id)
    }

    fn generated(blueprint: &Blueprint) -> u64 {
        blueprint.devices
    }

    fn generate(blueprint: &Blueprint, n: u64) -> Self {
        let platform = Platform::generated(blueprint, n);
        let hybrid = platform == Platform::Windows && blueprint.seed.percent(n, "hybrid") < 30;
        let trust = match (platform, hybrid) {
            (Platform::Windows, true) => "ServerAd",
            (Platform::Windows, false) => "AzureAd",
            _ => "Workplace",
        };
        Self {
            id: blueprint.seed.guid(Space::Device, n),
            device_id: blueprint.seed.guid(Space::DeviceId, n),
            display_name: device_name(blueprint, n),
            account_enabled: true,
            is_compliant: Some(ComplianceState::generated(blueprint, n).is_compliant()),
            is_managed: Some(true),
            management_type: Some("MDM".to_owned()),
            mdm_app_id: Some(INTUNE_MDM),
            trust_type: Some(trust.to_owned()),
            profile_type: Some("RegisteredDevice".to_owned()),
            physical_ids: Vec::new(),
            on_premises_sync_enabled: hybrid.then_some(true),
            on_premises_security_identifier: hybrid
                .then(|| format!("S-1-5-21-666199682-1411342147-2938717855-{}", 2_000_000 + n)),
            registration_date_time: blueprint.past(n, "enrolled", 700),
            operating_system: platform.entra_name().to_owned(),
            operating_system_version: Some(platform.version().to_owned()),
            registered_owner: blueprint
                .owner(n)
                .map(|owner| blueprint.seed.guid(Space::User, owner)),
        }
    }

    fn ordinal(blueprint: &Blueprint, id: Uuid) -> Option<u64> {
        blueprint.seed.ordinal(Space::Device, id)
    }

    fn ordinal_of_alternate(blueprint: &Blueprint, key: &Uuid) -> Option<u64> {
        blueprint.seed.ordinal(Space::DeviceId, *key)
    }
}
