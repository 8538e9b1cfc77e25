//! Jamf Pro: its computers, mobile devices and users, and its webhooks.
//!
//! Devices are read by the Pro API in the newest version that the instance has, else by the Classic
//! API; users by the Classic API, which alone has them. When a "not found" is believed is said in
//! `absence.rs`. Nothing is ever changed at Jamf Pro.

mod absence;
mod check;
mod collection;
mod inventory;
mod people;
mod roster;
mod session;
mod settings;
mod sight;
mod sign_in;
mod sweep;
pub mod webhook;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::StreamExt;
use lanyard_lifecycle::{DirectoryId, ObjectId, ObjectKey, ObjectKind, ObjectState, Properties};
use tokio::time::Instant;

use crate::ambient::Ambient;
use crate::change::{Batch, Change, ChangesError, Cursor, RoundEnd};
use crate::check::Check;
use crate::connector::{BoxFuture, By, Connector, Feed, FeedKind, Found, Query};
use crate::http::Service;
use crate::ignorance::{Ignorance, Why};
use crate::tenant::Transports;
use collection::Collection;
use inventory::{Inventory, Route};
use people::People;
use roster::Roster;
use session::Session;
use sweep::Place;
use wire::JamfId;

pub use settings::{Credential, Settings, limits};

/// How many objects of a Classic list a batch has.
const SLICE: usize = 1000;
/// A look-up may take this long in all. It is some calls, each of which has a deadline of its own.
const LOOK_UP: std::time::Duration = std::time::Duration::from_secs(30);

/// An instance of Jamf Pro.
#[derive(Debug)]
pub struct JamfPro {
    directory: DirectoryId,
    page_size: u16,
    credential: Credential,
    session: Arc<Session>,
    computers: Inventory,
    mobile_devices: Inventory,
    people: People,
}

impl JamfPro {
    /// Collection people call it.
    pub const NAME: &str = "Jamf Pro";

    /// A connector to the instance over these wires.
    pub fn over(settings: &Settings, transports: &Transports, ambient: Ambient) -> Self {
        let transport = Arc::clone(&transports.outside);
        let service = Service::new(Self::NAME, limits(), transport, ambient);
        Self::new(Arc::new(service), settings)
    }

    /// A connector to the instance, by a service that keeps to [`limits`].
    pub fn new(service: Arc<Service>, settings: &Settings) -> Self {
        Self {
            directory: settings.directory,
            page_size: settings.page_size.clamp(1, 2000),
            credential: settings.credential.clone(),
            session: Arc::new(Session::new(service, settings)),
            computers: Inventory::new(Collection::Computers),
            mobile_devices: Inventory::new(Collection::MobileDevices),
            people: People::new(),
        }
    }

    fn inventory(&self, kind: ObjectKind) -> Option<&Inventory> {
        match kind {
            ObjectKind::JamfComputer => Some(&self.computers),
            ObjectKind::JamfMobileDevice => Some(&self.mobile_devices),
            _ => None,
        }
    }

    fn not_askable(&self, detail: &str) -> Ignorance {
        Ignorance::new(self.session.service().name(), "look up an object", Why::NotAskable, detail)
    }

    /// The answer to a question that was put at that time; within a deadline, however many calls it
    /// takes.
    async fn find(&self, query: &Query, asked: Instant) -> Result<Found, Ignorance> {
        tokio::time::timeout(LOOK_UP, self.search(query, asked)).await.unwrap_or_else(|_| {
            let name = self.session.service().name();
            Err(Ignorance::new(name, "look up an object", Why::TimedOut, ""))
        })
    }

    async fn search(&self, query: &Query, asked: Instant) -> Result<Found, Ignorance> {
        match (&query.by, self.inventory(query.kind)) {
            (By::Id(object), Some(inventory)) => self.device(inventory, *object, asked).await,
            (_, None) if query.kind == ObjectKind::JamfUser => self.user(&query.by, asked).await,
            _ => Err(self.not_askable("devices in Jamf Pro are known by their number")),
        }
    }

    async fn device(
        &self,
        inventory: &Inventory,
        object: ObjectId,
        asked: Instant,
    ) -> Result<Found, Ignorance> {
        let id = inventory::device_id(object)
            .ok_or_else(|| self.not_askable("the id is not that of a device in Jamf Pro"))?;
        let found = inventory.look_up(&self.session, id, asked).await?;
        let learnt = found.answer.asked;
        let state = if let Some(device) = found.device {
            let properties = inventory.collection.properties(device);
            ObjectState::present(self.directory, object, properties, learnt)
        } else {
            sight::is_unlimited(&self.session, &self.credential).await?;
            ObjectState::absent(self.key(inventory.collection.kind(), object), learnt)
        };
        Ok(Found::State(state))
    }

    async fn user(&self, by: &By, asked: Instant) -> Result<Found, Ignorance> {
        let found = match by {
            By::Id(object) => {
                let id = people::user_id(*object)
                    .ok_or_else(|| self.not_askable("the id is not that of a user in Jamf Pro"))?;
                self.people.by_id(&self.session, id, asked).await?
            }
            By::Email(address) => self.people.by_email(&self.session, address).await?,
            By::Username(name) => self.people.by_name(&self.session, name).await?,
            By::UserPrincipalName(_) | By::GraphId(_) | By::EntraDeviceId(_) => {
                let detail = "users in Jamf Pro are known by number, mail address or user name";
                return Err(self.not_askable(detail));
            }
        };
        let learnt = found.answer.asked;
        Ok(match (found.user, by) {
            (Some((id, user)), _) => Found::State(ObjectState::present(
                self.directory,
                ObjectId::jamf_user(0, id.0),
                Properties::JamfUser(user),
                learnt,
            )),
            (None, By::Id(object)) => {
                sight::is_unlimited(&self.session, &self.credential).await?;
                let key = self.key(ObjectKind::JamfUser, *object);
                Found::State(ObjectState::absent(key, learnt))
            }
            (None, _) => Found::NoSuch,
        })
    }

    const fn key(&self, kind: ObjectKind, object: ObjectId) -> ObjectKey {
        ObjectKey { directory: self.directory, kind, object }
    }

    async fn sweep(
        &self,
        kind: ObjectKind,
        cursor: Option<&Cursor>,
    ) -> Result<Batch, ChangesError> {
        let place = Place::of(cursor).ok_or(ChangesError::Resync)?;
        let Some(inventory) = self.inventory(kind) else {
            if kind == ObjectKind::JamfUser {
                let user = |id: JamfId| ObjectId::jamf_user(0, id.0);
                return self.slice(kind, &self.people.roster, &place, user).await;
            }
            return Err(self.not_askable("Jamf Pro has no such objects").into());
        };
        match inventory.route(&self.session).await? {
            Route::Classic => {
                let device = |id: JamfId| ObjectId::jamf_device(id.0);
                self.slice(kind, &inventory.roster, &place, device).await
            }
            Route::Pro(version) => {
                let (size, page) = match place {
                    Place::Start => (self.page_size, 0),
                    Place::Page { version: of, size, page } if of == version && size > 0 => {
                        (size, page)
                    }
                    _ => return Err(ChangesError::Resync),
                };
                self.page(inventory, version, size, page).await
            }
        }
    }

    async fn page(
        &self,
        inventory: &Inventory,
        version: &'static str,
        size: u16,
        page: u64,
    ) -> Result<Batch, ChangesError> {
        let (listing, answer) = inventory.list(&self.session, version, page, size).await?;
        let end = page.saturating_add(1).saturating_mul(u64::from(size));
        if listing.entries == 0 && page.saturating_mul(u64::from(size)) < listing.total {
            // Taken for the end, it would make everything after it look gone.
            return Err(answer.unreadable("an empty page before the end of the list").into());
        }
        let changes = listing
            .devices
            .into_iter()
            .map(|(id, device)| {
                let object = ObjectId::jamf_device(id.0);
                let properties = inventory.collection.properties(device);
                let state = ObjectState::present(self.directory, object, properties, answer.asked);
                Change::State(state)
            })
            .collect();
        let (next, end) = if end >= listing.total {
            (Place::Start, RoundEnd::RoundComplete)
        } else {
            let version = version.to_owned();
            (Place::Page { version, size, page: page + 1 }, RoundEnd::MorePages)
        };
        let looked_up = Vec::new();
        Ok(Batch { changes, looked_up, next: next.cursor(), end, total: Some(listing.total) })
    }

    /// Of a Classic list: ids only, so that all that is said is that the objects are there.
    async fn slice(
        &self,
        kind: ObjectKind,
        roster: &Roster,
        place: &Place,
        object: impl Fn(JamfId) -> ObjectId,
    ) -> Result<Batch, ChangesError> {
        let after = match place {
            Place::Start => 0,
            Place::After(id) => *id,
            Place::Page { .. } => return Err(ChangesError::Resync),
        };
        let listed = roster.listed(&self.session).await?;
        let ids = listed.after(after, SLICE);
        let changes = ids
            .iter()
            .map(|id| Change::Seen { key: self.key(kind, object(*id)), learnt: listed.learnt })
            .collect();
        let (next, end) = match ids.last() {
            Some(last) if listed.ids.last() != Some(last) => {
                (Place::After(last.0), RoundEnd::MorePages)
            }
            _ => (Place::Start, RoundEnd::RoundComplete),
        };
        let total = u64::try_from(listed.ids.len()).ok();
        let looked_up = Vec::new();
        Ok(Batch { changes, looked_up, next: next.cursor(), end, total })
    }
}

impl Connector for JamfPro {
    fn directory(&self) -> DirectoryId {
        self.directory
    }

    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn feeds(&self) -> &[Feed] {
        const FEEDS: &[Feed] = &[
            Feed { kind: ObjectKind::JamfComputer, how: FeedKind::Sweep },
            Feed { kind: ObjectKind::JamfMobileDevice, how: FeedKind::Sweep },
            Feed { kind: ObjectKind::JamfUser, how: FeedKind::Sweep },
        ];
        FEEDS
    }

    fn look_up<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Found, Ignorance>> {
        Box::pin(self.find(query, Instant::now()))
    }

    fn look_up_all<'a>(
        &'a self,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Found, Ignorance>>> {
        // One list bears witness for all of them.
        let asked = Instant::now();
        let found = futures_util::stream::iter(queries).map(move |query| self.find(query, asked));
        Box::pin(found.buffered(settings::CONNECTIONS).collect())
    }

    fn changes<'a>(
        &'a self,
        kind: ObjectKind,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Batch, ChangesError>> {
        Box::pin(self.sweep(kind, cursor))
    }

    fn check(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(self.checks())
    }
}
