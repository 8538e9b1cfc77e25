//! What the authority has to do with Intune beyond reading its devices: who is asked, notices of what became of requests,
//! requests to revoke.
//!
//! How Intune's services are called is the connectors'; whom a certificate is for is decided in [`crate::issue`].

mod port;

pub use port::IntuneServices;
