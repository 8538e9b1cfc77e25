//! Serial numbers of certificates: our own 20 octets, and whatever a foreign certificate carries.
//!
//! What the octets of our own mean is not known here.

use std::{cmp::Ordering, fmt, hash, str::FromStr};

/// The longest serial number that is read, in octets. RFC 5280 allows 20; certificates that SCEP
/// clients sign for themselves have been seen with 32.
pub const MAX_OCTETS: usize = 64;

/// Contents up to this length are kept in place: 20 octets and a leading zero.
const INLINE: usize = 22;

/// A certificate's serial number.
///
/// Foreign certificates may carry negative numbers; they compare and encode as received, and
/// [`SerialNumber::as_bytes`] shows their octets.
#[derive(Clone)]
pub struct SerialNumber(Repr);

#[derive(Clone)]
enum Repr {
    Inline { length: u8, octets: [u8; INLINE] },
    Heap(Box<[u8]>),
}

/// The octets or the text are no serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SerialError {
    /// Nothing there.
    #[error("a serial number has at least one octet")]
    Empty,
    /// More than [`MAX_OCTETS`].
    #[error("a serial number of more than {MAX_OCTETS} octets")]
    TooLong,
    /// The INTEGER is not in its shortest form.
    #[error("a serial number padded with leading octets")]
    Padded,
    /// Not hexadecimal.
    #[error("a serial number is written in hexadecimal digits")]
    NotHexadecimal,
}

impl SerialNumber {
    /// The positive number with these big-endian octets; leading zeros do not matter.
    pub fn from_bytes(magnitude: &[u8]) -> Result<Self, SerialError> {
        let zeros = magnitude.iter().take_while(|octet| **octet == 0).count();
        let significant = magnitude.get(zeros..).unwrap_or_default();
        match significant {
            [] if magnitude.is_empty() => Err(SerialError::Empty),
            [] => Ok(Self::keep(&[], true)),
            _ if significant.len() > MAX_OCTETS => Err(SerialError::TooLong),
            [first, ..] => Ok(Self::keep(significant, first & 0x80 != 0)),
        }
    }

    /// From the contents of an INTEGER as received.
    pub fn from_integer_contents(contents: &[u8]) -> Result<Self, SerialError> {
        match contents {
            [] => Err(SerialError::Empty),
            [0, next, ..] if next & 0x80 == 0 => Err(SerialError::Padded),
            [0xff, next, ..] if next & 0x80 != 0 => Err(SerialError::Padded),
            _ if contents.len() > MAX_OCTETS + 1 => Err(SerialError::TooLong),
            _ => Ok(Self::keep(contents, false)),
        }
    }

    fn keep(octets: &[u8], zero_before: bool) -> Self {
        let lead = usize::from(zero_before);
        let length = octets.len() + lead;
        let mut kept = [0; INLINE];
        if let (Ok(length), Some(place)) = (u8::try_from(length), kept.get_mut(lead..length)) {
            place.copy_from_slice(octets);
            return Self(Repr::Inline { length, octets: kept });
        }
        let zero: &[u8] = if zero_before { &[0] } else { &[] };
        Self(Repr::Heap([zero, octets].concat().into()))
    }

    /// The contents of its INTEGER.
    pub fn integer_contents(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { length, octets } => {
                octets.get(..usize::from(*length)).unwrap_or_default()
            }
            Repr::Heap(octets) => octets,
        }
    }

    /// The big-endian octets of the number, without a leading zero.
    pub fn as_bytes(&self) -> &[u8] {
        match self.integer_contents() {
            [0, magnitude @ ..] if !magnitude.is_empty() => magnitude,
            contents => contents,
        }
    }

    /// Whether it is what RFC 5280 asks of an issuer: positive and at most 20 octets of contents.
    pub fn conforms(&self) -> bool {
        let contents = self.integer_contents();
        contents.len() <= 20
            && contents.first().is_some_and(|first| first & 0x80 == 0)
            && contents != [0]
    }
}

impl PartialEq for SerialNumber {
    fn eq(&self, other: &Self) -> bool {
        self.integer_contents() == other.integer_contents()
    }
}

impl Eq for SerialNumber {}

impl hash::Hash for SerialNumber {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.integer_contents().hash(state);
    }
}

impl Ord for SerialNumber {
    /// By value for the positive numbers; negative ones fall in between by their octets.
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.integer_contents(), other.integer_contents());
        ours.len().cmp(&theirs.len()).then_with(|| ours.cmp(theirs))
    }
}

impl PartialOrd for SerialNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SerialNumber {
    /// Hexadecimal, upper case, two digits an octet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SerialNumber {
    type Err = SerialError;

    /// Reads hexadecimal of either case, with or without `0x` and colons.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        if digits.len() > 4 * MAX_OCTETS {
            return Err(SerialError::TooLong);
        }
        let even = if digits.len() % 2 == 1 { [b"0", &digits[..]].concat() } else { digits };
        Self::from_bytes(&hex::decode(even).map_err(|_| SerialError::NotHexadecimal)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_read_in_every_usual_form() {
        let serial: SerialNumber = "0x0a:FF:09".parse().unwrap();
        assert_eq!(serial.to_string(), "0AFF09");
        assert_eq!("aff09".parse(), Ok(serial));
        assert_eq!("".parse::<SerialNumber>(), Err(SerialError::Empty));
        assert_eq!("xyz".parse::<SerialNumber>(), Err(SerialError::NotHexadecimal));
        assert_eq!("ä1".parse::<SerialNumber>(), Err(SerialError::NotHexadecimal));
        assert_eq!("f".repeat(129).parse::<SerialNumber>(), Err(SerialError::TooLong));
        assert_eq!("0".parse::<SerialNumber>().unwrap().integer_contents(), [0]);
    }

    #[test]
    fn the_high_bit_costs_an_octet_and_is_not_shown() {
        let serial = SerialNumber::from_bytes(&[0x80]).unwrap();
        assert_eq!(serial.integer_contents(), [0, 0x80]);
        assert_eq!(serial.as_bytes(), [0x80]);
    }

    #[test]
    fn only_positive_numbers_of_at_most_twenty_octets_conform() {
        assert!(SerialNumber::from_bytes(&[0x7f; 20]).unwrap().conforms());
        assert!(!SerialNumber::from_bytes(&[0x80; 20]).unwrap().conforms());
        assert!(!SerialNumber::from_bytes(&[1; 32]).unwrap().conforms());
        assert!(!SerialNumber::from_bytes(&[0]).unwrap().conforms());
        assert!(!SerialNumber::from_integer_contents(&[0x80]).unwrap().conforms());
    }

    #[test]
    fn a_padded_integer_is_refused() {
        assert_eq!(SerialNumber::from_integer_contents(&[0, 1]), Err(SerialError::Padded));
        assert_eq!(SerialNumber::from_integer_contents(&[0xff, 0x80]), Err(SerialError::Padded));
        assert_eq!(SerialNumber::from_integer_contents(&[]), Err(SerialError::Empty));
        assert_eq!(SerialNumber::from_integer_contents(&[1; 66]), Err(SerialError::TooLong));
    }

    proptest! {
        #[test]
        fn octets_text_and_contents_agree(octets in proptest::collection::vec(any::<u8>(), 1..=64)) {
            let serial = SerialNumber::from_bytes(&octets).unwrap();
            prop_assert_eq!(serial.to_string().parse::<SerialNumber>().unwrap(), serial.clone());
            let again = SerialNumber::from_integer_contents(serial.integer_contents()).unwrap();
            prop_assert_eq!(again, serial);
        }

        #[test]
        fn order_is_by_value(one in 1u128.., two in 1u128..) {
            let serial = |value: u128| SerialNumber::from_bytes(&value.to_be_bytes()).unwrap();
            prop_assert_eq!(serial(one).cmp(&serial(two)), one.cmp(&two));
        }
    }
}
