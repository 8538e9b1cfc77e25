//! Computers and mobile devices, read by the API that the instance has.

use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use lanyard_lifecycle::ObjectId;
use lanyard_lifecycle::object::JamfDevice;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::collection::Collection;
use super::roster::Roster;
use super::session::{Reading, Session};
use super::wire::JamfId;
use super::wire::classic::{ComputerDocument, Device, MobileDeviceDocument};
use super::wire::pro::{Computer, MobileDevice, Page};
use super::{absence, wire};
use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};

const SECTIONS: [(&str, &str); 3] =
    [("section", "GENERAL"), ("section", "USER_AND_LOCATION"), ("section", "HARDWARE")];

/// A collection of devices.
#[derive(Debug)]
pub(super) struct Inventory {
    pub(super) collection: Collection,
    pub(super) roster: Roster,
    route: Mutex<Option<Taken>>,
}

/// By which API the instance shows a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The Pro API, in this version of the collection.
    Pro(&'static str),
    /// The Classic API.
    Classic,
}

/// The route that was taken last.
#[derive(Debug)]
struct Taken {
    route: Route,
    since: Instant,
}

/// After so long an older route is reconsidered: the instance was upgraded, or a fault on the way
/// looked like a version that it lacks.
const RECONSIDER: Duration = Duration::from_mins(10);

/// A page of a list.
pub(super) struct Listing {
    pub(super) devices: Vec<(JamfId, JamfDevice)>,
    /// Entries of the page, those that cannot be read included.
    pub(super) entries: usize,
    pub(super) total: u64,
}

/// A device of the Pro API.
trait Inventoried: DeserializeOwned + Into<JamfDevice> {
    fn id(&self) -> JamfId;
}

impl Inventoried for Computer {
    fn id(&self) -> JamfId {
        self.id
    }
}

impl Inventoried for MobileDevice {
    fn id(&self) -> JamfId {
        self.id
    }
}

impl Inventory {
    pub(super) fn new(collection: Collection) -> Self {
        let roster = Roster::new(collection.classic(), collection.privilege());
        Self { collection, roster, route: Mutex::new(None) }
    }

    /// The way that the instance offers: the newest version whose list answers.
    pub(super) async fn route(&self, session: &Arc<Session>) -> Result<Route, Ignorance> {
        let mut taken = self.route.lock().await;
        let newest = self.collection.versions().first().copied().map(Route::Pro);
        if let Some(taken) = taken
            .as_ref()
            .filter(|taken| Some(taken.route) == newest || taken.since.elapsed() < RECONSIDER)
        {
            return Ok(taken.route);
        }
        let route = self.offered(session).await?;
        *taken = Some(Taken { route, since: Instant::now() });
        Ok(route)
    }

    async fn offered(&self, session: &Arc<Session>) -> Result<Route, Ignorance> {
        for version in self.collection.versions() {
            let query = [("page", "0"), ("page-size", "1"), ("section", "GENERAL")];
            let answer = self.page(session, Reading::One, version, &query).await?;
            if answer.status != StatusCode::NOT_FOUND {
                answer.json::<Page<IgnoredAny>>()?;
                return Ok(Route::Pro(version));
            }
        }
        // Only a Classic API that answers is a way; a wrong address has neither.
        self.roster.listed(session).await?;
        Ok(Route::Classic)
    }

    /// A device by its number, asked for at that time; none where it is proven that there is none.
    pub(super) async fn look_up(
        &self,
        session: &Arc<Session>,
        id: JamfId,
        asked: Instant,
    ) -> Result<Found, Ignorance> {
        let route = self.route(session).await?;
        let found = match (route, self.collection) {
            (Route::Pro(version), Collection::Computers) => {
                self.pro::<Computer>(session, version, id).await
            }
            (Route::Pro(version), Collection::MobileDevices) => {
                self.pro::<MobileDevice>(session, version, id).await
            }
            (Route::Classic, _) => self.classically(session, id, asked).await,
        };
        if let Err(Ignorance { why: Why::Refused { status: 404 }, .. }) = found {
            // The instance may have been upgraded to versions without this one.
            *self.route.lock().await = None;
        }
        found
    }

    /// A page of a list of the Pro API.
    pub(super) async fn list(
        &self,
        session: &Arc<Session>,
        version: &'static str,
        page: u64,
        size: u16,
    ) -> Result<(Listing, Answer), Ignorance> {
        let (page, size) = (page.to_string(), size.to_string());
        let sort = format!("{}:asc", self.collection.id_name());
        let mut query: Vec<(&str, &str)> =
            vec![("page", &page), ("page-size", &size), ("sort", &sort)];
        query.extend(SECTIONS);
        let answer = self.page(session, Reading::Many, version, &query).await?;
        let listing = match self.collection {
            Collection::Computers => listing::<Computer>(&answer)?,
            Collection::MobileDevices => listing::<MobileDevice>(&answer)?,
        };
        Ok((listing, answer))
    }

    async fn page(
        &self,
        session: &Arc<Session>,
        reading: Reading,
        version: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, Ignorance> {
        let path = self.collection.list_path(version);
        session
            .get(self.collection.list(), reading, &path, query, self.collection.privilege())
            .await
    }

    async fn pro<T: Inventoried>(
        &self,
        session: &Arc<Session>,
        version: &str,
        id: JamfId,
    ) -> Result<Found, Ignorance> {
        let number = id.0.to_string();
        let path = self.collection.one_path(version, &number);
        let privilege = self.collection.privilege();
        let operation = self.collection.look_up();
        let query = match self.collection {
            Collection::Computers => &SECTIONS[..],
            Collection::MobileDevices => &[],
        };
        let answer = session.get(operation, Reading::One, &path, query, privilege).await?;
        if answer.status.is_success() {
            let device: T = answer.json()?;
            if device.id() != id {
                return Err(answer.unreadable("another device than the one asked for"));
            }
            return Ok(Found { device: Some(device.into()), answer });
        }
        absence::pro_says_not_found(&answer)?;
        let filter = format!("{}==\"{number}\"", self.collection.id_name());
        let query =
            [("page", "0"), ("page-size", "1"), ("section", "GENERAL"), ("filter", &filter)];
        let path = self.collection.list_path(version);
        let list = session.get(operation, Reading::One, &path, &query, privilege).await?;
        absence::list_agrees::<T>(&list, id, T::id)?;
        Ok(Found { device: None, answer })
    }

    async fn classically(
        &self,
        session: &Arc<Session>,
        id: JamfId,
        asked: Instant,
    ) -> Result<Found, Ignorance> {
        let number = id.0.to_string();
        let path = ["JSSResource", self.collection.classic(), "id", &number];
        let operation = self.collection.look_up();
        let answer =
            session.get(operation, Reading::One, &path, &[], self.collection.privilege()).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return if self.roster.lacks(session, id, asked).await? {
                Ok(Found { device: None, answer })
            } else {
                Err(answer.unreadable(absence::CONTRADICTION))
            };
        }
        let device: Device = match self.collection {
            Collection::Computers => answer.json::<ComputerDocument>()?.computer,
            Collection::MobileDevices => answer.json::<MobileDeviceDocument>()?.mobile_device,
        };
        if device.general.id != id {
            return Err(answer.unreadable("another device than the one asked for"));
        }
        Ok(Found { device: Some(device.into()), answer })
    }
}

/// Collection a look-up found.
#[derive(Debug)]
pub(super) struct Found {
    /// None where it is proven that there is none.
    pub(super) device: Option<JamfDevice>,
    /// The answer that says so.
    pub(super) answer: Answer,
}

fn listing<T: Inventoried>(answer: &Answer) -> Result<Listing, Ignorance> {
    let page: Page<T> = answer.json()?;
    let entries = page.results.len();
    let devices = page
        .results
        .into_iter()
        .filter_map(wire::Entry::read)
        .map(|device| (device.id(), device.into()))
        .collect();
    Ok(Listing { devices, entries, total: page.total_count })
}

/// The number of a device, of an object id that is one.
pub(super) fn device_id(object: ObjectId) -> Option<JamfId> {
    match object.jamf_numbers() {
        (device, 0) if device > 0 => Some(JamfId(device)),
        _ => None,
    }
}
