//! The properties of each kind of object that verdicts, certificates or help desks need.
//!
//! A property that the directory left out is `None`. That is not "no", and not "the same as
//! before". The JSON form is what stores keep: names are those of the services, what is `None` is
//! left out.

mod jamf;

use std::borrow::Cow;

use lanyard_pki::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ObjectKind;
use super::vocabulary::{ComplianceState, ManagementState, OwnerType, RiskLevel, RiskState};
use crate::timestamp;

pub use jamf::{JamfDevice, JamfUser};

/// What is known of an object, by its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Properties {
    /// Of a user in Entra ID.
    EntraUser(EntraUser),
    /// Of a device in Entra ID.
    EntraDevice(EntraDevice),
    /// Of a risky user.
    RiskyUser(RiskyUser),
    /// Of a managed device in Intune.
    IntuneDevice(IntuneDevice),
    /// Of a computer in Jamf Pro.
    JamfComputer(JamfDevice),
    /// Of a mobile device in Jamf Pro.
    JamfMobileDevice(JamfDevice),
    /// Of a user in Jamf Pro.
    JamfUser(JamfUser),
}

impl Properties {
    /// The kind of object that has these.
    #[must_use]
    pub const fn kind(&self) -> ObjectKind {
        match self {
            Self::EntraUser(_) => ObjectKind::EntraUser,
            Self::EntraDevice(_) => ObjectKind::EntraDevice,
            Self::RiskyUser(_) => ObjectKind::RiskyUser,
            Self::IntuneDevice(_) => ObjectKind::IntuneDevice,
            Self::JamfComputer(_) => ObjectKind::JamfComputer,
            Self::JamfMobileDevice(_) => ObjectKind::JamfMobileDevice,
            Self::JamfUser(_) => ObjectKind::JamfUser,
        }
    }

    /// What people call the object: its display name, UPN or device name.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        match self {
            Self::EntraUser(user) => user.user_principal_name.as_deref(),
            Self::EntraDevice(device) => device.display_name.as_deref(),
            Self::RiskyUser(user) => user.user_principal_name.as_deref(),
            Self::IntuneDevice(device) => device.device_name.as_deref(),
            Self::JamfComputer(device) | Self::JamfMobileDevice(device) => device.name.as_deref(),
            Self::JamfUser(user) => user.name.as_deref(),
        }
    }

    /// Every property that was said, by its name at the service.
    pub(super) fn statements(&self) -> Vec<Statement> {
        let mut said = Said(Vec::new());
        match self {
            Self::EntraUser(user) => user.say(&mut said),
            Self::EntraDevice(device) => device.say(&mut said),
            Self::RiskyUser(user) => user.say(&mut said),
            Self::IntuneDevice(device) => device.say(&mut said),
            Self::JamfComputer(device) | Self::JamfMobileDevice(device) => device.say(&mut said),
            Self::JamfUser(user) => user.say(&mut said),
        }
        said.0
    }
}

/// A property's name and its value, as the source spells both.
pub(super) type Statement = (&'static str, Cow<'static, str>);

struct Said(Vec<Statement>);

impl Said {
    fn text(&mut self, name: &'static str, value: Option<&str>) {
        self.0.extend(value.map(|value| (name, value.to_owned().into())));
    }

    fn flag(&mut self, name: &'static str, value: Option<bool>) {
        self.0.extend(value.map(|value| (name, if value { "true" } else { "false" }.into())));
    }

    fn shown(&mut self, name: &'static str, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| (name, value.to_string().into())));
    }
}

/// A user in Entra ID.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EntraUser {
    /// `userPrincipalName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
    /// `mail`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// `accountEnabled`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_enabled: Option<bool>,
    /// `onPremisesSecurityIdentifier`: the SID in Active Directory, of synchronised users only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_premises_security_identifier: Option<String>,
}

impl EntraUser {
    fn say(&self, said: &mut Said) {
        said.flag("accountEnabled", self.account_enabled);
        said.text("userPrincipalName", self.user_principal_name.as_deref());
        said.text("mail", self.mail.as_deref());
        let on_premises = self.on_premises_security_identifier.as_deref();
        said.text("onPremisesSecurityIdentifier", on_premises);
    }
}

/// A device in Entra ID.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EntraDevice {
    /// `id`: the directory object's. Notices of removal name the device by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_id: Option<Uuid>,
    /// `displayName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `accountEnabled`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_enabled: Option<bool>,
    /// `isCompliant`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_compliant: Option<bool>,
    /// `isManaged`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_managed: Option<bool>,
    /// `onPremisesSecurityIdentifier`: the SID in Active Directory, of synchronised devices only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_premises_security_identifier: Option<String>,
    /// `operatingSystem`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
}

impl EntraDevice {
    fn say(&self, said: &mut Said) {
        said.flag("accountEnabled", self.account_enabled);
        said.flag("isCompliant", self.is_compliant);
        said.flag("isManaged", self.is_managed);
        said.text("displayName", self.display_name.as_deref());
        said.text("operatingSystem", self.operating_system.as_deref());
        let on_premises = self.on_premises_security_identifier.as_deref();
        said.text("onPremisesSecurityIdentifier", on_premises);
        said.shown("id", self.graph_id);
    }
}

/// What Entra ID Protection says of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RiskyUser {
    /// `riskLevel`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_level: Option<RiskLevel>,
    /// `riskState`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_state: Option<RiskState>,
    /// `userPrincipalName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
}

impl RiskyUser {
    fn say(&self, said: &mut Said) {
        said.shown("riskLevel", self.risk_level.as_ref());
        said.shown("riskState", self.risk_state.as_ref());
        said.text("userPrincipalName", self.user_principal_name.as_deref());
    }
}

/// A managed device in Intune.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IntuneDevice {
    /// `deviceName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// `azureADDeviceId`; the service's zero GUID ("not registered") is `None`.
    #[serde(rename = "azureADDeviceId", skip_serializing_if = "Option::is_none")]
    pub azure_ad_device_id: Option<Uuid>,
    /// `userId`: the primary user's object id in Entra ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// `userPrincipalName` of the primary user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
    /// `serialNumber`: the hardware's, not a certificate's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// `operatingSystem`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// `enrolledDateTime`
    #[serde(
        rename = "enrolledDateTime",
        with = "timestamp::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub enrolled: Option<Time>,
    /// `complianceState`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compliance_state: Option<ComplianceState>,
    /// `complianceGracePeriodExpirationDateTime`
    #[serde(
        rename = "complianceGracePeriodExpirationDateTime",
        with = "timestamp::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub compliance_grace_period_expiration: Option<Time>,
    /// `managementState`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_state: Option<ManagementState>,
    /// `managedDeviceOwnerType`
    #[serde(rename = "managedDeviceOwnerType", skip_serializing_if = "Option::is_none")]
    pub owner_type: Option<OwnerType>,
}

impl IntuneDevice {
    fn say(&self, said: &mut Said) {
        said.shown("managementState", self.management_state.as_ref());
        said.shown("complianceState", self.compliance_state.as_ref());
        let grace = self.compliance_grace_period_expiration;
        said.shown("complianceGracePeriodExpirationDateTime", grace);
        said.shown("enrolledDateTime", self.enrolled);
        said.text("deviceName", self.device_name.as_deref());
        said.text("serialNumber", self.serial_number.as_deref());
        said.text("operatingSystem", self.operating_system.as_deref());
        said.text("userPrincipalName", self.user_principal_name.as_deref());
        said.shown("userId", self.user_id);
        said.shown("azureADDeviceId", self.azure_ad_device_id);
        said.shown("managedDeviceOwnerType", self.owner_type.as_ref());
    }
}
