//! The way out: what the scan found, with definite and minimal lengths.

use super::Node;

/// Writes the nodes with definite, minimal lengths.
pub(super) fn write(input: &[u8], mut nodes: Vec<Node>) -> Vec<u8> {
    let total = measure(&mut nodes);
    let mut out = Vec::with_capacity(total);
    for node in &nodes {
        match *node {
            Node::Open { tag, primitive, length } => {
                let (&first, more) = tag.of(input).split_first().unwrap_or((&0, &[]));
                out.push(if primitive { first & !0x20 } else { first });
                out.extend_from_slice(more);
                put_length(&mut out, length);
            }
            Node::Close => {}
            Node::Leaf { tag, content } => {
                out.extend_from_slice(tag.of(input));
                put_length(&mut out, content.len());
                out.extend_from_slice(content.of(input));
            }
            Node::Octets { content } => out.extend_from_slice(content.of(input)),
        }
    }
    out
}

/// Fills in the length of every `Open`, innermost first, and returns the length of the whole.
fn measure(nodes: &mut [Node]) -> usize {
    let mut sum = 0;
    let mut outer = Vec::new();
    for node in nodes.iter_mut().rev() {
        match node {
            Node::Close => outer.push(std::mem::take(&mut sum)),
            Node::Open { tag, length, .. } => {
                *length = sum;
                sum += tag.len() + length_octets(*length) + outer.pop().unwrap_or(0);
            }
            Node::Leaf { tag, content } => {
                sum += tag.len() + length_octets(content.len()) + content.len();
            }
            Node::Octets { content } => sum += content.len(),
        }
    }
    sum
}

/// Appends a minimal definite length.
pub(super) fn put_length(out: &mut Vec<u8>, length: usize) {
    let more = length_octets(length) - 1;
    if more > 0 {
        out.push(0x80 | u8::try_from(more).unwrap_or(0x7f));
    }
    let octets = length.to_be_bytes();
    out.extend(octets.iter().skip(octets.len() - more.max(1)));
}

/// How many octets [`put_length`] writes.
pub(super) const fn length_octets(length: usize) -> usize {
    if length < 0x80 { 1 } else { 1 + (usize::BITS - length.leading_zeros()).div_ceil(8) as usize }
}
