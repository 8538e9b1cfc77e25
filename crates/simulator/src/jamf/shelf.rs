//! Objects of one kind in the order of their numbers, and the pages of a list of them.

use super::rsql::{self, Filter};
use crate::tenant::{
    blueprint::Blueprint,
    clock::Time,
    table::{Record, Removal, Table, View},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// Objects of one kind. Their numbers start at 1, none is used twice.
#[derive(Debug)]
pub struct Shelf<R: Record<Id = u32>> {
    table: Table<R>,
    blueprint: Arc<Blueprint>,
    next: u32,
    removed: BTreeSet<u32>,
    changed: BTreeSet<u32>,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The page, from 0 on.
    pub page: usize,
    /// How many objects a page has.
    pub size: usize,
    /// The property that the number is in.
    pub id: &'static str,
    /// Which objects.
    pub filter: Option<Filter>,
    /// By which property, and in which direction; by number where nothing is said.
    pub sort: Option<(String, Direction)>,
}

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

impl<R: Record<Id = u32>> Shelf<R> {
    /// The generated objects.
    pub fn new(blueprint: &Arc<Blueprint>) -> Self {
        let next = u32::try_from(R::generated(blueprint)).unwrap_or(u32::MAX).saturating_add(1);
        Self {
            table: Table::new(Arc::clone(blueprint)),
            blueprint: Arc::clone(blueprint),
            next,
            removed: BTreeSet::new(),
            changed: BTreeSet::new(),
        }
    }

    /// The number of the next object that is made.
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        usize::try_from(self.table.count()).unwrap_or(usize::MAX)
    }

    /// The object with this number.
    pub fn find(&self, id: u32) -> Option<Arc<R>> {
        self.table.find(id)
    }

    /// An object to see what objects of this kind have.
    pub fn sample(&self) -> R {
        R::generate(&self.blueprint, 0)
    }

    /// What a replica shows.
    pub fn seen(&self, view: View) -> Seen<'_, R> {
        Seen { shelf: self, view }
    }

    /// Takes a new object, whose number is [`Shelf::next`].
    pub fn add(&mut self, record: R, now: Time) -> Arc<R> {
        self.next = self.next.max(record.id().saturating_add(1));
        self.changed.insert(record.id());
        self.table.put(record, now)
    }

    /// Changes an object; nothing where there is none.
    pub fn replace(&mut self, record: R, now: Time) -> Option<Arc<R>> {
        self.find(record.id())?;
        self.changed.insert(record.id());
        Some(self.table.put(record, now))
    }

    /// Deletes an object; nothing where there is none.
    pub fn remove(&mut self, id: u32, now: Time) -> Option<Arc<R>> {
        let removed = self.table.remove(id, Removal::Permanent, now)?;
        self.removed.insert(id);
        self.changed.remove(&id);
        Some(removed)
    }
}

/// Objects of one kind as a replica shows them: all, or those of some time ago.
#[derive(Debug)]
pub struct Seen<'a, R: Record<Id = u32>> {
    shelf: &'a Shelf<R>,
    view: View,
}

/// How many objects are looked at in one go.
const RUN: usize = 500;

impl<'a, R: Record<Id = u32>> Seen<'a, R> {
    /// The object with this number.
    pub fn find(&self, id: u32) -> Option<Arc<R>> {
        self.shelf.table.find_in(self.view, id)
    }

    /// The object with this other key.
    pub fn find_by(&self, key: &R::Alternate) -> Option<Arc<R>> {
        self.shelf.table.find_by_in(self.view, key)
    }

    /// Those that were made or changed since the tenant was generated.
    pub fn changed(&self) -> impl Iterator<Item = Arc<R>> + 'a {
        let (changed, table, view) = (&self.shelf.changed, &self.shelf.table, self.view);
        changed.iter().filter_map(move |id| table.find_in(view, *id))
    }

    /// What the objects were generated from.
    pub fn blueprint(&self) -> &'a Blueprint {
        &self.shelf.blueprint
    }

    /// All of them, by their numbers.
    pub fn all(&self) -> impl Iterator<Item = Arc<R>> + 'a {
        let (table, view) = (&self.shelf.table, self.view);
        let mut next = Some(0);
        let runs = std::iter::from_fn(move || {
            let page = table.page(view, next?, RUN);
            next = page.next;
            Some(page.records)
        });
        runs.flatten()
    }

    /// A page of the list and how many objects the whole list has. Pages are cut anew at every call:
    /// an object that was deleted between two calls moves the others forward.
    pub fn list(&self, selection: &Selection, shape: impl Fn(&R) -> Value) -> (usize, Vec<Arc<R>>) {
        let from = selection.page.saturating_mul(selection.size);
        let plain = selection.filter.is_none() && selection.sort.is_none();
        if plain && self.view == View::Current {
            return (self.shelf.count(), self.run(from, selection.size));
        }
        let candidates = self.candidates(selection);
        let is = |record: &Arc<R>| {
            selection.filter.as_ref().is_none_or(|filter| filter.matches(&shape(record)))
        };
        let matching = candidates.filter(is);
        let Some((path, direction)) = &selection.sort else {
            return cut(matching, from, selection.size);
        };
        let mut matching: Vec<_> = matching.collect();
        matching.sort_by_cached_key(|record| sort_key(&shape(record), path));
        if *direction == Direction::Descending {
            matching.reverse();
        }
        cut(matching.into_iter(), from, selection.size)
    }

    /// Up to `limit` objects after the first `skip` that are there.
    fn run(&self, skip: usize, limit: usize) -> Vec<Arc<R>> {
        let mut place = skip as u64;
        for removed in &self.shelf.removed {
            if u64::from(*removed) > place + 1 {
                break;
            }
            place += 1;
        }
        self.shelf.table.page(self.view, place, limit).records
    }

    /// The objects that the filter can match: few where it names numbers, else all.
    fn candidates(&self, selection: &Selection) -> Box<dyn Iterator<Item = Arc<R>> + 'a> {
        match selection.filter.as_ref().and_then(|filter| filter.exactly(selection.id)) {
            Some(ids) => {
                let ids: BTreeSet<u32> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                let (table, view) = (&self.shelf.table, self.view);
                Box::new(ids.into_iter().filter_map(move |id| table.find_in(view, id)))
            }
            None => Box::new(self.all()),
        }
    }
}

/// How many there are, and those from a place on.
fn cut<T>(all: impl Iterator<Item = T>, from: usize, limit: usize) -> (usize, Vec<T>) {
    let (mut count, mut page) = (0, Vec::new());
    for one in all {
        if count >= from && page.len() < limit {
            page.push(one);
        }
        count += 1;
    }
    (count, page)
}

/// Numbers before texts, each in its order.
fn sort_key(shape: &Value, path: &str) -> (Option<i64>, String) {
    let text = match rsql::property(shape, path) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    (text.parse().ok(), text)
}
