//! In which directory a device is looked up, and to which of several finds its certificate is
//! tethered.
//!
//! This decides at binding only: afterwards the directory that it was bound in alone proves that
//! the device is gone.

use crate::id::ObjectId;
use crate::kind::Kind;
use crate::object::ObjectKind;
use crate::refusal::{Refusal, Unbound};

/// Where devices are looked up that Intune vouches for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DeviceDirectory {
    /// In Entra ID alone.
    Entra,
    /// In Intune alone.
    Intune,
    /// In both; found in either is enough.
    EntraAndIntune,
    /// In Entra ID, and in Intune where that was permitted.
    #[default]
    EntraAndIntuneOpportunistic,
    /// In both; and what Intune lists as revoked is revoked.
    EntraAndIntuneAndEndpointList,
}

impl DeviceDirectory {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Entra,
        Self::Intune,
        Self::EntraAndIntune,
        Self::EntraAndIntuneOpportunistic,
        Self::EntraAndIntuneAndEndpointList,
    ];

    /// Whether Intune is asked.
    #[must_use]
    pub const fn asks_intune(self) -> bool {
        !matches!(self, Self::Entra)
    }

    /// Whether Entra ID is asked.
    #[must_use]
    pub const fn asks_entra(self) -> bool {
        !matches!(self, Self::Intune)
    }

    /// Whether Intune's list of certificates is read.
    #[must_use]
    pub const fn reads_endpoint_list(self) -> bool {
        matches!(self, Self::EntraAndIntuneAndEndpointList)
    }
}

/// How a request named a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// By Intune's own URI: what it names is a device in Intune, and no other.
    IntuneUri,
    /// By a common name, which may be of either directory.
    CommonName,
}

/// A device that may be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The kind of certificate that it would get.
    pub kind: Kind,
    /// What to look up.
    pub object_kind: ObjectKind,
    /// Its id.
    pub object: ObjectId,
    /// How it was named.
    pub named_by: NamedBy,
}

/// What asking a directory for a candidate has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The device is there.
    Present,
    /// The directory says that it is not.
    Absent,
    /// The directory cannot be asked now.
    Silent,
    /// The directory refuses to be asked: a permission was not granted.
    NotPermitted,
    /// No such directory is connected.
    NotConnected,
}

/// The candidate that a certificate is tethered to, once directories were asked in the candidates'
/// order. Where a directory has one, those of the directories after it need not be asked.
///
/// An id that no device has is passed over, for it may be of something else; two devices are refused.
/// A candidate that is not there may be chosen all the same where no other can be meant:
/// [`crate::tether::may_enroll`] decides about it.
pub fn choose(
    directories: DeviceDirectory,
    asked: &[(Candidate, Asked)],
) -> Result<Candidate, Refusal> {
    let mut absent = Vec::new();
    for directory in asked.chunk_by(|(one, _), (other, _)| one.object_kind == other.object_kind) {
        let mut present = None;
        for (candidate, answer) in directory.iter().copied() {
            match answer {
                Asked::Present if present.is_some() => {
                    return Err(Refusal::Unbound(Unbound::SeveralDevices));
                }
                Asked::Present => present = Some(candidate),
                Asked::Absent if candidate.named_by == NamedBy::IntuneUri => return Ok(candidate),
                Asked::Absent => absent.push(candidate),
                Asked::NotPermitted | Asked::NotConnected
                    if candidate.object_kind == ObjectKind::IntuneDevice
                        && directories == DeviceDirectory::EntraAndIntuneOpportunistic => {}
                Asked::Silent | Asked::NotPermitted | Asked::NotConnected => {
                    return Err(Refusal::DirectorySilent { kind: candidate.object_kind });
                }
            }
        }
        if let Some(present) = present {
            return Ok(present);
        }
    }
    match absent.as_slice() {
        [only] => Ok(*only),
        [] => Err(Refusal::Unbound(Unbound::IntuneNotAsked)),
        [..] => Err(Refusal::Unbound(Unbound::UnknownDevice)),
    }
}

#[cfg(test)]
mod tests;
