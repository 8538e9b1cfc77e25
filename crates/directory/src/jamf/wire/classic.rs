//! The Classic API: users, and devices for servers without the Pro API's inventory.

use lanyard_lifecycle::object::{JamfDevice, JamfUser};
use serde::Deserialize;

use super::{JamfId, flag, text};

/// `/JSSResource/computers/id/{id}`
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct ComputerDocument {
    pub(in crate::jamf) computer: Device,
}

/// `/JSSResource/mobiledevices/id/{id}`
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct MobileDeviceDocument {
    pub(in crate::jamf) mobile_device: Device,
}

/// A computer or a mobile device.
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct Device {
    pub(in crate::jamf) general: General,
    #[serde(default)]
    location: Option<Location>,
}

#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct General {
    pub(in crate::jamf) id: JamfId,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    udid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    serial_number: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    managed: Option<bool>,
    #[serde(default)]
    remote_management: Option<RemoteManagement>,
}

#[derive(Debug, Deserialize)]
struct RemoteManagement {
    #[serde(default, deserialize_with = "flag")]
    managed: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Location {
    #[serde(deserialize_with = "text")]
    username: Option<String>,
    #[serde(deserialize_with = "text")]
    email_address: Option<String>,
}

impl From<Device> for JamfDevice {
    fn from(device: Device) -> Self {
        let Device { general, location } = device;
        let location = location.unwrap_or_default();
        let remote = general.remote_management.and_then(|remote| remote.managed);
        Self {
            name: general.name,
            udid: general.udid,
            serial_number: general.serial_number,
            managed: remote.or(general.managed),
            username: location.username,
            email: location.email_address,
        }
    }
}

/// A list of a collection, of which only the ids are read: `/JSSResource/computers`,
/// `/JSSResource/mobiledevices`, `/JSSResource/users`.
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct Listing {
    #[serde(alias = "computers", alias = "mobile_devices", alias = "users")]
    pub(in crate::jamf) objects: Vec<Listed>,
}

/// An object in a list.
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct Listed {
    pub(in crate::jamf) id: JamfId,
}

/// `/JSSResource/users/id/{id}` and `/name/{name}`
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct UserDocument {
    pub(in crate::jamf) user: User,
}

/// `/JSSResource/users/email/{address}`
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct UserList {
    pub(in crate::jamf) users: Vec<User>,
}

/// A user.
#[derive(Debug, Deserialize)]
pub(in crate::jamf) struct User {
    pub(in crate::jamf) id: JamfId,
    #[serde(default, deserialize_with = "text")]
    pub(in crate::jamf) name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    full_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
    #[serde(default, deserialize_with = "text")]
    email_address: Option<String>,
}

impl User {
    /// Whether this is the mail address of the user; letter case does not matter.
    pub(in crate::jamf) fn has_email(&self, address: &str) -> bool {
        [&self.email, &self.email_address]
            .into_iter()
            .flatten()
            .any(|known| known.to_lowercase() == address.to_lowercase())
    }

    /// Whether no mail address is shown.
    pub(in crate::jamf) fn shows_no_email(&self) -> bool {
        self.email.is_none() && self.email_address.is_none()
    }
}

impl From<User> for JamfUser {
    fn from(user: User) -> Self {
        Self {
            name: user.name,
            full_name: user.full_name,
            email: user.email.or(user.email_address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn devices_are_read_from_either_document() {
        let computer: ComputerDocument = serde_json::from_value(json!({"computer": {
            "general": {"id": 3, "name": "mac-3", "udid": "U", "serial_number": "S",
                        "remote_management": {"managed": true}, "mdm_capable": true},
            "location": {"username": "ada", "realname": "Ada", "email_address": "ada@example.org"},
        }}))
        .unwrap();
        let mobile: MobileDeviceDocument = serde_json::from_value(json!({"mobile_device": {
            "general": {"id": 3, "name": "mac-3", "udid": "U", "serial_number": "S",
                        "managed": true, "supervised": false, "device_ownership_level": "Institutional"},
            "location": {"username": "ada", "email_address": "ada@example.org"},
        }}))
        .unwrap();
        assert_eq!(computer.computer.general.id, JamfId(3));
        assert_eq!(JamfDevice::from(computer.computer), JamfDevice::from(mobile.mobile_device),);
    }

    #[test]
    fn a_user_is_read_alone_and_in_lists() {
        let user = json!({
            "id": 9, "name": "ada", "full_name": "Ada L", "email": "",
            "email_address": "Ada@example.org",
            "links": {"computers": [{"id": 3, "name": "mac-3"}], "mobile_devices": []},
        });
        let alone: UserDocument = serde_json::from_value(json!({"user": user.clone()})).unwrap();
        let list: UserList = serde_json::from_value(json!({"users": [user]})).unwrap();
        assert!(
            alone.user.has_email("ada@EXAMPLE.org") && !alone.user.has_email("bob@example.org")
        );
        let expected = JamfUser {
            name: Some("ada".into()),
            full_name: Some("Ada L".into()),
            email: Some("Ada@example.org".into()),
        };
        assert_eq!(JamfUser::from(alone.user), expected);
        assert_eq!(list.users.into_iter().map(JamfUser::from).collect::<Vec<_>>(), [expected]);
    }
}
