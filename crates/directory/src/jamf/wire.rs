//! The JSON of Jamf Pro's two APIs, reading only.
//!
//! Numbers and flags come as JSON numbers, strings or both, depending on the API and its version;
//! all forms are read. What is left out or empty is `None`.

pub(super) mod classic;
pub(super) mod pro;

use serde::de::IgnoredAny;
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

#[derive(Deserialize)]
#[serde(untagged)]
enum FlagOrText {
    Flag(bool),
    Text(String),
}

/// `true`, `"true"`, or nothing.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Option::<FlagOrText>::deserialize(deserializer)? {
        Some(FlagOrText::Flag(flag)) => Some(flag),
        Some(FlagOrText::Text(text)) => text.trim().to_ascii_lowercase().parse().ok(),
        None => None,
    })
}

/// A text that says something.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// An entry of a list. One that cannot be read does not spoil the others.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Entry<T> {
    Read(T),
    Broken(IgnoredAny),
}

impl<T> Entry<T> {
    pub(super) fn read(self) -> Option<T> {
        match self {
            Self::Read(entry) => Some(entry),
            Self::Broken(_) => None,
        }
    }
}
