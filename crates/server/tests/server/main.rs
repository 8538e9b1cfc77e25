//! The server in one process, on ports of its own choice, asked over real sockets.
//!
//! ```text
//! client ── HTTP, HTTPS ──► Server { doors ─► authority ─► SQLite in a temporary folder }
//! command ── control.sock ─────────────────►┘
//! ```

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod control;
mod directories;
mod enrollment;
mod hostile;
mod messages;
mod pages;
mod responder;
mod site;
mod subordinate;
mod tether;
mod tls;
