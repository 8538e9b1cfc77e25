//! Notifications: what changed, to those who subscribed, until they say that they have it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use url::Url;
use uuid::Uuid;

use super::subscription::{Authorization, Subscription};
use crate::Shared;
use crate::tenant::{Changed, Removal, Tenant, Time, View};

/// How long a client may take for its answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an undelivered notification is tried again, in the simulator's time.
const PERSEVERANCE: Duration = Duration::from_hours(4);

/// How many changes come in one request.
const TOGETHER: usize = 20;

/// What a subscription's owner is told about the subscription itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleEvent {
    /// Notifications were lost.
    Missed,
    /// The subscription is no more.
    SubscriptionRemoved,
    /// Nothing is sent before the owner authorizes it again.
    ReauthorizationRequired,
}

impl LifecycleEvent {
    /// The event of this name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Missed, Self::SubscriptionRemoved, Self::ReauthorizationRequired];
        all.into_iter().find(|event| event.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::ReauthorizationRequired => "reauthorizationRequired",
        }
    }
}

/// Something to be delivered.
#[derive(Debug)]
struct Parcel {
    tenant: Uuid,
    subscription: Subscription,
    url: Url,
    body: Value,
    kind: ParcelKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ParcelKind {
    Changes,
    Lifecycle,
}

/// Sends notifications until the simulator stops.
pub async fn run(shared: Shared) {
    let mut changes = shared.world.changes();
    let mut deliveries = JoinSet::new();
    loop {
        for parcel in collect(&shared) {
            deliveries.spawn(deliver(shared.clone(), parcel));
        }
        tokio::select! {
            woken = changes.changed() => if woken.is_err() { return },
            Some(_) = deliveries.join_next() => {}
        }
    }
}

/// Tells a subscription's owner about the subscription, and lets that happen. Whether there is such
/// a subscription.
pub fn announce(shared: &Shared, id: Uuid, event: LifecycleEvent) -> bool {
    let has = |tenant: &Tenant| tenant.graph.subscriptions.contains_key(&id);
    let Ok(tenant) = shared.world.tenant_where(has) else { return false };
    let announced = shared.world.change(tenant, |tenant, _| {
        let Some(own) = tenant.graph.subscriptions.get_mut(&id) else { return };
        match event {
            LifecycleEvent::Missed => {}
            LifecycleEvent::ReauthorizationRequired => {
                own.authorization = Authorization::Required;
            }
            LifecycleEvent::SubscriptionRemoved => {
                let gone = own.clone();
                tenant.graph.subscriptions.remove(&id);
                tenant.graph.announcements.push((gone, event));
                return;
            }
        }
        let own = own.clone();
        tenant.graph.announcements.push((own, event));
    });
    announced.is_ok()
}

/// Everything that is to be sent now.
fn collect(shared: &Shared) -> Vec<Parcel> {
    shared.world.expire_deleted();
    let mut parcels = Vec::new();
    for id in shared.world.tenants() {
        let due = |tenant: &Tenant| {
            let end = tenant.users.position();
            let now = shared.world.now();
            !tenant.graph.announcements.is_empty()
                || tenant
                    .graph
                    .subscriptions
                    .values()
                    .any(|own| own.read < end || own.expires <= now)
        };
        if !shared.world.read(id, due).unwrap_or(false) {
            continue;
        }
        let found = shared.world.change_quietly(id, collect_tenant);
        parcels.extend(found.unwrap_or_default());
    }
    parcels
}

fn collect_tenant(tenant: &mut Tenant, now: Time) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    let ended: Vec<Subscription> =
        tenant.graph.subscriptions.values().filter(|own| own.expires <= now).cloned().collect();
    for subscription in ended {
        tenant.graph.subscriptions.remove(&subscription.id);
        tenant.graph.announcements.push((subscription, LifecycleEvent::SubscriptionRemoved));
    }
    for (subscription, event) in std::mem::take(&mut tenant.graph.announcements) {
        parcels.extend(lifecycle(tenant.id, subscription, event));
    }
    let (id, end) = (tenant.id, tenant.users.position());
    for own in tenant.graph.subscriptions.values_mut() {
        if own.authorization == Authorization::Required || own.read >= end {
            continue;
        }
        match tenant.users.changes(View::Current, own.read, usize::MAX) {
            Ok(changes) => {
                let notifications: Vec<Value> = changes
                    .changed
                    .iter()
                    .filter_map(|changed| notification(id, own, changed))
                    .collect();
                parcels.extend(notifications.chunks(TOGETHER).map(|together| Parcel {
                    tenant: id,
                    subscription: own.clone(),
                    url: own.notification_url.clone(),
                    body: json!({ "value": together }),
                    kind: ParcelKind::Changes,
                }));
            }
            Err(_) => parcels.extend(lifecycle(id, own.clone(), LifecycleEvent::Missed)),
        }
        own.read = end;
    }
    parcels
}

fn notification(
    tenant: Uuid,
    own: &Subscription,
    changed: &Changed<crate::tenant::User>,
) -> Option<Value> {
    // A user that can be restored has been updated; only one that is gone for good is deleted.
    let (user, change) = match changed {
        Changed::Present(user) => (user.id, "updated"),
        Changed::Removed(id, Removal::Soft) => (*id, "updated"),
        Changed::Removed(id, Removal::Permanent) => (*id, "deleted"),
    };
    own.wants(change).then(|| {
        json!({
            "subscriptionId": own.id,
            "subscriptionExpirationDateTime": own.expires,
            "clientState": own.client_state,
            "changeType": change,
            "resource": format!("Users/{user}"),
            "tenantId": tenant,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.User",
                "@odata.id": format!("Users/{user}"),
                "id": user,
            },
        })
    })
}

fn lifecycle(tenant: Uuid, subscription: Subscription, event: LifecycleEvent) -> Option<Parcel> {
    let url = subscription.lifecycle_url.clone()?;
    let body = json!({ "value": [{
        "lifecycleEvent": event.name(),
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": subscription.expires,
        "clientState": subscription.client_state,
        "resource": subscription.resource,
        "tenantId": tenant,
        "organizationId": tenant,
    }]});
    Some(Parcel { tenant, subscription, url, body, kind: ParcelKind::Lifecycle })
}

/// Sends until it is received; what could not be delivered in time is announced as missed.
async fn deliver(shared: Shared, mut parcel: Parcel) {
    if let Some(values) = parcel.body["value"].as_array_mut() {
        for value in values {
            value["id"] = json!(shared.world.fresh_guid());
        }
    }
    let first = shared.world.now();
    let mut pause = Duration::from_secs(1);
    loop {
        let request = shared.http.post(parcel.url.clone()).json(&parcel.body).timeout(PATIENCE);
        if request.send().await.is_ok_and(|response| response.status().is_success()) {
            return;
        }
        if shared.world.now().since(first) >= PERSEVERANCE {
            break;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_mins(1));
    }
    if parcel.kind == ParcelKind::Changes {
        // The tenant is there as long as the simulator is.
        let _ = shared.world.change(parcel.tenant, |tenant, _| {
            let missed = (parcel.subscription.clone(), LifecycleEvent::Missed);
            tenant.graph.announcements.push(missed);
        });
    }
}
