//! OCSP (RFC 6960, RFC 5019, nonces of RFC 9654): requests and responses, read and written.
//!
//! What the answer should be, how long it holds and who signs it is decided elsewhere.

mod cert_id;
mod request;
mod response;
mod verify;

pub use crate::reason::CrlReason;
pub use cert_id::{CertId, IssuerHashes};
pub use request::{OcspRequest, RequestError, SingleRequest, request};
pub use response::{Answer, CertStatus, OcspResponse, ResponderFrame, ResponseStatus};
pub use verify::{ReceivedAnswer, ReceivedResponse, ResponderId, ResponseError};

/// The fewest and the most octets of a nonce (RFC 9654, 2.1).
pub const NONCE_OCTETS: std::ops::RangeInclusive<usize> = 1..=128;

#[cfg(test)]
mod tests;
