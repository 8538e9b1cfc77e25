//! What certificates of one purpose look like, and the only place that writes an end entity's
//! extensions.
//!
//! Who gets which profile, for how long and with which names, is decided in `lifecycle`; a request never
//! writes an extension.

mod builtin;
mod write;

pub use builtin::AuthorityKey;

use crate::{
    GeneralName, Name, Oid, PublicKey, SerialNumber, SignatureAlgorithm, Time,
    extension::{BasicConstraints, Extension, KeyUsages},
    oid,
};
use std::borrow::Cow;

/// A kind of alternative name that a profile may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// DNS names
    Dns,
    /// E-mail addresses
    Email,
    /// URIs
    Uri,
    /// IP addresses
    Ip,
    /// User principal names
    Upn,
    /// Distinguished names
    DirectoryName,
    /// Other otherNames
    OtherName,
    /// Registered object identifiers
    RegisteredId,
}

impl NameKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Dns,
        Self::Email,
        Self::Uri,
        Self::Ip,
        Self::Upn,
        Self::DirectoryName,
        Self::OtherName,
        Self::RegisteredId,
    ];

    /// The kind of a name; `None` for one that could not be read, which no certificate carries.
    pub fn of(name: &GeneralName) -> Option<Self> {
        Some(match name {
            GeneralName::Dns(_) => Self::Dns,
            GeneralName::Email(_) => Self::Email,
            GeneralName::Uri(_) => Self::Uri,
            GeneralName::Ip(_) => Self::Ip,
            GeneralName::OtherName { oid: oid::MS_UPN, .. } => name.as_upn().map(|_| Self::Upn)?,
            GeneralName::OtherName { .. } => Self::OtherName,
            GeneralName::DirectoryName(_) => Self::DirectoryName,
            GeneralName::RegisteredId(_) => Self::RegisteredId,
            GeneralName::Unread(_) => return None,
        })
    }
}

/// Whether the subject may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectRule {
    /// There must be a subject.
    Required,
    /// It may be empty where there is an alternative name, which is critical then.
    Optional,
}

/// Whether relying parties ask about a certificate's own status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCheck {
    /// They do: it names where.
    Checked,
    /// They do not: `id-pkix-ocsp-nocheck` and no places to ask (RFC 6960, 4.2.2.2.1).
    NoCheck,
}

/// What certificates of one purpose look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// For people and for the audit.
    pub name: Cow<'static, str>,
    /// The key usages with a key that can do all of them; see [`Profile::usages_for`].
    pub key_usages: KeyUsages,
    /// The purposes; empty means any, and no extension.
    pub extended_key_usages: Vec<Oid>,
    /// Authority or end entity.
    pub constraints: BasicConstraints,
    /// Whether the subject may be empty.
    pub subject: SubjectRule,
    /// The kinds of alternative names that it carries.
    pub alt_names: Vec<NameKind>,
    /// Whether relying parties ask about its status.
    pub status: StatusCheck,
}

/// Who issues: what of the issuer's certificate goes into those that it signs.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// Its subject.
    pub subject: &'a Name,
    /// Its subject key identifier, as its certificate has it.
    pub key_identifier: &'a [u8],
}

/// Everything that a certificate says and that its profile does not know.
#[derive(Debug, Clone)]
pub struct CertificateInput<'a> {
    /// Who issues.
    pub issuer: Issuer<'a>,
    /// Positive, at most 20 octets.
    pub serial: SerialNumber,
    /// The first second of its validity.
    pub not_before: Time,
    /// The last second of its validity; [`Time::NO_WELL_DEFINED_END`] is possible.
    pub not_after: Time,
    /// Whom it is about. Written with its relative names sorted, else as it is.
    pub subject: Name,
    /// The key that is certified.
    pub public_key: &'a PublicKey,
    /// Alternative names, all of kinds that the profile carries.
    pub subject_alt_names: Vec<GeneralName>,
    /// Key usages that were decided instead of the profile's.
    pub key_usages: Option<KeyUsages>,
    /// Purposes that were decided instead of the profile's.
    pub extended_key_usages: Option<Vec<Oid>>,
    /// Certificate policies; none by default.
    pub policies: Vec<Oid>,
    /// Where OCSP is answered.
    pub ocsp_urls: Vec<String>,
    /// Where the issuer's certificate is found.
    pub ca_issuer_urls: Vec<String>,
    /// Where the CRL is found; several URLs of one CRL.
    pub crl_urls: Vec<String>,
    /// Extensions of our own making that no profile writes: security identifier, Entra ids.
    pub extra_extensions: Vec<Extension>,
    /// How the issuer will sign.
    pub signature_algorithm: SignatureAlgorithm,
}

impl<'a> CertificateInput<'a> {
    /// A certificate without alternative names, places and extras.
    pub const fn new(
        issuer: Issuer<'a>,
        serial: SerialNumber,
        (not_before, not_after): (Time, Time),
        subject: Name,
        public_key: &'a PublicKey,
        signature_algorithm: SignatureAlgorithm,
    ) -> Self {
        Self {
            issuer,
            serial,
            not_before,
            not_after,
            subject,
            public_key,
            subject_alt_names: Vec::new(),
            key_usages: None,
            extended_key_usages: None,
            policies: Vec::new(),
            ocsp_urls: Vec::new(),
            ca_issuer_urls: Vec::new(),
            crl_urls: Vec::new(),
            extra_extensions: Vec::new(),
            signature_algorithm,
        }
    }
}

/// Why no certificate of a profile can say what it was told to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Zero, negative or above 20 octets.
    #[error("serial number {0} is not positive or has more than 20 octets")]
    Serial(SerialNumber),
    /// The end lies before the beginning.
    #[error("the validity ends at {not_after}, before it begins at {not_before}")]
    Validity {
        /// Its beginning.
        not_before: Time,
        /// Its end.
        not_after: Time,
    },
    /// The profile asks for a subject.
    #[error("profile {0:?} needs a subject")]
    SubjectMissing(Cow<'static, str>),
    /// Neither a subject nor an alternative name.
    #[error("there is neither a subject nor an alternative name")]
    Nameless,
    /// A name of a kind that the profile does not carry, or one that could not be read.
    #[error("profile {profile:?} does not carry the name {name}")]
    AltName {
        /// The profile.
        profile: Cow<'static, str>,
        /// The name, as text.
        name: String,
    },
    /// A name or URL with characters beyond ASCII, or nothing in it.
    #[error("{0:?} is empty or has characters beyond ASCII")]
    Text(String),
    /// Nothing is left that this kind of key can be used for.
    #[error("a key of this kind can be used for none of {0}")]
    KeyUsage(KeyUsages),
    /// A usage that only authorities have, for an end entity.
    #[error("an end entity's key may not be used for {0}")]
    AuthorityUsage(KeyUsages),
    /// OCSP signing in another certificate than a responder's: it could answer for its issuer.
    #[error("only a responder's certificate may be for OCSP signing")]
    OcspSigning,
    /// An extra extension that the profile itself is in charge of.
    #[error("extension {0} is the profile's to write")]
    Extension(Oid),
}

impl ProfileError {
    /// Whether it is what was asked for that no certificate of the profile can say. Everything else is a
    /// mistake of whoever fills the input in.
    pub const fn blames_request(&self) -> bool {
        match self {
            Self::SubjectMissing(_)
            | Self::Nameless
            | Self::AltName { .. }
            | Self::Text(_)
            | Self::KeyUsage(_)
            | Self::AuthorityUsage(_)
            | Self::OcspSigning => true,
            Self::Serial(_) | Self::Validity { .. } | Self::Extension(_) => false,
        }
    }
}

impl Profile {
    /// Whether it carries names of the kind of `name`.
    pub fn carries(&self, name: &GeneralName) -> bool {
        NameKind::of(name).is_some_and(|kind| self.alt_names.contains(&kind))
    }

    /// Whether it is for authorities.
    pub const fn is_authority(&self) -> bool {
        matches!(self.constraints, BasicConstraints::Authority { .. })
    }

    /// Those of `usages` that `key` can be used for: only RSA keys encipher, only elliptic curves agree,
    /// Ed25519 signs (RFC 8410, 5).
    pub fn usages_for(usages: KeyUsages, key: &PublicKey) -> KeyUsages {
        use crate::KeyAlgorithm::{Ed25519, P256, P384, P521, Rsa};
        const ENCIPHERING: KeyUsages =
            KeyUsages::KEY_ENCIPHERMENT.union(KeyUsages::DATA_ENCIPHERMENT);
        const AGREEING: KeyUsages = KeyUsages::KEY_AGREEMENT
            .union(KeyUsages::ENCIPHER_ONLY)
            .union(KeyUsages::DECIPHER_ONLY);
        let usages = match key.algorithm() {
            Rsa { .. } => usages.without(AGREEING),
            P256 | P384 | P521 => usages.without(ENCIPHERING),
            Ed25519 => usages.without(ENCIPHERING).without(AGREEING),
        };
        if usages.contains(KeyUsages::KEY_AGREEMENT) { usages } else { usages.without(AGREEING) }
    }
}

#[cfg(test)]
mod tests;
