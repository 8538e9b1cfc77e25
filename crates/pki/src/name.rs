//! Distinguished names: the DER as received, and the attributes in it.
//!
//! Names are copied, never encoded anew: whoever signed or sent one chose its string types.

mod compare;
mod text;
mod value;

pub(crate) use text::Keyword;
pub use text::ParseNameError;
pub(crate) use value::is_printable;
pub use value::{AttributeValue, decode_string};

use crate::{
    Oid,
    tlv::{DerError, Reader, Tag, Writer},
};
use std::fmt;

/// A distinguished name (RFC 5280, 4.1.2.4). Equal when the DER is; see [`Name::matches`] for the
/// comparison that overlooks case, spaces and string types.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Box<[u8]>);

/// An attribute of a name, as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// What it is: common name, country, …
    pub oid: Oid,
    /// What it says.
    pub value: AttributeValue<'a>,
}

impl Name {
    /// The name without attributes.
    pub fn empty() -> Self {
        Self([0x30, 0x00].into())
    }

    /// Reads a Name and keeps its bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        let mut rdns = Reader::entered(der, Tag::SEQUENCE)?;
        while !rdns.is_empty() {
            let mut rdn = rdns.set()?;
            if rdn.is_empty() {
                return Err(DerError::Value("a relative name without attributes"));
            }
            while !rdn.is_empty() {
                read_attribute(&mut rdn)?;
            }
        }
        Ok(Self(der.into()))
    }

    /// A name of one attribute a relative name, in the order of the DER (country first, common name
    /// last). Each is written with the string type that RFC 5280 asks for.
    pub fn from_attributes<T: AsRef<str>>(
        attributes: impl IntoIterator<Item = (Oid, T)>,
    ) -> Result<Self, ParseNameError> {
        Self::from_rdns(attributes.into_iter().map(|attribute| vec![attribute]))
    }

    /// A name of relative names, each of one or several attributes.
    pub fn from_rdns<T: AsRef<str>>(
        rdns: impl IntoIterator<Item = Vec<(Oid, T)>>,
    ) -> Result<Self, ParseNameError> {
        let mut writer = Writer::new();
        for rdn in rdns {
            let attributes: Result<Vec<_>, _> =
                rdn.iter().map(|(oid, text)| value::attribute(*oid, text.as_ref())).collect();
            writer.set_of(Tag::SET, attributes?);
        }
        Ok(Self(Writer::sequence_of(|w| w.raw(writer.as_bytes())).into()))
    }

    /// The same name with the attributes of each relative name sorted as DER wants them. Some clients send
    /// them otherwise; their requests verify as sent, and a certificate is written sorted.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let mut writer = Writer::new();
        let mut rdns = Reader::entered(&self.0, Tag::SEQUENCE).unwrap_or_else(|_| Reader::new(&[]));
        while let Ok(mut rdn) = rdns.set() {
            let mut attributes = Vec::new();
            while let Ok(attribute) = rdn.any() {
                attributes.push(attribute.bytes.to_vec());
            }
            writer.set_of(Tag::SET, attributes);
        }
        Self(Writer::sequence_of(|w| w.raw(writer.as_bytes())).into())
    }

    /// The DER as received.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 2
    }

    /// The relative names, in the order of the DER.
    pub fn rdns(&self) -> impl Iterator<Item = Vec<Attribute<'_>>> {
        // Everything was read once when the name was made, so that nothing is lost here.
        let mut rdns = Reader::entered(&self.0, Tag::SEQUENCE).unwrap_or_else(|_| Reader::new(&[]));
        std::iter::from_fn(move || {
            let mut rdn = rdns.set().ok()?;
            Some(std::iter::from_fn(move || read_attribute(&mut rdn).ok()).collect())
        })
    }

    /// All attributes, in the order of the DER.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        self.rdns().flatten()
    }

    /// The texts of all attributes of one type, in the order of the DER.
    pub fn values(&self, oid: Oid) -> impl Iterator<Item = String> {
        self.attributes().filter(move |attribute| attribute.oid == oid).map(|a| a.value.text())
    }

    /// The last common name: the most specific one.
    pub fn common_name(&self) -> Option<String> {
        self.values(crate::oid::COMMON_NAME).last()
    }
}

fn read_attribute<'a>(rdn: &mut Reader<'a>) -> Result<Attribute<'a>, DerError> {
    let mut attribute = rdn.sequence()?;
    let oid = attribute.oid()?;
    let value = attribute.any()?;
    attribute.finish()?;
    Ok(Attribute { oid, value: AttributeValue::new(value) })
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests;
