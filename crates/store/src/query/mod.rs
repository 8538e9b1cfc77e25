//! Every statement the program runs, by subject: acts (writes) and questions (reads), each with
//! the `Store` methods that callers use.

mod apply;
pub(crate) mod audit;
mod authority;
mod crl;
pub(crate) mod enrollment;
mod feed;
pub(crate) mod issue;
mod lease;
mod lookup;
mod object;
pub(crate) mod request;
mod search;
mod setting;
mod standing;

pub use crl::RevokedEntries;
pub use setting::StoredSetting;
