//! Names of keys, which are names of files.

use std::fmt;
use std::str::FromStr;

/// The name of a key: 1 to 64 of `a-z`, `0-9`, `-`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// The text is no name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name of a key has 1 to 64 of the characters a-z, 0-9 and -, the first not -")]
pub struct KeyNameError;

impl KeyName {
    /// The name in this text.
    pub fn new(text: &str) -> Result<Self, KeyNameError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let sound = (1..=64).contains(&text.len()) && text.chars().all(allowed);
        if sound && !text.starts_with('-') { Ok(Self(text.to_owned())) } else { Err(KeyNameError) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        Self::new(text)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_the_folder() {
        for text in ["", "../ca", "a/b", "a.b", ".", "-x", "CA", "ä", "a\0", &"a".repeat(65)] {
            assert_eq!(KeyName::new(text), Err(KeyNameError), "{text}");
        }
        assert_eq!(KeyName::new("ca-2026").map(|name| name.to_string()), Ok("ca-2026".to_owned()));
    }
}
