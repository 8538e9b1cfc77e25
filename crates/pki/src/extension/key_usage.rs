//! What a key may be used for: key usage, extended key usage, certificate policies.

use super::ExtensionValue;
use crate::{
    Oid, oid,
    tlv::{DerError, Reader, Tag, Writer},
};
use std::{fmt, ops::BitOr};

/// The named bits of key usage (RFC 5280, 4.2.1.3), a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct KeyUsages(u16);

impl KeyUsages {
    /// None at all.
    pub const EMPTY: Self = Self(0);
    /// Signatures other than those on certificates and CRLs.
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    /// Also named contentCommitment.
    pub const NON_REPUDIATION: Self = Self(0x4000);
    /// Encrypting keys; RSA only.
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    /// Encrypting data directly; hardly ever meant.
    pub const DATA_ENCIPHERMENT: Self = Self(0x1000);
    /// Agreeing on keys; elliptic curves.
    pub const KEY_AGREEMENT: Self = Self(0x0800);
    /// Signing certificates.
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    /// Signing CRLs.
    pub const CRL_SIGN: Self = Self(0x0200);
    /// Only enciphering, with key agreement.
    pub const ENCIPHER_ONLY: Self = Self(0x0100);
    /// Only deciphering, with key agreement.
    pub const DECIPHER_ONLY: Self = Self(0x0080);

    const NAMES: [(Self, &'static str); 9] = [
        (Self::DIGITAL_SIGNATURE, "digitalSignature"),
        (Self::NON_REPUDIATION, "nonRepudiation"),
        (Self::KEY_ENCIPHERMENT, "keyEncipherment"),
        (Self::DATA_ENCIPHERMENT, "dataEncipherment"),
        (Self::KEY_AGREEMENT, "keyAgreement"),
        (Self::KEY_CERT_SIGN, "keyCertSign"),
        (Self::CRL_SIGN, "cRLSign"),
        (Self::ENCIPHER_ONLY, "encipherOnly"),
        (Self::DECIPHER_ONLY, "decipherOnly"),
    ];

    /// The bits of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits of `self` that `other` lacks.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The bits that both have.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every bit of `other` is there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of RFC 5280, first bit first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(bit, _)| self.contains(*bit)).map(|(_, name)| name)
    }

    /// The usage with this name of RFC 5280, any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = |listed: &str| listed.eq_ignore_ascii_case(name);
        if named("contentCommitment") {
            return Some(Self::NON_REPUDIATION);
        }
        Self::NAMES.into_iter().find(|(_, listed)| named(listed)).map(|(bit, _)| bit)
    }
}

impl BitOr for KeyUsages {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Display for KeyUsages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for KeyUsages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUsages({self})")
    }
}

impl ExtensionValue for KeyUsages {
    const OID: Oid = oid::KEY_USAGE;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(value);
        let bits = reader.expect(Tag::BIT_STRING)?.contents;
        reader.finish()?;
        match *bits {
            [0] => Ok(Self::EMPTY),
            [unused @ 0..=7, first] => Ok(Self(masked(u16::from_be_bytes([first, 0]), unused + 8))),
            [unused @ 0..=7, first, second] => {
                Ok(Self(masked(u16::from_be_bytes([first, second]), unused)))
            }
            _ => Err(DerError::Value("a key usage of more bits than there are")),
        }
    }

    fn write(&self, w: &mut Writer) {
        w.named_bits(Tag::BIT_STRING, self.0);
    }
}

/// The bits without the lowest `unused`.
const fn masked(bits: u16, unused: u8) -> u16 {
    bits & (u16::MAX << unused)
}

/// The purposes of a key (RFC 5280, 4.2.1.12).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtendedKeyUsage(pub Vec<Oid>);

impl ExtensionValue for ExtendedKeyUsage {
    const OID: Oid = oid::EXTENDED_KEY_USAGE;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::entered(value, Tag::SEQUENCE)?;
        let mut purposes = Vec::new();
        while !reader.is_empty() {
            purposes.push(reader.oid()?);
        }
        Ok(Self(purposes))
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            for purpose in &self.0 {
                w.oid(*purpose);
            }
        });
    }
}

/// Certificate policies (RFC 5280, 4.2.1.4), by identifier alone; qualifiers are read over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificatePolicies(pub Vec<Oid>);

impl ExtensionValue for CertificatePolicies {
    const OID: Oid = oid::CERTIFICATE_POLICIES;

    fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::entered(value, Tag::SEQUENCE)?;
        let mut policies = Vec::new();
        while !reader.is_empty() {
            policies.push(reader.sequence()?.oid()?);
        }
        Ok(Self(policies))
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            for policy in &self.0 {
                w.sequence(|w| w.oid(*policy));
            }
        });
    }
}
