//! Entra ID, Graph, faults and the control interface as their documents describe them, seen by plain HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is wrong")]

mod batches;
mod control;
mod delta;
mod faults;
mod limits;
mod managed_identities;
mod people;
mod reading;
mod reports;
mod sign_in;
mod subscriptions;
mod support;
mod tokens;
