//! X.509, PKCS#10, CMS, CRL and OCSP: decode, build, check.
//!
//! Pure: no clock, no randomness, no I/O; `now`, randomness and octets are arguments. Protocols
//! that carry these formats live elsewhere.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod ber;
