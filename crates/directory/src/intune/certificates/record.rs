//! What Intune believes of one certificate, from either of its two lists.

use std::fmt;

use lanyard_lifecycle::ObjectId;
use lanyard_pki::{SerialNumber, Time};
use serde::{Deserialize, Deserializer};

use super::super::revocation::read_serial;

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

impl<'de> Deserialize<'de> for CertificateStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?
            .map_or(Self::Unsaid, |text| Self::from(text.as_str())))
    }
}

/// One certificate as the Graph collection has it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StateBody {
    certificate_revoke_status: CertificateStatus,
    certificate_revoke_status_last_change_date_time: Option<String>,
    managed_device_display_name: Option<String>,
    user_principal_name: Option<String>,
    certificate_expiration_date_time: Option<String>,
    certificate_issuer_name: Option<String>,
    certificate_thumbprint: Option<String>,
    certificate_serial_number: Option<String>,
    certificate_subject_name: Option<String>,
}

impl From<StateBody> for CertificateRecord {
    fn from(body: StateBody) -> Self {
        Self {
            serial: body.certificate_serial_number.as_deref().and_then(read_serial),
            thumbprint: body.certificate_thumbprint.as_deref().and_then(thumbprint),
            status: body.certificate_revoke_status,
            status_since: body
                .certificate_revoke_status_last_change_date_time
                .as_deref()
                .and_then(time),
            device: None,
            device_name: said(body.managed_device_display_name),
            user: None,
            user_principal_name: said(body.user_principal_name),
            subject: said(body.certificate_subject_name),
            issuer: said(body.certificate_issuer_name),
            not_after: body.certificate_expiration_date_time.as_deref().and_then(time),
        }
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
    use serde_json::json;

    #[test]
    fn a_state_is_read_whatever_it_leaves_out() {
        let body: StateBody = serde_json::from_value(json!({
            "id": "x", "certificateRevokeStatus": "revoked",
            "certificateRevokeStatusLastChangeDateTime": "2026-01-02T03:04:05.678Z",
            "managedDeviceDisplayName": "laptop", "userPrincipalName": "",
            "certificateExpirationDateTime": "2027-01-02T03:04:05Z",
            "certificateThumbprint": "0102030405060708090A0B0C0D0E0F1011121314",
            "certificateSerialNumber": "00ab", "certificateSubjectName": "CN=laptop",
        }))
        .unwrap();
        let record = CertificateRecord::from(body);
        assert_eq!(record.serial, "AB".parse().ok());
        assert_eq!(record.thumbprint.map(|print| print[19]), Some(0x14));
        assert_eq!(record.status, CertificateStatus::Revoked);
        assert_eq!(record.status_since, "2026-01-02T03:04:05Z".parse().ok());
        assert_eq!((record.user_principal_name, record.issuer), (None, None));
        let empty: StateBody = serde_json::from_str("{}").unwrap();
        assert_eq!(CertificateRecord::from(empty).status, CertificateStatus::Unsaid);
    }

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
