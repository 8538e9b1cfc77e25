//! What a write is: an act within a transaction that others share; what happens once at the end
//! of the transaction (audit chain, counts) is collected here. Not here: when transactions begin
//! and end, which the backends decide.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use lanyard_lifecycle::{id::Scope, kind::Kind};
use lanyard_pki::Time;
use tokio::sync::oneshot;

use crate::{
    StoreError,
    column::{StandingCode, organization_column},
    query::{audit::append, issue::Issue},
    record::AuditEntry,
    sql::{ColumnType, Connection, Insert, Value},
};

/// A write. It may run more than once before its outcome counts, so it only reads itself.
pub(crate) trait Act: Send + Sync + Sized + 'static {
    /// What came of it.
    type Outcome: Send + 'static;

    /// Its name in traces.
    const NAME: &'static str;

    /// Does it, once all that it needs is in `self`.
    fn perform<C: Connection>(
        &self,
        tx: &mut Transaction<'_, C>,
    ) -> impl Future<Output = Result<Done<Self::Outcome>, StoreError>> + Send;

    /// The act as one that PostgreSQL carries out many at a time, if it is one.
    fn many_at_a_time(job: Job<Self>) -> Result<Batched, Job<Self>> {
        Err(job)
    }
}

/// The end of an act.
pub(crate) enum Done<T> {
    /// What it wrote counts.
    Keep(T),
    /// What it wrote is to be undone; the outcome says why.
    Undo(T),
}

/// A read.
pub(crate) trait Question: Send + Sync + 'static {
    /// What is learnt.
    type Answer: Send + 'static;

    /// Its name in traces.
    const NAME: &'static str;

    /// How much it reads.
    const READS: Reads;

    /// Asks.
    fn ask<C: Connection>(
        &self,
        connection: &mut C,
    ) -> impl Future<Output = Result<Self::Answer, StoreError>> + Send;
}

/// How much a question reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// A few rows by key: microseconds, done on the caller's thread where the database is in
    /// the process.
    Point,
    /// Anything more.
    Many,
}

/// An act and who waits for it.
pub(crate) struct Job<A: Act> {
    pub(crate) act: A,
    pub(crate) reply: oneshot::Sender<Result<A::Outcome, StoreError>>,
}

/// An act of issuance, which come by the thousand.
pub(crate) struct Batched(pub(crate) Box<Job<Issue>>);

/// A transaction that several acts share.
pub(crate) struct Transaction<'c, C> {
    pub(crate) connection: &'c mut C,
    pub(crate) ids: &'c Ids,
    audit: Vec<Arc<AuditEntry>>,
    counts: Vec<(CountKey, i64)>,
}

/// Where an act began, to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    audit: usize,
    counts: usize,
}

/// What certificates are counted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CountKey {
    pub(crate) scope: Scope,
    pub(crate) kind: Kind,
    pub(crate) standing: StandingCode,
}

static COUNT: Insert = Insert::new(
    "certificate_count",
    &[
        ("organization", ColumnType::Blob),
        ("department", ColumnType::Blob),
        ("kind", ColumnType::Int),
        ("standing", ColumnType::Int),
        ("n", ColumnType::Int),
    ],
    "ON CONFLICT (organization, department, kind, standing) \
     DO UPDATE SET n = certificate_count.n + excluded.n",
);

impl<'c, C: Connection> Transaction<'c, C> {
    pub(crate) fn new(connection: &'c mut C, ids: &'c Ids) -> Self {
        Self { connection, ids, audit: Vec::new(), counts: Vec::new() }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { audit: self.audit.len(), counts: self.counts.len() }
    }

    pub(crate) fn go_back_to(&mut self, mark: Mark) {
        self.audit.truncate(mark.audit);
        self.counts.truncate(mark.counts);
    }

    /// Remembers an audit entry; it is chained and written at the end of the transaction.
    pub(crate) fn audit(&mut self, entry: Option<&Arc<AuditEntry>>) {
        self.audit.extend(entry.cloned());
    }

    /// Counts certificates in or out.
    pub(crate) fn count(&mut self, key: CountKey, change: i64) {
        self.counts.push((key, change));
    }

    /// Writes what was collected; the last thing before the commit. The audit trail comes last of
    /// all, because its head is the one row that all writers wait for.
    pub(crate) async fn finish(&mut self) -> Result<(), StoreError> {
        self.write_counts().await?;
        if !self.audit.is_empty() {
            append(self.connection, &self.audit).await?;
        }
        Ok(())
    }

    async fn write_counts(&mut self) -> Result<(), StoreError> {
        let mut sums = BTreeMap::new();
        for (key, change) in &self.counts {
            *sums.entry(*key).or_insert(0) += change;
        }
        let owners: Vec<_> = sums
            .into_iter()
            .filter(|(_, n)| *n != 0)
            .map(|(key, n)| {
                let department =
                    key.scope.department.map(lanyard_lifecycle::DepartmentId::to_bytes);
                (key, organization_column(key.scope.organization), department, n)
            })
            .collect();
        if owners.is_empty() {
            return Ok(());
        }
        let rows: Vec<[Value<'_>; 5]> = owners
            .iter()
            .map(|(key, organization, department, n)| {
                [
                    organization.as_slice().into(),
                    department.as_ref().map_or(&[][..], |d| &d[..]).into(),
                    i64::from(key.kind.code()).into(),
                    key.standing.code().into(),
                    (*n).into(),
                ]
            })
            .collect();
        let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 5]>::as_slice).collect();
        self.connection.insert(&COUNT, &rows).await?;
        Ok(())
    }
}

/// Hands out numbers for records: ordered by time, so that new records lie together and newest
/// first is a walk along the primary key. Seconds, ten bits for the process, twenty to count.
#[derive(Debug)]
pub(crate) struct Ids {
    process: i64,
    last: AtomicI64,
}

impl Ids {
    const COUNT_BITS: u32 = 20;
    const PROCESS_BITS: u32 = 10;

    /// Starts after the newest number in the store. `process` tells processes apart that write to
    /// the same store; if two are alike, the constraint finds out and [`Ids::leap`] helps.
    pub(crate) fn after(newest: i64, process: i64) -> Self {
        let process = process.rem_euclid(1 << Self::PROCESS_BITS) << Self::COUNT_BITS;
        Self { process, last: AtomicI64::new(newest) }
    }

    /// The next number.
    pub(crate) fn next(&self, now: Time) -> i64 {
        let floor = Self::first_at(now) | self.process;
        let last = self.last.fetch_max(floor - 1, Ordering::Relaxed).max(floor - 1);
        let mut last = last;
        loop {
            match self.last.compare_exchange_weak(
                last,
                last + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return last + 1,
                Err(now) => last = now,
            }
        }
    }

    /// Passes over numbers that another process seems to hand out too.
    pub(crate) fn leap(&self) {
        self.last.fetch_add(1 << 16, Ordering::Relaxed);
    }

    /// The lowest number of a second.
    pub(crate) fn first_at(time: Time) -> i64 {
        let seconds = time.unix().clamp(0, (1 << 33) - 1);
        seconds << (Self::COUNT_BITS + Self::PROCESS_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_with_time_and_never_repeat() {
        let ids = Ids::after(0, 5);
        let first = ids.next(Time::from_unix(1_000));
        let second = ids.next(Time::from_unix(1_000));
        let later = ids.next(Time::from_unix(2_000));
        let clock_set_back = ids.next(Time::from_unix(500));
        assert!(first < second && second < later && later < clock_set_back);
        assert!(Ids::first_at(Time::from_unix(1_000)) <= first);
        assert!(second < Ids::first_at(Time::from_unix(1_001)));
    }

    #[test]
    fn numbers_go_on_after_those_in_the_store() {
        let newest = Ids::after(0, 1).next(Time::from_unix(9_000));
        assert!(Ids::after(newest, 0).next(Time::from_unix(9_000)) > newest);
    }

    #[test]
    fn two_processes_hand_out_different_numbers_in_one_second() {
        let (a, b) = (Ids::after(0, 1), Ids::after(0, 2));
        let now = Time::from_unix(1_000);
        let mut all: Vec<i64> = (0..100).flat_map(|_| [a.next(now), b.next(now)]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 200);
    }
}
