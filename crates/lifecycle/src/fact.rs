//! Facts: what a source said about a certificate or its object, and when that was learnt.
//!
//! A fact is what a person is shown as the reason of a verdict. What follows from it is in
//! [`crate::verdict`](mod@crate::verdict).

use std::borrow::Cow;
use std::fmt;

use lanyard_pki::Time;
use serde::{Deserialize, Serialize};

use crate::id::{DirectoryId, ObjectId};
use crate::timestamp;

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FactSource {
    /// This installation's own record of the certificate: what people and rules have done to it.
    Record,
    /// A directory, by name ("Intune", "Entra ID") and id.
    Directory {
        /// What people call it.
        name: Cow<'static, str>,
        /// Which one.
        directory: DirectoryId,
    },
}

impl fmt::Display for FactSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record => f.write_str("this authority"),
            Self::Directory { name, .. } => f.write_str(name),
        }
    }
}

/// Something that a source said: "Intune: managementState=wipePending". The JSON form is what stores
/// keep with a revocation that a rule made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Who said it.
    pub source: FactSource,
    /// The object it is about; none when it is about the certificate itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// What was said: a property's name, as the source spells it.
    pub name: Cow<'static, str>,
    /// Its value, as the source spells it.
    pub value: Cow<'static, str>,
    /// When the source said it to us.
    #[serde(with = "timestamp")]
    pub learnt: Time,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}={} (learnt {})", self.source, self.name, self.value, self.learnt)
    }
}

#[cfg(test)]
mod tests;
