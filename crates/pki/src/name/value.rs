//! Attribute values: the string types of X.520 as text, and text as the type that RFC 5280 asks for.

use super::ParseNameError;
use crate::{
    Oid, oid,
    tlv::{Tag, Tlv, Writer},
};

/// The value of an attribute, in whatever string type it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeValue<'a>(Tlv<'a>);

impl<'a> AttributeValue<'a> {
    pub(super) const fn new(value: Tlv<'a>) -> Self {
        Self(value)
    }

    /// Its type.
    pub const fn tag(self) -> Tag {
        self.0.tag
    }

    /// Its contents as received.
    pub const fn contents(self) -> &'a [u8] {
        self.0.contents
    }

    /// Its DER as received.
    pub const fn as_der(self) -> &'a [u8] {
        self.0.bytes
    }

    /// As text, if it is a string whose octets are what its type says.
    pub fn exact_text(self) -> Option<String> {
        decode_string(self.0.tag, self.0.contents)
    }

    /// As text, whatever it is: what cannot be read as a string becomes `#` and the DER in hexadecimal,
    /// as RFC 4514, 2.4 has it.
    pub fn text(self) -> String {
        self.exact_text().unwrap_or_else(|| format!("#{}", hex::encode(self.0.bytes)))
    }
}

/// The text in a string of any type. Teletex strings are read as Latin-1, which is what their writers
/// meant; octets that the type does not allow give `None`.
pub fn decode_string(tag: Tag, contents: &[u8]) -> Option<String> {
    match tag {
        Tag::UTF8_STRING => String::from_utf8(contents.to_vec()).ok(),
        Tag::PRINTABLE_STRING | Tag::IA5_STRING | Tag::VISIBLE_STRING | Tag::NUMERIC_STRING => {
            // Some clients put UTF-8 into these; it is unambiguous, so it is read.
            String::from_utf8(contents.to_vec()).ok()
        }
        Tag::TELETEX_STRING => Some(contents.iter().map(|octet| char::from(*octet)).collect()),
        Tag::BMP_STRING => {
            let (pairs, rest) = contents.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            let text = char::decode_utf16(units).collect::<Result<String, _>>().ok()?;
            rest.is_empty().then_some(text)
        }
        Tag::UNIVERSAL_STRING => {
            let (quads, rest) = contents.as_chunks::<4>();
            let chars = quads.iter().map(|quad| char::from_u32(u32::from_be_bytes(*quad)));
            let text = chars.collect::<Option<String>>()?;
            rest.is_empty().then_some(text)
        }
        _ => None,
    }
}

/// The DER of an attribute. Country, serial number and DN qualifier are PrintableString, domain
/// component and e-mail address IA5String (RFC 5280, appendix A), everything else UTF8String.
pub(super) fn attribute(oid: Oid, text: &str) -> Result<Vec<u8>, ParseNameError> {
    let refused = |wanted| Err(ParseNameError::Characters { oid, wanted });
    let tag = match oid {
        oid::COUNTRY if text.len() != 2 || !text.bytes().all(|b| b.is_ascii_alphabetic()) => {
            return refused("two letters");
        }
        oid::COUNTRY | oid::SERIAL_NUMBER | oid::DN_QUALIFIER => Tag::PRINTABLE_STRING,
        oid::DOMAIN_COMPONENT | oid::EMAIL_ADDRESS => Tag::IA5_STRING,
        _ => Tag::UTF8_STRING,
    };
    if text.is_empty() {
        return Err(ParseNameError::EmptyValue(oid));
    }
    if tag == Tag::PRINTABLE_STRING && !text.bytes().all(is_printable) {
        return refused("letters, digits and ' ( ) + , - . / : = ?");
    }
    if tag == Tag::IA5_STRING && !text.is_ascii() {
        return refused("ASCII characters");
    }
    Ok(Writer::sequence_of(|w| {
        w.oid(oid);
        w.value(tag, text.as_bytes());
    }))
}

/// Whether PrintableString has this character (X.680, 41.4).
pub(crate) const fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b' ' | b'\''..=b')' | b'+'..=b'/' | b':' | b'=' | b'?')
}
