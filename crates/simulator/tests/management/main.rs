//! Intune, managed devices and Jamf Pro as their documents describe them, seen by plain HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is wrong")]

mod devices;
mod jamf_classic;
mod jamf_pro;
mod jamf_webhooks;
mod revocations;
mod support;
mod validation;
