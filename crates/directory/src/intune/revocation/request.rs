//! A request of Intune's to revoke a certificate, and which certificate of ours it means.

use std::fmt;

use lanyard_pki::SerialNumber;
use serde::{Deserialize, Serialize};

/// What Intune knows the request by; opaque.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestContext(String);

impl RequestContext {
    /// From what was kept of it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As Intune wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Intune asks that a certificate be revoked. It may be one of another authority's: the queue is the
/// tenant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationRequest {
    /// To be given back with the result.
    pub context: RequestContext,
    /// The serial number, in whatever form Intune keeps it.
    pub serial_number: String,
    /// The issuer, where Intune says it.
    pub issuer_name: Option<String>,
    /// What the success notification named as the CA's configuration, where Intune says it.
    pub ca_configuration: Option<String>,
}

impl RevocationRequest {
    /// The serial number that is meant, if the text is one.
    ///
    /// The form is not documented. Intune seems to give back what the success notification said,
    /// which is [`serial_text`]; hexadecimal of either case, with separators, `0x` or leading zeros
    /// is read as well. Decimal is not: its digits are hexadecimal too.
    pub fn serial(&self) -> Option<SerialNumber> {
        read_serial(&self.serial_number)
    }

    /// Whether it says itself that it concerns another authority than the one with this
    /// configuration name. Silence is no denial.
    pub fn is_for_another(&self, ca_configuration: &str) -> bool {
        self.ca_configuration.as_deref().is_some_and(|named| {
            let named = named.trim();
            !named.is_empty() && !named.eq_ignore_ascii_case(ca_configuration)
        })
    }
}

/// How a serial number is written to Intune: upper case hexadecimal, two digits an octet.
pub fn serial_text(serial: &SerialNumber) -> String {
    serial.to_string()
}

/// Reads a serial number in any of the forms that Intune might use.
pub fn read_serial(text: &str) -> Option<SerialNumber> {
    let digits: String =
        text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.')).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(serial: &str, configuration: Option<&str>) -> RevocationRequest {
        RevocationRequest {
            context: RequestContext::new("1"),
            serial_number: serial.into(),
            issuer_name: None,
            ca_configuration: configuration.map(Into::into),
        }
    }

    #[test]
    fn the_usual_forms_of_a_serial_number_mean_the_same() {
        let meant: SerialNumber = "5a4dbd24970cfb424c69099d27643287".parse().unwrap();
        for text in [
            "5a4dbd24970cfb424c69099d27643287",
            "5A4DBD24970CFB424C69099D27643287",
            "005A4DBD24970CFB424C69099D27643287",
            "0x5a4dbd24970cfb424c69099d27643287",
            "5a:4d:bd:24:97:0c:fb:42:4c:69:09:9d:27:64:32:87",
            " 5A 4D BD 24 97 0C FB 42 4C 69 09 9D 27 64 32 87\n",
            "5A-4D-BD-24-97-0C-FB-42-4C-69-09-9D-27-64-32-87",
        ] {
            assert_eq!(request(text, None).serial(), Some(meant.clone()), "{text}");
        }
        for text in ["", "xyz", "5a4d…", "-", &"f".repeat(1000)] {
            assert_eq!(request(text, None).serial(), None, "{text}");
        }
    }

    #[test]
    fn only_a_request_that_names_another_authority_is_for_another() {
        assert!(request("1", Some("contoso-ca")).is_for_another("lanyard"));
        assert!(!request("1", Some("Lanyard")).is_for_another("lanyard"));
        assert!(!request("1", Some(" ")).is_for_another("lanyard"));
        assert!(!request("1", None).is_for_another("lanyard"));
    }

    proptest! {
        #[test]
        fn what_we_write_is_what_we_read(octets in proptest::collection::vec(any::<u8>(), 1..=20)) {
            let serial = SerialNumber::from_bytes(&octets).unwrap();
            prop_assert_eq!(read_serial(&serial_text(&serial)), Some(serial.clone()));
            prop_assert_eq!(read_serial(&serial_text(&serial).to_lowercase()), Some(serial));
        }
    }
}
