//! The Simple Certificate Enrolment Protocol (RFC 8894), both sides, as state machines over octets.
//!
//! No clock, no randomness, no network, no private key: whoever carries the messages brings nonces and
//! envelope secrets, decrypts the content key that [`server::NeedsDecryption`] or
//! [`client::SealedReply`] asks for, and signs what an [`lanyard_pki::cms::UnsignedMessage`] asks for.
//! Who may have a certificate is decided elsewhere.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod attribute;
mod caps;
pub mod client;
mod fail_info;
pub mod leniency;
mod message;
pub mod operation;
pub mod server;

pub use attribute::{
    AttributeError, MessageType, PkiStatus, RecipientNonce, SenderNonce, TransactionId,
};
pub use caps::{Capabilities, Capability};
pub use fail_info::FailInfo;
pub use leniency::{Tolerance, Tolerances};
pub use message::{Distrust, Legacy, MessageError, Policy};
