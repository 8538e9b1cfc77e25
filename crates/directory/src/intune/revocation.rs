//! Intune's requests to revoke certificates, and what is told of them afterwards.
//!
//! Which certificate a request means is said by its serial number alone; whose it is and what is
//! done about it is decided elsewhere.

mod request;
mod result;

pub use request::{RequestContext, RevocationRequest, read_serial, serial_text};
pub use result::{ErrorCodeSpelling, FailureCode, Lasting, Outcome, RevocationResult};
