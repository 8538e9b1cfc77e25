//! How objects look: all their properties, those that are answered unasked, those that are asked for.

use serde_json::{Map, Value, json};

use super::error::GraphError;
use crate::tenant::{Device, ManagedDevice, RiskyUser, User};

/// A kind of object, as Graph names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Device,
    ManagedDevice,
    RiskyUser,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::User => "microsoft.graph.user",
            Self::Device => "microsoft.graph.device",
            Self::ManagedDevice => "microsoft.graph.managedDevice",
            Self::RiskyUser => "microsoft.graph.riskyUser",
        }
    }

    /// What is answered where nothing is asked for; everything where this says nothing.
    const fn default(self) -> Option<&'static [&'static str]> {
        match self {
            // Neither accountEnabled nor onPremisesSecurityIdentifier is among them.
            Self::User => Some(&[
                "businessPhones",
                "displayName",
                "givenName",
                "jobTitle",
                "mail",
                "mobilePhone",
                "officeLocation",
                "preferredLanguage",
                "surname",
                "userPrincipalName",
                "id",
            ]),
            Self::Device | Self::ManagedDevice | Self::RiskyUser => None,
        }
    }
}

/// An object that Graph shows.
pub(super) trait Shown {
    /// What it is.
    const KIND: Kind;
    /// With all its properties.
    fn whole(&self) -> Value;
}

fn with(object: &impl serde::Serialize, more: Value, hidden: &[&str]) -> Value {
    let mut object = match serde_json::to_value(object) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    };
    if let Value::Object(more) = more {
        object.extend(more);
    }
    for name in hidden {
        object.remove(*name);
    }
    Value::Object(object)
}

impl Shown for User {
    const KIND: Kind = Kind::User;

    fn whole(&self) -> Value {
        let more = json!({
            "securityIdentifier": self.security_identifier(),
            "businessPhones": [],
            "mobilePhone": null,
            "officeLocation": null,
            "preferredLanguage": null,
            "deletedDateTime": null,
        });
        with(self, more, &[])
    }
}

impl Shown for Device {
    const KIND: Kind = Kind::Device;

    fn whole(&self) -> Value {
        let more = json!({
            "deletedDateTime": null,
            "deviceVersion": 2,
            "approximateLastSignInDateTime": null,
            "complianceExpirationDateTime": null,
            "isRooted": null,
        });
        with(self, more, &["registeredOwner"])
    }
}

impl Shown for ManagedDevice {
    const KIND: Kind = Kind::ManagedDevice;

    fn whole(&self) -> Value {
        let more = json!({
            "deviceEnrollmentType": "userEnrollment",
            "deviceRegistrationState": "registered",
            "isEncrypted": true,
            "isSupervised": false,
            "jailBroken": "Unknown",
            "imei": null,
            "wiFiMacAddress": null,
            "managedDeviceName": self.device_name,
        });
        with(self, more, &[])
    }
}

impl Shown for RiskyUser {
    const KIND: Kind = Kind::RiskyUser;

    fn whole(&self) -> Value {
        with(self, Value::Null, &[])
    }
}

/// The part of an object that is asked for.
pub(super) fn projected<T: Shown>(
    object: &T,
    select: Option<&[&str]>,
) -> Result<Value, GraphError> {
    project(T::KIND, object.whole(), select)
}

/// The part of an object that is asked for.
pub(super) fn project(
    kind: Kind,
    whole: Value,
    select: Option<&[&str]>,
) -> Result<Value, GraphError> {
    let Value::Object(mut whole) = whole else { return Ok(whole) };
    let Some(names) = select.or(kind.default()) else { return Ok(Value::Object(whole)) };
    let mut part = Map::new();
    for name in names {
        let own = whole.keys().find(|own| own.eq_ignore_ascii_case(name)).cloned();
        match own.and_then(|own| whole.remove_entry(&own)) {
            Some((own, value)) => drop(part.insert(own, value)),
            // A property may be asked for twice.
            None if part.contains_key(*name) => {}
            None => {
                let message =
                    format!("Could not find a property named '{name}' on type '{}'.", kind.name());
                return Err(GraphError::bad_request(message));
            }
        }
    }
    Ok(Value::Object(part))
}
