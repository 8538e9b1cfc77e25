//! What Intune answers to a validation or a notification: every documented code by name, and those
//! that no document names.
//!
//! Only [`Code::Success`] lets a certificate be issued. Whatever else stands here, known or not, is
//! a decision of Intune's and final.

use std::fmt;

use serde::{Deserialize, Deserializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident in $group:ident, $text:literal;)*) => {
        /// The code of a `scepActionResult`.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Code {
            /// The request may be answered with a certificate, or the notification was taken.
            Success,
            $($(#[$doc])* $name,)*
            /// A code that no document names; as final as the others.
            Other(Box<str>),
        }

        impl Code {
            /// Every code that has a name here.
            pub const KNOWN: &[Self] = &[Self::Success, $(Self::$name,)*];

            /// As Intune spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Success => "Success",
                    $(Self::$name => stringify!($name),)*
                    Self::Other(code) => code,
                }
            }

            /// What the code is about; none for success.
            pub const fn group(&self) -> Option<Group> {
                match self {
                    Self::Success => None,
                    $(Self::$name => Some(Group::$group),)*
                    Self::Other(_) => Some(Group::Unknown),
                }
            }

            /// What it means, for a person who looks after the profile.
            pub const fn meaning(&self) -> &'static str {
                match self {
                    Self::Success => "accepted",
                    $(Self::$name => $text,)*
                    Self::Other(_) => "Intune gives a reason that Lanyard does not know",
                }
            }
        }
    };
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// The challenge: broken, expired, not Intune's.
    Challenge,
    /// The request differs from what the certificate profile asks for.
    Profile,
    /// The device, user or tenant is not the one that the challenge was made for.
    Identity,
    /// Intune does not say, or says something that no document names.
    Unknown,
}

impl Group {
    /// One word for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Profile => "profile",
            Self::Identity => "identity",
            Self::Unknown => "unknown",
        }
    }
}

codes! {
    /// The PKCS#10 cannot be read.
    CertificateRequestDecodingFailed in Challenge, "Intune cannot read the certificate request";
    /// The PKCS#10 carries no challenge.
    ChallengePasswordMissing in Challenge, "the request carries no challenge";
    /// The decrypted challenge cannot be read.
    ChallengeDeserializationError in Challenge, "Intune cannot read the challenge";
    /// The challenge cannot be decrypted.
    ChallengeDecryptionError in Challenge, "Intune cannot decrypt the challenge; it may be for another tenant";
    /// The challenge is not base64.
    ChallengeDecodingError in Challenge, "Intune cannot decode the challenge";
    /// The challenge's time is unusable.
    ChallengeInvalidTimestamp in Challenge, "the challenge carries an invalid time";
    /// Challenges live for an hour.
    ChallengeExpired in Challenge, "the challenge is older than Intune accepts (an hour); the device gets a new one at its next check-in";
    /// The challenge's signature does not hold.
    SignatureValidationFailed in Challenge, "the challenge's signature does not hold";
    /// The challenge was signed by another certificate.
    SigningCertThumbprintMismatch in Challenge, "the challenge was signed with a certificate that Intune does not expect";
    /// The request has no subject.
    SubjectNameMissing in Profile, "the request has no subject name";
    /// The subject is not the profile's.
    SubjectNameMismatch in Profile, "the subject name is not the one of the profile; values with + , ; = break it";
    /// The request has no subject alternative name.
    SubjectAltNameMissing in Profile, "the request lacks the subject alternative names of the profile";
    /// The subject alternative name is not the profile's.
    SubjectAltNameMismatch in Profile, "the subject alternative names are not those of the profile";
    /// The key usage is not the profile's.
    KeyUsageMismatch in Profile, "the key usage is not the one of the profile";
    /// The key is of another length.
    KeyLengthMismatch in Profile, "the key length is not the one of the profile";
    /// The request has no extended key usage.
    EnhancedKeyUsageMissing in Profile, "the request lacks the extended key usage of the profile";
    /// The extended key usage is not the profile's.
    EnhancedKeyUsageMismatch in Profile, "the extended key usage is not the one of the profile";
    /// Intune knows no key of the device.
    AadKeyIdentifierListMissing in Identity, "Intune has no key identifiers of the device";
    /// The request's key is not the registered one.
    RegisteredKeyMismatch in Identity, "the key is not the one that the device registered";
    /// The profile is no longer assigned.
    ScepProfileNoLongerTargetedToTheClient in Identity, "the profile is no longer assigned to this device or user";
    /// The challenge names another request.
    BadCertificateRequestIdInChallenge in Identity, "the challenge was made for another certificate request";
    /// The challenge names another device.
    BadDeviceIdInChallenge in Identity, "the challenge was made for another device";
    /// The challenge names another user.
    BadUserIdInChallenge in Identity, "the challenge was made for another user";
    /// The challenge names another tenant; not in the published list.
    BadTenantIdInChallenge in Identity, "the challenge was made for another tenant";
    /// Intune does not say why.
    Unknown in Unknown, "Intune refuses without a reason";
}

impl From<&str> for Code {
    fn from(text: &str) -> Self {
        Self::KNOWN
            .iter()
            .find(|code| code.as_str() == text)
            .cloned()
            .unwrap_or_else(|| Self::Other(text.chars().take(100).collect()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_is_read_back_from_its_own_spelling() {
        for code in Code::KNOWN {
            assert_eq!(Code::from(code.as_str()), *code);
            assert_ne!(code.meaning(), Code::Other("x".into()).meaning());
        }
        assert_eq!(Code::KNOWN.len(), 26);
    }

    #[test]
    fn an_unknown_code_is_kept_and_is_no_success() {
        let code = Code::from("ChallengeFromTheFuture");
        assert_eq!(code.as_str(), "ChallengeFromTheFuture");
        assert_eq!(code.group(), Some(Group::Unknown));
        assert_ne!(code, Code::Success);
        assert_ne!(Code::from("success"), Code::Success, "spelling counts");
    }

    #[test]
    fn an_endless_code_is_cut() {
        assert_eq!(Code::from("ß".repeat(5000).as_str()).as_str().chars().count(), 100);
    }
}
