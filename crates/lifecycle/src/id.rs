//! Identifiers: of directory objects, directories, endpoints, and of the organizations that own
//! them.
//!
//! Nothing here makes an identifier up: random ones are built from bytes that the caller drew.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The object that a certificate is tethered to, in 128 bits: a GUID for most directories, numbers
/// for Jamf Pro, random where there is no object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(u128);

impl ObjectId {
    /// The object with this 128-bit value; for a GUID its usual big-endian reading (RFC 9562
    /// section 4).
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// A random object, for the kinds that are tethered to nothing.
    #[must_use]
    pub const fn from_random(random: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(random))
    }

    /// A Jamf Pro computer or mobile device, by its number there.
    #[must_use]
    pub const fn jamf_device(device: u64) -> Self {
        Self((device as u128) << 64)
    }

    /// A user of a Jamf Pro computer or mobile device: both numbers, the device's in the upper
    /// half.
    #[must_use]
    pub const fn jamf_user(device: u64, user: u64) -> Self {
        Self(((device as u128) << 64) | user as u128)
    }

    /// The two numbers of [`ObjectId::jamf_user`], device first; the second is 0 for a device.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "each half is 64 bits")]
    pub const fn jamf_numbers(self) -> (u64, u64) {
        ((self.0 >> 64) as u64, self.0 as u64)
    }

    /// All 128 bits.
    #[must_use]
    pub const fn to_u128(self) -> u128 {
        self.0
    }

    /// All 128 bits, big-endian, as stores keep them.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The inverse of [`ObjectId::to_bytes`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl From<Uuid> for ObjectId {
    fn from(guid: Uuid) -> Self {
        Self(guid.as_u128())
    }
}

impl From<ObjectId> for Uuid {
    fn from(object: ObjectId) -> Self {
        Self::from_u128(object.0)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Uuid::from_u128(self.0), f)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

impl FromStr for ObjectId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        parse(text).map(Self::from)
    }
}

impl Serialize for ObjectId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from)
    }
}

/// A text that was to be an identifier is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an identifier has the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, in hexadecimal digits")]
pub struct IdError;

fn parse(text: &str) -> Result<Uuid, IdError> {
    Uuid::try_parse(text.trim()).map_err(|_| IdError)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// From 16 bytes, as stores keep them, or as the caller drew them.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes, big-endian.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }
    };
}

id!(
    /// A configured place to enroll.
    EndpointId
);
id!(
    /// A directory that holds objects: a tenant of Entra ID and Intune, an instance of Jamf Pro, a
    /// fleet.
    DirectoryId
);
id!(
    /// An organization that certificates, endpoints and administrators belong to.
    OrganizationId
);
id!(
    /// A department of an organization.
    DepartmentId
);

impl OrganizationId {
    /// The organization of an installation that has made no other.
    pub const DEFAULT: Self = Self(Uuid::nil());
}

/// Who owns a record, and how far a query sees: an organization, or one of its departments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The organization.
    pub organization: OrganizationId,
    /// The department; none is the organization itself with all of its departments.
    pub department: Option<DepartmentId>,
}

impl Scope {
    /// The default organization, whole.
    pub const DEFAULT: Self = Self { organization: OrganizationId::DEFAULT, department: None };

    /// Whether someone who sees this scope sees what belongs to `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.organization == other.organization
            && (self.department.is_none() || self.department == other.department)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

    #[test]
    fn an_object_reads_its_guid_in_any_case_and_braces() {
        let object: ObjectId = GUID.parse().unwrap();
        assert_eq!(object, GUID.to_uppercase().parse().unwrap());
        assert_eq!(object, format!("{{{GUID}}}").parse().unwrap());
        assert_eq!(object.to_string(), GUID);
        assert_eq!(ObjectId::from_bytes(object.to_bytes()), object);
    }

    #[test]
    fn a_text_that_is_no_guid_is_refused() {
        for text in
            ["", "x", "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950g"]
        {
            assert_eq!(text.parse::<ObjectId>(), Err(IdError), "{text}");
        }
    }

    #[test]
    fn jamf_numbers_come_back() {
        assert_eq!(ObjectId::jamf_user(7, 9).jamf_numbers(), (7, 9));
        assert_eq!(ObjectId::jamf_device(u64::MAX).jamf_numbers(), (u64::MAX, 0));
        assert_ne!(ObjectId::jamf_user(7, 9), ObjectId::jamf_user(9, 7));
    }

    #[test]
    fn a_department_sees_itself_and_its_organization_sees_all_departments() {
        let organization = OrganizationId::from_bytes([1; 16]);
        let whole = Scope { organization, department: None };
        let sales = Scope { organization, department: Some(DepartmentId::from_bytes([2; 16])) };
        let lab = Scope { organization, department: Some(DepartmentId::from_bytes([3; 16])) };
        assert!(whole.covers(&sales) && whole.covers(&whole) && sales.covers(&sales));
        assert!(!sales.covers(&whole) && !sales.covers(&lab));
        assert!(!Scope::DEFAULT.covers(&sales) && !whole.covers(&Scope::DEFAULT));
    }
}
