//! SCEP from outside: foreign clients, our own, and everything hostile.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails should stop")]

mod common;
mod conversation;
mod documents;
mod foreign_requests;
mod golden;
mod hostile;
mod queries;
