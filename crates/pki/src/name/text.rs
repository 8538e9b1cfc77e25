//! Names as text, both ways: RFC 4514, most specific part first.

use super::{Attribute, Name};
use crate::{Oid, oid};
use std::{fmt, fmt::Write as _, str::FromStr};

/// Names of attribute types. The first for an identifier is the one that is written: those of RFC 4514,
/// section 3, then what OpenSSL and Windows write.
const KEYWORDS: &[(&str, Oid)] = &[
    ("CN", oid::COMMON_NAME),
    ("L", oid::LOCALITY),
    ("ST", oid::STATE),
    ("O", oid::ORGANIZATION),
    ("OU", oid::ORGANIZATIONAL_UNIT),
    ("C", oid::COUNTRY),
    ("STREET", oid::STREET),
    ("DC", oid::DOMAIN_COMPONENT),
    ("UID", oid::USER_ID),
    ("emailAddress", oid::EMAIL_ADDRESS),
    ("SN", oid::SURNAME),
    ("GN", oid::GIVEN_NAME),
    ("serialNumber", oid::SERIAL_NUMBER),
    ("title", oid::TITLE),
    ("description", oid::DESCRIPTION),
    ("postalCode", oid::POSTAL_CODE),
    ("name", oid::NAME),
    ("initials", oid::INITIALS),
    ("generationQualifier", oid::GENERATION_QUALIFIER),
    ("dnQualifier", oid::DN_QUALIFIER),
    ("pseudonym", oid::PSEUDONYM),
    ("organizationIdentifier", oid::ORGANIZATION_IDENTIFIER),
    ("unstructuredName", oid::UNSTRUCTURED_NAME),
    ("unstructuredAddress", oid::UNSTRUCTURED_ADDRESS),
    ("E", oid::EMAIL_ADDRESS),
    ("G", oid::GIVEN_NAME),
    ("S", oid::STATE),
    ("surname", oid::SURNAME),
    ("givenName", oid::GIVEN_NAME),
    ("commonName", oid::COMMON_NAME),
    ("countryName", oid::COUNTRY),
    ("organizationName", oid::ORGANIZATION),
    ("organizationalUnitName", oid::ORGANIZATIONAL_UNIT),
];

/// Why a text or a list of attributes is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseNameError {
    /// A part without `=`.
    #[error("{0:?} is not of the form TYPE=value")]
    NoEquals(String),
    /// A type that is neither a known keyword nor an object identifier.
    #[error("{0:?} is not a known attribute type")]
    UnknownType(String),
    /// A value with nothing in it.
    #[error("attribute {} is empty", Keyword(*.0))]
    EmptyValue(Oid),
    /// A value with characters that its type cannot carry.
    #[error("attribute {} takes {wanted} only", Keyword(*.oid))]
    Characters {
        /// The attribute's type.
        oid: Oid,
        /// What it takes.
        wanted: &'static str,
    },
    /// A backslash that escapes nothing, or an escaped character that is no UTF-8.
    #[error("a backslash in {0:?} escapes nothing")]
    Escape(String),
}

/// Shows an attribute type as it is written: a keyword, or dotted text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyword(pub(crate) Oid);

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KEYWORDS.iter().find(|(_, listed)| *listed == self.0) {
            Some((keyword, _)) => f.write_str(keyword),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl fmt::Display for Name {
    /// RFC 4514: the last relative name first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rdns: Vec<_> = self.rdns().collect();
        rdns.reverse();
        for (at, rdn) in rdns.iter().enumerate() {
            if at > 0 {
                f.write_char(',')?;
            }
            for (at, attribute) in rdn.iter().enumerate() {
                if at > 0 {
                    f.write_char('+')?;
                }
                write_attribute(f, attribute)?;
            }
        }
        Ok(())
    }
}

fn write_attribute(f: &mut fmt::Formatter<'_>, attribute: &Attribute<'_>) -> fmt::Result {
    write!(f, "{}=", Keyword(attribute.oid))?;
    let Some(text) = attribute.value.exact_text() else {
        return f.write_str(&attribute.value.text());
    };
    let last = text.chars().count().saturating_sub(1);
    for (at, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            '#' if at == 0 => f.write_str("\\#")?,
            ' ' if at == 0 || at == last => f.write_str("\\ ")?,
            control if rewrites(control) => {
                let mut buffer = [0; 4];
                control
                    .encode_utf8(&mut buffer)
                    .bytes()
                    .try_for_each(|octet| write!(f, "\\{octet:02X}"))?;
            }
            other => f.write_char(other)?,
        }
    }
    Ok(())
}

/// Characters that would let a name rewrite the line that shows it: controls, and what is invisible or turns the
/// direction of writing.
fn rewrites(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl FromStr for Name {
    type Err = ParseNameError;

    /// Reads `CN=Laptop 7,OU=Devices,O=Example` in RFC 4514's order, the most specific part first.
    /// Spaces around the separators do not count. `#` values are taken as text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Ok(Self::empty());
        }
        let mut rdns = Vec::new();
        for rdn in split(text, &[',', ';']) {
            let attributes: Result<Vec<_>, _> =
                split(rdn, &['+']).into_iter().map(read_attribute).collect();
            rdns.push(attributes?);
        }
        rdns.reverse();
        Self::from_rdns(rdns)
    }
}

fn read_attribute(text: &str) -> Result<(Oid, String), ParseNameError> {
    let (kind, value) =
        text.split_once('=').ok_or_else(|| ParseNameError::NoEquals(text.trim().to_owned()))?;
    let kind = kind.trim();
    let oid = KEYWORDS
        .iter()
        .find(|(keyword, _)| keyword.eq_ignore_ascii_case(kind))
        .map(|(_, oid)| *oid)
        .or_else(|| kind.parse().ok())
        .ok_or_else(|| ParseNameError::UnknownType(kind.to_owned()))?;
    Ok((oid, unescaped(value)?))
}

/// Splits at separators that no backslash precedes.
fn split<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut escaped = false;
    text.split(|character| {
        let separates = !escaped && separators.contains(&character);
        escaped = !escaped && character == '\\';
        separates
    })
    .collect()
}

/// The value without its escapes and without the spaces around it.
fn unescaped(text: &str) -> Result<String, ParseNameError> {
    let malformed = || ParseNameError::Escape(text.to_owned());
    let (mut value, mut kept) = (Vec::new(), 0);
    let mut octets = text.trim_start().bytes();
    while let Some(octet) = octets.next() {
        if octet != b'\\' {
            value.push(octet);
            if octet != b' ' {
                kept = value.len();
            }
            continue;
        }
        let first = octets.next().ok_or_else(malformed)?;
        if first.is_ascii_hexdigit() {
            let second = octets.next().ok_or_else(malformed)?;
            value.extend(hex::decode([first, second]).map_err(|_| malformed())?);
        } else {
            value.push(first);
        }
        kept = value.len();
    }
    value.truncate(kept);
    String::from_utf8(value).map_err(|_| malformed())
}
