//! X.509 certificates, requests, CRLs, CMS and OCSP as pure functions over bytes.
//!
//! There is no clock, no randomness and no I/O here: the time, random octets and received bytes are
//! arguments, and a signature is made elsewhere (see [`Unsigned`]). What a certificate *may* say is
//! decided in `lifecycle`; this crate only knows how it is written, read and checked.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod algorithm;
pub mod ber;
pub mod cms;
pub mod digest;
pub mod general_name;
pub mod key;
pub mod name;
pub mod oid;
pub mod padding;
pub mod serial;
pub mod time;
pub mod tlv;
pub mod unsigned;

pub use algorithm::SignatureAlgorithm;
pub use digest::Digest;
pub use general_name::GeneralName;
pub use key::{KeyAlgorithm, PublicKey};
pub use name::Name;
pub use oid::Oid;
pub use serial::SerialNumber;
pub use time::Time;
pub use tlv::DerError;
pub use unsigned::Unsigned;
