//! Notices: what a directory has to be told of an enrollment, kept until it has taken it.

use std::fmt;

use lanyard_lifecycle::id::{DirectoryId, EndpointId, Scope};
use lanyard_pki::{SerialNumber, Time};

/// The number of a notice, drawn at random by its writer, who may so name it without asking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticeId([u8; 16]);

impl NoticeId {
    /// From bytes drawn at random, or kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// As it is kept.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoticeId({self})")
    }
}

/// Something that a directory has to be told.
#[derive(Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// What it is named by.
    pub id: NoticeId,
    /// The endpoint of the enrollment.
    pub endpoint: EndpointId,
    /// Who is told.
    pub directory: DirectoryId,
    /// Who owns it.
    pub scope: Scope,
    /// The certificate, where one was issued.
    pub serial: Option<SerialNumber>,
    /// The client's transaction, as sent (RFC 8894 3.2.1.1).
    pub transaction_id: Vec<u8>,
    /// What to tell. Only the writer reads it; it is dropped once the notice has ended.
    pub payload: Vec<u8>,
    /// Now, by the caller's clock.
    pub created_at: Time,
    /// Until when the writer means to tell it itself, which counts as the first attempt. Without,
    /// it is due at once for whoever claims it.
    pub claimed_until: Option<Time>,
}

impl fmt::Debug for NewNotice {
    /// Without the payload, which may hold what only the directory may see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewNotice")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .field("directory", &self.directory)
            .field("serial", &self.serial)
            .field("created_at", &self.created_at)
            .field("claimed_until", &self.claimed_until)
            .finish_non_exhaustive()
    }
}

/// How a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeState {
    /// Not taken yet.
    Waiting,
    /// The directory has taken it.
    Delivered,
    /// It will not be tried again.
    GivenUp,
}

/// An attempt to deliver a notice, counted from 1. Who claims a notice after another makes the next
/// one, and the one before can no longer say how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

impl Attempt {
    /// That of a writer who tells it itself.
    pub const FIRST: Self = Self(1);
}

/// A notice, as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is named by.
    pub id: NoticeId,
    /// The endpoint of the enrollment.
    pub endpoint: EndpointId,
    /// Who is told.
    pub directory: DirectoryId,
    /// Who owns it.
    pub scope: Scope,
    /// The certificate, where one was issued.
    pub serial: Option<SerialNumber>,
    /// The client's transaction.
    pub transaction_id: Vec<u8>,
    /// What to tell, while it waits.
    pub payload: Option<Vec<u8>>,
    /// When it was written.
    pub created_at: Time,
    /// How it stands.
    pub state: NoticeState,
    /// The last attempt that was begun; 0 before the first.
    pub attempt: Attempt,
    /// When it is due again, while it waits.
    pub next_attempt: Time,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was taken or given up.
    pub ended_at: Option<Time>,
}

impl fmt::Debug for Notice {
    /// Without the payload, which may hold what only the directory may see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .field("directory", &self.directory)
            .field("serial", &self.serial)
            .field("state", &self.state)
            .field("attempt", &self.attempt)
            .field("next_attempt", &self.next_attempt)
            .field("last_error", &self.last_error)
            .field("ended_at", &self.ended_at)
            .finish_non_exhaustive()
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Which.
    pub attempt: Attempt,
    /// When.
    pub at: Time,
    /// Why, in words that may be shown.
    pub error: String,
    /// When to try again; none gives the notice up.
    pub next: Option<Time>,
}

/// Notices of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeCount {
    /// How they stand.
    pub state: NoticeState,
    /// How many there are.
    pub notices: u64,
    /// When the oldest of them was written.
    pub oldest: Time,
}
