//! The answers of ScepActions: one word each, in a response whose status is 200 whatever the word.

use std::fmt;

macro_rules! codes {
    ($($name:ident: $meaning:literal),+ $(,)?) => {
        /// What ScepActions says about a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name),+
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name)),+
                }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning),+
                }
            }
        }
    };
}

codes! {
    Success: "The request is what Intune asked the device for",
    CertificateRequestDecodingFailed: "The certificate request is no base64 of a PKCS #10 whose signature holds",
    ChallengePasswordMissing: "The certificate request has no challenge password",
    ChallengeDecodingError: "The challenge password is no base64",
    ChallengeDecryptionError: "The challenge cannot be decrypted",
    ChallengeDeserializationError: "The challenge was decrypted, but cannot be read",
    SigningCertThumbprintMismatch: "The challenge was signed with another certificate than Intune's present one",
    SignatureValidationFailed: "The signature of the challenge does not hold",
    ChallengeInvalidTimestamp: "The challenge was made at a time that is not reached yet",
    ChallengeExpired: "The challenge is older than 60 minutes",
    SubjectNameMissing: "The certificate request has no subject name",
    SubjectNameMismatch: "The subject name is another than the profile's",
    SubjectAltNameMissing: "The certificate request has no subject alternative name",
    SubjectAltNameMismatch: "The subject alternative names are others than the profile's",
    KeyUsageMismatch: "The key usage is another than the profile's",
    KeyLengthMismatch: "The key is of another kind or length than the profile's",
    EnhancedKeyUsageMissing: "The certificate request has no extended key usage",
    EnhancedKeyUsageMismatch: "The extended key usage is another than the profile's",
    AadKeyIdentifierListMissing: "The directory lists no registered key for the user",
    RegisteredKeyMismatch: "The key is none of those that the directory lists for the user",
    ScepProfileNoLongerTargetedToTheClient: "The profile is no longer targeted to the user or device",
    BadCertificateRequestIdInChallenge: "The challenge is for a request that is unknown, replaced or answered",
    BadDeviceIdInChallenge: "The challenge is for a device that is not managed",
    BadUserIdInChallenge: "The challenge is for a user who is not in the directory",
    BadTenantIdInChallenge: "The challenge is for another tenant",
    Unknown: "The request was refused for a reason that has no name",
}

impl Code {
    /// What an administrator reads beside the word; nothing for a success.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Success => "",
            other => other.meaning(),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
