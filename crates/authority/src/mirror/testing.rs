//! A directory by script: objects that a test creates, changes and deletes, told as real ones tell, with faults.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use lanyard_directory::{
    Batch, BoxFuture, By, Change, ChangesError, Check, Connector, Cursor, Feed, FeedKind, Found,
    Ignorance, Query, RoundEnd, Why,
};
use lanyard_lifecycle::id::{DirectoryId, ObjectId};
use lanyard_lifecycle::object::{
    EntraUser, IntuneDevice, JamfDevice, JamfUser, ManagementState, ObjectKey, ObjectKind,
    ObjectState, Properties, RiskLevel, RiskyUser,
};
use tokio::sync::Semaphore;

use crate::Clock as _;
use crate::clock::ManualClock;

/// The directory of every test.
pub(crate) const TENANT: DirectoryId = DirectoryId::from_bytes([0xD1; 16]);

/// How many may look up at a time.
pub(crate) const GATE: usize = 1_000;

/// A connector whose directory is in memory: users with a log of changes, devices and users at risk without.
#[derive(Debug)]
pub(crate) struct Scripted {
    feeds: Vec<Feed>,
    clock: Arc<ManualClock>,
    world: Mutex<World>,
    /// Every look-up waits for one of these.
    pub(crate) gate: Semaphore,
}

/// What is there, and what goes wrong.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) objects: BTreeMap<(ObjectKind, ObjectId), Properties>,
    /// Every change ever, in order.
    log: Vec<(ObjectKind, ObjectId)>,
    /// Positions in the log before this one are forgotten.
    pub(crate) forgotten: usize,
    /// Objects that no reading shows, although they are there.
    pub(crate) hidden: BTreeSet<ObjectId>,
    /// Objects that look-ups do not find, although they are there.
    pub(crate) denied: BTreeSet<ObjectId>,
    /// Objects that the log names in part, so that they are looked up.
    pub(crate) in_part: BTreeSet<ObjectId>,
    /// What the next pages fail with.
    pub(crate) page_faults: VecDeque<Why>,
    /// What the next look-ups fail with.
    pub(crate) look_up_faults: VecDeque<Why>,
    /// Whether the way from a page to the next is refused.
    pub(crate) refuses_links: bool,
    /// Questions that were asked.
    pub(crate) look_ups: usize,
    pub(crate) pages: usize,
    /// The most objects on a page.
    pub(crate) page: usize,
}

impl Scripted {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        let feed = |kind, how| Feed { kind, how };
        Arc::new(Self {
            feeds: vec![
                feed(ObjectKind::EntraUser, FeedKind::Delta),
                feed(ObjectKind::IntuneDevice, FeedKind::Sweep),
                feed(ObjectKind::RiskyUser, FeedKind::Sweep),
                feed(ObjectKind::EntraDevice, FeedKind::LookupOnly),
            ],
            clock,
            world: Mutex::new(World { page: 3, ..World::default() }),
            gate: Semaphore::new(GATE),
        })
    }

    /// One that has computers and users of Jamf Pro, too.
    pub(crate) fn with_jamf(clock: Arc<ManualClock>) -> Arc<Self> {
        let mut script = Self::new(clock);
        let feeds = &mut Arc::get_mut(&mut script).expect("nobody else has it yet").feeds;
        for kind in [ObjectKind::JamfComputer, ObjectKind::JamfUser] {
            feeds.push(Feed { kind, how: FeedKind::Sweep });
        }
        script
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn whole(&self, world: &World, kind: ObjectKind, after: ObjectId, start: usize) -> Batch {
        let next = if after == ObjectId::from_u128(0) {
            (kind, ObjectId::from_u128(0))
        } else {
            (kind, ObjectId::from_u128(u128::from_be_bytes(after.to_bytes()) + 1))
        };
        let shown = world.objects.range(next..).take_while(|((k, _), _)| *k == kind);
        let shown = shown.filter(|((_, id), _)| !world.hidden.contains(id));
        let page: Vec<_> = shown.take(world.page).map(|((_, id), p)| (*id, p.clone())).collect();
        let end =
            if page.len() < world.page { RoundEnd::RoundComplete } else { RoundEnd::MorePages };
        let next = match page.last().filter(|_| end == RoundEnd::MorePages) {
            Some((last, _)) => format!("all {last} {start}"),
            None => format!("log {start}"),
        };
        let total = world.objects.keys().filter(|(of, _)| *of == kind).count() as u64;
        let state = |(id, properties)| Change::State(self.state(id, properties));
        let changes = page.into_iter().map(state).collect();
        let looked_up = Vec::new();
        Batch { changes, looked_up, next: Cursor::new(next), end, total: Some(total) }
    }

    fn log(&self, world: &World, kind: ObjectKind, from: usize) -> Batch {
        let end = world.log.len().min(from + world.page);
        let of_kind = world.log[from..end].iter().copied().filter(|(of, _)| *of == kind);
        // What is named in part is looked up; the log tells only what was found.
        let is_missed =
            |(_, id): &(_, ObjectId)| world.in_part.contains(id) && world.denied.contains(id);
        let (missed, told): (Vec<_>, Vec<_>) = of_kind.partition(is_missed);
        let absent =
            |(kind, id)| Change::State(ObjectState::absent(key(kind, id), self.clock.now()));
        let looked_up = missed.into_iter().map(absent);
        let changes = told.into_iter().map(|(kind, id)| match world.objects.get(&(kind, id)) {
            Some(properties) => Change::State(self.state(id, properties.clone())),
            None => absent((kind, id)),
        });
        let is_last = end == world.log.len();
        let round_end = if is_last { RoundEnd::RoundComplete } else { RoundEnd::MorePages };
        let next = Cursor::new(format!("log {end}"));
        let (changes, looked_up) = (changes.collect(), looked_up.collect());
        Batch { changes, looked_up, next, end: round_end, total: None }
    }

    fn state(&self, id: ObjectId, properties: Properties) -> ObjectState {
        ObjectState::present(TENANT, id, properties, self.clock.now())
    }
}

impl World {
    /// Creates or changes an object.
    pub(crate) fn put(&mut self, id: u128, properties: Properties) {
        let key = (properties.kind(), ObjectId::from_u128(id));
        self.objects.insert(key, properties);
        self.log.push(key);
    }

    /// Deletes one.
    pub(crate) fn delete(&mut self, kind: ObjectKind, id: u128) {
        let key = (kind, ObjectId::from_u128(id));
        if self.objects.remove(&key).is_some() {
            self.log.push(key);
        }
    }

    /// Forgets what has changed so far.
    pub(crate) fn forget_changes(&mut self) {
        self.forgotten = self.log.len() + 1;
        self.log.push((ObjectKind::JamfUser, ObjectId::from_u128(0)));
    }
}

impl Connector for Scripted {
    fn directory(&self) -> DirectoryId {
        TENANT
    }

    fn name(&self) -> &'static str {
        "Example"
    }

    fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    fn look_up<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Found, Ignorance>> {
        Box::pin(async move {
            self.world().look_ups += 1;
            let _entered = self.gate.acquire().await.unwrap();
            let mut world = self.world();
            if let Some(why) = world.look_up_faults.pop_front() {
                return Err(trouble(why));
            }
            let found = match &query.by {
                By::Id(id) => match world.objects.get(&(query.kind, *id)) {
                    Some(properties) if !world.denied.contains(id) => {
                        self.state(*id, properties.clone())
                    }
                    _ => ObjectState::absent(key(query.kind, *id), self.clock.now()),
                },
                By::UserPrincipalName(upn) => {
                    let named = |properties: &Properties| match properties {
                        Properties::EntraUser(user) => {
                            user.user_principal_name.as_ref() == Some(upn)
                        }
                        _ => false,
                    };
                    let user = world.objects.iter().find(|(_, properties)| named(properties));
                    let Some(((_, id), properties)) = user else { return Ok(Found::NoSuch) };
                    self.state(*id, properties.clone())
                }
                By::Email(email) => {
                    let named = |properties: &Properties| match properties {
                        Properties::JamfUser(user) => user.email.as_ref() == Some(email),
                        _ => false,
                    };
                    let user = world.objects.iter().find(|(_, properties)| named(properties));
                    let Some(((_, id), properties)) = user else { return Ok(Found::NoSuch) };
                    self.state(*id, properties.clone())
                }
                _ => return Err(trouble(Why::NotAskable)),
            };
            Ok(Found::State(found))
        })
    }

    fn changes<'a>(
        &'a self,
        kind: ObjectKind,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Batch, ChangesError>> {
        let mut world = self.world();
        world.pages += 1;
        if let Some(why) = world.page_faults.pop_front() {
            return Box::pin(std::future::ready(Err(trouble(why).into())));
        }
        let words: Vec<&str> = cursor.map_or("", Cursor::as_str).split(' ').collect();
        let is_log = self.feeds.iter().any(|f| f.kind == kind && f.how == FeedKind::Delta);
        let batch = match words.as_slice() {
            ["all", ..] if world.refuses_links => {
                return Box::pin(std::future::ready(Err(ChangesError::Resync)));
            }
            ["all", after, start] => {
                self.whole(&world, kind, after.parse().unwrap(), start.parse().unwrap())
            }
            ["log", from] if is_log => {
                let from = from.parse().unwrap();
                if from < world.forgotten {
                    return Box::pin(std::future::ready(Err(ChangesError::Resync)));
                }
                self.log(&world, kind, from)
            }
            _ => self.whole(&world, kind, ObjectId::from_u128(0), world.log.len()),
        };
        Box::pin(std::future::ready(Ok(batch)))
    }

    fn check(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(std::future::ready(vec![Check::ok("Script", "It is read.")]))
    }
}

fn trouble(why: Why) -> Ignorance {
    Ignorance::new("Example", "ask", why, "as the test has it")
}

/// An object of the test's directory.
pub(crate) fn key(kind: ObjectKind, object: ObjectId) -> ObjectKey {
    ObjectKey { directory: TENANT, kind, object }
}

pub(crate) fn user(upn: &str, is_enabled: bool) -> Properties {
    Properties::EntraUser(EntraUser {
        user_principal_name: Some(upn.to_owned()),
        account_enabled: Some(is_enabled),
        ..EntraUser::default()
    })
}

pub(crate) fn device(state: ManagementState) -> Properties {
    Properties::IntuneDevice(IntuneDevice {
        management_state: Some(state),
        ..IntuneDevice::default()
    })
}

pub(crate) fn computer() -> Properties {
    Properties::JamfComputer(JamfDevice::default())
}

pub(crate) fn jamf_user() -> Properties {
    Properties::JamfUser(JamfUser::default())
}

pub(crate) fn at_risk(level: RiskLevel) -> Properties {
    Properties::RiskyUser(RiskyUser { risk_level: Some(level), ..RiskyUser::default() })
}

pub(crate) fn risky() -> Properties {
    Properties::RiskyUser(RiskyUser::default())
}
