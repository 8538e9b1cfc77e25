//! Jamf Pro: its computers, mobile devices and users, and its webhooks.

pub mod webhook;
mod wire;
