//! The JSON of Jamf Pro's two APIs, reading only.
//!
//! Numbers come as JSON numbers, strings or both, depending on the API and its version; all forms
//! are read.

use serde::{Deserialize, Deserializer};

/// A Jamf id: a positive number, written as such or as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct JamfId(pub(super) u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for JamfId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) => Some(number),
            NumberOrText::Text(text) => text.trim().parse().ok(),
        };
        number
            .filter(|number| *number > 0)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not the id of an object in Jamf Pro"))
    }
}
