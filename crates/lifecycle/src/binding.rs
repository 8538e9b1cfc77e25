//! A binding: what kind a certificate is of and which object it is tethered to; and which object a
//! request is about.
//!
//! How the binding gets into the serial number is in [`crate::serial_codec`], whether an object may
//! have a certificate is in [`crate::tether`].

mod device;
mod find;
mod guid;

use serde::{Deserialize, Serialize};

use crate::id::{DirectoryId, ObjectId};
use crate::kind::{Kind, Tether};

pub use device::{Asked, Candidate, DeviceDirectory, NamedBy, choose};
pub use find::{BindingRule, Sought, sought};

/// A certificate's kind and object.
///
/// The directory is recorded beside the binding and is not part of the serial number: object ids
/// are unique across tenants. Once bound, that directory alone proves that the object is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Binding {
    /// What the certificate is for.
    pub kind: Kind,
    /// The object, or a random number for kinds that are tethered to nothing.
    pub object: ObjectId,
    /// Where the object was found; none for kinds that are tethered to nothing.
    pub directory: Option<DirectoryId>,
}

impl Binding {
    /// A binding to nothing; none if certificates of this kind follow a directory object.
    #[must_use]
    pub fn untethered(kind: Kind, random: [u8; 16]) -> Option<Self> {
        match kind.tether() {
            Tether::None => {
                Some(Self { kind, object: ObjectId::from_random(random), directory: None })
            }
            Tether::Directory => None,
        }
    }

    /// A binding to an object of a directory; none if certificates of this kind follow no object.
    #[must_use]
    pub fn tethered(kind: Kind, object: ObjectId, directory: DirectoryId) -> Option<Self> {
        match kind.tether() {
            Tether::Directory => Some(Self { kind, object, directory: Some(directory) }),
            Tether::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_bound_in_exactly_one_way() {
        for kind in Kind::ALL.iter().copied() {
            let free = Binding::untethered(kind, [7; 16]);
            let object = ObjectId::from_u128(7);
            let bound = Binding::tethered(kind, object, DirectoryId::from_bytes([1; 16]));
            assert_ne!(free.is_some(), bound.is_some(), "{kind}");
        }
    }
}
