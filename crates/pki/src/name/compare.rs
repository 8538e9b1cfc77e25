//! Comparing names as RFC 5280, 7.1 has it: by text, without regard to case, spaces and string type.

use super::{Attribute, Name};
use crate::Oid;

impl Name {
    /// Whether both name the same: the same relative names in the same order, each with the same
    /// attributes in any order. Unicode is compared in lower case, not normalised further.
    pub fn matches(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let (mut ours, mut theirs) = (self.rdns(), other.rdns());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(one), Some(two)) if comparable(&one) == comparable(&two) => {}
                _ => return false,
            }
        }
    }
}

/// The attributes of a relative name in a form whose equality is that of RFC 5280, 7.1.
fn comparable(rdn: &[Attribute<'_>]) -> Vec<(Oid, Result<String, Vec<u8>>)> {
    let mut attributes: Vec<_> = rdn
        .iter()
        .map(|attribute| {
            let text = attribute.value.exact_text().map(|text| folded(&text));
            (attribute.oid, text.ok_or_else(|| attribute.value.as_der().to_vec()))
        })
        .collect();
    attributes.sort();
    attributes
}

/// Lower case, with outer spaces taken off and inner ones made single (RFC 4518, 2.6.1).
fn folded(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}
