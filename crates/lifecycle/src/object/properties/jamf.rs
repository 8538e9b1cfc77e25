//! What Jamf Pro says of its objects.

use serde::{Deserialize, Serialize};

use super::Said;

/// A computer or mobile device in Jamf Pro.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JamfDevice {
    /// `name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `udid`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udid: Option<String>,
    /// `serialNumber`: the hardware's, not a certificate's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// `managed`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed: Option<bool>,
    /// `username` of the assigned user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `email` of the assigned user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl JamfDevice {
    pub(super) fn say(&self, said: &mut Said) {
        said.flag("managed", self.managed);
        said.text("name", self.name.as_deref());
        said.text("serialNumber", self.serial_number.as_deref());
        said.text("udid", self.udid.as_deref());
        said.text("username", self.username.as_deref());
        said.text("email", self.email.as_deref());
    }
}

/// A user in Jamf Pro.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JamfUser {
    /// `name`: the user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `fullName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// `email`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl JamfUser {
    pub(super) fn say(&self, said: &mut Said) {
        said.text("name", self.name.as_deref());
        said.text("fullName", self.full_name.as_deref());
        said.text("email", self.email.as_deref());
    }
}
