//! Pages as structs, their templates and assets.
//!
//! What a page shows is decided by whoever fills its struct; nothing here asks a store or knows HTTP.

pub mod asset;
pub mod page;
