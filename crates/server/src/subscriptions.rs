//! Keeps the subscriptions by which a directory tells at once that something has changed: made once, renewed before they
//! end, made anew when they are gone. One process of several does it, under a lease.
//!
//! Without them, changes are found by the next round; what a notification leads to is in `routes/notifications.rs`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lanyard_directory::{Ignorance, Renewed, Subscription, SubscriptionRequest};
use lanyard_lifecycle::id::OrganizationId;
use lanyard_pki::Time;
use lanyard_store::{Store, StoreError, StoredSetting};
use secrecy::SecretString;
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
    let callers = app.callers.iter().filter_map(|caller| match &caller.how {
        HowTold::Graph(graph) => Some((caller, graph)),
        HowTold::Webhook(_) => None,
    });
    let kept = callers.map(|(caller, graph)| keep_one(&app, &store, &owner, caller, graph));
    futures_util::future::join_all(kept).await;
}

async fn keep_one(app: &App, store: &Store, owner: &str, caller: &Caller, graph: &GraphCaller) {
    let mut told = None;
    loop {
        let now = app.now();
        let lease = format!("subscription {}", caller.directory);
        let outcome = match store.take_lease(&lease, owner, now, now.plus(LEASE)).await {
            Ok(Some(_)) => look(store, caller, graph, now).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        };
        let trouble = outcome.err().map(|error| error.to_string());
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

/// Makes, renews or leaves the subscription as it is. What a notification demanded and could not be done is still demanded.
async fn look(
    store: &Store,
    caller: &Caller,
    graph: &GraphCaller,
    now: Time,
) -> Result<(), KeepError> {
    let demand = graph.demands.swap(0, Ordering::SeqCst);
    let outcome = see_to(store, caller, graph, now, demand).await;
    if outcome.is_err() {
        graph.demands.fetch_or(demand, Ordering::SeqCst);
    }
    outcome
}

async fn see_to(
    store: &Store,
    caller: &Caller,
    graph: &GraphCaller,
    now: Time,
    demand: u8,
) -> Result<(), KeepError> {
    let name = format!("directory.subscription.{}", caller.directory);
    let kept = store.setting(OrganizationId::DEFAULT, &name).await?;
    let kept = kept.and_then(|kept| serde_json::from_str::<Kept>(&kept.value).ok());
    let kept = kept.filter(|kept| kept.url == graph.url && kept.subscription.until() > now);
    let renewed = match &kept {
        None => None,
        Some(_) if demand & GraphCaller::REMOVED != 0 => None,
        Some(kept) if demand & GraphCaller::REAUTHORIZE != 0 => {
            Some(graph.subscriptions.reauthorize(&kept.subscription.id).await?)
        }
        Some(kept) if kept.subscription.until() > now.plus(RENEWED_BEFORE) => return Ok(()),
        Some(kept) => Some(graph.subscriptions.renew(&kept.subscription.id, now.plus(LIFE)).await?),
    };
    let subscription = match (kept, renewed) {
        (Some(kept), Some(Renewed::Until(until))) => {
            Subscription { until_unix: until.unix(), ..kept.subscription }
        }
        _ => subscribe(graph, now).await?,
    };
    let kept = Kept { subscription, url: graph.url.clone() };
    let value = serde_json::to_string(&kept)?;
    let setting = StoredSetting { value, updated_at: now, updated_by: "system".to_owned() };
    Ok(store.set_setting(OrganizationId::DEFAULT, &name, setting, None).await?)
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
