//! What Intune believes of one certificate.

use std::fmt;

use lanyard_lifecycle::ObjectId;
use lanyard_pki::{SerialNumber, Time};

/// A certificate that Intune believes to be issued. What a list leaves out or writes illegibly is
/// `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Its serial number.
    pub serial: Option<SerialNumber>,
    /// SHA-1 of its DER.
    pub thumbprint: Option<[u8; 20]>,
    /// How it stands in Intune.
    pub status: CertificateStatus,
    /// Since when it stands so.
    pub status_since: Option<Time>,
    /// The Intune device it was issued to.
    pub device: Option<ObjectId>,
    /// That device's name.
    pub device_name: Option<String>,
    /// The Entra user it was issued to.
    pub user: Option<ObjectId>,
    /// That user's name.
    pub user_principal_name: Option<String>,
    /// Its subject, as text.
    pub subject: Option<String>,
    /// Its issuer, as text.
    pub issuer: Option<String>,
    /// Its end.
    pub not_after: Option<Time>,
}

/// How a certificate stands in Intune.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum CertificateStatus {
    /// Intune does not say.
    #[default]
    Unsaid,
    /// Nothing has happened.
    None,
    /// A change is under way.
    Pending,
    /// Issued.
    Issued,
    /// The last change failed.
    Failed,
    /// Revoked.
    Revoked,
    /// Another word.
    Other(Box<str>),
}

impl CertificateStatus {
    /// As Intune spells it; empty when it does not say.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unsaid => "",
            Self::None => "none",
            Self::Pending => "pending",
            Self::Issued => "issued",
            Self::Failed => "failed",
            Self::Revoked => "revoked",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for CertificateStatus {
    fn from(text: &str) -> Self {
        let text = text.trim();
        [Self::Unsaid, Self::None, Self::Pending, Self::Issued, Self::Failed, Self::Revoked]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(text))
            .unwrap_or_else(|| Self::Other(text.chars().take(100).collect()))
    }
}

impl fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that says something.
pub(super) fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// 40 hexadecimal digits, with or without separators.
pub(super) fn thumbprint(text: &str) -> Option<[u8; 20]> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '-')).collect();
    let mut octets = [0; 20];
    hex::decode_to_slice(digits, &mut octets).ok()?;
    Some(octets)
}

/// A GUID that is not all zeros.
pub(super) fn object(text: &str) -> Option<ObjectId> {
    text.parse().ok().filter(|object| *object != ObjectId::from_u128(0))
}

/// RFC 3339, or the same with a space in the middle and no offset, which is UTC. The year 1 is how
/// the services write "never".
pub(super) fn time(text: &str) -> Option<Time> {
    let text = text.trim().replacen(' ', "T", 1);
    let read: Option<Time> = text.parse().or_else(|_| format!("{text}Z").parse()).ok();
    read.filter(|at| at.calendar().year() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_not_known_are_kept() {
        assert_eq!(CertificateStatus::from(" Issued "), CertificateStatus::Issued);
        assert_eq!(CertificateStatus::from("Superseded").as_str(), "Superseded");
    }

    #[test]
    fn times_are_read_in_both_forms_and_never_is_none() {
        let expected: Option<Time> = "2026-01-02T03:04:05Z".parse().ok();
        assert_eq!(time("2026-01-02T03:04:05Z"), expected);
        assert_eq!(time("2026-01-02 03:04:05.0000000"), expected);
        assert_eq!(time("0001-01-01T00:00:00Z"), None);
        assert_eq!(time("soon"), None);
    }

    #[test]
    fn the_zero_guid_is_nobody() {
        assert_eq!(object("00000000-0000-0000-0000-000000000000"), None);
        assert!(object("0f8fad5b-d9cb-469f-a165-70867728950e").is_some());
    }
}
