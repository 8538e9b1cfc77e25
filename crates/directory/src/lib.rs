//! Connectors to the directories whose objects certificates follow: look an object up, tell what
//! has changed, and say in words what is wrong.
//!
//! A connector speaks the domain's words ([`Connector`]). Only a directory's documented "not
//! found", or its documented notice of a removal, makes an object absent; everything else that goes
//! wrong is an [`Ignorance`], which is never an answer. What follows from an answer, how long it is
//! kept and which object belongs to which certificate are not decided here.
//!
//! Time of day and randomness are arguments ([`Ambient`]); deadlines and pauses are tokio's time,
//! which tests stop and move.

pub mod ambient;
#[cfg(test)]
mod canned;
pub mod change;
pub mod check;
pub mod cloud;
pub mod connector;
pub mod entra;
pub mod graph;
pub mod http;
pub mod ignorance;
pub mod intune;
pub mod jamf;
mod rfc3339;
pub mod subscription;
pub mod tenant;
pub mod token;

pub use ambient::Ambient;
pub use change::{Batch, Change, ChangesError, Cursor, RoundEnd};
pub use check::{Check, Outcome};
pub use connector::{BoxFuture, By, Connector, Feed, FeedKind, Found, Query};
pub use ignorance::{Ignorance, Why};
pub use subscription::{Listed, Renewed, Subscription, SubscriptionRequest, Subscriptions};
