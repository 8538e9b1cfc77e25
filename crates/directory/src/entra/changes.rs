//! What has changed: the delta of users and of devices, and all risky users.
//!
//! A page of a further round may name only those properties of an object that have changed. So may
//! one of a first round that names an object again, which shows by its lacking what every object has;
//! what else a first round leaves out was never set. An object that was named in part is looked up before the page is handed out, so that every state is whole; a page whose
//! objects cannot be looked up now is not handed out, and is read again later. What will never be
//! told of one object holds up no other: the page is handed out without it. One that has changed and
//! is not found is handed out beside the page: only the notice of its removal is the log's word.

use std::time::Duration;

use ::http::header::ACCEPT;
use ::http::{HeaderName, Method};
use lanyard_lifecycle::{ObjectKey, ObjectKind, ObjectState, Presence, Properties};
use lanyard_pki::Time;
use tracing::warn;

use super::look_up::Told;
use super::wire::{GraphDevice, GraphRisky, GraphUser};
use super::{EntraId, UserRisk};
use crate::change::{Batch, Change, ChangesError, Cursor, RoundEnd};
use crate::connector::{By, Found, Query};
use crate::graph::cursor::{Place, Round};
use crate::graph::walk::{Collection, Ends, Read};
use crate::graph::{Permission, Version};
use crate::http::Retry;
use crate::ignorance::{Ignorance, Why};

impl EntraId {
    pub(super) async fn read_changes(
        &self,
        kind: ObjectKind,
        cursor: Option<&Cursor>,
    ) -> Result<Batch, ChangesError> {
        let place = Place::parse(cursor, kind).ok_or(ChangesError::Resync)?;
        match kind {
            ObjectKind::EntraUser if self.risk != UserRisk::Alone => self.users(place).await,
            ObjectKind::EntraDevice if self.risk != UserRisk::Alone => self.devices(place).await,
            ObjectKind::RiskyUser if self.risk.is_followed() => self.risky(place).await,
            _ => {
                let service = self.graph.service().name();
                let detail = format!("changes of a {}", kind.text());
                Err(Ignorance::new(service, "read changes", Why::NotAskable, detail).into())
            }
        }
    }

    async fn users(&self, place: Place<'_>) -> Result<Batch, ChangesError> {
        let collection = Collection {
            operation: "read changes of users",
            permission: Permission::DIRECTORY.name,
            first: self.graph.query(&["users", "delta"], &[("$select", GraphUser::SELECT)]),
            ends: Ends::WithDeltaLink,
        };
        let read: Read<GraphUser> = self.graph.read(&collection, place).await?;
        let (mut changes, mut partial) = (Vec::with_capacity(read.page.value.len()), Vec::new());
        for user in read.page.value {
            let object = user.id.into();
            if user.removed.is_some() {
                let key = ObjectKey { directory: self.directory, kind: place.kind, object };
                changes.push(Change::State(ObjectState::absent(key, read.asked)));
            } else if user.is_whole() || (place.round == Round::First && user.is_introduced()) {
                let properties = Properties::EntraUser(user.properties());
                changes.push(self.present(object, properties, read.asked));
            } else {
                partial.push(Query::id(place.kind, object));
            }
        }
        let looked_up = self.complete(&partial, &mut changes).await?;
        let total = self.total("users", place, read.end).await;
        Ok(Batch { changes, looked_up, next: read.next, end: read.end, total })
    }

    async fn devices(&self, place: Place<'_>) -> Result<Batch, ChangesError> {
        let collection = Collection {
            operation: "read changes of devices",
            permission: Permission::DIRECTORY.name,
            first: self.graph.query(&["devices", "delta"], &[("$select", GraphDevice::SELECT)]),
            ends: Ends::WithDeltaLink,
        };
        let read: Read<GraphDevice> = self.graph.read(&collection, place).await?;
        let (mut changes, mut partial) = (Vec::with_capacity(read.page.value.len()), Vec::new());
        for device in read.page.value {
            if device.removed.is_some() {
                changes.push(removed(device.id, read.asked));
                continue;
            }
            match device.device_id {
                // Without a deviceId no certificate can name it.
                Some(None) => {}
                Some(Some(id))
                    if device.is_whole()
                        || (place.round == Round::First && device.is_introduced()) =>
                {
                    let properties = Properties::EntraDevice(device.properties());
                    changes.push(self.present(id.into(), properties, read.asked));
                }
                _ => partial.push(Query { kind: place.kind, by: By::GraphId(device.id) }),
            }
        }
        let looked_up = self.complete(&partial, &mut changes).await?;
        let total = self.total("devices", place, read.end).await;
        Ok(Batch { changes, looked_up, next: read.next, end: read.end, total })
    }

    /// How many objects a first round is going to name: a log of changes does not say. It is for
    /// progress only, so it is asked once, briefly, and goes without an answer.
    async fn total(&self, collection: &str, place: Place<'_>, end: RoundEnd) -> Option<u64> {
        let begins = place.link.is_none() && end == RoundEnd::MorePages;
        if !begins {
            return None;
        }
        let url = self.graph.url(Version::V1, &[collection, "$count"]);
        let call = self
            .graph
            .call("count objects", Method::GET, &url)
            .permission(Permission::DIRECTORY.name)
            .header(HeaderName::from_static("consistencylevel"), "eventual")
            .header(ACCEPT, "text/plain")
            .retry(Retry::Never)
            .within(PATIENCE_FOR_TOTAL);
        let answer =
            self.graph.send(call).await.ok().filter(|answer| answer.status.is_success())?;
        let text = std::str::from_utf8(&answer.body).ok()?;
        text.trim_start_matches('\u{feff}').trim().parse().ok()
    }

    async fn risky(&self, place: Place<'_>) -> Result<Batch, ChangesError> {
        let query = [("$top", "500"), ("$select", GraphRisky::SELECT)];
        let collection = Collection {
            operation: "read risky users",
            permission: Permission::RISKY_USERS.name,
            first: self.protection.query(&["identityProtection", "riskyUsers"], &query),
            ends: Ends::Bare,
        };
        let read: Read<GraphRisky> = self.protection.read(&collection, place).await?;
        let state = |user: GraphRisky| {
            let object = user.id.into();
            self.present(object, Properties::RiskyUser(user.properties()), read.asked)
        };
        let changes = read.page.value.into_iter().map(state).collect();
        let looked_up = Vec::new();
        Ok(Batch { changes, looked_up, next: read.next, end: read.end, total: read.page.count })
    }

    /// Looks up what a page named in part, and tells what of it was not found: a replica may not
    /// have what the log tells of, and of a removal the log gives notice.
    async fn complete(
        &self,
        partial: &[Query],
        changes: &mut Vec<Change>,
    ) -> Result<Vec<Change>, ChangesError> {
        let mut missing = Vec::new();
        let answers = self.ask_each(partial).await;
        for (query, answer) in partial.iter().zip(answers) {
            match (answer?, &query.by) {
                (Told::Found(Found::State(state)), _) if state.presence == Presence::Absent => {
                    missing.push(Change::State(state));
                }
                (Told::Found(Found::State(state)), _) => changes.push(Change::State(state)),
                (Told::Found(Found::NoSuch), By::GraphId(id)) => {
                    missing.push(removed(*id, self.graph.service().ambient().now()));
                }
                (Told::Found(Found::NoSuch) | Told::Nameless(_), _) => {}
                (Told::Refused(ignorance), by) => {
                    warn!(
                        object = ?by,
                        %ignorance,
                        "An object that has changed cannot be read; what is known of it stays as it was"
                    );
                    if let By::Id(object) = *by {
                        let (directory, kind) = (self.directory, query.kind);
                        let key = ObjectKey { directory, kind, object };
                        let learnt = self.graph.service().ambient().now();
                        changes.push(Change::Seen { key, learnt });
                    }
                }
            }
        }
        Ok(missing)
    }

    fn present(
        &self,
        object: lanyard_lifecycle::ObjectId,
        properties: Properties,
        learnt: Time,
    ) -> Change {
        Change::State(ObjectState::present(self.directory, object, properties, learnt))
    }
}

/// How long the first page of a round may wait to learn how many there are.
const PATIENCE_FOR_TOTAL: Duration = Duration::from_secs(5);

const fn removed(graph_id: uuid::Uuid, learnt: Time) -> Change {
    Change::RemovedByGraphId { kind: ObjectKind::EntraDevice, graph_id, learnt }
}
