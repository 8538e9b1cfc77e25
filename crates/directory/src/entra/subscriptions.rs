//! Graph's subscriptions: being told that users have changed. Devices are not among what Graph
//! documents, and are read in rounds.

use std::time::Duration;

use ::http::{Method, StatusCode};
use lanyard_lifecycle::ObjectKind;
use lanyard_pki::Time;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::EntraId;
use crate::connector::BoxFuture;
use crate::graph::{Page, Permission, Version};
use crate::http::{Answer, Retry};
use crate::ignorance::{Ignorance, Why};
use crate::rfc3339;
use crate::subscription::{Listed, Renewed, Subscription, SubscriptionRequest, Subscriptions};

/// The longest that a subscription to users lasts: 29 days.
const LONGEST_SECONDS: i64 = 41_760 * 60;

/// How long Graph may take to subscribe: each of the two addresses has 10 s for its answer.
const HANDSHAKES: Duration = Duration::from_secs(25);

/// An application has a hundred subscriptions in a tenant at most.
const MOST_PAGES: usize = 16;

impl Subscriptions for EntraId {
    fn subscribable(&self) -> &[ObjectKind] {
        &[ObjectKind::EntraUser]
    }

    fn subscribe<'a>(
        &'a self,
        request: &'a SubscriptionRequest,
    ) -> BoxFuture<'a, Result<Subscription, Ignorance>> {
        Box::pin(async move {
            let operation = "subscribe";
            let unaskable = |detail: &str| {
                Ignorance::new(self.graph.service().name(), operation, Why::NotAskable, detail)
            };
            if request.kind != ObjectKind::EntraUser {
                return Err(unaskable("Graph offers notifications of users only"));
            }
            let body = json!({
                "changeType": "created,updated,deleted",
                "notificationUrl": request.notification_url,
                "lifecycleNotificationUrl": request.lifecycle_url,
                "resource": "users",
                "expirationDateTime": rfc3339::text(self.shortened(request.until)),
                "clientState": request.client_state.expose_secret(),
            });
            let url = self.graph.url(Version::V1, &["subscriptions"]);
            // Sent twice it would be two subscriptions.
            let call = self
                .graph
                .call(operation, Method::POST, &url)
                .permission(Permission::DIRECTORY.name)
                .retry(Retry::Unprocessed)
                .each_within(HANDSHAKES)
                .json(&body)
                .map_err(|_| unaskable("the request cannot be written"))?;
            let answer = self.graph.send(call).await?;
            let taken: Taken = answer.json()?;
            let until_unix = taken.until(&answer)?.unix();
            Ok(Subscription { id: taken.id, until_unix })
        })
    }

    fn listed(&self) -> BoxFuture<'_, Result<Vec<Listed>, Ignorance>> {
        Box::pin(async move {
            let mut url = self.graph.url(Version::V1, &["subscriptions"]);
            let mut listed = Vec::new();
            for _ in 0..MOST_PAGES {
                let operation = "list subscriptions";
                let answer = self.graph.get(operation, &url, Permission::DIRECTORY.name).await?;
                let page: Page<One> = answer.json()?;
                listed.extend(page.value.into_iter().map(|one| Listed {
                    id: one.id,
                    notification_url: one.notification_url.unwrap_or_default(),
                }));
                let Some(next) = page.next_link else { break };
                url = self.graph.link(&next).ok_or_else(|| {
                    answer.unreadable("a link that leads to another service, which is not followed")
                })?;
            }
            Ok(listed)
        })
    }

    fn renew<'a>(
        &'a self,
        subscription: &'a str,
        until: Time,
    ) -> BoxFuture<'a, Result<Renewed, Ignorance>> {
        Box::pin(async move {
            let operation = "renew a subscription";
            let until = rfc3339::text(self.shortened(until));
            let url = self.graph.url(Version::V1, &["subscriptions", subscription]);
            let unwritable =
                |_| Ignorance::new(self.graph.service().name(), operation, Why::NotAskable, "");
            let call = self
                .graph
                .call(operation, Method::PATCH, &url)
                .permission(Permission::DIRECTORY.name)
                .retry(Retry::Always)
                .json(&json!({ "expirationDateTime": until }))
                .map_err(unwritable)?;
            let answer = self.graph.send(call).await?;
            if is_gone(&answer) {
                return Ok(Renewed::Gone);
            }
            Ok(Renewed::Until(answer.json::<Taken>()?.until(&answer)?))
        })
    }

    fn reauthorize<'a>(
        &'a self,
        subscription: &'a str,
    ) -> BoxFuture<'a, Result<Renewed, Ignorance>> {
        Box::pin(async move {
            let path = ["subscriptions", subscription, "reauthorize"];
            let url = self.graph.url(Version::V1, &path);
            let call = self
                .graph
                .call("reauthorize a subscription", Method::POST, &url)
                .permission(Permission::DIRECTORY.name)
                .retry(Retry::Always);
            let answer = self.graph.send(call).await?;
            if is_gone(&answer) {
                return Ok(Renewed::Gone);
            }
            if !answer.status.is_success() {
                return Err(answer.refusal());
            }
            // The answer says nothing of how long it lasts now; the subscription does.
            let url = self.graph.url(Version::V1, &["subscriptions", subscription]);
            let operation = "read a subscription";
            let answer = self.graph.get(operation, &url, Permission::DIRECTORY.name).await?;
            if is_gone(&answer) {
                return Ok(Renewed::Gone);
            }
            Ok(Renewed::Until(answer.json::<Taken>()?.until(&answer)?))
        })
    }

    fn unsubscribe<'a>(&'a self, subscription: &'a str) -> BoxFuture<'a, Result<(), Ignorance>> {
        Box::pin(async move {
            let url = self.graph.url(Version::V1, &["subscriptions", subscription]);
            let call = self
                .graph
                .call("end a subscription", Method::DELETE, &url)
                .permission(Permission::DIRECTORY.name)
                .retry(Retry::Always);
            let answer = self.graph.send(call).await?;
            if answer.status.is_success() || is_gone(&answer) {
                return Ok(());
            }
            Err(answer.refusal())
        })
    }
}

impl EntraId {
    /// At most as long as Graph allows, less the time that the request takes.
    fn shortened(&self, until: Time) -> Time {
        until.min(self.graph.service().ambient().now().plus(LONGEST_SECONDS - 60))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    id: String,
    notification_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    id: String,
    expiration_date_time: String,
}

impl Taken {
    fn until(&self, answer: &Answer) -> Result<Time, Ignorance> {
        let until = rfc3339::time(&self.expiration_date_time);
        until.ok_or_else(|| answer.unreadable("a subscription without an end"))
    }
}

/// Whether Graph says that it has no such subscription. Taking one for gone costs a new one, which
/// is why its own code is not asked for, only its error document.
fn is_gone(answer: &Answer) -> bool {
    matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE)
        && answer.error_code().is_some()
}
