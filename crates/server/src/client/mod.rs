//! The client's side of what the server offers: for `enroll`, `renew`, `demo` and `bench`.

pub mod ocsp;
pub mod patience;
pub mod scep;
