//! What is configured of an instance of Jamf Pro.

use std::fmt;
use std::time::Duration;

use lanyard_lifecycle::DirectoryId;
use secrecy::SecretString;
use url::Url;

use crate::http::Limits;

/// An instance of Jamf Pro, and how one signs in to it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory that it is for us.
    pub directory: DirectoryId,
    /// Its address: `https://example.jamfcloud.com/`, with the path of its web application if it
    /// has one.
    pub url: Url,
    /// How one signs in.
    pub credential: Credential,
    /// How many devices a page of a sweep has: 1 to 2000.
    pub page_size: u16,
}

impl Settings {
    /// A page that Jamf Pro answers in a few seconds.
    pub const PAGE_SIZE: u16 = 500;
}

/// How one signs in to Jamf Pro.
#[derive(Clone)]
pub enum Credential {
    /// An API client, from Jamf Pro 10.49 on.
    Client {
        /// Its id.
        id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// A user account of Jamf Pro.
    Account {
        /// Its name.
        username: String,
        /// Its password.
        password: SecretString,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client { id, .. } => write!(f, "Client({id})"),
            Self::Account { username, .. } => write!(f, "Account({username})"),
        }
    }
}

/// How hard an instance may be asked. Jamf advises at most five connections at once; there is no
/// documented limit of requests.
pub fn limits() -> Limits {
    Limits {
        concurrency: CONNECTIONS,
        attempt_timeout: Duration::from_secs(30),
        deadline: Duration::from_mins(2),
        largest_answer: 64 << 20,
        ..Limits::default()
    }
}

/// Requests at once.
pub(super) const CONNECTIONS: usize = 5;
