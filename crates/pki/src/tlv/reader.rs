//! The reading half: a cursor over values, and a value with its contents and its bytes as received.

use super::{DerError, Tag};
use crate::{Oid, SerialNumber, Time};

/// One value: its tag, its contents and all of its octets as they were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The identifier octet.
    pub tag: Tag,
    /// What is inside.
    pub contents: &'a [u8],
    /// Tag, length and contents.
    pub bytes: &'a [u8],
}

/// A cursor over the values that follow each other in a slice.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first octet of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads `bytes` as exactly one value of type `tag` and enters it.
    pub fn entered(bytes: &'a [u8], tag: Tag) -> Result<Self, DerError> {
        let mut outer = Self::new(bytes);
        let inner = outer.expect(tag)?;
        outer.finish()?;
        Ok(inner.reader())
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The tag of the next value, without reading it.
    pub fn peek(&self) -> Option<Tag> {
        self.rest.first().copied().map(Tag)
    }

    /// Succeeds when everything was read.
    pub const fn finish(self) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Trailing(self.rest.len())) }
    }

    /// Reads the next value, whatever its type.
    pub fn any(&mut self) -> Result<Tlv<'a>, DerError> {
        let (&[tag, first], after) =
            self.rest.split_first_chunk::<2>().ok_or(DerError::Truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(DerError::HighTag);
        }
        let (length, after) = match first {
            0..=0x7f => (usize::from(first), after),
            0x80 => return Err(DerError::IndefiniteLength),
            _ => long_length(usize::from(first & 0x7f), after)?,
        };
        let (contents, rest) = after.split_at_checked(length).ok_or(DerError::Truncated)?;
        let (bytes, _) =
            self.rest.split_at_checked(self.rest.len() - rest.len()).ok_or(DerError::Truncated)?;
        self.rest = rest;
        Ok(Tlv { tag: Tag(tag), contents, bytes })
    }

    /// Reads the next value, which must be of type `tag`.
    pub fn expect(&mut self, tag: Tag) -> Result<Tlv<'a>, DerError> {
        match self.peek() {
            None => Err(DerError::Truncated),
            Some(found) if found != tag => Err(DerError::Unexpected { expected: tag, found }),
            Some(_) => self.any(),
        }
    }

    /// Reads the next value if it is of type `tag`.
    pub fn optional(&mut self, tag: Tag) -> Result<Option<Tlv<'a>>, DerError> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Enters a SEQUENCE.
    pub fn sequence(&mut self) -> Result<Self, DerError> {
        self.expect(Tag::SEQUENCE).map(|value| value.reader())
    }

    /// Enters a SET.
    pub fn set(&mut self) -> Result<Self, DerError> {
        self.expect(Tag::SET).map(|value| value.reader())
    }

    /// Enters `[number]` if it comes next: explicit, or an implicit SEQUENCE or SET.
    pub fn context(&mut self, number: u8) -> Result<Option<Self>, DerError> {
        Ok(self.optional(Tag::context_constructed(number))?.map(|value| value.reader()))
    }

    /// Reads an OBJECT IDENTIFIER.
    pub fn oid(&mut self) -> Result<Oid, DerError> {
        self.expect(Tag::OID)?.oid()
    }

    /// Reads an OCTET STRING.
    pub fn octet_string(&mut self) -> Result<&'a [u8], DerError> {
        self.expect(Tag::OCTET_STRING).map(|value| value.contents)
    }

    /// Reads a BIT STRING of whole octets.
    pub fn bit_string(&mut self) -> Result<&'a [u8], DerError> {
        self.expect(Tag::BIT_STRING)?.bit_string()
    }

    /// Reads an INTEGER that fits.
    pub fn small_integer(&mut self) -> Result<u64, DerError> {
        self.expect(Tag::INTEGER)?.small_integer()
    }

    /// Reads a non-negative INTEGER of any size; leading zeros are taken off.
    pub fn unsigned_integer(&mut self) -> Result<&'a [u8], DerError> {
        self.expect(Tag::INTEGER)?.unsigned_integer()
    }

    /// Reads a serial number.
    pub fn serial_number(&mut self) -> Result<SerialNumber, DerError> {
        let value = self.expect(Tag::INTEGER)?;
        SerialNumber::from_integer_contents(value.contents)
            .map_err(|_| DerError::Value("a serial number that is empty, padded or too long"))
    }

    /// Reads a BOOLEAN.
    pub fn boolean(&mut self) -> Result<bool, DerError> {
        self.expect(Tag::BOOLEAN)?.boolean()
    }

    /// Reads a UTCTime or GeneralizedTime.
    pub fn time(&mut self) -> Result<Time, DerError> {
        let value = self.any()?;
        Time::from_der_contents(value.tag, value.contents)
    }
}

/// The long form: `octets` octets of length, which must be needed.
fn long_length(octets: usize, after: &[u8]) -> Result<(usize, &[u8]), DerError> {
    if octets > 4 {
        return Err(DerError::Length);
    }
    let (length, after) = after.split_at_checked(octets).ok_or(DerError::Truncated)?;
    let value = length.iter().fold(0usize, |sum, octet| (sum << 8) | usize::from(*octet));
    if value < 0x80 || length.first() == Some(&0) {
        return Err(DerError::Length);
    }
    Ok((value, after))
}

impl<'a> Tlv<'a> {
    /// A cursor over the contents.
    pub const fn reader(&self) -> Reader<'a> {
        Reader::new(self.contents)
    }

    /// The contents as an OBJECT IDENTIFIER.
    pub fn oid(&self) -> Result<Oid, DerError> {
        Oid::from_bytes(self.contents)
            .ok_or(DerError::Value("an object identifier that is malformed or too long"))
    }

    /// The contents as a BIT STRING of whole octets.
    pub fn bit_string(&self) -> Result<&'a [u8], DerError> {
        match self.contents.split_first() {
            Some((0, octets)) => Ok(octets),
            _ => Err(DerError::Value("a BIT STRING that does not end on an octet")),
        }
    }

    /// The contents as a non-negative INTEGER without leading zeros (zero itself is empty).
    pub fn unsigned_integer(&self) -> Result<&'a [u8], DerError> {
        match self.contents {
            [] => Err(DerError::Value("an empty INTEGER")),
            [0] => Ok(&[]),
            [0, next, ..] if next & 0x80 == 0 => Err(DerError::Value("a padded INTEGER")),
            [0, magnitude @ ..] => Ok(magnitude),
            [first, ..] if first & 0x80 != 0 => Err(DerError::Value("a negative INTEGER")),
            magnitude => Ok(magnitude),
        }
    }

    /// The contents as an INTEGER or ENUMERATED that fits.
    pub fn small_integer(&self) -> Result<u64, DerError> {
        let magnitude = self.unsigned_integer()?;
        if magnitude.len() > 8 {
            return Err(DerError::Value("an INTEGER that is too large"));
        }
        Ok(magnitude.iter().fold(0, |sum, octet| (sum << 8) | u64::from(*octet)))
    }

    /// The contents as a BOOLEAN. Any non-zero octet counts as true, as some clients write 0x01.
    pub fn boolean(&self) -> Result<bool, DerError> {
        match self.contents {
            [octet] => Ok(*octet != 0),
            _ => Err(DerError::Value("a BOOLEAN of more or less than one octet")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn only(bytes: &[u8]) -> Result<Tlv<'_>, DerError> {
        let mut reader = Reader::new(bytes);
        let value = reader.any()?;
        reader.finish()?;
        Ok(value)
    }

    #[test]
    fn lengths_must_be_definite_minimal_and_within_the_data() {
        assert_eq!(only(&[0x30, 0x80, 0, 0]), Err(DerError::IndefiniteLength));
        assert_eq!(only(&[0x04, 0x81, 0x01, 0xff]), Err(DerError::Length));
        assert_eq!(only(&[0x04, 0x82, 0x00, 0x80]), Err(DerError::Length));
        assert_eq!(only(&[0x04, 0x85, 1, 0, 0, 0, 0]), Err(DerError::Length));
        assert_eq!(only(&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff]), Err(DerError::Truncated));
        assert_eq!(only(&[0x04, 0x02, 0x01]), Err(DerError::Truncated));
        assert_eq!(only(&[0x04]), Err(DerError::Truncated));
        assert_eq!(only(&[0x1f, 0x81, 0x00]), Err(DerError::HighTag));
        assert_eq!(only(&[0x05, 0x00, 0x00]), Err(DerError::Trailing(1)));
    }

    #[test]
    fn a_value_knows_its_contents_and_its_own_bytes() {
        let bytes = [0x30, 0x03, 0x02, 0x01, 0x05, 0xaa];
        let mut reader = Reader::new(&bytes);
        let value = reader.expect(Tag::SEQUENCE).unwrap();
        assert_eq!(value.bytes, &bytes[..5]);
        assert_eq!(value.reader().small_integer(), Ok(5));
        assert_eq!(reader.rest(), &[0xaa]);
    }

    #[test]
    fn a_wrong_type_is_named() {
        let refusal = Reader::new(&[0x04, 0x00]).sequence().unwrap_err();
        assert_eq!(refusal.to_string(), "expected SEQUENCE, found OCTET STRING");
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            while let Ok(value) = reader.any() {
                let _ = (value.oid(), value.small_integer(), value.bit_string(), value.boolean());
                prop_assert!(value.bytes.ends_with(value.contents));
            }
        }

        #[test]
        fn what_the_der_crate_accepts_reads_alike(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            use der::{Decode, Reader as _, asn1::AnyRef};
            let mut theirs = der::SliceReader::new(&bytes).unwrap();
            if let Ok(value) = AnyRef::decode(&mut theirs)
                && bytes.first().is_some_and(|tag| tag & 0x1f != 0x1f)
            {
                let mut ours = Reader::new(&bytes);
                let read = ours.any().unwrap();
                prop_assert_eq!(read.contents, value.value());
                prop_assert_eq!(u32::try_from(ours.rest().len()).unwrap(), u32::from(theirs.remaining_len()));
            }
        }
    }
}
