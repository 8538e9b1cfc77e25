//! Keeps the subscriptions by which a directory tells at once that something has changed: made once, renewed before they
//! end, made anew when they are gone, and ended when nobody wants them any more. One process of several does it, under a
//! lease; what a notification says of the subscription itself reaches that one by the store.
//!
//! A subscription may have been made although nobody heard of it: before one is made, those that lead to the same address
//! are ended. Without subscriptions, changes are found by the next round; what a notification leads to is in `routes/notifications.rs`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::Either;
use lanyard_directory::{Ignorance, Renewed, Subscription, SubscriptionRequest, Subscriptions};
use lanyard_lifecycle::id::{DirectoryId, OrganizationId};
use lanyard_pki::Time;
use lanyard_store::{Store, StoreError, StoredSetting};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::app::App;
use crate::directories::{Caller, GraphCaller, HowTold};

/// How long a subscription is asked for, in seconds; services shorten it.
const LIFE: i64 = 3 * 86_400;

/// How much of it is left when it is renewed, in seconds.
const RENEWED_BEFORE: i64 = 86_400;

/// How often it is looked at.
const LOOK: Duration = Duration::from_mins(1);

/// For how long a lease is taken, in seconds.
const LEASE: i64 = 180;

/// What is remembered of a subscription, so that a restart makes no second one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    subscription: Subscription,
    url: Url,
    /// When it was made or authorised last, in seconds since 1970: what was demanded before is done.
    #[serde(default)]
    seen_to: i64,
}

/// What notifications last demanded of the subscription, and when, in seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Demanded {
    /// It is over: a new one is to be made.
    removed: Option<i64>,
    /// It has to be authorised anew.
    reauthorize: Option<i64>,
}

/// Why a subscription is not as it should be.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Directory(#[from] Ignorance),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("what is remembered of the subscription cannot be written: {0}")]
    Form(#[from] serde_json::Error),
}

/// Keeps the subscriptions of every directory that has some, for as long as it is polled.
pub(crate) async fn keep(app: Arc<App>, store: Store) {
    let owner = app.world.entropy.as_ref();
    let owner = hex::encode(lanyard_authority::entropy::random::<16>(owner));
    let keeping = app.callers.iter().filter_map(|caller| {
        let keeper = Keeper { store: &store, owner: &owner, directory: caller.directory };
        match &caller.how {
            HowTold::Graph(graph) => Some(Either::Left(keep_one(&app, keeper, caller, graph))),
            HowTold::Never(subscriptions) => {
                Some(Either::Right(end_one(&app, keeper, caller, subscriptions.as_ref())))
            }
            HowTold::Webhook(_) => None,
        }
    });
    futures_util::future::join_all(keeping).await;
}

async fn keep_one(app: &App, keeper: Keeper<'_>, caller: &Caller, graph: &GraphCaller) {
    let mut told = None;
    loop {
        let trouble = keeper.visit(graph, app.now()).await.err().map(|error| error.to_string());
        if trouble != told
            && let Some(trouble) = &trouble
        {
            tracing::warn!(directory = %caller.name, "No notifications of changes: {trouble}");
        }
        told = trouble;
        // Told or not, it is looked at again.
        let _ = tokio::time::timeout(LOOK, graph.wake.notified()).await;
    }
}

/// Ends what was subscribed to before nobody wanted it any more.
async fn end_one(
    app: &App,
    keeper: Keeper<'_>,
    caller: &Caller,
    subscriptions: &dyn Subscriptions,
) {
    let mut told = None;
    loop {
        match keeper.end(subscriptions, app.now()).await {
            Ok(Ended::Yes) => return,
            Ok(Ended::ByAnother) => {}
            Err(error) => {
                let trouble = Some(error.to_string());
                if trouble != told {
                    tracing::warn!(
                        directory = %caller.name, "The subscription cannot be ended: {error}"
                    );
                }
                told = trouble;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether a subscription that nobody wants is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Yes,
    /// Another process sees to it.
    ByAnother,
}

/// Who keeps the subscription of one directory.
#[derive(Debug, Clone, Copy)]
struct Keeper<'a> {
    store: &'a Store,
    owner: &'a str,
    directory: DirectoryId,
}

impl Keeper<'_> {
    /// Passes on what notifications demanded here, and sees to the subscription if that is this process's affair.
    async fn visit(self, graph: &GraphCaller, now: Time) -> Result<(), KeepError> {
        let demand = graph.demands.swap(0, Ordering::SeqCst);
        if let Err(error) = self.pass_on(demand, now).await {
            graph.demands.fetch_or(demand, Ordering::SeqCst);
            return Err(error);
        }
        if self.holds_lease(now).await? { self.see_to(graph, now).await } else { Ok(()) }
    }

    async fn holds_lease(self, now: Time) -> Result<bool, KeepError> {
        let lease = format!("subscription {}", self.directory);
        let taken = self.store.take_lease(&lease, self.owner, now, now.plus(LEASE)).await?;
        Ok(taken.is_some())
    }

    /// Leaves word for whoever holds the lease.
    async fn pass_on(self, demand: u8, now: Time) -> Result<(), KeepError> {
        if demand == 0 {
            return Ok(());
        }
        let mut demanded = self.demanded().await?;
        if demand & GraphCaller::REMOVED != 0 {
            demanded.removed = Some(now.unix());
        }
        if demand & GraphCaller::REAUTHORIZE != 0 {
            demanded.reauthorize = Some(now.unix());
        }
        self.write(DEMANDED, &demanded, now).await
    }

    /// Makes, renews or leaves the subscription as it is.
    async fn see_to(self, graph: &GraphCaller, now: Time) -> Result<(), KeepError> {
        let kept = self.kept().await?;
        let demanded = self.demanded().await?;
        let is_open = |demand: Option<i64>, kept: &Kept| demand.is_some_and(|at| at > kept.seen_to);
        let ours =
            kept.as_ref().filter(|kept| kept.url == graph.url && kept.subscription.until() > now);
        let (subscriptions, end) = (&graph.subscriptions, now.plus(LIFE));
        let (renewed, seen_to) = match ours {
            None => (None, now.unix()),
            Some(kept) if is_open(demanded.removed, kept) => (None, now.unix()),
            Some(kept) if is_open(demanded.reauthorize, kept) => {
                (Some(subscriptions.reauthorize(&kept.subscription.id).await?), now.unix())
            }
            Some(kept) if kept.subscription.until() > now.plus(RENEWED_BEFORE) => return Ok(()),
            Some(kept) => {
                (Some(subscriptions.renew(&kept.subscription.id, end).await?), kept.seen_to)
            }
        };
        let kept = if let (Some(kept), Some(Renewed::Until(until))) = (ours, renewed) {
            let subscription =
                Subscription { until_unix: until.unix(), ..kept.subscription.clone() };
            Kept { subscription, seen_to, ..kept.clone() }
        } else {
            end_leftovers(graph, kept.as_ref()).await?;
            let subscription = subscribe(graph, now).await?;
            Kept { subscription, url: graph.url.clone(), seen_to: now.unix() }
        };
        self.write(KEPT, &kept, now).await
    }

    /// Ends the subscription that is remembered.
    async fn end(self, subscriptions: &dyn Subscriptions, now: Time) -> Result<Ended, KeepError> {
        let Some(kept) = self.kept().await? else { return Ok(Ended::Yes) };
        if !self.holds_lease(now).await? {
            return Ok(Ended::ByAnother);
        }
        subscriptions.unsubscribe(&kept.subscription.id).await?;
        self.write(KEPT, &None::<Kept>, now).await?;
        Ok(Ended::Yes)
    }

    async fn kept(self) -> Result<Option<Kept>, KeepError> {
        Ok(self.read::<Option<Kept>>(KEPT).await?.flatten())
    }

    async fn demanded(self) -> Result<Demanded, KeepError> {
        Ok(self.read(DEMANDED).await?.unwrap_or_default())
    }

    async fn read<T: DeserializeOwned>(self, what: &str) -> Result<Option<T>, KeepError> {
        let name = format!("{what}.{}", self.directory);
        let setting = self.store.setting(OrganizationId::DEFAULT, &name).await?;
        // What cannot be read is made anew.
        Ok(setting.and_then(|setting| serde_json::from_str(&setting.value).ok()))
    }

    async fn write(self, what: &str, value: &impl Serialize, now: Time) -> Result<(), KeepError> {
        let name = format!("{what}.{}", self.directory);
        let value = serde_json::to_string(value)?;
        let setting = StoredSetting { value, updated_at: now, updated_by: "system".to_owned() };
        Ok(self.store.set_setting(OrganizationId::DEFAULT, &name, setting, None).await?)
    }
}

/// The setting that remembers the subscription of a directory, before its id.
const KEPT: &str = "directory.subscription";

/// The one with what is demanded of it.
const DEMANDED: &str = "directory.subscription_demand";

/// Ends the subscriptions that lead here, or where the last one led: one that was made although its answer was lost
/// would go on until it ends by itself.
async fn end_leftovers(graph: &GraphCaller, kept: Option<&Kept>) -> Result<(), Ignorance> {
    for listed in graph.subscriptions.listed().await? {
        let Ok(url) = Url::parse(&listed.notification_url) else { continue };
        if url == graph.url || kept.is_some_and(|kept| kept.url == url) {
            graph.subscriptions.unsubscribe(&listed.id).await?;
        }
    }
    Ok(())
}

async fn subscribe(graph: &GraphCaller, now: Time) -> Result<Subscription, Ignorance> {
    let client_state: SecretString = graph.client_state.clone();
    let request = SubscriptionRequest {
        kind: graph.kind,
        notification_url: graph.url.clone(),
        lifecycle_url: graph.url.clone(),
        until: now.plus(LIFE),
        client_state,
    };
    graph.subscriptions.subscribe(&request).await
}

#[cfg(test)]
mod tests;
