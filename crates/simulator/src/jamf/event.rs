//! What webhooks tell about an object.

use super::{
    object::{Computer, MobileDevice},
    shape::udid,
    tree::Node,
};

/// About a computer.
pub(super) fn computer(computer: &Computer) -> Node {
    Node::fields([
        ("jssID", Node::value(computer.id)),
        ("udid", Node::value(udid(computer.udid))),
        ("serialNumber", Node::value(computer.serial_number.as_str())),
        ("deviceName", Node::value(computer.name.as_str())),
        ("username", Node::value(computer.location.username.as_str())),
        ("realName", Node::value(computer.location.real_name.as_str())),
        ("emailAddress", Node::value(computer.location.email.as_str())),
        ("managementId", Node::value(computer.management_id.to_string())),
    ])
}

/// About a mobile device.
pub(super) fn mobile_device(device: &MobileDevice) -> Node {
    Node::fields([
        ("jssID", Node::value(device.id)),
        ("udid", Node::value(udid(device.udid))),
        ("serialNumber", Node::value(device.serial_number.as_str())),
        ("deviceName", Node::value(device.name.as_str())),
        ("username", Node::value(device.location.username.as_str())),
        ("emailAddress", Node::value(device.location.email.as_str())),
        ("managementId", Node::value(device.management_id.to_string())),
    ])
}

/// Something was deleted by a call of the API.
pub(super) fn operation(kind: &'static str, id: u32, name: &str, who: &str) -> Node {
    Node::fields([
        ("authorizedUsername", Node::value(who)),
        ("objectID", Node::value(id)),
        ("objectName", Node::value(name)),
        ("objectTypeName", Node::value(kind)),
        ("operationSuccessful", Node::value(true)),
        ("restAPIOperationType", Node::value("DELETE")),
    ])
}
