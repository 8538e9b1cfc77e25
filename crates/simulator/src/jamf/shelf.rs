//! Objects of one kind in the order of their numbers, and the pages of a list of them.

use super::rsql::Filter;
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

    /// What it was generated from.
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        usize::try_from(self.table.count()).unwrap_or(usize::MAX)
    }

    /// The object with this number.
    pub fn find(&self, id: u32) -> Option<Arc<R>> {
        self.table.find(id)
    }

    /// The object with this other key.
    pub fn find_by(&self, key: &R::Alternate) -> Option<Arc<R>> {
        self.table.find_by(key)
    }

    /// Those that were made or changed since the tenant was generated.
    pub fn changed(&self) -> impl Iterator<Item = Arc<R>> {
        self.changed.iter().filter_map(|id| self.find(*id))
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

    /// All of them.
    pub fn all(&self) -> Vec<Arc<R>> {
        self.table.page(View::Current, 0, usize::MAX).records
    }

    /// A page of the list and how many objects the whole list has. Pages are cut anew at every call:
    /// an object that was deleted between two calls moves the others forward.
    pub fn list(&self, selection: &Selection, shape: impl Fn(&R) -> Value) -> (usize, Vec<Arc<R>>) {
        let from = selection.page.saturating_mul(selection.size);
        if selection.filter.is_none() && selection.sort.is_none() {
            return (self.count(), self.run(from, selection.size));
        }
        let mut matching: Vec<_> = self.candidates(selection.filter.as_ref());
        if let Some(filter) = &selection.filter {
            matching.retain(|record| filter.matches(&shape(record)));
        }
        if let Some((path, direction)) = &selection.sort {
            let key = |record: &Arc<R>| {
                let shape = shape(record);
                let found = path.split('.').try_fold(&shape, |value, name| value.get(name));
                let text = match found {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                (text.parse::<i64>().ok(), text)
            };
            matching.sort_by_cached_key(key);
            if *direction == Direction::Descending {
                matching.reverse();
            }
        }
        let total = matching.len();
        (total, matching.into_iter().skip(from).take(selection.size).collect())
    }

    /// Up to `limit` objects after the first `skip` that are there.
    fn run(&self, skip: usize, limit: usize) -> Vec<Arc<R>> {
        let mut place = skip as u64;
        for removed in &self.removed {
            if u64::from(*removed) > place + 1 {
                break;
            }
            place += 1;
        }
        self.table.page(View::Current, place, limit).records
    }

    /// The objects that the filter can match: few where it names numbers, else all.
    fn candidates(&self, filter: Option<&Filter>) -> Vec<Arc<R>> {
        match filter.and_then(|filter| filter.exactly("id")) {
            Some(ids) => {
                let ids: BTreeSet<u32> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                ids.into_iter().filter_map(|id| self.find(id)).collect()
            }
            None => self.all(),
        }
    }
}
