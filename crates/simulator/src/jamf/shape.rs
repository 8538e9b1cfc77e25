//! The shapes in which the Pro API shows computers and mobile devices.

use super::object::{Computer, MobileDevice};
use crate::tenant::Time;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A part of a device that has to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    /// `GENERAL`, which is also shown when nothing is asked for.
    General,
    /// `USER_AND_LOCATION`
    UserAndLocation,
    /// `HARDWARE`
    Hardware,
    /// `OPERATING_SYSTEM`
    OperatingSystem,
    /// A section that is empty here.
    Other,
}

/// The sections that are empty for every device of this simulator.
const EMPTY: [&str; 27] = [
    "DISK_ENCRYPTION",
    "PURCHASING",
    "APPLICATIONS",
    "STORAGE",
    "CONFIGURATION_PROFILES",
    "PRINTERS",
    "SERVICES",
    "LOCAL_USER_ACCOUNTS",
    "CERTIFICATES",
    "ATTACHMENTS",
    "PLUGINS",
    "PACKAGE_RECEIPTS",
    "FONTS",
    "SECURITY",
    "LICENSED_SOFTWARE",
    "IBEACONS",
    "SOFTWARE_UPDATES",
    "EXTENSION_ATTRIBUTES",
    "CONTENT_CACHING",
    "GROUP_MEMBERSHIPS",
    "EBOOKS",
    "GROUPS",
    "NETWORK",
    "PROFILES",
    "PROVISIONING_PROFILES",
    "SERVICE_SUBSCRIPTIONS",
    "USER_PROFILES",
];

impl Section {
    /// The section with this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "GENERAL" => Some(Self::General),
            "USER_AND_LOCATION" => Some(Self::UserAndLocation),
            "HARDWARE" => Some(Self::Hardware),
            "OPERATING_SYSTEM" => Some(Self::OperatingSystem),
            other => EMPTY.contains(&other).then_some(Self::Other),
        }
    }

    /// All that are not empty.
    pub(super) const ALL: [Self; 4] =
        [Self::General, Self::UserAndLocation, Self::Hardware, Self::OperatingSystem];
}

/// A date with exactly three digits of a second, as Jamf Pro writes them.
pub(super) fn date(time: Time) -> String {
    let text = time.to_string();
    match text.strip_suffix('Z') {
        Some(whole) if !text.contains('.') => format!("{whole}.000Z"),
        _ => text,
    }
}

/// A udid as Apple writes it.
pub(super) fn udid(udid: uuid::Uuid) -> String {
    udid.hyphenated().to_string().to_uppercase()
}

/// How a section of a computer is made.
type Part = fn(&Computer) -> Value;

/// A computer with these sections; the others are null.
pub(super) fn computer(computer: &Computer, sections: &BTreeSet<Section>) -> Value {
    let mut shape = Map::new();
    shape.insert("id".to_owned(), computer.id.to_string().into());
    shape.insert("udid".to_owned(), udid(computer.udid).into());
    let parts: [(Section, &str, Part); 4] = [
        (Section::General, "general", general),
        (Section::UserAndLocation, "userAndLocation", user_and_location),
        (Section::Hardware, "hardware", hardware),
        (
            Section::OperatingSystem,
            "operatingSystem",
            |_| json!({ "name": "macOS", "version": "15.5" }),
        ),
    ];
    for (section, name, part) in parts {
        let value = if sections.contains(&section) { part(computer) } else { Value::Null };
        shape.insert(name.to_owned(), value);
    }
    Value::Object(shape)
}

fn general(computer: &Computer) -> Value {
    let users: Vec<_> =
        Some(&computer.location.username).filter(|name| !name.is_empty()).into_iter().collect();
    json!({
        "name": computer.name,
        "lastIpAddress": null,
        "jamfBinaryVersion": "11.17.1",
        "platform": "Mac",
        "barcode1": null,
        "barcode2": null,
        "assetTag": null,
        "remoteManagement": { "managed": computer.managed, "managementUsername": null },
        "supervised": computer.supervised,
        "mdmCapable": { "capable": computer.managed, "capableUsers": users },
        "reportDate": date(computer.last_contact),
        "lastContactTime": date(computer.last_contact),
        "lastEnrolledDate": date(computer.enrolled),
        "initialEntryDate": date(computer.enrolled).get(..10),
        "managementId": computer.management_id,
        "site": { "id": "-1", "name": "None" },
        "userApprovedMdm": computer.managed,
        "declarativeDeviceManagementEnabled": computer.managed,
        "extensionAttributes": [],
    })
}

fn user_and_location(computer: &Computer) -> Value {
    json!({
        "username": computer.location.username,
        "realname": computer.location.real_name,
        "email": computer.location.email,
        "position": null,
        "phone": null,
        "departmentId": null,
        "buildingId": null,
        "room": null,
        "extensionAttributes": [],
    })
}

fn hardware(computer: &Computer) -> Value {
    json!({
        "make": "Apple",
        "model": "MacBook Air (M3, 2024)",
        "modelIdentifier": "Mac15,12",
        "serialNumber": computer.serial_number,
        "appleSilicon": true,
    })
}

/// A mobile device in a list.
pub(super) fn mobile_summary(device: &MobileDevice) -> Value {
    json!({
        "id": device.id.to_string(),
        "name": device.name,
        "serialNumber": device.serial_number,
        "wifiMacAddress": null,
        "udid": udid(device.udid),
        "phoneNumber": null,
        "model": "iPad Air 11-inch (M3)",
        "modelIdentifier": "iPad15,3",
        "username": device.location.username,
        "type": "ios",
        "managementId": device.management_id,
        "softwareUpdateDeviceId": "iPad15,3",
    })
}

/// A mobile device with everything.
pub(super) fn mobile_detail(device: &MobileDevice) -> Value {
    json!({
        "id": device.id.to_string(),
        "name": device.name,
        "assetTag": null,
        "lastInventoryUpdateTimestamp": date(device.last_contact),
        "osVersion": "18.5",
        "serialNumber": device.serial_number,
        "udid": udid(device.udid),
        "ipAddress": null,
        "wifiMacAddress": null,
        "bluetoothMacAddress": null,
        "managed": device.managed,
        "initialEntryTimestamp": date(device.enrolled),
        "lastEnrollmentTimestamp": date(device.enrolled),
        "deviceOwnershipLevel": device.ownership,
        "managementId": device.management_id,
        "site": { "id": "-1", "name": "None" },
        "extensionAttributes": [],
        "location": {
            "username": device.location.username,
            "realName": device.location.real_name,
            "emailAddress": device.location.email,
            "position": null,
            "phoneNumber": null,
            "departmentId": null,
            "buildingId": null,
            "room": null,
        },
        "type": "ios",
        "ios": { "model": "iPad Air 11-inch (M3)", "supervised": device.supervised },
    })
}

/// A mobile device in the list of details, with these sections; the others are null.
pub(super) fn mobile_inventory(device: &MobileDevice, sections: &BTreeSet<Section>) -> Value {
    let part = |section, value| if sections.contains(&section) { value } else { Value::Null };
    let hardware =
        json!({ "serialNumber": device.serial_number, "model": "iPad Air 11-inch (M3)" });
    let user = json!({
        "username": device.location.username,
        "realName": device.location.real_name,
        "emailAddress": device.location.email,
    });
    json!({
        "mobileDeviceId": device.id.to_string(),
        "deviceType": "iOS",
        "hardware": part(Section::Hardware, hardware),
        "userAndLocation": part(Section::UserAndLocation, user),
        "general": part(Section::General, json!({
            "udid": udid(device.udid),
            "displayName": device.name,
            "managed": device.managed,
            "supervised": device.supervised,
            "deviceOwnershipType": device.ownership,
            "managementId": device.management_id,
            "lastInventoryUpdateDate": date(device.last_contact),
            "lastEnrolledDate": date(device.enrolled),
            "osVersion": "18.5",
        })),
    })
}
