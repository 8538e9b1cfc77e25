//! Whether values are in their one encoding, to the innermost (X.690, 10 and 11).

use super::{DerError, Reader, Tag, Tlv};
use crate::Time;

/// Deeper than any certificate.
const DEPTH: usize = 24;

/// Reads all values that `der` holds one after the other, and what is inside them. Strings are only looked at for
/// UTF-8: which characters a type has is a question of names.
pub fn check_canonical(der: &[u8]) -> Result<(), DerError> {
    walk(der, DEPTH)
}

fn walk(der: &[u8], depth: usize) -> Result<(), DerError> {
    let mut reader = Reader::new(der);
    while !reader.is_empty() {
        let value = reader.any()?;
        check_value(&value)?;
        if value.tag.is_constructed() {
            let deeper = depth.checked_sub(1).ok_or(DerError::Value("nested too deeply"))?;
            if value.tag == Tag::SET {
                check_order(&value)?;
            }
            walk(value.contents, deeper)?;
        }
    }
    Ok(())
}

fn check_value(value: &Tlv<'_>) -> Result<(), DerError> {
    let refused = |text| Err(DerError::Value(text));
    match (value.tag, value.contents) {
        (Tag::BOOLEAN, [0xff]) => Ok(()),
        (Tag::BOOLEAN, [0]) => refused("a false BOOLEAN is left out where it is the default"),
        (Tag::BOOLEAN, _) => refused("a BOOLEAN that is neither 00 nor FF"),
        (Tag::INTEGER | Tag::ENUMERATED, []) => refused("an empty INTEGER"),
        (Tag::INTEGER | Tag::ENUMERATED, [0, next, ..]) if next & 0x80 == 0 => {
            refused("a padded INTEGER")
        }
        (Tag::INTEGER | Tag::ENUMERATED, [0xff, next, ..]) if next & 0x80 != 0 => {
            refused("a padded INTEGER")
        }
        (Tag::NULL, [_, ..]) => refused("a NULL with contents"),
        (Tag::BIT_STRING, [unused, octets @ ..]) => {
            let last = octets.last().copied().unwrap_or(0);
            let spare = last & !(0xffu8.checked_shl(u32::from(*unused)).unwrap_or(0));
            if *unused > 7 || spare != 0 || (*unused > 0 && octets.is_empty()) {
                return refused("a BIT STRING with unused bits that are set");
            }
            Ok(())
        }
        (Tag::BIT_STRING, []) => refused("an empty BIT STRING"),
        (Tag::OID, _) => value.oid().map(drop),
        (Tag::UTF8_STRING, contents) if std::str::from_utf8(contents).is_err() => {
            refused("a UTF8String that is not UTF-8")
        }
        (Tag::UTC_TIME | Tag::GENERALIZED_TIME, _) => {
            Time::from_der_contents(value.tag, value.contents).map(drop)
        }
        _ => Ok(()),
    }
}

/// Elements of a SET OF are sorted by their encodings (X.690, 11.6).
fn check_order(set: &Tlv<'_>) -> Result<(), DerError> {
    let mut reader = set.reader();
    let mut before: &[u8] = &[];
    while !reader.is_empty() {
        let element = reader.any()?.bytes;
        if element < before {
            return Err(DerError::Value("a SET whose elements are not sorted"));
        }
        before = element;
    }
    Ok(())
}
