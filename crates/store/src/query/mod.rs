//! Every statement the program runs, by subject: acts (writes) and questions (reads), each with
//! the `Store` methods that callers use.

mod apply;
pub(crate) mod audit;
mod authority;
mod brake;
mod crl;
pub(crate) mod enrollment;
mod feed;
pub(crate) mod issue;
mod lease;
mod lookup;
pub(crate) mod notice;
mod object;
mod queue;
pub(crate) mod request;
mod rule;
mod search;
mod setting;
mod standing;
mod tether;

pub use crl::RevokedEntries;
pub use setting::StoredSetting;
