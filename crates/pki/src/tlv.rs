//! Walking and writing tag-length-value octets, for the messages whose received bytes must be kept.
//!
//! Typed structures (names, extensions) are the business of `der`; nothing here knows a schema.
//! Input is strict DER as far as tags and lengths go; BER is turned into it by [`crate::ber`].

use thiserror::Error;

/// Universal tag octets (X.680, 8.4), constructed bit included where DER sets it.
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// NULL.
    pub const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0c;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// SEQUENCE.
    pub const SEQUENCE: u8 = 0x30;
    /// SET.
    pub const SET: u8 = 0x31;

    /// The octet of a constructed context-specific tag `[number]`.
    #[must_use]
    pub const fn context(number: u8) -> u8 {
        0xa0 | number
    }

    /// The octet of a primitive context-specific tag `[number]`.
    #[must_use]
    pub const fn context_primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// Why octets are not the DER that was expected.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TlvError {
    /// The octets end inside an element.
    #[error("the data ends in the middle of an element")]
    Truncated,
    /// The length octets are indefinite, too long or not minimal.
    #[error("a length is not encoded as DER demands")]
    Length,
    /// A tag above 30, which none of our formats uses.
    #[error("a tag number above 30, which no supported format uses")]
    HighTag,
    /// Another element was due.
    #[error("expected an element with tag {expected:#04x}, found {found:#04x}")]
    Tag {
        /// The tag octet that was due.
        expected: u8,
        /// The tag octet that was there.
        found: u8,
    },
    /// Octets follow the last element.
    #[error("data follows the end of the structure")]
    Trailing,
}

/// One element, borrowed from the message it arrived in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tag octet, class and constructed bits included.
    pub tag: u8,
    /// The content octets.
    pub value: &'a [u8],
    /// Tag, length and content as received.
    pub raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside this one.
    #[must_use]
    pub const fn elements(&self) -> Elements<'a> {
        Elements::new(self.value)
    }
}

/// A run of elements, taken one at a time.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// Starts at the first element of `octets`.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been taken yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The tag octet of the element that comes next.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes the next element, whatever it is.
    ///
    /// # Errors
    /// [`TlvError::Truncated`] at the end; otherwise what is wrong with the element's header.
    pub fn any(&mut self) -> Result<Element<'a>, TlvError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(TlvError::Truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(TlvError::HighTag);
        }
        let (&first, after_first) = after_tag.split_first().ok_or(TlvError::Truncated)?;
        let (length, body) = match first {
            0..=0x7f => (usize::from(first), after_first),
            0x81..=0x84 => {
                let (octets, body) = after_first
                    .split_at_checked(usize::from(first & 0x7f))
                    .ok_or(TlvError::Truncated)?;
                let length = octets.iter().fold(0usize, |sum, &o| (sum << 8) | usize::from(o));
                if octets.first() == Some(&0) || length < 0x80 {
                    return Err(TlvError::Length);
                }
                (length, body)
            }
            _ => return Err(TlvError::Length),
        };
        let (value, rest) = body.split_at_checked(length).ok_or(TlvError::Truncated)?;
        let header = self.rest.len() - body.len();
        let raw = self.rest.get(..header + length).ok_or(TlvError::Truncated)?;
        self.rest = rest;
        Ok(Element { tag, value, raw })
    }

    /// Takes the next element, which must carry `expected`.
    ///
    /// # Errors
    /// [`TlvError::Tag`] for another one, or what is wrong with its header.
    pub fn take(&mut self, expected: u8) -> Result<Element<'a>, TlvError> {
        match self.peek() {
            Some(found) if found != expected => Err(TlvError::Tag { expected, found }),
            _ => self.any(),
        }
    }

    /// Takes the next element if it carries `tag`.
    ///
    /// # Errors
    /// What is wrong with its header.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, TlvError> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`TlvError::Trailing`] when something is.
    pub const fn finish(&self) -> Result<(), TlvError> {
        if self.is_empty() { Ok(()) } else { Err(TlvError::Trailing) }
    }
}

/// The only element of `octets`, which must carry `expected`.
///
/// # Errors
/// What is wrong with it, or [`TlvError::Trailing`].
pub fn only(octets: &[u8], expected: u8) -> Result<Element<'_>, TlvError> {
    let mut elements = Elements::new(octets);
    let element = elements.take(expected)?;
    elements.finish()?;
    Ok(element)
}

/// Appends a tag and a minimal length.
pub fn put_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    put_length(out, length);
}

/// Appends a minimal definite length.
pub fn put_length(out: &mut Vec<u8>, length: usize) {
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        out.push(short);
        return;
    }
    let octets = length.to_be_bytes();
    let significant = octets.iter().skip_while(|&&o| o == 0);
    let count = length_octets(length) - 1;
    out.push(0x80 | u8::try_from(count).unwrap_or(0x7f));
    out.extend(significant);
}

/// How many octets [`put_length`] writes for `length`.
#[must_use]
pub const fn length_octets(length: usize) -> usize {
    if length < 0x80 { 1 } else { 1 + (usize::BITS - length.leading_zeros()).div_ceil(8) as usize }
}

/// An element with `tag` whose content is the concatenation of `parts`.
#[must_use]
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(1 + length_octets(length) + length);
    put_header(&mut out, tag, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A SEQUENCE of the encoded `parts`.
#[must_use]
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, parts)
}

/// A SET OF the encoded `members`, sorted as DER demands (X.690, 11.6).
#[must_use]
pub fn set_of(mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.sort();
    let parts: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
    element(tag::SET, &parts)
}

/// An OCTET STRING.
#[must_use]
pub fn octet_string(value: &[u8]) -> Vec<u8> {
    element(tag::OCTET_STRING, &[value])
}

/// A non-negative INTEGER.
#[must_use]
pub fn unsigned(value: u64) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let skip = octets.iter().take(7).take_while(|&&o| o == 0).count();
    let magnitude = octets.get(skip..).unwrap_or_default();
    let lead: &[u8] = if magnitude.first().is_some_and(|&o| o >= 0x80) { &[0] } else { &[] };
    element(tag::INTEGER, &[lead, magnitude])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minimal_and_read_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let encoded = element(tag::OCTET_STRING, &[&vec![7; length]]);
            assert_eq!(encoded.len(), 1 + length_octets(length) + length);
            assert_eq!(only(&encoded, tag::OCTET_STRING).unwrap().value.len(), length);
        }
    }

    #[test]
    fn unsigned_integers_are_minimal_and_positive() {
        assert_eq!(unsigned(0), [2, 1, 0]);
        assert_eq!(unsigned(127), [2, 1, 127]);
        assert_eq!(unsigned(128), [2, 2, 0, 128]);
        assert_eq!(unsigned(2048), [2, 2, 8, 0]);
        assert_eq!(unsigned(u64::MAX)[..4], [2, 9, 0, 255]);
    }

    #[test]
    fn what_is_not_der_is_refused() {
        for (octets, error) in [
            (&[0x30][..], TlvError::Truncated),
            (&[0x30, 2, 0], TlvError::Truncated),
            (&[0x30, 0x80, 0, 0], TlvError::Length),
            (&[0x04, 0x81, 1, 0], TlvError::Length),
            (&[0x04, 0x82, 0, 0x80], TlvError::Length),
            (&[0x04, 0x85, 0, 0, 0, 0, 1, 0], TlvError::Length),
            (&[0x1f, 0x81, 1, 0], TlvError::HighTag),
        ] {
            assert_eq!(Elements::new(octets).any(), Err(error), "{octets:02x?}");
        }
        assert_eq!(
            Elements::new(&[4, 0]).take(0x30),
            Err(TlvError::Tag { expected: 0x30, found: 4 })
        );
        assert_eq!(only(&[4, 0, 4, 0], 4), Err(TlvError::Trailing));
    }
}
