//! Changes: what a directory tells of its objects page by page, and how far one has read.

use std::fmt;

use lanyard_lifecycle::{ObjectKey, ObjectKind, ObjectState};
use lanyard_pki::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ignorance::Ignorance;

/// How far one has read; made by a connector, kept by its user, understood by that connector alone.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// From the text that [`Cursor::as_str`] gave.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to keep. It may be some thousand characters long.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} characters)", self.0.len())
    }
}

/// One page of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What it says. It may be empty and yet not be the last.
    pub changes: Vec<Change>,
    /// What the directory's look-ups answered beside it, and the page did not say: that an object
    /// which has changed is not found. To be recorded before the page, as what was looked up: no
    /// feed vouches for it, and whoever needs to know asks again.
    pub looked_up: Vec<Change>,
    /// Where the next page begins. After the end of a round: where the next round begins.
    pub next: Cursor,
    /// Whether the round ends here.
    pub end: RoundEnd,
    /// How many objects there are in all, where the directory says so: for progress only.
    pub total: Option<u64>,
}

/// Whether a round ends with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoundEnd {
    /// No: ask on at once.
    MorePages,
    /// Yes. Whoever asks with the next cursor begins another round.
    RoundComplete,
}

/// One thing that a page says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every change is a state")]
pub enum Change {
    /// The whole state of an object; what it leaves out, the directory has no value for.
    State(ObjectState),
    /// The object is there, and the page says nothing of its properties: what is known of them
    /// stays known as of when it was learnt. An object that is not known is worth a look-up.
    Seen {
        /// The object.
        key: ObjectKey,
        /// When this was said.
        learnt: Time,
    },
    /// The removal of an object that the directory names by its Graph id only: a device, whose
    /// state of before has that id in its properties.
    RemovedByGraphId {
        /// The kind of object.
        kind: ObjectKind,
        /// The id of the directory object.
        graph_id: Uuid,
        /// When this was said.
        learnt: Time,
    },
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangesError {
    /// The directory no longer knows the cursor, or it is none of its own.
    #[error(
        "the directory does not know any more what has changed since: all objects are read anew"
    )]
    Resync,
    /// Not answered; the cursor stays good.
    #[error(transparent)]
    Unanswered(#[from] Ignorance),
}
