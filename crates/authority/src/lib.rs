//! The verbs of the authority: open, issue, renew, approve, revoke, answer for a certificate, keep the CA.
//!
//! It knows no protocol: a door turns bytes into a request, asks a verb, and renders what comes back. Decisions are
//! `lanyard_lifecycle`'s; here facts are fetched for them, and what was decided is carried out and recorded.

pub mod audit;
pub mod clock;
pub mod entropy;
mod error;

pub use audit::Actor;
pub use clock::Clock;
pub use entropy::Entropy;
pub use error::{Error, Fault, Persistence};
