//! How far a sweep has come, as the text of a cursor.

use std::fmt;
use std::str::FromStr;

use crate::change::Cursor;

/// Where a sweep goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// At a page of a list of the Pro API.
    Page {
        /// The version of the list.
        version: String,
        /// How long its pages are.
        size: u16,
        /// Which page.
        page: u64,
    },
    /// After an id, in a list of the Classic API.
    After(u64),
    /// At the beginning of a round.
    Start,
}

impl Place {
    /// The place that a cursor stands for; none for a foreign one.
    pub(super) fn of(cursor: Option<&Cursor>) -> Option<Self> {
        cursor.map_or(Some(Self::Start), |cursor| cursor.as_str().parse().ok())
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor::new(self.to_string())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { version, size, page } => write!(f, "page/{version}/{size}/{page}"),
            Self::After(id) => write!(f, "after/{id}"),
            Self::Start => f.write_str("start"),
        }
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.split('/').collect();
        match *parts.as_slice() {
            ["start"] => Ok(Self::Start),
            ["after", id] => id.parse().map(Self::After).map_err(drop),
            ["page", version, size, page] => Ok(Self::Page {
                version: version.to_owned(),
                size: size.parse().map_err(drop)?,
                page: page.parse().map_err(drop)?,
            }),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        for place in [
            Place::Start,
            Place::After(u64::MAX),
            Place::Page { version: "v3".into(), size: 200, page: 7 },
        ] {
            assert_eq!(Place::of(Some(&place.cursor())), Some(place));
        }
        assert_eq!(Place::of(None), Some(Place::Start));
    }

    #[test]
    fn a_foreign_cursor_leads_nowhere() {
        for text in ["", "page", "page/v3/x/1", "page/v3/1/1/1", "after/-1", "https://x/?$skip=1"] {
            assert_eq!(Place::of(Some(&Cursor::new(text))), None, "{text}");
        }
    }
}
