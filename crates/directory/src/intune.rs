//! Intune: its SCEP validation, its revocation requests and what it believes to be issued. Its
//! managed devices are among its objects.

pub mod certificates;
mod check;
pub mod devices;
pub mod discovery;
mod door;
pub mod revocation;
mod services;
pub mod validation;

pub use services::{CertificateServices, Settings};
