//! Users, devices and risky users as Graph writes them.
//!
//! A property that an answer leaves out is told from one that has no value: changes name only what
//! has changed.

use lanyard_lifecycle::object::{EntraDevice, EntraUser, RiskyUser};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// Outside: whether it was said. Inside: whether there is a value.
type Said<T> = Option<Option<T>>;

fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Said<T>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// A user.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphUser {
    pub(super) id: Uuid,
    #[serde(default, deserialize_with = "said")]
    user_principal_name: Said<String>,
    #[serde(default, deserialize_with = "said")]
    mail: Said<String>,
    #[serde(default, deserialize_with = "said")]
    account_enabled: Said<bool>,
    #[serde(default, deserialize_with = "said")]
    on_premises_security_identifier: Said<String>,
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Removed>,
}

impl GraphUser {
    pub(super) const SELECT: &str =
        "id,userPrincipalName,mail,accountEnabled,onPremisesSecurityIdentifier";

    /// Whether every property was said.
    pub(super) const fn is_whole(&self) -> bool {
        self.user_principal_name.is_some()
            && self.mail.is_some()
            && self.account_enabled.is_some()
            && self.on_premises_security_identifier.is_some()
    }

    /// Whether it was named as a first round names users: with what all of them have. What else is
    /// left out has no value then.
    pub(super) const fn is_introduced(&self) -> bool {
        self.user_principal_name.is_some() && self.account_enabled.is_some()
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        let called = self.user_principal_name.as_ref().and_then(Option::as_deref);
        called.is_some_and(|called| called.to_lowercase() == name.to_lowercase())
    }

    pub(super) fn properties(self) -> EntraUser {
        EntraUser {
            user_principal_name: self.user_principal_name.flatten(),
            mail: self.mail.flatten(),
            account_enabled: self.account_enabled.flatten(),
            on_premises_security_identifier: self.on_premises_security_identifier.flatten(),
        }
    }
}

/// A device.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphDevice {
    /// The directory object's, not the device's.
    pub(super) id: Uuid,
    #[serde(default, deserialize_with = "said")]
    pub(super) device_id: Said<Uuid>,
    #[serde(default, deserialize_with = "said")]
    display_name: Said<String>,
    #[serde(default, deserialize_with = "said")]
    account_enabled: Said<bool>,
    #[serde(default, deserialize_with = "said")]
    is_compliant: Said<bool>,
    #[serde(default, deserialize_with = "said")]
    is_managed: Said<bool>,
    #[serde(default, deserialize_with = "said")]
    on_premises_security_identifier: Said<String>,
    #[serde(default, deserialize_with = "said")]
    operating_system: Said<String>,
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Removed>,
}

impl GraphDevice {
    pub(super) const SELECT: &str = "id,deviceId,displayName,accountEnabled,isCompliant,isManaged,\
                                     onPremisesSecurityIdentifier,operatingSystem";

    /// Whether every property was said.
    pub(super) const fn is_whole(&self) -> bool {
        self.device_id.is_some()
            && self.display_name.is_some()
            && self.account_enabled.is_some()
            && self.is_compliant.is_some()
            && self.is_managed.is_some()
            && self.on_premises_security_identifier.is_some()
            && self.operating_system.is_some()
    }

    /// Whether it was named as a first round names devices: with what all of them have. What else is
    /// left out has no value then.
    pub(super) const fn is_introduced(&self) -> bool {
        self.device_id.is_some() && self.account_enabled.is_some()
    }

    pub(super) fn properties(self) -> EntraDevice {
        EntraDevice {
            graph_id: Some(self.id),
            display_name: self.display_name.flatten(),
            account_enabled: self.account_enabled.flatten(),
            is_compliant: self.is_compliant.flatten(),
            is_managed: self.is_managed.flatten(),
            on_premises_security_identifier: self.on_premises_security_identifier.flatten(),
            operating_system: self.operating_system.flatten(),
        }
    }
}

/// That an object is no longer there: deleted for good, or put into the bin. The reason is not
/// looked at: either way a look-up finds nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Removed {}

/// A risky user; the id is the user's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphRisky {
    pub(super) id: Uuid,
    risk_level: Option<String>,
    risk_state: Option<String>,
    user_principal_name: Option<String>,
}

impl GraphRisky {
    pub(super) const SELECT: &str = "id,riskLevel,riskState,userPrincipalName";

    pub(super) fn properties(self) -> RiskyUser {
        RiskyUser {
            risk_level: self.risk_level.as_deref().map(Into::into),
            risk_state: self.risk_state.as_deref().map(Into::into),
            user_principal_name: self.user_principal_name,
        }
    }
}

/// One end of a relationship.
#[derive(Debug, Deserialize)]
pub(super) struct Related {
    pub(super) id: Uuid,
    #[serde(rename = "@odata.type")]
    pub(super) kind: Option<String>,
}
