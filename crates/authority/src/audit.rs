//! Who did what: the actor of every act, and the words that the audit trail has for it.
//!
//! The trail itself, a hash-chained table, is the store's.

use std::fmt;
use std::net::IpAddr;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The program by itself: rotation, recovery, rules.
    System,
    /// A person with access to the installation's data folder or control socket, by user name.
    Operator(String),
    /// A client at an enrollment endpoint, by the endpoint's name and the client's address where one is known.
    Client {
        /// The endpoint's name.
        endpoint: String,
        /// Where the request came from.
        address: Option<IpAddr>,
    },
    /// A signed-in person, by user principal name.
    Person(String),
    /// A program with a token of its own, by application id and name.
    Application {
        /// The application's id.
        id: String,
        /// Its name.
        name: String,
    },
}

impl Actor {
    /// The sort of actor, as the trail records it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Operator(_) => "operator",
            Self::Client { .. } => "client",
            Self::Person(_) => "person",
            Self::Application { .. } => "application",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Client { endpoint, address: Some(address) } => {
                write!(f, "client {address} at {endpoint}")
            }
            Self::Client { endpoint, address: None } => write!(f, "client at {endpoint}"),
            Self::Person(name) => write!(f, "person {name}"),
            Self::Application { id, name } => write!(f, "application {name} ({id})"),
        }
    }
}
