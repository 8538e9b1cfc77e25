//! Intune: its SCEP validation, its revocation requests and what it believes to be issued. Its
//! managed devices are among its objects.

pub mod certificates;
pub mod devices;
pub mod revocation;
pub mod validation;
