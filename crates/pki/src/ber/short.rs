//! The short way through: whether octets are DER already, as most messages are.

use super::{Contents, Limits, tag};

/// Whether nothing needs to be done, found without an allocation: most messages are DER. `false` is
/// also the answer where the scan has to say what is wrong.
pub(super) fn is_der(input: &[u8], depth: usize) -> bool {
    let mut ends = [0usize; Limits::DEPTH];
    let mut seen = [Contents::Elements; Limits::DEPTH];
    let (mut level, mut at) = (0usize, 0usize);
    loop {
        let Some((tag, body, end)) = der_header(input, at) else { return false };
        let parent = level.checked_sub(1);
        if let Some(parent) = parent {
            let (Some(limit), Some(contents)) = (ends.get(parent), seen.get_mut(parent)) else {
                return false;
            };
            if end > *limit || (tag == tag::CONTEXT_0 && *contents == Contents::AfterAlgorithm) {
                return false;
            }
            *contents = contents.after(tag);
        }
        at = end;
        if tag & 0x20 != 0 {
            let plain = matches!(tag, tag::SEQUENCE | tag::SET) || tag & 0xc0 != 0;
            let (Some(limit), Some(contents)) = (ends.get_mut(level), seen.get_mut(level)) else {
                return false;
            };
            if !plain || level >= depth {
                return false;
            }
            *limit = end;
            *contents = Contents::of(tag);
            level += 1;
            at = body;
        }
        while level > 0 && ends.get(level - 1) == Some(&at) {
            level -= 1;
        }
        if level == 0 {
            return at == input.len();
        }
    }
}

/// Tag, start of the contents and end of the element at `at`, if its tag is low and its length minimal.
fn der_header(input: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let header = input.get(at..)?;
    let (&tag, rest) = header.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (octets, length) = match (first, rest) {
        (0..=0x7f, _) => (0, usize::from(first)),
        (0x81, [length, ..]) if *length >= 0x80 => (1, usize::from(*length)),
        (0x82, [high, low, ..]) if *high != 0 => {
            (2, usize::from(u16::from_be_bytes([*high, *low])))
        }
        (0x83, [high, middle, low, ..]) if *high != 0 => {
            let length = u32::from_be_bytes([0, *high, *middle, *low]);
            (3, usize::try_from(length).ok()?)
        }
        _ => return None,
    };
    let body = at + 2 + octets;
    let end = body + length;
    (tag & 0x1f != 0x1f && tag != 0 && end <= input.len()).then_some((tag, body, end))
}
