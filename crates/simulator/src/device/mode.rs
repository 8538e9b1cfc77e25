//! How a device is managed, as far as certificates depend on it.

use crate::{
    intune::Purposes,
    tenant::{ManagedDevice, OwnerType},
};
use serde::{Deserialize, Serialize};

/// A platform, and for Android the way it was enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Windows.
    Windows,
    /// A Mac.
    MacOs,
    /// An iPhone or an iPad.
    Ios,
    /// A private Android phone with a work profile.
    AndroidWorkProfile,
    /// An Android phone of the company's.
    AndroidFullyManaged,
    /// An Android device without a user: it does not get to know its Intune id.
    AndroidDedicated,
    /// An older Android phone with Samsung Knox.
    AndroidKnox,
}

impl Mode {
    /// What follows from the properties of a device.
    pub fn of(device: &ManagedDevice) -> Self {
        match device.operating_system.as_str() {
            "macOS" => Self::MacOs,
            "iOS" | "iPadOS" => Self::Ios,
            "Android" if device.user_id.is_none() => Self::AndroidDedicated,
            "Android" if device.managed_device_owner_type == OwnerType::Personal => {
                Self::AndroidWorkProfile
            }
            "Android" => Self::AndroidFullyManaged,
            _ => Self::Windows,
        }
    }

    /// Whether the device puts its Intune id in the place of `{{DeviceId}}`.
    pub const fn tells_device_id(self) -> bool {
        !matches!(self, Self::AndroidDedicated)
    }

    /// Whether its requests carry the extended key usage.
    pub const fn purposes(self) -> Purposes {
        match self {
            Self::MacOs | Self::Ios => Purposes::IfPresent,
            _ => Purposes::Demanded,
        }
    }
}
