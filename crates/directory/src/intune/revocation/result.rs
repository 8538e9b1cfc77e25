//! What became of a revocation request, in the codes that Intune knows, and how it is spelt.

use serde::{Deserialize, Serialize};

use super::request::RequestContext;

/// What became of one revocation request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationResult {
    /// Which request.
    pub context: RequestContext,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The certificate is revoked.
    Revoked,
    /// It is not; Intune shows the message to administrators.
    Failed {
        /// Why, in Intune's words.
        code: FailureCode,
        /// Why, in ours.
        message: String,
    },
}

/// Whether Intune asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// The request is done with.
    Final,
    /// The request comes back.
    Retryable,
}

/// How the service wants error codes: its two published libraries disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCodeSpelling {
    /// `"CertificateNotFoundError"`, as the C# library sends it.
    #[default]
    Name,
    /// `"4004"`, as the Java library sends it.
    Number,
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $lasting:ident;)*) => {
        /// Why a certificate was not revoked.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FailureCode {
            $($(#[$doc])* $name,)*
        }

        impl FailureCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As the Java library sends it.
            pub const fn number(self) -> &'static str {
                match self { $(Self::$name => $number,)* }
            }

            /// As the C# library sends it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether Intune asks again.
            pub const fn lasting(self) -> Lasting {
                match self { $(Self::$name => Lasting::$lasting,)* }
            }
        }
    };
}

failures! {
    /// A fault of ours that asking again does not mend.
    NonRetryableService = "4000", "NonRetryableServiceException", Final;
    /// The request cannot be written or read.
    DataSerialization = "4001", "DataSerializationError", Final;
    /// The request is nonsense, such as a serial number that is none.
    ParameterDataInvalid = "4002", "ParameterDataInvalidError", Final;
    /// A signature or cipher failed.
    Cryptography = "4003", "CryptographyError", Final;
    /// We have issued no such certificate.
    CertificateNotFound = "4004", "CertificateNotFoundError", Final;
    /// It is revoked already.
    Conflict = "4005", "ConflictError", Final;
    /// Not possible here.
    NotSupported = "4006", "NotSupportedError", Final;
    /// Too much at once.
    PayloadTooLarge = "4007", "PayloadTooLargeError", Final;
    /// A fault of ours that may pass.
    RetryableService = "4100", "RetryableServiceException", Retryable;
    /// We are down, in part.
    ServiceUnavailable = "4101", "ServiceUnavailableException", Retryable;
    /// We are overloaded.
    ServiceTooBusy = "4102", "ServiceTooBusyException", Retryable;
    /// We could not authenticate to a service of our own.
    Authentication = "4103", "AuthenticationException", Retryable;
}

impl FailureCode {
    /// As this spelling has it.
    pub const fn spelt(self, spelling: ErrorCodeSpelling) -> &'static str {
        match spelling {
            ErrorCodeSpelling::Name => self.name(),
            ErrorCodeSpelling::Number => self.number(),
        }
    }
}

impl ErrorCodeSpelling {
    /// "No error".
    pub const fn none(self) -> &'static str {
        match self {
            Self::Name => "None",
            Self::Number => "0",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_from_4100_on_are_retryable_and_the_others_final() {
        for code in FailureCode::ALL {
            let number: u16 = code.number().parse().unwrap();
            let expected = if number < 4100 { Lasting::Final } else { Lasting::Retryable };
            assert_eq!(code.lasting(), expected, "{code:?}");
        }
        assert_eq!(FailureCode::ALL.len(), 12);
    }
}
