//! Extensions of certificates, requests and CRLs: as received, and those that we read or write decoded.
//!
//! Which extensions a certificate gets is [`crate::profile`]'s business.

mod access;
mod constraints;
mod distribution;
mod identifiers;
mod key_usage;
mod microsoft;

pub use access::AuthorityInfoAccess;
pub use constraints::{BasicConstraints, NameConstraints};
pub use distribution::{
    CrlDistributionPoints, DistributionPoint, FreshestCrl, IssuingDistributionPoint, Scope,
};
pub use identifiers::{AuthorityKeyIdentifier, SubjectKeyIdentifier};
pub use key_usage::{CertificatePolicies, ExtendedKeyUsage, KeyUsages};
pub use microsoft::{EntraDeviceId, EntraTenantId, SecurityIdentifier};

use crate::{
    GeneralName, Oid, oid,
    tlv::{DerError, Reader, Tag, Writer},
};

/// Whether whoever does not know an extension must refuse what carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Criticality {
    /// Must be understood.
    Critical,
    /// May be passed over.
    NonCritical,
}

/// One extension: its identifier, its criticality and the DER inside its OCTET STRING.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Which.
    pub oid: Oid,
    /// Whether it must be understood.
    pub criticality: Criticality,
    /// The contents of `extnValue`.
    pub value: Vec<u8>,
}

impl Extension {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut fields = reader.sequence()?;
        let oid = fields.oid()?;
        let criticality = match fields.optional(Tag::BOOLEAN)? {
            Some(flag) if flag.boolean()? => Criticality::Critical,
            _ => Criticality::NonCritical,
        };
        let value = fields.octet_string()?.to_vec();
        fields.finish()?;
        Ok(Self { oid, criticality, value })
    }

    /// Appends the extension.
    pub fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.oid(self.oid);
            if self.criticality == Criticality::Critical {
                w.boolean(true);
            }
            w.octet_string(&self.value);
        });
    }
}

/// What an extension says, decoded.
pub trait ExtensionValue: Sized {
    /// The extension's identifier.
    const OID: Oid;

    /// Reads the contents of `extnValue`.
    fn read(value: &[u8]) -> Result<Self, DerError>;

    /// Writes the contents of `extnValue`.
    fn write(&self, w: &mut Writer);

    /// The extension with this value.
    fn extension(&self, criticality: Criticality) -> Extension {
        let mut writer = Writer::new();
        self.write(&mut writer);
        Extension { oid: Self::OID, criticality, value: writer.finish() }
    }
}

/// A list of extensions, no identifier twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions(Vec<Extension>);

impl Extensions {
    /// No extension.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads `Extensions`. One that occurs twice is refused: readers would differ in which counts.
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::entered(der, Tag::SEQUENCE)?;
        let mut extensions = Self::default();
        while !reader.is_empty() {
            let extension = Extension::read(&mut reader)?;
            if extensions.get(extension.oid).is_some() {
                return Err(DerError::Value("an extension that occurs twice"));
            }
            extensions.0.push(extension);
        }
        Ok(extensions)
    }

    /// Appends an extension; one with the same identifier is replaced in its place.
    pub fn push(&mut self, extension: Extension) {
        match self.0.iter_mut().find(|listed| listed.oid == extension.oid) {
            Some(listed) => *listed = extension,
            None => self.0.push(extension),
        }
    }

    /// Appends `Extensions`.
    pub fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            for extension in &self.0 {
                extension.write(w);
            }
        });
    }

    /// The extension with this identifier.
    pub fn get(&self, oid: Oid) -> Option<&Extension> {
        self.0.iter().find(|extension| extension.oid == oid)
    }

    /// What the extension of type `T` says; `None` when there is none.
    pub fn decode<T: ExtensionValue>(&self) -> Result<Option<T>, DerError> {
        self.get(T::OID).map(|extension| T::read(&extension.value)).transpose()
    }

    /// In the order of the DER.
    pub fn iter(&self) -> std::slice::Iter<'_, Extension> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Extensions {
    type Item = &'a Extension;
    type IntoIter = std::slice::Iter<'a, Extension>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Extension> for Extensions {
    /// Later ones replace earlier ones with the same identifier.
    fn from_iter<I: IntoIterator<Item = Extension>>(extensions: I) -> Self {
        let mut list = Self::default();
        for extension in extensions {
            list.push(extension);
        }
        list
    }
}

/// The subject alternative names (RFC 5280, 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubjectAltName(pub Vec<GeneralName>);

impl ExtensionValue for SubjectAltName {
    const OID: Oid = oid::SUBJECT_ALT_NAME;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        GeneralName::read_all(value).map(Self)
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            for name in &self.0 {
                name.write(w);
            }
        });
    }
}

/// `id-pkix-ocsp-nocheck` (RFC 6960, 4.2.2.2.1): a responder's certificate that is not asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OcspNoCheck;

impl ExtensionValue for OcspNoCheck {
    const OID: Oid = oid::OCSP_NO_CHECK;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(value);
        reader.expect(Tag::NULL)?;
        reader.finish()?;
        Ok(Self)
    }

    fn write(&self, w: &mut Writer) {
        w.null();
    }
}

#[cfg(test)]
mod tests;
