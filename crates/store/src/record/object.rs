//! Objects of directories as they were last told, and how far each feed has come.

use lanyard_lifecycle::{
    id::{DirectoryId, Scope},
    object::{ObjectKey, ObjectKind, ObjectState},
};
use lanyard_pki::Time;
use uuid::Uuid;

use super::{Cursor, Fence};

/// A directory that objects are mirrored from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its id.
    pub id: DirectoryId,
    /// Whose certificates follow it.
    pub scope: Scope,
    /// Its name, for people.
    pub name: String,
    /// When it was first configured.
    pub added_at: Time,
}

/// A place in the order in which objects changed, across all directories. Every change gets the
/// next number in the transaction that makes it, so a reader that has seen `n` misses nothing up
/// to it. Numbers may be left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectSequence(pub i64);

/// The number of a whole reading of a feed, from 1. What was last seen in an earlier one is missing
/// from a later one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sweep(pub i64);

impl Sweep {
    /// Of an object that no reading has seen: it was looked up.
    pub const NONE: Self = Self(0);
}

/// An object, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirroredObject {
    /// What its directory said last, and when.
    pub state: ObjectState,
    /// Up to when its feed vouches for all of that: the start of the last round that came to its
    /// end, which would have told of a change or shown a return. None of an object whose properties
    /// the feed never told or, in its last whole reading, did not tell, and of one that a look-up has
    /// found otherwise since.
    pub confirmed: Option<Time>,
    /// When its directory was first heard to have it; none if it never was.
    pub first_seen: Option<Time>,
    /// Since when it is known to be absent.
    pub absent_since: Option<Time>,
    /// The last whole reading that showed it.
    pub last_seen: Sweep,
    /// Its latest change's place in the order of all changes.
    pub sequence: ObjectSequence,
}

/// What was learnt of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every change is a state")]
pub enum ObjectChange {
    /// How it is.
    State(ObjectState),
    /// It is there, and no more was said. What is known of it stays as it is; of one that is not
    /// known, nothing is recorded.
    Seen {
        /// The object.
        key: ObjectKey,
        /// When that was said.
        learnt: Time,
    },
    /// It was removed, and told by the name that Microsoft Graph gives it alone.
    RemovedByGraphId {
        /// Its kind.
        kind: ObjectKind,
        /// Graph's `id`.
        graph_id: Uuid,
        /// When that was learnt.
        learnt: Time,
    },
}

/// Changes that are recorded together, with how far their feed has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectBatch {
    /// The directory that said so.
    pub directory: DirectoryId,
    /// What it said, the oldest first.
    pub changes: Vec<ObjectChange>,
    /// The whole reading that showed the objects; [`Sweep::NONE`] for what was looked up.
    pub sweep: Sweep,
    /// How far the feed has come with this.
    pub progress: Option<FeedProgress>,
    /// The lease that the work is done under. Whoever has lost it records nothing.
    pub lease: Option<HeldLease>,
    /// Now.
    pub now: Time,
}

/// A lease that somebody says they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLease {
    /// The job's name.
    pub name: String,
    /// The holder's number.
    pub fence: Fence,
}

/// What came of [`apply_objects`](crate::Store::apply_objects).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Recorded. These objects are not as they were before; what was known already is not among
    /// them.
    Recorded(Vec<ObjectKey>),
    /// The lease was lost. Nothing was recorded, and the work must stop.
    LeaseLost,
}

/// What a feed is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedKey {
    /// The directory.
    pub directory: DirectoryId,
    /// The kind of object.
    pub kind: ObjectKind,
}

/// How far the mirror has come with a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedProgress {
    /// Which feed.
    pub key: FeedKey,
    /// What it is doing.
    pub phase: FeedPhase,
    /// Where to go on, in the connector's words; none is from the start.
    pub cursor: Option<String>,
    /// The last whole reading that was begun.
    pub sweep: Sweep,
    /// The last whole reading that came to its end.
    pub swept: Sweep,
    /// When the present round, or the last, was begun.
    pub round_started: Option<Time>,
    /// Up to when changes are known: the start of the last round that came to its end.
    pub as_of: Option<Time>,
    /// When that was.
    pub completed_at: Option<Time>,
    /// Objects in the present round so far, or in all of the last.
    pub seen: u64,
    /// Objects that the directory says there are, if it does.
    pub total: Option<u64>,
    /// Up to where the objects that the last whole reading did not show have been looked up; none
    /// when all have been.
    pub proved_to: Option<Cursor>,
    /// What keeps the feed from being read; none while it is.
    pub trouble: Option<FeedTrouble>,
    /// The last demand to read it at once that a round was begun for.
    pub served: Demand,
    /// The last such demand; recording progress leaves it as it is.
    pub demanded: Demand,
}

/// The number of a demand to read a feed at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand(pub i64);

/// What keeps a feed from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedTrouble {
    /// In words that may be shown.
    pub text: String,
    /// Since when it was not read.
    pub since: Time,
}

impl FeedProgress {
    /// Of a feed that was never read.
    pub fn new(key: FeedKey) -> Self {
        Self {
            key,
            phase: FeedPhase::Resting,
            cursor: None,
            sweep: Sweep::NONE,
            swept: Sweep::NONE,
            round_started: None,
            as_of: None,
            completed_at: None,
            seen: 0,
            total: None,
            proved_to: None,
            trouble: None,
            served: Demand::default(),
            demanded: Demand::default(),
        }
    }
}

/// What a feed is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedPhase {
    /// Nothing, between rounds.
    Resting,
    /// Reading everything there is.
    ReadingAll,
    /// Reading what has changed.
    ReadingChanges,
}

/// How many objects of a kind are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectCount {
    /// Of what.
    pub feed: FeedKey,
    /// Those that are there.
    pub present: u64,
    /// Those that are known to be absent.
    pub absent: u64,
}

/// An object that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectChanged {
    /// The place of its latest change.
    pub sequence: ObjectSequence,
    /// Which object.
    pub key: ObjectKey,
}

/// What an object is known by beside its id. The letter case of names does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ObjectName {
    /// The user principal name of a user in Entra ID.
    UserPrincipalName(String),
    /// The user name of a user in Jamf Pro.
    Username(String),
    /// The address of a user.
    Email(String),
    /// Graph's `id` of a device in Entra ID.
    GraphId(Uuid),
    /// Entra ID's `deviceId` of a device in Intune.
    EntraDeviceId(Uuid),
}
