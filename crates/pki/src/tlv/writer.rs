//! The writing half: values are appended; a nested value's length is put in once it is known.

use super::Tag;
use crate::{Oid, SerialNumber, Time};

/// DER under construction.
#[derive(Debug, Default, Clone)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { out: Vec::new() }
    }

    /// Nothing yet, with room for `octets`.
    pub fn with_capacity(octets: usize) -> Self {
        Self { out: Vec::with_capacity(octets) }
    }

    /// The bytes of one SEQUENCE whose contents `inside` writes.
    pub fn sequence_of(inside: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut writer = Self::new();
        writer.sequence(inside);
        writer.finish()
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// What was written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Appends values that are DER already.
    pub fn raw(&mut self, der: &[u8]) {
        self.out.extend_from_slice(der);
    }

    /// Appends tag and length alone; exactly `length` octets of contents must follow.
    pub fn header(&mut self, tag: Tag, length: usize) {
        self.out.push(tag.0);
        let (octets, used) = length_octets(length);
        self.out.extend(octets.iter().take(used));
    }

    /// Appends a value with the given contents.
    pub fn value(&mut self, tag: Tag, contents: &[u8]) {
        self.header(tag, contents.len());
        self.raw(contents);
    }

    /// Appends a value whose contents `inside` writes.
    pub fn nested(&mut self, tag: Tag, inside: impl FnOnce(&mut Self)) {
        self.out.push(tag.0);
        let start = self.out.len();
        inside(self);
        let (octets, used) = length_octets(self.out.len() - start);
        self.out.splice(start..start, octets.into_iter().take(used));
    }

    /// Appends a SEQUENCE.
    pub fn sequence(&mut self, inside: impl FnOnce(&mut Self)) {
        self.nested(Tag::SEQUENCE, inside);
    }

    /// Appends a SET of one element, or of elements in the order written.
    pub fn set(&mut self, inside: impl FnOnce(&mut Self)) {
        self.nested(Tag::SET, inside);
    }

    /// Appends a SET OF, sorted as DER wants it (X.690, 11.6).
    pub fn set_of(&mut self, tag: Tag, mut elements: Vec<Vec<u8>>) {
        elements.sort();
        self.header(tag, elements.iter().map(Vec::len).sum());
        for element in &elements {
            self.raw(element);
        }
    }

    /// Appends `[number]`, constructed.
    pub fn context(&mut self, number: u8, inside: impl FnOnce(&mut Self)) {
        self.nested(Tag::context_constructed(number), inside);
    }

    /// Appends an OBJECT IDENTIFIER.
    pub fn oid(&mut self, oid: Oid) {
        self.value(Tag::OID, oid.as_bytes());
    }

    /// Appends NULL.
    pub fn null(&mut self) {
        self.value(Tag::NULL, &[]);
    }

    /// Appends a BOOLEAN.
    pub fn boolean(&mut self, value: bool) {
        self.value(Tag::BOOLEAN, &[if value { 0xff } else { 0 }]);
    }

    /// Appends an OCTET STRING.
    pub fn octet_string(&mut self, octets: &[u8]) {
        self.value(Tag::OCTET_STRING, octets);
    }

    /// Appends a BIT STRING of whole octets.
    pub fn bit_string(&mut self, octets: &[u8]) {
        self.header(Tag::BIT_STRING, octets.len() + 1);
        self.out.push(0);
        self.raw(octets);
    }

    /// Appends a BIT STRING of named bits, trailing zeros left off (X.690, 11.2.2). The first named
    /// bit is the highest of `bits`.
    pub fn named_bits(&mut self, tag: Tag, bits: u16) {
        let [first, second] = bits.to_be_bytes();
        match (first, second) {
            (0, 0) => self.value(tag, &[0]),
            (_, 0) => self.value(tag, &[unused_bits(first), first]),
            _ => self.value(tag, &[unused_bits(second), first, second]),
        }
    }

    /// Appends a non-negative INTEGER from its big-endian magnitude.
    pub fn unsigned_integer(&mut self, magnitude: &[u8]) {
        self.unsigned(Tag::INTEGER, magnitude);
    }

    /// Appends a non-negative INTEGER, or what is tagged implicitly as one.
    pub fn unsigned(&mut self, tag: Tag, magnitude: &[u8]) {
        let zeros = magnitude.iter().take_while(|octet| **octet == 0).count();
        let significant = magnitude.get(zeros..).unwrap_or_default();
        match significant.first() {
            Some(first) if first & 0x80 == 0 => self.value(tag, significant),
            _ => {
                self.header(tag, significant.len() + 1);
                self.out.push(0);
                self.raw(significant);
            }
        }
    }

    /// Appends an INTEGER.
    pub fn small_integer(&mut self, value: u64) {
        self.unsigned_integer(&value.to_be_bytes());
    }

    /// Appends an ENUMERATED.
    pub fn enumerated(&mut self, value: u8) {
        self.unsigned(Tag::ENUMERATED, &[value]);
    }

    /// Appends a serial number.
    pub fn serial_number(&mut self, serial: &SerialNumber) {
        self.value(Tag::INTEGER, serial.integer_contents());
    }

    /// Appends a Time: UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5).
    pub fn time(&mut self, time: Time) {
        let octets = time.generalized_octets();
        match octets.split_first_chunk::<2>() {
            Some((_, short)) if time.is_utc_time() => self.value(Tag::UTC_TIME, short),
            _ => self.value(Tag::GENERALIZED_TIME, &octets),
        }
    }

    /// Appends a GeneralizedTime of whole seconds.
    pub fn generalized_time(&mut self, time: Time) {
        self.value(Tag::GENERALIZED_TIME, &time.generalized_octets());
    }

    /// Appends a UTF8String.
    pub fn utf8_string(&mut self, text: &str) {
        self.value(Tag::UTF8_STRING, text.as_bytes());
    }
}

/// How many low bits of the last octet of a named-bit list carry nothing.
const fn unused_bits(last: u8) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 8")]
    {
        last.trailing_zeros() as u8
    }
}

/// The octets of a length, and how many of them count.
fn length_octets(length: usize) -> ([u8; 9], usize) {
    let mut octets = [0; 9];
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        octets[0] = short;
        return (octets, 1);
    }
    let bytes = length.to_be_bytes();
    let skip = bytes.iter().take_while(|octet| **octet == 0).count();
    let used = bytes.len() - skip;
    #[expect(clippy::cast_possible_truncation, reason = "at most 8")]
    {
        octets[0] = 0x80 | used as u8;
    }
    for (place, octet) in octets.iter_mut().skip(1).zip(bytes.iter().skip(skip)) {
        *place = *octet;
    }
    (octets, used + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Reader;
    use proptest::prelude::*;

    #[test]
    fn named_bits_lose_their_trailing_zeros() {
        let mut writer = Writer::new();
        writer.named_bits(Tag::BIT_STRING, 0xa000);
        writer.named_bits(Tag::BIT_STRING, 0x0080);
        writer.named_bits(Tag::BIT_STRING, 0);
        assert_eq!(writer.finish(), [3, 2, 5, 0xa0, 3, 3, 7, 0, 0x80, 3, 1, 0]);
    }

    #[test]
    fn a_set_is_sorted_by_its_encodings() {
        let mut writer = Writer::new();
        writer.set_of(Tag::SET, vec![vec![4, 1, 9], vec![2, 1, 7], vec![4, 1, 1]]);
        assert_eq!(writer.finish(), [0x31, 9, 2, 1, 7, 4, 1, 1, 4, 1, 9]);
    }

    proptest! {
        #[test]
        fn nested_values_read_back(
            contents in proptest::collection::vec(any::<u8>(), 0..70_000),
            number in any::<u64>(),
        ) {
            let der = Writer::sequence_of(|w| {
                w.context(3, |w| w.octet_string(&contents));
                w.small_integer(number);
            });
            let mut reader = Reader::entered(&der, Tag::SEQUENCE).unwrap();
            let mut inner = reader.context(3).unwrap().unwrap();
            prop_assert_eq!(inner.octet_string().unwrap(), &contents[..]);
            prop_assert_eq!(reader.small_integer().unwrap(), number);
            prop_assert!(reader.is_empty());
        }
    }
}
