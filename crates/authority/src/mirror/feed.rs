//! Reading a feed: round by round, page by page. The place after a page is recorded with the last of its changes, so that
//! whoever goes on, after a kill at any point, goes on where the last one was.
//!
//! A feed that starts anew forgets nothing: what the new reading does not show is looked up (`prove`) before it counts as
//! absent.

use lanyard_directory::{Batch, Change, ChangesError, Cursor, FeedKind, Ignorance, RoundEnd};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_pki::Time;
use lanyard_store::{
    Applied, FeedPhase, FeedProgress, FeedTrouble, ObjectBatch, ObjectChange, Sweep,
};

use super::source::{Held, MirroredDirectory, Source};
use crate::error::Doing as _;
use crate::steps::Step;
use crate::{Authority, Fault};

/// How many objects are recorded in one transaction: others wait for the store too.
const ROWS: usize = 250;

/// How a feed's work came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worked {
    /// There is nothing to do until then.
    Until {
        due: Time,
        /// Whether a round was read, or a part of one.
        rounds: Rounds,
    },
    /// The lease is lost: somebody else works on.
    LeaseLost,
}

/// Whether anything was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounds {
    Read,
    None,
}

/// Whether a demand begins a round before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demands {
    /// Once: what is demanded while the round is read waits for the next look.
    Served,
    /// The feed rests.
    Waiting,
}

/// What a feed wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Its next page, of a round that it is in or that begins.
    Page,
    /// Proof of what the last whole reading did not show.
    Proof,
    /// Nothing until then.
    Rest(Time),
}

/// Whether what was to be recorded is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    Yes,
    LeaseLost,
}

impl Authority {
    /// Does all that is due on a feed.
    pub(super) async fn work_feed(
        &self,
        directory: &MirroredDirectory,
        source: &Source,
        held: &Held,
        mut demands: Demands,
    ) -> Result<Worked, Fault> {
        let mut rounds = Rounds::None;
        if source.how == FeedKind::LookupOnly {
            return Ok(Worked::Until { due: Time::NO_WELL_DEFINED_END, rounds });
        }
        loop {
            let stored = self.store().feed(source.key).await;
            let stored = stored.doing("read how far a feed has come")?;
            let mut progress = stored.unwrap_or_else(|| FeedProgress::new(source.key));
            let now = self.now();
            let recorded = match next(directory, source, &progress, demands, now) {
                Next::Rest(due) => return Ok(Worked::Until { due, rounds }),
                Next::Proof => self.prove_some(source, progress, held).await?,
                Next::Page => {
                    if progress.phase == FeedPhase::Resting {
                        begin(&mut progress, source.how, now);
                    }
                    (rounds, demands) = (Rounds::Read, Demands::Waiting);
                    let page = self.read_page(source, progress, held).await?;
                    page.unwrap_or(Recorded::Yes)
                }
            };
            if recorded == Recorded::LeaseLost {
                return Ok(Worked::LeaseLost);
            }
        }
    }

    /// One page, and what it says recorded; none when there was no page.
    async fn read_page(
        &self,
        source: &Source,
        mut progress: FeedProgress,
        held: &Held,
    ) -> Result<Option<Recorded>, Fault> {
        let cursor = progress.cursor.as_deref().map(Cursor::new);
        let answer = source.connector.changes(source.key.kind, cursor.as_ref()).await;
        let now = self.now();
        match answer {
            Ok(batch) => {
                source.reading.clear();
                self.reached(Step::PageRead).await?;
                count_page(source);
                let beside = self.record_beside(source, &batch, held).await?;
                if beside == Recorded::LeaseLost {
                    return Ok(Some(beside));
                }
                let changes = turn(&mut progress, batch, now);
                let sweep = progress.sweep;
                let recorded = self.record_page(sweep, changes, progress, held).await?;
                self.reached(Step::PageRecorded).await?;
                Ok(Some(recorded))
            }
            Err(ChangesError::Resync) if cursor.is_some() => {
                tracing::warn!(
                    service = source.connector.name(),
                    kind = source.key.kind.name(),
                    "The directory does not know any more what has changed since; all objects are read anew"
                );
                if progress.phase == FeedPhase::ReadingAll {
                    // Reading anew has come to this, and may again: never without a rest.
                    source.reading.failed(&ignorance(source, ChangesError::Resync), now);
                }
                progress.cursor = None;
                begin(&mut progress, source.how, now);
                self.record_page(Sweep::NONE, Vec::new(), progress, held).await.map(Some)
            }
            Err(error) => {
                let ignorance = ignorance(source, error);
                source.reading.failed(&ignorance, now);
                self.note_trouble(source, progress, &ignorance, held).await
            }
        }
    }

    /// Says in the feed's record what keeps it from being read, if that is news.
    async fn note_trouble(
        &self,
        source: &Source,
        progress: FeedProgress,
        ignorance: &Ignorance,
        held: &Held,
    ) -> Result<Option<Recorded>, Fault> {
        count_failure(source, ignorance);
        let text = ignorance.to_string();
        let present = progress.trouble.as_ref();
        if present.is_some_and(|trouble| trouble.text == text) {
            return Ok(None);
        }
        tracing::warn!(kind = source.key.kind.name(), "A directory cannot be read: {ignorance}");
        let since = present.map_or_else(|| self.now(), |trouble| trouble.since);
        // What a round that could not begin would have been is not worth remembering.
        let stored = self.store().feed(source.key).await.doing("read how far a feed has come")?;
        let stored = stored.unwrap_or_else(|| FeedProgress::new(source.key));
        let progress = FeedProgress { trouble: Some(FeedTrouble { text, since }), ..stored };
        self.record_page(Sweep::NONE, Vec::new(), progress, held).await.map(Some)
    }

    /// Records what was looked up for a page and is no word of its feed's.
    async fn record_beside(
        &self,
        source: &Source,
        batch: &Batch,
        held: &Held,
    ) -> Result<Recorded, Fault> {
        if batch.looked_up.is_empty() {
            return Ok(Recorded::Yes);
        }
        let changes = batch.looked_up.iter().cloned().map(change).collect();
        self.record(source.key.directory, Sweep::NONE, changes, None, held).await
    }

    /// Records a page in as many transactions as it takes. The last one moves the place: until then, the page is read
    /// again.
    pub(super) async fn record_page(
        &self,
        sweep: Sweep,
        changes: Vec<ObjectChange>,
        progress: FeedProgress,
        held: &Held,
    ) -> Result<Recorded, Fault> {
        let mut left = changes.into_iter();
        loop {
            let changes: Vec<_> = left.by_ref().take(ROWS).collect();
            let is_last = left.len() == 0;
            let place = is_last.then(|| progress.clone());
            let recorded = self.record(progress.key.directory, sweep, changes, place, held).await?;
            if is_last || recorded == Recorded::LeaseLost {
                return Ok(recorded);
            }
        }
    }

    /// One transaction of a feed's. Once it is begun it ends with the announcement, also where the lease is lost
    /// meanwhile and nobody waits for it any more.
    async fn record(
        &self,
        directory: DirectoryId,
        sweep: Sweep,
        changes: Vec<ObjectChange>,
        progress: Option<FeedProgress>,
        held: &Held,
    ) -> Result<Recorded, Fault> {
        let (lease, now) = (Some(held.0.clone()), self.now());
        let batch = ObjectBatch { directory, changes, sweep, progress, lease, now };
        let this = self.clone();
        let recording = tokio::spawn(async move {
            let applied = this.store().apply_objects(batch).await;
            match applied.doing("record what a directory said")? {
                Applied::LeaseLost => Ok(Recorded::LeaseLost),
                Applied::Recorded(keys) => {
                    this.reached(Step::ObjectsRecorded).await?;
                    this.announce(keys);
                    Ok(Recorded::Yes)
                }
            }
        });
        recording.await.doing("record what a directory said")?
    }
}

fn next(
    directory: &MirroredDirectory,
    source: &Source,
    progress: &FeedProgress,
    demands: Demands,
    now: Time,
) -> Next {
    let interval = directory.interval(source.how);
    let due = match (progress.phase, progress.round_started) {
        (FeedPhase::ReadingAll | FeedPhase::ReadingChanges, _) | (_, None) => now,
        (FeedPhase::Resting, Some(_))
            if demands == Demands::Served && progress.demanded > progress.served =>
        {
            now
        }
        // A clock that was set back is no reason to wait for years.
        (FeedPhase::Resting, Some(started)) => started.plus(interval).min(now.plus(interval)),
    };
    let due = source.reading.until(now).map_or(due, |until| due.max(until));
    if due <= now {
        return Next::Page;
    }
    let Some(_) = progress.proved_to else { return Next::Rest(due) };
    match source.proving.until(now) {
        None => Next::Proof,
        Some(until) => Next::Rest(due.min(until)),
    }
}

/// Begins a round: of everything where there is no place to go on from, or nothing that tells of changes.
fn begin(progress: &mut FeedProgress, how: FeedKind, now: Time) {
    progress.round_started = Some(now);
    progress.seen = 0;
    progress.total = None;
    progress.served = progress.demanded;
    if how == FeedKind::Sweep || progress.cursor.is_none() {
        progress.sweep.0 += 1;
        progress.phase = FeedPhase::ReadingAll;
    } else {
        progress.phase = FeedPhase::ReadingChanges;
    }
}

/// Moves on by a page, and hands out what it says.
fn turn(progress: &mut FeedProgress, batch: Batch, now: Time) -> Vec<ObjectChange> {
    let Batch { changes, looked_up: _, next, end, total } = batch;
    progress.cursor = Some(next.as_str().to_owned());
    progress.seen = progress.seen.saturating_add(changes.len() as u64);
    progress.total = total.or(progress.total);
    progress.trouble = None;
    if end == RoundEnd::RoundComplete {
        if progress.phase == FeedPhase::ReadingAll {
            progress.swept = progress.sweep;
            progress.proved_to = Some(lanyard_store::Cursor(0));
        }
        progress.phase = FeedPhase::Resting;
        progress.as_of = progress.round_started;
        progress.completed_at = Some(now);
    }
    changes.into_iter().map(change).collect()
}

fn change(change: Change) -> ObjectChange {
    match change {
        Change::State(state) => ObjectChange::State(state),
        Change::Seen { key, learnt } => ObjectChange::Seen { key, learnt },
        Change::RemovedByGraphId { kind, graph_id, learnt } => {
            ObjectChange::RemovedByGraphId { kind, graph_id, learnt }
        }
    }
}

/// A directory that wants to start anew although it was asked to has said nothing.
fn ignorance(source: &Source, error: ChangesError) -> Ignorance {
    match error {
        ChangesError::Unanswered(ignorance) => ignorance,
        ChangesError::Resync => Ignorance::new(
            source.connector.name(),
            "read all objects",
            lanyard_directory::Why::Unreadable,
            "it wants to be read from the start, which it was",
        ),
    }
}

fn count_page(source: &Source) {
    let kind = source.key.kind.name();
    metrics::counter!("lanyard_directory_pages_total", "kind" => kind).increment(1);
}

pub(super) fn count_failure(source: &Source, ignorance: &Ignorance) {
    metrics::counter!(
        "lanyard_directory_failures_total",
        "kind" => source.key.kind.name(), "why" => ignorance.why.label()
    )
    .increment(1);
}
