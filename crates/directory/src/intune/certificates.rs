//! The certificates that Intune believes to be issued, from its report or its list of states.
//!
//! What follows from a difference to what we have issued is decided elsewhere.

mod record;
mod report;

pub use record::{CertificateRecord, CertificateStatus};
pub use report::{Report, ReportError};
