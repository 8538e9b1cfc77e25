//! Whether every octet is as DER wants it: one value has one encoding (X.690, 10 and 11).

use super::Report;
use crate::{
    Certificate, DerError, SignatureAlgorithm,
    tlv::{Reader, Tag, Tlv},
};

/// Deeper than any certificate.
const DEPTH: usize = 24;

pub(super) fn check(certificate: &Certificate, report: &mut Report) {
    if let Err(fault) = walk(certificate.as_der(), DEPTH) {
        report.error("der", format!("not DER: {fault}"));
    }
    for extension in certificate.extensions() {
        if let Err(fault) = walk(&extension.value, DEPTH) {
            report.error("der", format!("extension {} is not DER: {fault}", extension.oid));
        }
    }
    // Elements with a DEFAULT: the version, and the flag of an extension.
    if certificate.version() != 3 {
        let text = format!("version {} instead of 3", certificate.version());
        report.error("version", text);
    }
    if let Ok(algorithm) = certificate.signature_algorithm() {
        let expected = algorithm.identifier();
        report.require(
            contains(certificate.tbs_der(), &expected)
                && certificate.algorithms_agree()
                && SignatureAlgorithm::from_identifier(&expected) == Ok(algorithm),
            "algorithm-identifier",
            "the signature algorithm's identifier is not in its published form",
        );
    }
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// Reads everything, to the innermost value.
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
            crate::Time::from_der_contents(value.tag, value.contents).map(drop)
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
