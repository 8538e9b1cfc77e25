//! Change notifications: a directory that calls when something has changed. A notification is a
//! hint to read the changes, never itself a fact.

use std::fmt;

use lanyard_lifecycle::ObjectKind;
use lanyard_pki::Time;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::connector::BoxFuture;
use crate::ignorance::Ignorance;

/// A directory that sends change notifications.
pub trait Subscriptions: fmt::Debug + Send + Sync {
    /// The kinds of object whose changes it tells of.
    fn subscribable(&self) -> &[ObjectKind];

    /// Asks to be told. The directory calls both addresses while this runs, and wants its token back
    /// within 10 s from each: the doors must be open already. Where this ends without an answer,
    /// there may be a subscription all the same ([`Subscriptions::listed`]).
    fn subscribe<'a>(
        &'a self,
        request: &'a SubscriptionRequest,
    ) -> BoxFuture<'a, Result<Subscription, Ignorance>>;

    /// The subscriptions of ours that the directory has: also those that it made and nobody heard of.
    fn listed(&self) -> BoxFuture<'_, Result<Vec<Listed>, Ignorance>>;

    /// Prolongs a subscription.
    fn renew<'a>(
        &'a self,
        subscription: &'a str,
        until: Time,
    ) -> BoxFuture<'a, Result<Renewed, Ignorance>>;

    /// Answers the directory's demand to authorise a subscription anew.
    fn reauthorize<'a>(
        &'a self,
        subscription: &'a str,
    ) -> BoxFuture<'a, Result<Renewed, Ignorance>>;

    /// Ends a subscription. One that is gone already is ended.
    fn unsubscribe<'a>(&'a self, subscription: &'a str) -> BoxFuture<'a, Result<(), Ignorance>>;
}

/// What to be told of, and where.
#[derive(Debug, Clone)]
pub struct SubscriptionRequest {
    /// The kind of object.
    pub kind: ObjectKind,
    /// Where notifications are delivered: HTTPS, reachable from the directory.
    pub notification_url: Url,
    /// Where notices about the subscription itself are delivered. Cannot be added later.
    pub lifecycle_url: Url,
    /// Until when. The directory may shorten it.
    pub until: Time,
    /// A secret that every notification repeats; at most 128 characters.
    pub client_state: SecretString,
}

/// A subscription that the directory has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id there.
    pub id: String,
    /// Until when, in seconds since 1970.
    pub until_unix: i64,
}

impl Subscription {
    /// Until when.
    pub const fn until(&self) -> Time {
        Time::from_unix(self.until_unix)
    }
}

/// A subscription as the directory lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id there.
    pub id: String,
    /// Where its notifications are delivered.
    pub notification_url: String,
}

/// What became of prolonging a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewed {
    /// It goes on.
    Until(Time),
    /// The directory does not have it any more: subscribe again, and read the changes.
    Gone,
}
