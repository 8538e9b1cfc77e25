//! What routes ask of a request: who sent it.

mod client;

pub use client::{Client, client_of};
