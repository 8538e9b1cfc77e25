//! Administration: each command is one typed operation, carried out by the running server or in this process.
//!
//! The server offers operations on `<data>/control.sock`. Whoever may open the socket may administer: its permissions
//! are the authentication, and the kernel says who it was.

pub mod client;
pub mod description;
pub mod installation;
pub mod operation;
pub mod operations;
pub mod operator;
pub mod server;

pub use description::ServerDescription;
pub use installation::Installation;
pub use operation::{Operation, OperationError, OperationFailure};
