//! Where the issuer answers and where its certificate is found.

use super::ExtensionValue;
use crate::{
    GeneralName, Oid, oid,
    tlv::{DerError, Reader, Tag, Writer},
};

/// Authority information access (RFC 5280, 4.2.2.1), URLs only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorityInfoAccess {
    /// Where OCSP is answered.
    pub ocsp: Vec<String>,
    /// Where the issuer's certificate is found.
    pub ca_issuers: Vec<String>,
}

impl ExtensionValue for AuthorityInfoAccess {
    const OID: Oid = oid::AUTHORITY_INFO_ACCESS;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut descriptions = Reader::entered(value, Tag::SEQUENCE)?;
        let mut access = Self::default();
        while !descriptions.is_empty() {
            let mut description = descriptions.sequence()?;
            let method = description.oid()?;
            let location = GeneralName::read(&mut description)?;
            description.finish()?;
            match (method, location) {
                (oid::OCSP, GeneralName::Uri(url)) => access.ocsp.push(url),
                (oid::CA_ISSUERS, GeneralName::Uri(url)) => access.ca_issuers.push(url),
                _ => {}
            }
        }
        Ok(access)
    }

    fn write(&self, w: &mut Writer) {
        let methods = [(oid::OCSP, &self.ocsp), (oid::CA_ISSUERS, &self.ca_issuers)];
        w.sequence(|w| {
            for (method, urls) in methods {
                for url in urls {
                    w.sequence(|w| {
                        w.oid(method);
                        w.value(Tag::context(6), url.as_bytes());
                    });
                }
            }
        });
    }
}
