//! Objects of one kind: generated ones that take no memory, and those that were made or changed.
//!
//! A table keeps what a replica that lags behind would still show, and a log of changes for delta
//! queries. What an object is, its record says.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::blueprint::Blueprint;
use super::clock::Time;

/// How long a lagging replica can be behind: older versions are forgotten.
const MEMORY: Duration = Duration::from_hours(1);

/// How long a change can be asked for by a delta query.
pub const LOG_LIFE: Duration = Duration::from_hours(7 * 24);

/// An object that a table can hold.
pub trait Record: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// What it is found by.
    type Id: Copy + Debug + Eq + Ord + Hash + Send + Sync;
    /// What else it is found by.
    type Alternate: Clone + Debug + Eq + Hash + Send + Sync;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// Its other key, where it has one.
    fn alternate(&self) -> Option<Self::Alternate>;
    /// How many of them a tenant is generated with.
    fn generated(blueprint: &Blueprint) -> u64;
    /// The `n`-th generated one.
    fn generate(blueprint: &Blueprint, n: u64) -> Self;
    /// Which of the generated ones has this id; may answer beyond their number.
    fn ordinal(blueprint: &Blueprint, id: Self::Id) -> Option<u64>;
    /// Which of the generated ones has this other key; may answer beyond their number.
    fn ordinal_of_alternate(blueprint: &Blueprint, key: &Self::Alternate) -> Option<u64>;
}

/// How an object went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It can be restored: a deleted user for 30 days.
    Soft,
    /// It is gone for good.
    Permanent,
}

/// Which state of the directory is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// The current one.
    #[default]
    Current,
    /// The one that a replica shows that has seen nothing since then.
    AsOf(Time),
}

/// Where a reader stands in a log of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// What an object of a delta query has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed<R: Record> {
    /// It is there, and this is how it is.
    Present(Arc<R>),
    /// It is not there any more.
    Removed(R::Id, Removal),
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<R> {
    /// The objects, possibly none.
    pub records: Vec<Arc<R>>,
    /// Where the next part starts; nothing after the last.
    pub next: Option<u64>,
}

/// A part of the changes.
#[derive(Debug, Clone)]
pub struct Changes<R: Record> {
    /// What changed.
    pub changed: Vec<Changed<R>>,
    /// Where to go on.
    pub next: Position,
    /// Whether there is more already.
    pub more: bool,
}

/// The log does not reach back that far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the changes since then are not kept any more")]
pub struct TooOld;

#[derive(Debug, Clone)]
enum State<R> {
    Present(Arc<R>),
    Absent,
    Removed(Removal, Arc<R>),
}

impl<R> State<R> {
    fn present(&self) -> Option<Arc<R>> {
        match self {
            Self::Present(record) => Some(Arc::clone(record)),
            Self::Absent | Self::Removed(..) => None,
        }
    }
}

#[derive(Debug)]
struct History<R> {
    /// When it was made, for objects that were not generated.
    made: Option<Time>,
    versions: VecDeque<(Time, State<R>)>,
}

#[derive(Debug)]
struct Entry<I> {
    at: Time,
    id: I,
}

/// Objects of one kind.
#[derive(Debug)]
pub struct Table<R: Record> {
    blueprint: Arc<Blueprint>,
    touched: HashMap<R::Id, History<R>>,
    made: Vec<R::Id>,
    /// Those that were made or changed, the newest last.
    by_alternate: HashMap<R::Alternate, Vec<R::Id>>,
    removed: u64,
    /// Softly removed objects, the oldest first; some of them may have been restored since.
    restorable: VecDeque<(Time, R::Id)>,
    log: VecDeque<Entry<R::Id>>,
    log_start: u64,
}

impl<R: Record> Table<R> {
    /// The generated objects of a tenant.
    pub fn new(blueprint: Arc<Blueprint>) -> Self {
        Self {
            blueprint,
            touched: HashMap::new(),
            made: Vec::new(),
            by_alternate: HashMap::new(),
            removed: 0,
            restorable: VecDeque::new(),
            log: VecDeque::new(),
            log_start: 0,
        }
    }

    /// How many objects there are.
    pub fn count(&self) -> u64 {
        (R::generated(&self.blueprint) + self.made.len() as u64).saturating_sub(self.removed)
    }

    /// The object with this id.
    pub fn find(&self, id: R::Id) -> Option<Arc<R>> {
        self.find_in(View::Current, id)
    }

    /// The object with this id, as a replica shows it.
    pub fn find_in(&self, view: View, id: R::Id) -> Option<Arc<R>> {
        match self.touched.get(&id) {
            Some(history) => self.version(history, view, id),
            None => self.base(id),
        }
    }

    /// The object with this other key.
    pub fn find_by(&self, key: &R::Alternate) -> Option<Arc<R>> {
        self.find_by_in(View::Current, key)
    }

    /// The object with this other key, as a replica shows it.
    pub fn find_by_in(&self, view: View, key: &R::Alternate) -> Option<Arc<R>> {
        self.all_by_in(view, key).pop()
    }

    /// Every object with this other key, the newest last: a device may be enrolled again.
    pub fn all_by_in(&self, view: View, key: &R::Alternate) -> Vec<Arc<R>> {
        let generated = R::ordinal_of_alternate(&self.blueprint, key)
            .filter(|n| *n < R::generated(&self.blueprint))
            .map(|n| R::generate(&self.blueprint, n).id());
        let touched = self.by_alternate.get(key).into_iter().flatten().copied();
        let generated = generated.filter(|id| !touched.clone().any(|own| own == *id));
        generated
            .into_iter()
            .chain(touched)
            .filter_map(|id| self.find_in(view, id))
            .filter(|record| record.alternate().as_ref() == Some(key))
            .collect()
    }

    /// Some object, if there ever was one.
    pub fn example(&self) -> Option<Arc<R>> {
        if R::generated(&self.blueprint) > 0 {
            return Some(Arc::new(R::generate(&self.blueprint, 0)));
        }
        self.made.iter().find_map(|id| self.find(*id))
    }

    /// Whether somebody made or changed this object since the tenant was generated.
    pub fn is_touched(&self, id: R::Id) -> bool {
        self.touched.contains_key(&id)
    }

    /// Every object that somebody made or changed, in the order of their ids.
    pub fn all_touched(&self, view: View) -> Vec<Arc<R>> {
        let mut ids: Vec<_> = self.touched.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| self.find_in(view, id)).collect()
    }

    /// When this object was made; nothing for a generated one.
    pub fn made_at(&self, id: R::Id) -> Option<Time> {
        self.touched.get(&id)?.made
    }

    /// A removed object that can be restored.
    pub fn removed(&self, id: R::Id) -> Option<(Time, Arc<R>)> {
        match self.touched.get(&id)?.versions.back()? {
            (at, State::Removed(Removal::Soft, record)) => Some((*at, Arc::clone(record))),
            _ => None,
        }
    }

    /// Every removed object that can be restored, in the order of their ids.
    pub fn all_removed(&self) -> Vec<(Time, Arc<R>)> {
        let mut ids: Vec<_> = self.touched.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| self.removed(id)).collect()
    }

    /// Up to `limit` objects of the whole list from a place in it on.
    pub fn page(&self, view: View, from: u64, limit: usize) -> Page<R> {
        self.page_where(view, from, limit, |_| true)
    }

    /// Up to `limit` objects that match, from a place in the whole list on.
    pub fn page_where(
        &self,
        view: View,
        from: u64,
        limit: usize,
        matches: impl Fn(&R) -> bool,
    ) -> Page<R> {
        self.page_until(view, from, u64::MAX, limit, matches)
    }

    /// The same, looking at no more than `looks` places of the list.
    pub fn page_until(
        &self,
        view: View,
        from: u64,
        looks: u64,
        limit: usize,
        matches: impl Fn(&R) -> bool,
    ) -> Page<R> {
        let end = R::generated(&self.blueprint) + self.made.len() as u64;
        let stop = end.min(from.saturating_add(looks));
        let (mut at, mut records) = (from, Vec::new());
        while at < stop && records.len() < limit {
            records.extend(self.at(view, at).filter(|record| matches(record)));
            at += 1;
        }
        Page { records, next: (at < end).then_some(at) }
    }

    fn at(&self, view: View, place: u64) -> Option<Arc<R>> {
        let generated = R::generated(&self.blueprint);
        if place >= generated {
            let made = usize::try_from(place - generated).ok()?;
            return self.find_in(view, *self.made.get(made)?);
        }
        let record = R::generate(&self.blueprint, place);
        match self.touched.get(&record.id()) {
            Some(history) => self.version(history, view, record.id()),
            None => Some(Arc::new(record)),
        }
    }

    /// Makes an object, or replaces the one with its id.
    pub fn put(&mut self, record: R, now: Time) -> Arc<R> {
        let (id, record) = (record.id(), Arc::new(record));
        let before = self.find(id);
        let known = self.base(id).is_some() || self.touched.contains_key(&id);
        if !known {
            self.made.push(id);
        } else if before.is_none() {
            self.removed -= 1;
        }
        let old = before.as_ref().and_then(|before| before.alternate());
        if let Some(old) = old.filter(|old| record.alternate().as_ref() != Some(old))
            && let Some(ids) = self.by_alternate.get_mut(&old)
        {
            ids.retain(|own| *own != id);
        }
        if let Some(key) = record.alternate() {
            let ids = self.by_alternate.entry(key).or_default();
            ids.retain(|own| *own != id);
            ids.push(id);
        }
        self.remember(id, State::Present(Arc::clone(&record)), now);
        record
    }

    /// Changes an object; nothing when it is not there.
    pub fn change(&mut self, id: R::Id, now: Time, how: impl FnOnce(&mut R)) -> Option<Arc<R>> {
        let mut record = R::clone(&*self.find(id)?);
        how(&mut record);
        Some(self.put(record, now))
    }

    /// Takes an object away; nothing when it was not there.
    pub fn remove(&mut self, id: R::Id, removal: Removal, now: Time) -> Option<Arc<R>> {
        let record = self.find(id)?;
        self.removed += 1;
        if removal == Removal::Soft {
            self.restorable.push_back((now, id));
        }
        self.remember(id, State::Removed(removal, Arc::clone(&record)), now);
        Some(record)
    }

    /// Takes a softly removed object away for good; nothing when there was none.
    pub fn purge(&mut self, id: R::Id, now: Time) -> Option<Arc<R>> {
        let (_, record) = self.removed(id)?;
        self.remember(id, State::Removed(Removal::Permanent, Arc::clone(&record)), now);
        Some(record)
    }

    /// Whether an object was softly removed before this time, and may be so still.
    pub fn has_expired(&self, before: Time) -> bool {
        self.restorable.front().is_some_and(|(at, _)| *at < before)
    }

    /// Takes away for good what was softly removed before this time.
    pub fn expire(&mut self, before: Time, now: Time) {
        while let Some((at, id)) = self.restorable.pop_front_if(|(at, _)| *at < before) {
            if self.removed(id).is_some_and(|(removed, _)| removed == at) {
                self.purge(id, now);
            }
        }
    }

    /// Brings a softly removed object back; nothing when there was none.
    pub fn restore(&mut self, id: R::Id, now: Time) -> Option<Arc<R>> {
        let (_, record) = self.removed(id)?;
        Some(self.put(R::clone(&*record), now))
    }

    /// Where the log ends now.
    pub fn position(&self) -> Position {
        Position(self.log_start + self.log.len() as u64)
    }

    /// Up to `limit` entries of the log since then, each with what has become of the object.
    pub fn changes(&self, view: View, since: Position, limit: usize) -> Result<Changes<R>, TooOld> {
        let skip = since.0.checked_sub(self.log_start).ok_or(TooOld)?;
        let skip = usize::try_from(skip).map_err(|_| TooOld)?;
        let mut changed = Vec::new();
        for entry in self.log.iter().skip(skip).take(limit) {
            if matches!(view, View::AsOf(seen) if entry.at > seen) {
                break;
            }
            changed.push(match self.find_in(view, entry.id) {
                Some(record) => Changed::Present(record),
                None => Changed::Removed(entry.id, self.removal(entry.id)),
            });
        }
        let next = Position(since.0 + changed.len() as u64);
        let more = changed.len() == limit && next < self.position();
        Ok(Changes { changed, next, more })
    }

    fn removal(&self, id: R::Id) -> Removal {
        match self.removed(id) {
            Some(_) => Removal::Soft,
            None => Removal::Permanent,
        }
    }

    fn base(&self, id: R::Id) -> Option<Arc<R>> {
        let n = R::ordinal(&self.blueprint, id).filter(|n| *n < R::generated(&self.blueprint))?;
        Some(Arc::new(R::generate(&self.blueprint, n)))
    }

    fn version(&self, history: &History<R>, view: View, id: R::Id) -> Option<Arc<R>> {
        let seen = match view {
            View::Current => return history.versions.back()?.1.present(),
            View::AsOf(seen) => seen,
        };
        match history.versions.iter().rev().find(|(from, _)| *from <= seen) {
            Some((_, state)) => state.present(),
            None if history.made.is_some() => None,
            None => self.base(id),
        }
    }

    fn remember(&mut self, id: R::Id, state: State<R>, now: Time) {
        let base = self.base(id);
        let history = self.touched.entry(id).or_insert_with(|| History {
            made: base.is_none().then_some(now),
            versions: VecDeque::from([(
                Time::from_unix_seconds(i64::MIN),
                base.map_or(State::Absent, State::Present),
            )]),
        });
        history.versions.push_back((now, state));
        let horizon = now.minus(MEMORY);
        while history.versions.get(1).is_some_and(|(from, _)| *from < horizon) {
            history.versions.pop_front();
        }
        self.log.push_back(Entry { at: now, id });
        let horizon = now.minus(LOG_LIFE);
        while self.log.front().is_some_and(|entry| entry.at < horizon) {
            self.log.pop_front();
            self.log_start += 1;
        }
    }
}
