//! The two collections of devices: what each is called and where each API keeps it.

use lanyard_lifecycle::ObjectKind;
use lanyard_lifecycle::object::{JamfDevice, Properties};

/// Which collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    Computers,
    MobileDevices,
}

impl Collection {
    pub(super) const fn kind(self) -> ObjectKind {
        match self {
            Self::Computers => ObjectKind::JamfComputer,
            Self::MobileDevices => ObjectKind::JamfMobileDevice,
        }
    }

    pub(super) const fn privilege(self) -> &'static str {
        match self {
            Self::Computers => "Read Computers",
            Self::MobileDevices => "Read Mobile Devices",
        }
    }

    pub(super) const fn properties(self, device: JamfDevice) -> Properties {
        match self {
            Self::Computers => Properties::JamfComputer(device),
            Self::MobileDevices => Properties::JamfMobileDevice(device),
        }
    }

    pub(super) const fn look_up(self) -> &'static str {
        match self {
            Self::Computers => "look up a computer",
            Self::MobileDevices => "look up a mobile device",
        }
    }

    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Computers => "list computers",
            Self::MobileDevices => "list mobile devices",
        }
    }

    /// Versions of the Pro API, the newest first.
    pub(super) const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Computers => &["v3", "v2", "v1"],
            Self::MobileDevices => &["v2"],
        }
    }

    pub(super) const fn classic(self) -> &'static str {
        match self {
            Self::Computers => "computers",
            Self::MobileDevices => "mobiledevices",
        }
    }

    /// Collection the id is called in filters and sortings.
    pub(super) const fn id_name(self) -> &'static str {
        match self {
            Self::Computers => "id",
            Self::MobileDevices => "mobileDeviceId",
        }
    }

    pub(super) fn one_path<'a>(self, version: &'a str, id: &'a str) -> Vec<&'a str> {
        match self {
            Self::Computers => vec!["api", version, "computers-inventory", id],
            Self::MobileDevices => vec!["api", version, "mobile-devices", id, "detail"],
        }
    }

    pub(super) fn list_path(self, version: &str) -> Vec<&str> {
        match self {
            Self::Computers => vec!["api", version, "computers-inventory"],
            Self::MobileDevices => vec!["api", version, "mobile-devices", "detail"],
        }
    }
}
