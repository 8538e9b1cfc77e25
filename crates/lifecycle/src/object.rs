//! Directory objects as far as certificates care: which object, whether it is there, and what its
//! directory says of it.
//!
//! How an object is asked for is the connectors' business, how long an answer may be used and what
//! follows from it are the verdict's. An object that nobody could ask about has no state here:
//! ignorance is not a presence.

mod properties;
mod vocabulary;

use std::borrow::Cow;
use std::fmt;

use lanyard_pki::Time;
use serde::{Deserialize, Serialize};

use crate::fact::{Fact, FactSource};
use crate::id::{DirectoryId, ObjectId};
use crate::kind::coded;

pub use properties::{
    EntraDevice, EntraUser, IntuneDevice, JamfDevice, JamfUser, Properties, RiskyUser,
};
pub use vocabulary::{ComplianceState, ManagementState, OwnerType, RiskLevel, RiskState};

coded! {
    /// What sort of object a directory keeps, and in which of its collections. The codes are
    /// stable: stores keep them.
    ObjectKind {
        /// A user in Entra ID, by the user's object id.
        EntraUser = 1,
        /// A device in Entra ID, by its *deviceId*, which is what certificates carry. It is not the
        /// id of the directory object: that one is [`EntraDevice::graph_id`].
        EntraDevice = 2,
        /// What Entra ID Protection says of a user, by the user's object id. Absent is a user who
        /// was never found to be at risk.
        RiskyUser = 3,
        /// A managed device in Intune, by its id there.
        IntuneDevice = 4,
        /// A computer in Jamf Pro, by [`ObjectId::jamf_device`].
        JamfComputer = 5,
        /// A mobile device in Jamf Pro, by [`ObjectId::jamf_device`]; numbered apart from
        /// computers.
        JamfMobileDevice = 6,
        /// A user in Jamf Pro, by [`ObjectId::jamf_user`] with device 0.
        JamfUser = 7,
    }
}

impl ObjectKind {
    /// What people call one: "device in Intune".
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::EntraUser => "user in Entra ID",
            Self::EntraDevice => "device in Entra ID",
            Self::RiskyUser => "risky user in Entra ID",
            Self::IntuneDevice => "device in Intune",
            Self::JamfComputer => "computer in Jamf Pro",
            Self::JamfMobileDevice => "mobile device in Jamf Pro",
            Self::JamfUser => "user in Jamf Pro",
        }
    }
}

/// One object of one directory. The same number in two directories, or in two collections of one,
/// is two objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// The directory that holds it.
    pub directory: DirectoryId,
    /// The sort of object.
    pub kind: ObjectKind,
    /// Its id; which one, [`ObjectKind`] says.
    pub object: ObjectId,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.text(), self.object)
    }
}

/// Whether the directory has the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::large_enum_variant, reason = "nearly every state that is held is a present one")]
pub enum Presence {
    /// It has, and says this of it.
    Present(Properties),
    /// It has not: its documented "not found", or its documented notice of a removal. Nothing else
    /// is absence: an error, an outage or an unreadable answer leaves a state unknown.
    Absent,
}

/// What a directory said of an object, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectState {
    /// The object.
    pub key: ObjectKey,
    /// What was said.
    pub presence: Presence,
    /// When. For an answer that took a while this is when it was asked for, so that a state is
    /// never taken for newer than it is.
    pub learnt: Time,
}

impl ObjectState {
    /// A present object. The kind of the key is that of the properties.
    #[must_use]
    pub fn present(
        directory: DirectoryId,
        object: ObjectId,
        properties: Properties,
        learnt: Time,
    ) -> Self {
        let key = ObjectKey { directory, kind: properties.kind(), object };
        Self { key, presence: Presence::Present(properties), learnt }
    }

    /// An absent object.
    #[must_use]
    pub const fn absent(key: ObjectKey, learnt: Time) -> Self {
        Self { key, presence: Presence::Absent, learnt }
    }

    /// What was said, where the object is there.
    #[must_use]
    pub const fn properties(&self) -> Option<&Properties> {
        match &self.presence {
            Presence::Present(properties) => Some(properties),
            Presence::Absent => None,
        }
    }

    /// Everything said, as facts for verdicts and for people. `source_name` is what people call
    /// the directory: "Intune". What the directory left out is no fact.
    #[must_use]
    pub fn facts(&self, source_name: impl Into<Cow<'static, str>>) -> Vec<Fact> {
        let source =
            FactSource::Directory { name: source_name.into(), directory: self.key.directory };
        let said = match &self.presence {
            Presence::Present(properties) => properties.statements(),
            Presence::Absent => vec![(self.key.kind.name(), "notFound".into())],
        };
        said.into_iter()
            .map(|(name, value)| Fact {
                source: source.clone(),
                object: Some(self.key.object),
                name: name.into(),
                value,
                learnt: self.learnt,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
