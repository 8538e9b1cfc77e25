//! Extensions that Windows and Entra ID read: security identifier, tenant, device.
//!
//! Only Lanyard writes them; what a request asks for here is policy's to refuse.

use super::ExtensionValue;
use crate::{
    GeneralName, Oid, oid,
    tlv::{DerError, Reader, Writer},
};

/// The security identifier of a directory account, in its textual form `S-1-5-21-…`, as domain
/// controllers want it for strong mapping (MS-WCCE, 2.2.2.7.7.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityIdentifier(pub String);

impl ExtensionValue for SecurityIdentifier {
    const OID: Oid = oid::MS_SID;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        const MALFORMED: DerError = DerError::Value("a security identifier extension without one");
        let names = GeneralName::read_all(value)?;
        let [GeneralName::OtherName { oid: oid::MS_SID_OBJECT, value }] = names.as_slice() else {
            return Err(MALFORMED);
        };
        let mut reader = Reader::new(value);
        let text = reader.octet_string()?.to_vec();
        reader.finish()?;
        String::from_utf8(text).map(Self).map_err(|_| MALFORMED)
    }

    fn write(&self, w: &mut Writer) {
        let mut value = Writer::new();
        value.octet_string(self.0.as_bytes());
        let name = GeneralName::OtherName { oid: oid::MS_SID_OBJECT, value: value.finish() };
        w.sequence(|w| name.write(w));
    }
}

/// A GUID as 16 octets in the order of .NET (the first three fields little-endian).
type Guid = [u8; 16];

fn read_guid(value: &[u8]) -> Result<Guid, DerError> {
    if let Ok(bare) = value.try_into() {
        return Ok(bare);
    }
    let mut reader = Reader::new(value);
    let octets = reader.octet_string()?;
    reader.finish()?;
    octets.try_into().map_err(|_| DerError::Value("a GUID of more or less than 16 octets"))
}

/// The Entra tenant that a certificate belongs to: a GUID, its first three fields little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntraTenantId(pub Guid);

impl ExtensionValue for EntraTenantId {
    const OID: Oid = oid::ENTRA_TENANT_ID;

    /// Both forms that are in use: an OCTET STRING, or the 16 octets alone.
    fn read(value: &[u8]) -> Result<Self, DerError> {
        read_guid(value).map(Self)
    }

    fn write(&self, w: &mut Writer) {
        w.octet_string(&self.0);
    }
}

/// The Entra device that a certificate belongs to: a GUID, its first three fields little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntraDeviceId(pub Guid);

impl ExtensionValue for EntraDeviceId {
    const OID: Oid = oid::ENTRA_DEVICE_ID;

    /// Both forms that are in use: an OCTET STRING, or the 16 octets alone.
    fn read(value: &[u8]) -> Result<Self, DerError> {
        read_guid(value).map(Self)
    }

    fn write(&self, w: &mut Writer) {
        w.octet_string(&self.0);
    }
}
