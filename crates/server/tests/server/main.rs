//! The server in one process, on ports of its own choice, asked over real sockets.
//!
//! ```text
//! client ── HTTP, HTTPS ──► Server { doors ─► authority ─► SQLite in a temporary folder }
//! command ── control.sock ─────────────────►┘
//! ```

mod control;
mod enrollment;
mod hostile;
mod pages;
mod site;
mod subordinate;
mod tls;
