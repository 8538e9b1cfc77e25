//! How far a collection has been read, as text: its kind, whether this is the first round, and the
//! link that Graph gave.

use lanyard_lifecycle::ObjectKind;

use crate::change::Cursor;

/// A place in the reading of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) kind: ObjectKind,
    pub(crate) round: Round,
    /// None is the beginning of a round that reads everything.
    pub(crate) link: Option<&'a str>,
}

/// Which round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// One that names every object whole.
    First,
    /// One that names what has changed, and maybe only that of it.
    Further,
}

impl<'a> Place<'a> {
    /// The place that a cursor means; none when it is none of ours for this kind.
    pub(crate) fn parse(cursor: Option<&'a Cursor>, kind: ObjectKind) -> Option<Self> {
        let Some(cursor) = cursor else {
            return Some(Self { kind, round: Round::First, link: None });
        };
        let mut parts = cursor.as_str().splitn(3, ' ');
        if parts.next() != Some(kind.name()) {
            return None;
        }
        let round = match parts.next()? {
            "first" => Round::First,
            "further" => Round::Further,
            _ => return None,
        };
        Some(Self { kind, round, link: parts.next().filter(|link| !link.is_empty()) })
    }

    pub(crate) fn cursor(self) -> Cursor {
        let round = match self.round {
            Round::First => "first",
            Round::Further => "further",
        };
        Cursor::new(format!("{} {round} {}", self.kind, self.link.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_to_no_other_kinds() {
        for round in [Round::First, Round::Further] {
            for link in [None, Some("https://graph.example/x?$skiptoken=a b")] {
                let place = Place { kind: ObjectKind::EntraUser, round, link };
                let cursor = place.cursor();
                assert_eq!(Place::parse(Some(&cursor), ObjectKind::EntraUser), Some(place));
                assert_eq!(Place::parse(Some(&cursor), ObjectKind::EntraDevice), None);
            }
        }
        for text in ["", "EntraUser", "EntraUser later x", "first x"] {
            assert_eq!(
                Place::parse(Some(&Cursor::new(text)), ObjectKind::EntraUser),
                None,
                "{text}"
            );
        }
    }
}
