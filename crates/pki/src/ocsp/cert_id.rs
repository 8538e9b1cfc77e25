//! `CertID` (RFC 6960, 4.1.1): a certificate named by hashes of its issuer, and its serial number.

use crate::{
    Digest, SerialNumber,
    algorithm::{read_digest_identifier, write_digest_identifier},
    tlv::{DerError, Reader, Tag, Tlv, Writer},
};

/// A `CertID` as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertId<'a> {
    /// What the issuer is hashed with; `None` for a hash that is not supported, under which no
    /// issuer will be found.
    pub digest: Option<Digest>,
    /// The hash of the issuer's name.
    pub issuer_name_hash: &'a [u8],
    /// The hash of the issuer's key.
    pub issuer_key_hash: &'a [u8],
    /// The contents of the serial number's INTEGER.
    pub serial_contents: &'a [u8],
    /// All of it, to be sent back as it came.
    pub der: &'a [u8],
}

impl<'a> CertId<'a> {
    /// The serial number.
    pub fn serial(&self) -> Result<SerialNumber, DerError> {
        SerialNumber::from_integer_contents(self.serial_contents)
            .map_err(|_| DerError::Value("a serial number that is empty, padded or too long"))
    }

    pub(super) fn read(value: Tlv<'a>) -> Result<Self, DerError> {
        let mut fields = value.reader();
        let digest = read_digest_identifier(fields.expect(Tag::SEQUENCE)?.bytes);
        let issuer_name_hash = fields.octet_string()?;
        let issuer_key_hash = fields.octet_string()?;
        let serial_contents = fields.expect(Tag::INTEGER)?.contents;
        fields.finish()?;
        Ok(Self { digest, issuer_name_hash, issuer_key_hash, serial_contents, der: value.bytes })
    }

    /// Reads the one value that `der` is.
    pub fn from_der(der: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(der);
        let value = reader.expect(Tag::SEQUENCE)?;
        reader.finish()?;
        Self::read(value)
    }
}

/// The hashes by which requests name one issuer, made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerHashes {
    hashes: [(Digest, Vec<u8>, Vec<u8>); 5],
}

impl IssuerHashes {
    /// Of an issuer with this name and key: the DER of the name, and the contents of the key's BIT
    /// STRING ([`crate::PublicKey::key_bits`]).
    #[must_use]
    pub fn of(name: &[u8], key_bits: &[u8]) -> Self {
        let digests =
            [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512, Digest::Sha224];
        Self { hashes: digests.map(|digest| (digest, digest.of(name), digest.of(key_bits))) }
    }

    /// Whether `id` names a certificate of this issuer.
    #[must_use]
    pub fn named_by(&self, id: &CertId<'_>) -> bool {
        self.hashes.iter().any(|(digest, name, key)| {
            id.digest == Some(*digest) && key == id.issuer_key_hash && name == id.issuer_name_hash
        })
    }

    /// The DER of the `CertID` of a certificate of this issuer; `None` for MD5.
    #[must_use]
    pub fn cert_id(&self, digest: Digest, serial: &SerialNumber) -> Option<Vec<u8>> {
        let (_, name, key) = self.hashes.iter().find(|(listed, ..)| *listed == digest)?;
        Some(Writer::sequence_of(|w| {
            write_digest_identifier(w, digest);
            w.octet_string(name);
            w.octet_string(key);
            w.serial_number(serial);
        }))
    }
}
