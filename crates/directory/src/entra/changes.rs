//! What has changed: the delta of users and of devices, and all risky users.
//!
//! A page of a further round may name only those properties of an object that have changed. So may
//! one of a first round that names an object again, which shows by its lacking what every object has;
//! what else a first round leaves out was never set. An object that was named in part is looked up before the page is handed out, so that every state is whole; a page whose
//! objects cannot be looked up now is not handed out, and is read again later. What will never be
//! told of one object holds up no other: the page is handed out without it.

use lanyard_lifecycle::{ObjectKey, ObjectKind, ObjectState, Properties};
use lanyard_pki::Time;
use tracing::warn;

use super::look_up::Told;
use super::wire::{GraphDevice, GraphRisky, GraphUser};
use super::{EntraId, UserRisk};
use crate::change::{Batch, Change, ChangesError, Cursor};
use crate::connector::{By, Found, Query};
use crate::graph::Permission;
use crate::graph::cursor::{Place, Round};
use crate::graph::walk::{Collection, Ends, Read};
use crate::ignorance::{Ignorance, Why};

impl EntraId {
    pub(super) async fn read_changes(
        &self,
        kind: ObjectKind,
        cursor: Option<&Cursor>,
    ) -> Result<Batch, ChangesError> {
        let place = Place::parse(cursor, kind).ok_or(ChangesError::Resync)?;
        match kind {
            ObjectKind::EntraUser => self.users(place).await,
            ObjectKind::EntraDevice => self.devices(place).await,
            ObjectKind::RiskyUser if self.risk == UserRisk::Followed => self.risky(place).await,
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
        self.complete(&partial, &mut changes).await?;
        Ok(Batch { changes, next: read.next, end: read.end, total: read.page.count })
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
        self.complete(&partial, &mut changes).await?;
        Ok(Batch { changes, next: read.next, end: read.end, total: read.page.count })
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
        Ok(Batch { changes, next: read.next, end: read.end, total: read.page.count })
    }

    /// Looks up what a page named in part.
    async fn complete(
        &self,
        partial: &[Query],
        changes: &mut Vec<Change>,
    ) -> Result<(), ChangesError> {
        let answers = self.ask_each(partial).await;
        for (query, answer) in partial.iter().zip(answers) {
            match (answer?, &query.by) {
                (Told::Found(Found::State(state)), _) => changes.push(Change::State(state)),
                (Told::Found(Found::NoSuch), By::GraphId(id)) => {
                    changes.push(removed(*id, self.graph.service().ambient().now()));
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
        Ok(())
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

const fn removed(graph_id: uuid::Uuid, learnt: Time) -> Change {
    Change::RemovedByGraphId { kind: ObjectKind::EntraDevice, graph_id, learnt }
}
