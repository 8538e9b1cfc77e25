//! X.509 certificates, requests, CRLs, CMS and OCSP as pure functions over bytes.
//!
//! There is no clock, no randomness and no I/O here: the time, random octets and received bytes are
//! arguments, and a signature is made elsewhere (see [`Unsigned`]). What a certificate *may* say is
//! decided in `lifecycle`; this crate only knows how it is written, read and checked.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod algorithm;
pub mod ber;
pub mod certificate;
pub mod cms;
pub mod crl;
pub mod csr;
pub mod digest;
pub mod dump;
pub mod extension;
pub mod general_name;
pub mod key;
pub mod lint;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod padding;
pub mod pem;
pub mod profile;
pub mod reason;
pub mod serial;
#[cfg(test)]
mod testing;
pub mod time;
pub mod tlv;
pub mod unsigned;
pub mod url_base64;

pub use algorithm::SignatureAlgorithm;
pub use certificate::Certificate;
pub use crl::Crl;
pub use csr::CertificationRequest;
pub use digest::Digest;
pub use extension::{Extension, Extensions};
pub use general_name::GeneralName;
pub use key::{KeyAlgorithm, PublicKey};
pub use name::Name;
pub use oid::Oid;
pub use profile::Profile;
pub use reason::CrlReason;
pub use serial::SerialNumber;
pub use time::Time;
pub use tlv::DerError;
pub use unsigned::Unsigned;
