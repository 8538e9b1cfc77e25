//! Devices as Intune manages them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::blueprint::Blueprint;
use super::clock::Time;
use super::device::{Platform, device_name};
use super::seed::Space;
use super::table::Record;
use super::user::User;

/// What Intune does with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub enum ManagementState {
    Managed,
    RetirePending,
    RetireFailed,
    WipePending,
    WipeFailed,
    Unhealthy,
    DeletePending,
    RetireIssued,
    WipeIssued,
    WipeCanceled,
    RetireCanceled,
    Discovered,
    UnknownFutureValue,
}

/// Whether a device meets its policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub enum ComplianceState {
    Unknown,
    Compliant,
    Noncompliant,
    Conflict,
    Error,
    InGracePeriod,
    ConfigManager,
}

impl ComplianceState {
    pub(super) fn generated(blueprint: &Blueprint, n: u64) -> Self {
        // The first devices are for rehearsals: they are in order.
        match blueprint.seed.percent(n, "compliance") {
            0..5 if n >= 10 => Self::Noncompliant,
            5..7 if n >= 10 => Self::InGracePeriod,
            _ => Self::Compliant,
        }
    }

    /// As Entra ID is told.
    pub const fn is_compliant(self) -> bool {
        matches!(self, Self::Compliant | Self::InGracePeriod | Self::ConfigManager)
    }
}

/// Who owns a managed device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub enum OwnerType {
    Unknown,
    Company,
    Personal,
}

/// A device that Intune manages, by the property names of Graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Graph's, and documented there")]
pub struct ManagedDevice {
    pub id: Uuid,
    #[serde(rename = "azureADDeviceId", default)]
    pub azure_ad_device_id: Option<Uuid>,
    #[serde(rename = "azureADRegistered", default)]
    pub azure_ad_registered: Option<bool>,
    #[serde(default)]
    pub user_id: Option<Uuid>,
    #[serde(default)]
    pub user_principal_name: Option<String>,
    #[serde(default)]
    pub user_display_name: Option<String>,
    #[serde(default)]
    pub email_address: Option<String>,
    pub device_name: String,
    #[serde(default)]
    pub serial_number: Option<String>,
    pub operating_system: String,
    #[serde(default)]
    pub os_version: Option<String>,
    pub enrolled_date_time: Time,
    pub last_sync_date_time: Time,
    #[serde(default = "compliant")]
    pub compliance_state: ComplianceState,
    pub compliance_grace_period_expiration_date_time: Time,
    #[serde(default = "managed")]
    pub management_state: ManagementState,
    #[serde(default = "mdm")]
    pub management_agent: String,
    #[serde(default = "company")]
    pub managed_device_owner_type: OwnerType,
}

fn compliant() -> ComplianceState {
    ComplianceState::Compliant
}

fn managed() -> ManagementState {
    ManagementState::Managed
}

fn mdm() -> String {
    "mdm".to_owned()
}

fn company() -> OwnerType {
    OwnerType::Company
}

/// What Intune writes where a device has no grace period.
pub const NO_GRACE_PERIOD: Time = Time::from_unix_seconds(253_402_300_799);

impl Record for ManagedDevice {
    type Id = Uuid;
    type Alternate = Uuid;

    fn id(&self) -> Uuid {
        self.id
    }

    fn alternate(&self) -> Option<Uuid> {
        self.azure_ad_device_id
    }

    fn generated(blueprint: &Blueprint) -> u64 {
        blueprint.devices
    }

    fn generate(blueprint: &Blueprint, n: u64) -> Self {
        let platform = Platform::generated(blueprint, n);
        let user = blueprint.owner(n).map(|owner| User::generate(blueprint, owner));
        let compliance = ComplianceState::generated(blueprint, n);
        let personal = platform != Platform::Windows && blueprint.seed.percent(n, "byod") < 30;
        Self {
            id: blueprint.seed.guid(Space::ManagedDevice, n),
            azure_ad_device_id: Some(blueprint.seed.guid(Space::DeviceId, n)),
            azure_ad_registered: Some(true),
            user_id: user.as_ref().map(|user| user.id),
            email_address: user.as_ref().and_then(|user| user.mail.clone()),
            user_display_name: user.as_ref().map(|user| user.display_name.clone()),
            user_principal_name: user.map(|user| user.user_principal_name),
            device_name: device_name(blueprint, n),
            serial_number: Some(format!("SN{n:08}")),
            operating_system: platform.name().to_owned(),
            os_version: Some(platform.version().to_owned()),
            enrolled_date_time: blueprint.past(n, "enrolled", 700),
            last_sync_date_time: blueprint.past(n, "synced", 1),
            compliance_state: compliance,
            compliance_grace_period_expiration_date_time: match compliance {
                ComplianceState::InGracePeriod => {
                    blueprint.made.plus(std::time::Duration::from_hours(72))
                }
                _ => NO_GRACE_PERIOD,
            },
            management_state: managed(),
            management_agent: mdm(),
            managed_device_owner_type: if personal { OwnerType::Personal } else { company() },
        }
    }

    fn ordinal(blueprint: &Blueprint, id: Uuid) -> Option<u64> {
        blueprint.seed.ordinal(Space::ManagedDevice, id)
    }

    fn ordinal_of_alternate(blueprint: &Blueprint, key: &Uuid) -> Option<u64> {
        blueprint.seed.ordinal(Space::DeviceId, *key)
    }
}
