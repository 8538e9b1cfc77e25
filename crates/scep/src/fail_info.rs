//! `failInfo` (RFC 8894, 3.2.1.4): why there is no certificate, in one of five words.

use std::fmt;

/// Why a request failed, as the reply says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailInfo {
    /// An algorithm is unknown or not wanted
    BadAlg,
    /// The integrity check failed: signature, digest, decryption
    BadMessageCheck,
    /// The transaction is not permitted or not supported
    BadRequest,
    /// The signing time is too far off. Never said by our side, which does not ask for one
    BadTime,
    /// No certificate was found by what was given
    BadCertId,
}

impl FailInfo {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::BadAlg, Self::BadMessageCheck, Self::BadRequest, Self::BadTime, Self::BadCertId];

    /// The number as it is sent, in decimal digits.
    #[must_use]
    pub const fn digits(self) -> &'static str {
        match self {
            Self::BadAlg => "0",
            Self::BadMessageCheck => "1",
            Self::BadRequest => "2",
            Self::BadTime => "3",
            Self::BadCertId => "4",
        }
    }

    /// The one with this number.
    #[must_use]
    pub fn from_digits(digits: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|info| info.digits().as_bytes() == digits)
    }
}

impl fmt::Display for FailInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAlg => "badAlg",
            Self::BadMessageCheck => "badMessageCheck",
            Self::BadRequest => "badRequest",
            Self::BadTime => "badTime",
            Self::BadCertId => "badCertId",
        })
    }
}
