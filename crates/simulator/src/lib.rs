//! A tenant in a box: the services of Entra ID, Microsoft Graph, Intune and Jamf Pro, for rehearsals and tests.
//!
//! It is written from those services' documents by types of its own: never by those of the connectors that are tested
//! against it. It listens on loopback only and holds everything in memory.

pub mod api;
pub mod device;
pub mod entra;
pub mod fault;
pub mod graph;
mod http_server;
pub mod introduction;
pub mod intune;
pub mod jamf;
mod router;
mod simulator;
pub mod tenant;

pub use introduction::{Examples, Introduction};
pub use simulator::{Options, Running, Shared, Simulation, Simulator, StartError};
