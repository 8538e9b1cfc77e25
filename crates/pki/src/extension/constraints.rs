//! Whether a certificate is an authority's, how deep, and for which names.

use super::ExtensionValue;
use crate::{
    GeneralName, Oid, oid,
    tlv::{DerError, Reader, Tag, Writer},
};

/// Basic constraints (RFC 5280, 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BasicConstraints {
    /// Not an authority. Written as an empty SEQUENCE.
    EndEntity,
    /// May sign certificates.
    Authority {
        /// How many authorities may come below it; no limit if absent.
        path_len: Option<u8>,
    },
}

impl ExtensionValue for BasicConstraints {
    const OID: Oid = oid::BASIC_CONSTRAINTS;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::entered(value, Tag::SEQUENCE)?;
        let authority = match fields.optional(Tag::BOOLEAN)? {
            Some(flag) => flag.boolean()?,
            None => false,
        };
        let path_len = match fields.optional(Tag::INTEGER)? {
            Some(length) => Some(u8::try_from(length.small_integer()?).unwrap_or(u8::MAX)),
            None => None,
        };
        fields.finish()?;
        Ok(if authority { Self::Authority { path_len } } else { Self::EndEntity })
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            if let Self::Authority { path_len } = self {
                w.boolean(true);
                if let Some(length) = path_len {
                    w.small_integer(u64::from(*length));
                }
            }
        });
    }
}

/// Name constraints (RFC 5280, 4.2.1.10): the bases of the subtrees, whose minimum is 0 and whose
/// maximum is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameConstraints {
    /// Names must lie within these.
    pub permitted: Vec<GeneralName>,
    /// Names must not lie within these.
    pub excluded: Vec<GeneralName>,
}

impl ExtensionValue for NameConstraints {
    const OID: Oid = oid::NAME_CONSTRAINTS;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::entered(value, Tag::SEQUENCE)?;
        let mut lists = [Vec::new(), Vec::new()];
        for (number, list) in (0..).zip(&mut lists) {
            let Some(mut subtrees) = fields.context(number)? else { continue };
            while !subtrees.is_empty() {
                let mut subtree = subtrees.sequence()?;
                list.push(GeneralName::read(&mut subtree)?);
                subtree.finish().map_err(|_| DerError::Value("a subtree with a depth"))?;
            }
        }
        fields.finish()?;
        let [permitted, excluded] = lists;
        Ok(Self { permitted, excluded })
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            for (number, list) in [(0, &self.permitted), (1, &self.excluded)] {
                if !list.is_empty() {
                    w.context(number, |w| {
                        for base in list {
                            w.sequence(|w| base.write(w));
                        }
                    });
                }
            }
        });
    }
}
