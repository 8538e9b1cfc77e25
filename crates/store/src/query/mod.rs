//! Every statement the program runs, by subject: acts (writes) and questions (reads), each with
//! the `Store` methods that callers use.

mod apply;
pub(crate) mod audit;
mod authority;
pub(crate) mod brake;
mod crl;
pub(crate) mod enrollment;
mod feed;
pub(crate) mod issue;
mod lease;
mod lookup;
mod missing;
pub(crate) mod notice;
pub(crate) mod notices;
mod object;
mod queue;
pub(crate) mod request;
mod rule;
mod ruled;
mod search;
mod setting;
mod standing;
pub(crate) mod tether;

pub use crl::RevokedEntries;
pub use setting::StoredSetting;
