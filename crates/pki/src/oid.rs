//! Object identifiers: the type, and every one that Lanyard reads or writes as a constant.

mod constants;

pub use constants::*;
use std::{fmt, str::FromStr};

/// The longest object identifier that is kept, in octets of contents.
pub const MAX_OCTETS: usize = 39;

/// An object identifier, as the contents octets of its DER. Arcs may have up to 128 bits (UUIDs below
/// 2.25 need that).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid {
    octets: [u8; MAX_OCTETS],
    length: u8,
}

impl Oid {
    /// From contents octets; `None` when malformed, or longer than [`MAX_OCTETS`].
    pub fn from_bytes(contents: &[u8]) -> Option<Self> {
        let (mut arc, mut open) = (0u128, false);
        for octet in contents {
            // An arc has no leading zeros (X.690, 8.19.2).
            if (!open && *octet == 0x80) || arc >> 121 != 0 {
                return None;
            }
            open = octet & 0x80 != 0;
            arc = if open { (arc << 7) | u128::from(octet & 0x7f) } else { 0 };
        }
        if contents.is_empty() || open {
            return None;
        }
        let mut octets = [0; MAX_OCTETS];
        octets.get_mut(..contents.len())?.copy_from_slice(contents);
        Some(Self { octets, length: u8::try_from(contents.len()).ok()? })
    }

    /// The contents octets.
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// From dotted text with arcs below 2^63; `None` when it is none.
    #[expect(
        clippy::indexing_slicing,
        reason = "const fn; every index is compared with the length"
    )]
    const fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        let mut oid = Self { octets: [0; MAX_OCTETS], length: 0 };
        let (mut at, mut count, mut first) = (0, 0, 0);
        while at < text.len() {
            let (mut arc, start) = (0u64, at);
            while at < text.len() && text[at] != b'.' {
                let digit = text[at].wrapping_sub(b'0');
                if digit > 9 || arc > (1 << 58) {
                    return None;
                }
                arc = arc * 10 + digit as u64;
                at += 1;
            }
            if at == start || (text[start] == b'0' && at > start + 1) {
                return None;
            }
            match (count, at + 1 < text.len()) {
                (0, true) if arc <= 2 => first = arc,
                (0, _) => return None,
                (1, _) if first < 2 && arc > 39 => return None,
                (1, _) => match oid.with_arc(first * 40 + arc) {
                    Some(longer) => oid = longer,
                    None => return None,
                },
                _ => match oid.with_arc(arc) {
                    Some(longer) => oid = longer,
                    None => return None,
                },
            }
            count += 1;
            at += 1;
            if at == text.len() {
                return None; // ends in a dot
            }
        }
        if count < 2 { None } else { Some(oid) }
    }

    #[expect(clippy::indexing_slicing, reason = "const fn; the length is checked before")]
    const fn with_arc(mut self, arc: u64) -> Option<Self> {
        let mut more = 9;
        while more > 0 && arc >> (7 * more) == 0 {
            more -= 1;
        }
        loop {
            if self.length as usize == MAX_OCTETS {
                return None;
            }
            let bits = ((arc >> (7 * more)) & 0x7f) as u8;
            self.octets[self.length as usize] = if more == 0 { bits } else { bits | 0x80 };
            self.length += 1;
            if more == 0 {
                return Some(self);
            }
            more -= 1;
        }
    }

    /// Constants only: what is no object identifier does not compile.
    #[expect(clippy::panic, reason = "evaluated while compiling")]
    const fn constant(text: &str) -> Self {
        match Self::parse(text) {
            Some(oid) => oid,
            None => panic!("not an object identifier"),
        }
    }

    /// What people call it, for those that have a constant here.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(oid, _)| *oid == self).map(|(_, name)| *name)
    }
}

impl fmt::Display for Oid {
    /// Dotted text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut arc, mut first) = (0u128, true);
        for octet in self.as_bytes() {
            arc = (arc << 7) | u128::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                if first {
                    let root = (arc / 40).min(2);
                    write!(f, "{root}.{}", arc - root * 40)?;
                } else {
                    write!(f, ".{arc}")?;
                }
                (arc, first) = (0, false);
            }
        }
        Ok(())
    }
}

/// Shows an object identifier by its name, if it has one here.
#[derive(Debug, Clone, Copy)]
pub struct Named(pub Oid);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => f.write_str(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an object identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an object identifier like 1.3.6.1.5.5.7.3.2")]
pub struct ParseOidError;

impl FromStr for Oid {
    type Err = ParseOidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or(ParseOidError)
    }
}
