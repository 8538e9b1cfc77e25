//! How a SCEP client fails, in words for whoever runs it.

use lanyard_pki::DerError;
use lanyard_pki::serial::SerialError;
use lanyard_scep::client::{AnnouncedError, ReplyRefused, RequestError};
use lanyard_scep::{AttributeError, FailInfo};
use lanyard_signer::{DecryptError, SignError};
use reqwest::{StatusCode, Url};

use super::http::LARGEST_ANSWER;
use crate::client::patience::GivenUp;

/// Why no certificate came back.
#[derive(Debug, thiserror::Error)]
pub enum ScepClientError {
    /// The server cannot be reached, or broke off.
    #[error("{0} does not answer: {1}")]
    Unreachable(Url, #[source] reqwest::Error),
    /// The server answered something else than 200.
    #[error("{operation} was answered {status}{}", .text.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Status {
        /// What was asked.
        operation: &'static str,
        /// The status.
        status: StatusCode,
        /// What the server said, if it is a line of text.
        text: Option<String>,
    },
    /// The server has too much to do and puts everybody off.
    #[error("{operation} was answered {status} {given_up}")]
    PutOff {
        /// What was asked.
        operation: &'static str,
        /// The status.
        status: StatusCode,
        /// How long that was borne.
        given_up: GivenUp,
    },
    /// An answer that is larger than anything that could be meant.
    #[error("{0} was answered with more than {LARGEST_ANSWER} octets")]
    TooLarge(&'static str),
    /// GetCACert says nothing usable.
    #[error("the server announces no authority: {0}")]
    Announced(#[from] AnnouncedError),
    /// None of the announced certificates is the expected one.
    #[error("no announced certificate has the fingerprint {0}; this is another authority")]
    Fingerprint(String),
    /// The authority announces no certificate to encrypt to.
    #[error("the authority announces no certificate that can be encrypted to")]
    NoRecipient,
    /// The request cannot be put together.
    #[error("the request cannot be made: {0}")]
    Request(#[from] RequestError),
    /// Our key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Our key does not decrypt.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
    /// A certificate of ours cannot be read.
    #[error(transparent)]
    Certificate(#[from] DerError),
    /// Random octets made no serial number.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// The reply is not one to believe.
    #[error("the server's reply cannot be accepted: {0}")]
    Reply(#[from] ReplyRefused),
    /// The authority says no.
    #[error("the authority refuses: {fail_info}{}", .text.as_deref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused {
        /// In a word.
        fail_info: FailInfo,
        /// In the authority's own words.
        text: Option<String>,
    },
    /// A request's digest made no transaction id.
    #[error(transparent)]
    TransactionId(#[from] AttributeError),
    /// The reply would be under the challenge password, and there is none.
    #[error(
        "a key that cannot decrypt (EC, Ed25519) needs the challenge: the reply is encrypted under it"
    )]
    NoChallenge,
    /// The reply holds no certificate for our key.
    #[error("the reply holds no certificate for the key of the request")]
    NotOurs,
    /// The system gives no random octets.
    #[error("the system gives no random octets")]
    NoRandomness,
}
