//! Intune's services for certification authorities and Jamf Pro, against the simulated ones.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is wrong")]

mod bench;
mod faults;
mod intune;
mod jamf;
