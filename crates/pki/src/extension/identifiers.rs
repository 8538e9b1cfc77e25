//! Key identifiers of the issuer and the subject.

use super::ExtensionValue;
use crate::{
    GeneralName, Oid, SerialNumber, oid,
    tlv::{DerError, Reader, Tag, Writer},
};

/// Which key signed this (RFC 5280, 4.2.1.1). We write the key identifier alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorityKeyIdentifier {
    /// The issuer's subject key identifier.
    pub key_identifier: Option<Vec<u8>>,
    /// The names of the issuer's issuer.
    pub issuer: Vec<GeneralName>,
    /// The issuer's serial number.
    pub serial: Option<SerialNumber>,
}

impl AuthorityKeyIdentifier {
    /// By key identifier.
    pub fn of_key(key_identifier: &[u8]) -> Self {
        Self { key_identifier: Some(key_identifier.to_vec()), ..Self::default() }
    }
}

impl ExtensionValue for AuthorityKeyIdentifier {
    const OID: Oid = oid::AUTHORITY_KEY_IDENTIFIER;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::entered(value, Tag::SEQUENCE)?;
        let key_identifier = fields.optional(Tag::context(0))?.map(|id| id.contents.to_vec());
        let mut issuer = Vec::new();
        if let Some(mut names) = fields.context(1)? {
            while !names.is_empty() {
                issuer.push(GeneralName::read(&mut names)?);
            }
        }
        let serial = fields
            .optional(Tag::context(2))?
            .map(|serial| SerialNumber::from_integer_contents(serial.contents))
            .transpose()
            .map_err(|_| DerError::Value("a serial number that is empty, padded or too long"))?;
        fields.finish()?;
        Ok(Self { key_identifier, issuer, serial })
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            if let Some(key_identifier) = &self.key_identifier {
                w.value(Tag::context(0), key_identifier);
            }
            if !self.issuer.is_empty() {
                w.context(1, |w| {
                    for name in &self.issuer {
                        name.write(w);
                    }
                });
            }
            if let Some(serial) = &self.serial {
                w.value(Tag::context(2), serial.integer_contents());
            }
        });
    }
}

/// The identifier of the subject's key (RFC 5280, 4.2.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKeyIdentifier(pub Vec<u8>);

impl ExtensionValue for SubjectKeyIdentifier {
    const OID: Oid = oid::SUBJECT_KEY_IDENTIFIER;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(value);
        let identifier = reader.octet_string()?.to_vec();
        reader.finish()?;
        Ok(Self(identifier))
    }

    fn write(&self, w: &mut Writer) {
        w.octet_string(&self.0);
    }
}
