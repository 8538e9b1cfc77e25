//! The Pro API: computers-inventory (versions 1 to 3), mobile-devices (version 2), errors.

use lanyard_lifecycle::object::JamfDevice;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Entry, JamfId, flag, text};

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::jamf) struct Page<T> {
    pub(in crate::jamf) total_count: u64,
    pub(in crate::jamf) results: Vec<Entry<T>>,
}

/// A computer, as lists and single reads show it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::jamf) struct Computer {
    pub(in crate::jamf) id: JamfId,
    #[serde(default, deserialize_with = "text")]
    udid: Option<String>,
    #[serde(default)]
    general: Option<General>,
    #[serde(default)]
    hardware: Option<Hardware>,
    #[serde(default)]
    user_and_location: Option<UserAndLocation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct General {
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    display_name: Option<String>,
    #[serde(deserialize_with = "text")]
    udid: Option<String>,
    #[serde(deserialize_with = "flag")]
    managed: Option<bool>,
    remote_management: Option<RemoteManagement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RemoteManagement {
    #[serde(deserialize_with = "flag")]
    managed: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hardware {
    #[serde(deserialize_with = "text")]
    serial_number: Option<String>,
}

/// The mail address is `email` for computers and `emailAddress` for mobile devices.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UserAndLocation {
    #[serde(deserialize_with = "text")]
    username: Option<String>,
    #[serde(deserialize_with = "text")]
    email: Option<String>,
    #[serde(deserialize_with = "text")]
    email_address: Option<String>,
}

impl From<Computer> for JamfDevice {
    fn from(computer: Computer) -> Self {
        let general = computer.general.unwrap_or_default();
        let user = computer.user_and_location.unwrap_or_default();
        let remote = general.remote_management.and_then(|remote| remote.managed);
        Self {
            name: general.name,
            udid: computer.udid.or(general.udid),
            serial_number: computer.hardware.and_then(|hardware| hardware.serial_number),
            managed: remote.or(general.managed),
            username: user.username,
            email: user.email.or(user.email_address),
        }
    }
}

/// A mobile device. A single read is flat with a `location`; lists of details come in sections; plain
/// lists are flat and short.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::jamf) struct MobileDevice {
    #[serde(alias = "mobileDeviceId")]
    pub(in crate::jamf) id: JamfId,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    udid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    serial_number: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    managed: Option<bool>,
    #[serde(default, deserialize_with = "text")]
    username: Option<String>,
    #[serde(default)]
    general: Option<General>,
    #[serde(default)]
    hardware: Option<Hardware>,
    #[serde(default, alias = "location")]
    user_and_location: Option<UserAndLocation>,
}

impl From<MobileDevice> for JamfDevice {
    fn from(device: MobileDevice) -> Self {
        let general = device.general.unwrap_or_default();
        let user = device.user_and_location.unwrap_or_default();
        let serial_number = device.hardware.and_then(|hardware| hardware.serial_number);
        Self {
            name: device.name.or(general.display_name).or(general.name),
            udid: device.udid.or(general.udid),
            serial_number: device.serial_number.or(serial_number),
            managed: device.managed.or(general.managed),
            username: device.username.or(user.username),
            email: user.email_address.or(user.email),
        }
    }
}

/// The envelope of every error; its list of errors may be empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::jamf) struct ErrorEnvelope {
    pub(in crate::jamf) http_status: u16,
    #[serde(rename = "errors")]
    _errors: Vec<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn device() -> JamfDevice {
        JamfDevice {
            name: Some("Mac of Ada".into()),
            udid: Some("4C4C4544-0000-0000-0000-000000000001".into()),
            serial_number: Some("C02XK0AAJGH5".into()),
            managed: Some(true),
            username: Some("ada".into()),
            email: Some("ada@example.org".into()),
        }
    }

    #[test]
    fn a_computer_is_read_from_its_sections() {
        let computer: Computer = serde_json::from_value(json!({
            "id": "17",
            "udid": "4C4C4544-0000-0000-0000-000000000001",
            "general": {
                "name": "Mac of Ada",
                "remoteManagement": {"managed": true},
                "managementId": "73226fb6-61df-4c10-9552-eb9bc353d507",
                "mdmCapable": {"capable": true},
                "supervised": true,
            },
            "hardware": {"serialNumber": "C02XK0AAJGH5", "make": "Apple"},
            "userAndLocation": {"username": "ada", "realname": "Ada", "email": "ada@example.org"},
        }))
        .unwrap();
        assert_eq!(computer.id, JamfId(17));
        assert_eq!(JamfDevice::from(computer), device());
    }

    #[test]
    fn a_computer_without_sections_says_nothing_of_itself() {
        for value in [
            json!({"id": "17"}),
            json!({"id": 17, "general": null, "userAndLocation": null, "udid": null}),
            json!({"id": "17", "general": {"name": ""}, "userAndLocation": {"username": " "}}),
        ] {
            let computer: Computer = serde_json::from_value(value).unwrap();
            assert_eq!(JamfDevice::from(computer), JamfDevice::default());
        }
    }

    #[test]
    fn a_mobile_device_is_read_flat_and_in_sections() {
        let flat: MobileDevice = serde_json::from_value(json!({
            "id": "17", "name": "Mac of Ada", "udid": "4C4C4544-0000-0000-0000-000000000001",
            "serialNumber": "C02XK0AAJGH5", "managed": true, "type": "ios",
            "location": {"username": "ada", "realName": "Ada", "emailAddress": "ada@example.org"},
        }))
        .unwrap();
        let sections: MobileDevice = serde_json::from_value(json!({
            "mobileDeviceId": "17", "deviceType": "iOS",
            "general": {"displayName": "Mac of Ada", "managed": true,
                        "udid": "4C4C4544-0000-0000-0000-000000000001"},
            "hardware": {"serialNumber": "C02XK0AAJGH5"},
            "userAndLocation": {"username": "ada", "emailAddress": "ada@example.org"},
        }))
        .unwrap();
        assert_eq!((flat.id, sections.id), (JamfId(17), JamfId(17)));
        assert_eq!(JamfDevice::from(flat), device());
        assert_eq!(JamfDevice::from(sections), device());
    }

    #[test]
    fn what_has_no_id_is_no_device() {
        for value in
            [json!({}), json!({"id": "x"}), json!({"id": 0}), json!({"id": -1}), json!(null)]
        {
            assert!(serde_json::from_value::<Computer>(value.clone()).is_err(), "{value}");
            assert!(serde_json::from_value::<MobileDevice>(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn a_page_without_a_total_is_no_page() {
        assert!(serde_json::from_str::<Page<Computer>>(r#"{"results":[]}"#).is_err());
        assert!(serde_json::from_str::<Page<Computer>>(r#"{"totalCount":0}"#).is_err());
    }
}
