//! What Lanyard decides: who may have a certificate, what it is tethered to, and whether it is
//! good.
//!
//! Everything here is a pure function over values. There is no clock, no randomness, no input or
//! output: the time is an argument, random numbers are arguments, and what a directory or a store
//! says arrives as data. How certificates are encoded is `lanyard_pki`'s business; who asks and in
//! which protocol is known to the doors alone.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod binding;
pub mod brake;
pub mod fact;
pub mod id;
pub mod kind;
pub mod object;
pub mod policy;
pub mod refusal;
pub mod revocation;
pub mod serial_codec;
pub mod tether;
mod timestamp;
pub mod verdict;

pub use binding::Binding;
pub use fact::{Fact, FactSource};
pub use id::{DepartmentId, DirectoryId, EndpointId, ObjectId, OrganizationId, Scope};
pub use kind::{ApiType, Kind, Source};
pub use object::{ObjectKey, ObjectKind, ObjectState, Presence, Properties};
pub use refusal::Refusal;
pub use revocation::{Change, RevocationReason, Standing};
pub use serial_codec::{Decoded, Epoch, Nonce, SerialCodec, SerialKey};
pub use verdict::{ByRule, Freshness, Lasting, Opinion, Rule, State, Verdict, verdict};
