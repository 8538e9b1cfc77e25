//! What a directory has asked to be revoked, from its being taken to its being answered.

use lanyard_lifecycle::id::DirectoryId;
use lanyard_pki::Time;

/// A request as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQueueRequest {
    /// The directory that asked.
    pub directory: DirectoryId,
    /// What it knows the request by; opaque.
    pub context: String,
    /// The serial number, as it was written.
    pub serial: String,
    /// When it was taken.
    pub taken_at: Time,
}

/// A request that was taken and is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRequest {
    /// What was taken.
    pub request: NewQueueRequest,
    /// What the directory is to be told, in the caller's words; none before it is carried out.
    pub outcome: Option<String>,
}

/// What a directory is to be told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueAnswer {
    /// The directory that asked.
    pub directory: DirectoryId,
    /// What it knows the request by.
    pub context: String,
    /// What became of it, in the caller's words.
    pub outcome: String,
}
