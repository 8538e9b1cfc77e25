//! What every directory can be asked, in the domain's words.

use std::fmt;
use std::pin::Pin;

use lanyard_lifecycle::{DirectoryId, ObjectId, ObjectKind, ObjectState};
use uuid::Uuid;

use crate::change::{Batch, ChangesError, Cursor};
use crate::check::Check;
use crate::ignorance::Ignorance;

/// A future of a trait that is used as an object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One service of one directory: the users and devices of an Entra ID tenant, its managed devices
/// in Intune, an instance of Jamf Pro.
///
/// Every call ends within a deadline of its own, retries what is worth it, and is counted and
/// traced; callers need none of this. No call changes anything at the directory.
pub trait Connector: fmt::Debug + Send + Sync {
    /// The directory whose objects these are. Several connectors may serve one.
    fn directory(&self) -> DirectoryId;

    /// What people call the service: "Entra ID", "Intune", "Jamf Pro".
    fn name(&self) -> &'static str;

    /// Which kinds of object can be asked for here, and how each tells of its changes.
    fn feeds(&self) -> &[Feed];

    /// Asks for one object.
    ///
    /// # Errors
    /// Whenever the directory neither described the object nor said by its documented "not found"
    /// that it has none; also for a query that this connector has no way to ask.
    fn look_up<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Found, Ignorance>>;

    /// Asks for many objects of one kind at once, and gives as many answers, in that order.
    ///
    /// This is what proves the absences that a sweep suggests. Connectors whose service takes
    /// several questions in one request send them so.
    fn look_up_all<'a>(
        &'a self,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Found, Ignorance>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(queries.len());
            for query in queries {
                answers.push(self.look_up(query).await);
            }
            answers
        })
    }

    /// The next page of objects of a kind, after `cursor`; without one, from the beginning: every
    /// object there is.
    ///
    /// What a page says is safe to record before the next is asked for, and a cursor may be used
    /// again: after a restart the round goes on from the last one that was kept. States may come
    /// twice.
    ///
    /// # Errors
    /// [`ChangesError::Resync`] when the directory no longer knows the cursor: start again without
    /// one. Else ignorance: ask again later with the same cursor.
    fn changes<'a>(
        &'a self,
        kind: ObjectKind,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Batch, ChangesError>>;

    /// Tries everything that this connector needs, and says how it went: a line a thing.
    fn check(&self) -> BoxFuture<'_, Vec<Check>>;
}

/// A kind of object that a connector serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// The kind.
    pub kind: ObjectKind,
    /// How its changes are learnt.
    pub how: FeedKind,
}

/// How the changes of a kind of object are learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedKind {
    /// The directory keeps a log: after the first round each further one holds what has changed,
    /// removals included.
    Delta,
    /// There is no log: every round names all objects. An object that a *complete* round did not
    /// name may be gone, and a look-up has to prove it: pages shift while objects come and go.
    Sweep,
    /// Objects can be asked for one at a time only; [`Connector::changes`] is refused.
    LookupOnly,
}

/// A question for one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// The kind of object.
    pub kind: ObjectKind,
    /// What it is known by.
    pub by: By,
}

impl Query {
    /// An object by its id.
    pub const fn id(kind: ObjectKind, object: ObjectId) -> Self {
        Self { kind, by: By::Id(object) }
    }

    /// A user in Entra ID by user principal name.
    pub fn user_principal_name(name: impl Into<String>) -> Self {
        Self { kind: ObjectKind::EntraUser, by: By::UserPrincipalName(name.into()) }
    }
}

/// What an object is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum By {
    /// Its id, as [`ObjectKind`] defines it. Every kind can be asked so.
    Id(ObjectId),
    /// The user principal name, in any letter case: Entra users.
    UserPrincipalName(String),
    /// The e-mail address: Jamf users.
    Email(String),
    /// The user name: Jamf users.
    Username(String),
    /// The id of the directory object, which for Entra devices is not their id.
    GraphId(Uuid),
    /// The deviceId in Entra ID: Intune devices. Where several managed devices carry it, the one
    /// enrolled last is found.
    EntraDeviceId(Uuid),
}

/// The answer to a question for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every answer is a state, and short-lived")]
pub enum Found {
    /// The object's state. Absent only where it was asked for by its id.
    State(ObjectState),
    /// There is none with that name, address or other property: proven, but of no object.
    NoSuch,
}

impl Found {
    /// The state, where there is one.
    pub fn state(self) -> Option<ObjectState> {
        match self {
            Self::State(state) => Some(state),
            Self::NoSuch => None,
        }
    }
}
