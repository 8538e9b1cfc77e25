//! The verb behind every question about an object: what the mirror has, if it is new enough for the question, else what
//! the directory says now.
//!
//! Where the directory tells what has changed, the mirror is as new as its last round. Where it does not, or has not of
//! late, a fact older than the directory's `max_detection_delay` is looked up: once for all who wait, for as long as an
//! answer may wait. What cannot be learnt leaves the last word standing, with its age and the reason.

use std::sync::Arc;
use std::time::Duration;

use lanyard_directory::{By, FeedKind, Found, Ignorance, Query, Why};
use lanyard_lifecycle::object::{ObjectKey, ObjectKind, ObjectState, Presence, Properties};
use lanyard_pki::Time;
use lanyard_store::{FeedKey, MirroredObject, ObjectBatch, ObjectChange, ObjectName, Sweep};

use super::flight::{Boarded, Landed, Landing};
use super::source::{MirroredDirectory, Source};
use crate::error::Doing as _;
use crate::settings::seconds;
use crate::{Authority, Fault};

/// How many look-ups may be under way or wait, for each that may be under way.
const WAITING: usize = 9;

/// How new an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// As new as the directory's `max_detection_delay` says: for a decision.
    Current,
    /// What is known, however old: for a person who looks on.
    Known,
    /// What the directory says now, because something has happened.
    Now,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every answer is an observation")]
pub enum Answer {
    /// Its directory has said this.
    Observed(Observed),
    /// Its directory knows no object of that name.
    NoSuch {
        /// When it said so.
        learnt: Time,
    },
    /// Nothing was ever learnt of it, and nothing can be now.
    Unknown(Ignorance),
}

/// What a directory has said of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What people call who said it: "Intune".
    pub service: &'static str,
    /// What was said. `learnt` is the last instant at which it is known to have been so.
    pub state: ObjectState,
    /// When the directory was first heard to have the object; none if it never was.
    pub first_seen: Option<Time>,
    /// Since when it is known to be absent.
    pub absent_since: Option<Time>,
    /// When it is too old to serve an answer, unless it is confirmed before.
    pub stale_at: Time,
    /// When it is too old for a decision, unless it is confirmed before.
    pub current_until: Time,
    /// How a change of it would be learnt before that.
    pub told: Told,
    /// Why nothing newer is known, where that was wanted.
    pub trouble: Option<Ignorance>,
}

/// How a change of an object is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Told {
    /// Its directory tells what has changed, and has done so of late.
    ByChanges,
    /// By asking for it again.
    ByAsking,
}

impl Authority {
    /// What is known of an object.
    pub async fn observe(&self, key: ObjectKey, need: Need) -> Result<Answer, Fault> {
        let feed = FeedKey { directory: key.directory, kind: key.kind };
        let known = self.known(key).await?;
        let Some((directory, source)) = self.mirror().source(feed) else {
            return Ok(unserved(feed, known));
        };
        let now = self.now();
        let observed = known.map(|known| observed(directory, source, known, now));
        if is_enough(directory, observed.as_ref(), need, now) {
            return Ok(answer(observed, None));
        }
        match self.look_up(directory, source, Query::id(key.kind, key.object)).await {
            // What was learnt is recorded, beside what was known of it.
            Ok(Found::State(state)) => {
                let known = self.known(key).await?.unwrap_or_else(|| unrecorded(state));
                Ok(answer(Some(self::observed(directory, source, known, self.now())), None))
            }
            Ok(Found::NoSuch) => Ok(answer(observed, Some(senseless(source)))),
            Err(ignorance) => Ok(answer(observed, Some(ignorance))),
        }
    }

    /// What is known of the object with a name.
    pub async fn observe_named(
        &self,
        feed: FeedKey,
        name: ObjectName,
        need: Need,
    ) -> Result<Answer, Fault> {
        let known = self.store().objects_named(feed, name.clone()).await;
        let known = namesake(known.doing("find an object by its name")?);
        if let Some(known) = known {
            // The name is of what was told last; whether that is so still is for the object to say. Who is gone,
            // or called otherwise by now, may have a successor.
            let answer = self.observe(known.state.key, need).await?;
            if is_borne(&name, &answer) {
                return Ok(answer);
            }
        }
        let Some((directory, source)) = self.mirror().source(feed) else {
            return Ok(unserved(feed, None));
        };
        let missing = self.store().missing_since(feed, name.clone()).await;
        let missing = missing.doing("recall that a directory does not know a name")?;
        let now = self.now();
        if let Some(learnt) = missing
            && match need {
                Need::Known => true,
                Need::Current => is_within(learnt, directory.settings.missing_for, now),
                Need::Now => false,
            }
        {
            return Ok(Answer::NoSuch { learnt });
        }
        if need == Need::Known {
            return Ok(Answer::Unknown(never_asked()));
        }
        let query = Query { kind: feed.kind, by: by(name) };
        match self.look_up(directory, source, query).await {
            Ok(Found::State(state)) => {
                let known = self.known(state.key).await?.unwrap_or_else(|| unrecorded(state));
                Ok(answer(Some(observed(directory, source, known, now)), None))
            }
            Ok(Found::NoSuch) => Ok(Answer::NoSuch { learnt: now }),
            Err(ignorance) => {
                let of_late =
                    |learnt: &Time| is_within(*learnt, directory.settings.missing_for, now);
                let missing = missing.filter(of_late);
                Ok(missing.map_or(Answer::Unknown(ignorance), |learnt| Answer::NoSuch { learnt }))
            }
        }
    }

    /// What is recorded of an object, and what follows from a list that is complete.
    async fn known(&self, key: ObjectKey) -> Result<Option<MirroredObject>, Fault> {
        let found = self.store().object(key).await.doing("read an object of a directory")?;
        let was_listed = found.as_ref().is_some_and(|found| found.first_seen.is_some());
        if key.kind != ObjectKind::RiskyUser || was_listed {
            return Ok(found);
        }
        // Who never was on the list of users at risk is not at risk.
        let feed = FeedKey { directory: key.directory, kind: key.kind };
        let feed = self.store().feed(feed).await.doing("read how far a feed has come")?;
        let Some(as_of) = feed.and_then(|feed| feed.as_of) else { return Ok(found) };
        let mut known = found.unwrap_or_else(|| unrecorded(ObjectState::absent(key, as_of)));
        known.confirmed = Some(as_of);
        Ok(Some(known))
    }

    /// Asks the directory, once for all who ask the same, and waits for as long as an answer may.
    async fn look_up(
        &self,
        directory: &Arc<MirroredDirectory>,
        source: &Arc<Source>,
        query: Query,
    ) -> Landed {
        let most = directory.settings.look_ups_at_once.saturating_mul(WAITING);
        let flight = directory.flights.board(&query, most, || {
            let (this, directory) = (self.clone(), Arc::clone(directory));
            let (source, query) = (Arc::clone(source), query.clone());
            tokio::spawn(async move { this.fly(&directory, &source, &query).await })
        });
        let landed = match flight {
            Boarded::Flight(flight) => {
                let deadline = directory.settings.look_up_deadline;
                let landed = tokio::time::timeout(deadline, flight).await;
                landed.unwrap_or_else(|_| {
                    Err(trouble(source, Why::TimedOut, "an answer waits no longer"))
                })
            }
            Boarded::Full => {
                let why = Why::Throttled { retry_after: None };
                Err(trouble(source, why, "too many look-ups are under way"))
            }
        };
        let outcome = match &landed {
            Ok(Found::State(state)) if state.presence == Presence::Absent => "absent",
            Ok(Found::State(_)) => "present",
            Ok(Found::NoSuch) => "no_such",
            Err(ignorance) => ignorance.why.label(),
        };
        let kind = source.key.kind.name();
        metrics::counter!(
            "lanyard_directory_look_ups_total", "kind" => kind, "outcome" => outcome
        )
        .increment(1);
        landed
    }

    async fn fly(&self, directory: &MirroredDirectory, source: &Source, query: &Query) -> Landed {
        let _landing = Landing { flights: &directory.flights, query };
        let Ok(_permit) = directory.permits.acquire().await else {
            return Err(trouble(source, Why::Unreachable, "the server stops"));
        };
        let found = source.connector.look_up(query).await?;
        if let Err(fault) = self.record_found(source, query, &found).await {
            // What was learnt is true all the same; it will be asked for again.
            tracing::error!(
                fault.id = %fault.id(), "What a directory said is not recorded: {}", fault.report()
            );
        }
        Ok(found)
    }

    async fn record_found(
        &self,
        source: &Source,
        query: &Query,
        found: &Found,
    ) -> Result<(), Fault> {
        match (found, name(&query.by)) {
            (Found::State(state), _) => {
                let batch = ObjectBatch {
                    directory: state.key.directory,
                    changes: vec![ObjectChange::State(state.clone())],
                    sweep: Sweep::NONE,
                    progress: None,
                    lease: None,
                    now: self.now(),
                };
                let applied = self.store().apply_objects(batch).await;
                self.announce_applied(applied.doing("record what a directory said")?);
                Ok(())
            }
            (Found::NoSuch, Some(name)) => {
                let recorded = self.store().record_missing(source.key, name, self.now()).await;
                recorded.doing("remember that a directory does not know a name")
            }
            (Found::NoSuch, None) => Ok(()),
        }
    }
}

/// What is recorded, with what the installation decided about its directory.
fn observed(
    directory: &MirroredDirectory,
    source: &Source,
    known: MirroredObject,
    now: Time,
) -> Observed {
    let MirroredObject { mut state, confirmed, first_seen, absent_since, .. } = known;
    state.learnt = confirmed.map_or(state.learnt, |confirmed| confirmed.max(state.learnt));
    let settings = &directory.settings;
    // Directories show new objects late: one that was never seen is asked for again soon.
    let is_new = first_seen.is_none() && state.key.kind != ObjectKind::RiskyUser;
    let delay = if is_new { settings.missing_for } else { settings.max_detection_delay };
    let is_vouched_for =
        confirmed.is_some_and(|confirmed| is_within(confirmed, settings.max_detection_delay, now));
    let told = match source.how {
        FeedKind::Delta if is_vouched_for && !is_new => Told::ByChanges,
        _ => Told::ByAsking,
    };
    Observed {
        service: source.connector.name(),
        stale_at: state.learnt.plus(seconds(settings.max_staleness)),
        current_until: state.learnt.plus(seconds(delay)),
        told,
        state,
        first_seen,
        absent_since,
        trouble: None,
    }
}

/// Whether what is known serves the need.
fn is_enough(
    directory: &MirroredDirectory,
    observed: Option<&Observed>,
    need: Need,
    now: Time,
) -> bool {
    let Some(observed) = observed else { return need == Need::Known };
    // A fact from the future is one from before the clock was set back.
    let delay = seconds(directory.settings.max_detection_delay);
    let is_plausible = observed.state.learnt <= now.plus(delay);
    match need {
        Need::Known => true,
        Need::Current => is_plausible && now <= observed.current_until,
        Need::Now => false,
    }
}

fn answer(observed: Option<Observed>, trouble: Option<Ignorance>) -> Answer {
    match (observed, trouble) {
        (Some(observed), trouble) => Answer::Observed(Observed { trouble, ..observed }),
        (None, Some(ignorance)) => Answer::Unknown(ignorance),
        (None, None) => Answer::Unknown(never_asked()),
    }
}

/// Nobody serves the directory any more, or the kind of object: what was known of it is all there is.
fn unserved(feed: FeedKey, known: Option<MirroredObject>) -> Answer {
    let ignorance = Ignorance::new(
        "Lanyard",
        "look up an object",
        Why::NotAskable,
        format!("no directory is configured that serves a {}", feed.kind.text()),
    );
    let Some(known) = known else { return Answer::Unknown(ignorance) };
    let MirroredObject { state, first_seen, absent_since, .. } = known;
    Answer::Observed(Observed {
        service: feed.kind.text(),
        stale_at: state.learnt,
        current_until: state.learnt,
        told: Told::ByAsking,
        state,
        first_seen,
        absent_since,
        trouble: Some(ignorance),
    })
}

/// What was learnt and could not be recorded.
fn unrecorded(state: ObjectState) -> MirroredObject {
    let is_present = state.presence != Presence::Absent;
    MirroredObject {
        confirmed: None,
        first_seen: is_present.then_some(state.learnt),
        absent_since: (!is_present).then_some(state.learnt),
        last_seen: Sweep::NONE,
        sequence: lanyard_store::ObjectSequence::default(),
        state,
    }
}

/// The one that is meant, of several with a name: one that is there, of devices the one enrolled last. One that is gone
/// has no name any more.
fn namesake(found: Vec<MirroredObject>) -> Option<MirroredObject> {
    let enrolled = |found: &MirroredObject| match found.state.properties() {
        Some(Properties::IntuneDevice(device)) => device.enrolled,
        _ => None,
    };
    let present = found.into_iter().filter(|one| one.state.presence != Presence::Absent);
    present.max_by_key(|one| (enrolled(one), one.sequence))
}

/// Whether an answer is of an object that is there and bears the name.
fn is_borne(name: &ObjectName, answer: &Answer) -> bool {
    match answer {
        Answer::Observed(observed) => {
            observed.state.properties().is_some_and(|properties| name.is_borne_by(properties))
        }
        Answer::NoSuch { .. } | Answer::Unknown(_) => false,
    }
}

fn by(name: ObjectName) -> By {
    match name {
        ObjectName::UserPrincipalName(name) => By::UserPrincipalName(name),
        ObjectName::Username(name) => By::Username(name),
        ObjectName::Email(address) => By::Email(address),
        ObjectName::GraphId(id) => By::GraphId(id),
        ObjectName::EntraDeviceId(id) => By::EntraDeviceId(id),
    }
}

fn name(by: &By) -> Option<ObjectName> {
    match by {
        By::Id(_) => None,
        By::UserPrincipalName(name) => Some(ObjectName::UserPrincipalName(name.clone())),
        By::Username(name) => Some(ObjectName::Username(name.clone())),
        By::Email(address) => Some(ObjectName::Email(address.clone())),
        By::GraphId(id) => Some(ObjectName::GraphId(*id)),
        By::EntraDeviceId(id) => Some(ObjectName::EntraDeviceId(*id)),
    }
}

/// What was learnt at a time to come was learnt before the clock was set back.
fn is_within(learnt: Time, span: Duration, now: Time) -> bool {
    learnt <= now && now <= learnt.plus(seconds(span))
}

fn trouble(source: &Source, why: Why, detail: &str) -> Ignorance {
    Ignorance::new(source.connector.name(), "look up an object", why, detail)
}

fn senseless(source: &Source) -> Ignorance {
    trouble(source, Why::Unreadable, "it was asked for an object by its id, and spoke of a name")
}

fn never_asked() -> Ignorance {
    Ignorance::new("Lanyard", "look up an object", Why::NotAskable, "it was never asked for")
}
