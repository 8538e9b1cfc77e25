//! Comparing a certificate request with what Intune asked the device for.

use super::{Code, KeyStorage, Purposes};
use lanyard_pki::{
    CertificationRequest, GeneralName, KeyAlgorithm, Name, Oid,
    extension::{ExtendedKeyUsage, KeyUsages},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a certificate request must say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// The subject, in the text form that Intune filled in: nothing in it is escaped.
    pub subject: String,
    /// The alternative names; no others may be asked for.
    pub alt_names: Vec<AltName>,
    /// The names of the key usage's bits.
    pub key_usage: BTreeSet<String>,
    /// The length of the RSA key, in bits.
    pub key_size: u32,
    /// The extended key usages, as dotted identifiers.
    pub extended_key_usages: BTreeSet<String>,
    /// Whether the request must carry them.
    pub purposes: Purposes,
    /// Where the key is kept.
    pub key_storage: KeyStorage,
}

/// An alternative name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AltName {
    /// Of which form.
    #[serde(rename = "type")]
    pub kind: AltNameKind,
    /// Its text.
    pub value: String,
}

/// The forms of alternative names that a profile can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AltNameKind {
    /// An e-mail address.
    Email,
    /// A user principal name.
    Upn,
    /// A host name.
    Dns,
    /// A URI.
    Uri,
}

impl Expected {
    /// Whether the request says all of it and nothing else.
    pub fn compare(&self, request: &CertificationRequest) -> Result<(), Code> {
        self.compare_subject(request)?;
        self.compare_alt_names(request)?;
        self.compare_usages(request)?;
        match request.public_key().algorithm() {
            KeyAlgorithm::Rsa { bits } if bits == self.key_size => Ok(()),
            _ => Err(Code::KeyLengthMismatch),
        }
    }

    fn compare_subject(&self, request: &CertificationRequest) -> Result<(), Code> {
        if request.subject().is_empty() {
            return if self.subject.is_empty() { Ok(()) } else { Err(Code::SubjectNameMissing) };
        }
        let expected: Name = self.subject.parse().map_err(|_| Code::SubjectNameMismatch)?;
        if attributes(&expected) == attributes(request.subject()) {
            Ok(())
        } else {
            Err(Code::SubjectNameMismatch)
        }
    }

    fn compare_alt_names(&self, request: &CertificationRequest) -> Result<(), Code> {
        let asked = request.requested_alt_names().map_err(|_| Code::SubjectAltNameMismatch)?;
        if asked.is_empty() {
            let none = self.alt_names.is_empty();
            return if none { Ok(()) } else { Err(Code::SubjectAltNameMissing) };
        }
        let asked: Option<Vec<AltName>> = asked.iter().map(alt_name).collect();
        let mut asked = asked.ok_or(Code::SubjectAltNameMismatch)?;
        let mut expected = self.alt_names.clone();
        for name in asked.iter_mut().chain(&mut expected) {
            name.value = name.value.to_lowercase();
        }
        asked.sort();
        expected.sort();
        if asked == expected { Ok(()) } else { Err(Code::SubjectAltNameMismatch) }
    }

    fn compare_usages(&self, request: &CertificationRequest) -> Result<(), Code> {
        let extensions = request.requested_extensions();
        let extensions = extensions.map_err(|_| Code::CertificateRequestDecodingFailed)?;
        let usage = extensions.decode::<KeyUsages>().map_err(|_| Code::KeyUsageMismatch)?;
        let names = |usage: KeyUsages| usage.names().map(str::to_owned).collect::<BTreeSet<_>>();
        if usage.map(names).unwrap_or_default() != self.key_usage {
            return Err(Code::KeyUsageMismatch);
        }
        let purposes = extensions.decode::<ExtendedKeyUsage>();
        match purposes.map_err(|_| Code::EnhancedKeyUsageMismatch)? {
            None if self.extended_key_usages.is_empty() => Ok(()),
            None if self.purposes == Purposes::IfPresent => Ok(()),
            None => Err(Code::EnhancedKeyUsageMissing),
            Some(ExtendedKeyUsage(asked)) => {
                let asked: BTreeSet<_> = asked.iter().map(ToString::to_string).collect();
                let same = asked == self.extended_key_usages;
                if same { Ok(()) } else { Err(Code::EnhancedKeyUsageMismatch) }
            }
        }
    }
}

/// The attributes of a name in any order: platforms differ in how they write them.
fn attributes(name: &Name) -> Vec<(Oid, String)> {
    let mut attributes: Vec<_> =
        name.attributes().map(|a| (a.oid, a.value.text().to_lowercase())).collect();
    attributes.sort();
    attributes
}

fn alt_name(name: &GeneralName) -> Option<AltName> {
    let (kind, value) = match name {
        GeneralName::Email(text) => (AltNameKind::Email, text.clone()),
        GeneralName::Dns(text) => (AltNameKind::Dns, text.clone()),
        GeneralName::Uri(text) => (AltNameKind::Uri, text.clone()),
        other => (AltNameKind::Upn, other.as_upn()?),
    };
    Some(AltName { kind, value })
}
