//! Who reads the feeds, and when: for each directory the one process that holds its lease.
//!
//! The server keeps the mirror for as long as it runs ([`Authority::keep_mirror`]); tests do what is due by hand
//! ([`Authority::work_mirror`]).

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select, select_all};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::object::ObjectKind;
use lanyard_pki::Time;
use lanyard_store::{FeedKey, HeldLease};
use tokio::time::Instant;

use super::feed::{Demands, Rounds, Worked};
use super::source::{Held, MirroredDirectory, Source};
use crate::error::Doing as _;
use crate::steps::Step;
use crate::{Authority, Fault};

/// For how long a lease is taken, in seconds.
const LEASE: i64 = 60;

/// Who holds the leases of a store that one process alone has open.
const ONLY: &str = "the only process";

/// How often it is prolonged. The clock of a test moves by itself.
const RENEWAL: Duration =
    if cfg!(test) { Duration::from_millis(5) } else { Duration::from_secs(15) };

/// How long to wait before a lease that somebody else holds is tried again, and after a fault.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest wait between two looks at the clock and at what other processes demand, in seconds.
const LONGEST_WAIT: i64 = 5;

/// The least rest between two rounds that are demanded.
const FLOOR: Duration = Duration::from_secs(2);

/// How often the changes that other processes recorded are read.
const FOLLOW: Duration = Duration::from_secs(2);

/// How long what a directory did not know is remembered at all, in seconds: for whoever asks why.
const REMEMBERED: i64 = 86_400;

/// How much is forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

impl Authority {
    /// Has a directory's feeds read at once, by whichever process reads them: all of them, or one. It is for people:
    /// what could not be asked just now is asked again without a pause. False if there is none such.
    pub async fn demand_directory(
        &self,
        directory: DirectoryId,
        kind: Option<ObjectKind>,
    ) -> Result<bool, Fault> {
        let known = self.mirror().directories.iter().find(|one| one.settings.id == directory);
        let sources = known.map_or(&[][..], |known| known.sources.as_slice());
        let mut any = false;
        for source in sources.iter().filter(|one| kind.is_none_or(|kind| kind == one.key.kind)) {
            self.demand(source.key).await?;
            source.reading.clear();
            source.wake.notify_one();
            any = true;
        }
        Ok(any)
    }

    /// Has a feed read soon by whichever process reads it, because something is said to have changed. Whoever says so
    /// neither shortens a pause that the directory has asked for nor lets one round follow the other without a rest.
    /// False if there is no such feed.
    pub async fn expect_changes(
        &self,
        directory: DirectoryId,
        kind: ObjectKind,
    ) -> Result<bool, Fault> {
        let Some((_, source)) = self.mirror().source(FeedKey { directory, kind }) else {
            return Ok(false);
        };
        self.demand(source.key).await?;
        source.hint.notify_one();
        Ok(true)
    }

    async fn demand(&self, key: FeedKey) -> Result<(), Fault> {
        self.store().demand_feed(key).await.doing("demand that a feed is read")
    }

    /// Does all that is due once, as far as the leases can be had, and returns when something is due next.
    pub async fn work_mirror(&self) -> Result<Time, Fault> {
        let mut next = Time::NO_WELL_DEFINED_END;
        for directory in &self.mirror().directories {
            let Some(held) = self.take_lease(directory).await? else { continue };
            for source in &directory.sources {
                match self.work_feed(directory, source, &held, Demands::Served).await? {
                    Worked::Until { due, .. } => next = next.min(due),
                    Worked::LeaseLost => break,
                }
            }
        }
        Ok(next)
    }

    /// Forgets what directories did not know long ago.
    pub(crate) async fn forget_missing_objects(&self) -> Result<(), Fault> {
        let before = self.now().plus(-REMEMBERED);
        let forgotten = self.store().forget_missing(before, FORGOTTEN_AT_ONCE).await;
        forgotten.map(|_| ()).doing("forget what directories did not know")
    }

    /// Keeps the mirror, for as long as the future is polled.
    pub(crate) async fn keep_mirror(&self) {
        let directories = &self.mirror().directories;
        let keep = directories.iter().map(|directory| self.keep_directory(directory));
        join(join_all(keep), self.follow()).await;
    }

    async fn keep_directory(&self, directory: &MirroredDirectory) {
        if directory.sources.is_empty() {
            return;
        }
        loop {
            match self.take_lease(directory).await {
                Ok(Some(held)) => {
                    let feeds = directory.sources.iter();
                    let feeds =
                        feeds.map(|source| Box::pin(self.keep_feed(directory, source, &held)));
                    // Whoever learns first that the lease is lost ends the work of all.
                    select(select_all(feeds), Box::pin(self.keep_lease(&held))).await;
                    tracing::warn!(directory = %directory.settings.name, "Lost the lease of a directory");
                }
                Ok(None) => {}
                Err(fault) => report(&directory.settings.name, &fault),
            }
            tokio::time::sleep(PATIENCE).await;
        }
    }

    /// Reads a feed until the lease is lost.
    async fn keep_feed(&self, directory: &MirroredDirectory, source: &Source, held: &Held) {
        let mut pace = Pace::default();
        loop {
            let begun = Instant::now();
            let worked = self.work_feed(directory, source, held, pace.demands(begun)).await;
            let ended = Instant::now();
            let wait = match worked {
                Ok(Worked::Until { due, rounds }) => {
                    if rounds == Rounds::Read {
                        pace.read(begun, ended);
                    }
                    let wait = due.seconds_since(self.now()).clamp(1, LONGEST_WAIT);
                    Duration::from_secs(u64::try_from(wait).unwrap_or(1))
                }
                Ok(Worked::LeaseLost) => return,
                Err(fault) => {
                    report(source.key.kind.name(), &fault);
                    PATIENCE
                }
            };
            let rested = pace.rested(ended);
            let hinted = async {
                source.hint.notified().await;
                tokio::time::sleep_until(rested).await;
            };
            let woken = tokio::time::timeout(wait, source.wake.notified());
            // Woken or not, what is due is done; a person's demand needs no rest.
            if let Either::Right((Ok(()), _)) = select(pin!(hinted), pin!(woken)).await {
                pace = Pace::default();
            }
        }
    }

    /// Prolongs the lease until it is lost.
    async fn keep_lease(&self, held: &Held) {
        let HeldLease { name, fence } = &held.0;
        loop {
            tokio::time::sleep(RENEWAL).await;
            let now = self.now();
            match self.store().renew_lease(name, *fence, now, now.plus(LEASE)).await {
                Ok(true) if self.reached(Step::LeaseProlonged).await.is_ok() => {}
                Ok(_) => return,
                // It runs out by itself if this goes on; each record asks for it.
                Err(error) => tracing::warn!(%error, "A lease could not be prolonged"),
            }
        }
    }

    async fn take_lease(&self, directory: &MirroredDirectory) -> Result<Option<Held>, Fault> {
        let (name, now) = (directory.lease(), self.now());
        // Where no other process can be, one that was killed keeps nobody waiting.
        let is_alone = !self.store().is_shared();
        let owner = if is_alone { ONLY } else { &self.mirror().owner };
        let taken = self.store().take_lease(&name, owner, now, now.plus(LEASE)).await;
        Ok(taken.doing("take a lease")?.map(|fence| Held(HeldLease { name, fence })))
    }

    /// Announces what other processes record, where there are such.
    async fn follow(&self) {
        if !self.store().is_shared() || self.mirror().directories.is_empty() {
            return;
        }
        let mut after = self.store().object_sequence().await.unwrap_or_default();
        loop {
            tokio::time::sleep(FOLLOW).await;
            match self.announce_since(after).await {
                Ok(reached) => after = reached,
                Err(fault) => report("changes", &fault),
            }
        }
    }
}

/// When demands may begin rounds: not without a rest after the last one, as long as that took. It goes by the time that
/// passes here, whatever the clock says.
#[derive(Debug, Default, Clone, Copy)]
struct Pace(Option<Instant>);

impl Pace {
    /// A round was read.
    fn read(&mut self, begun: Instant, ended: Instant) {
        self.0 = Some(ended + FLOOR.max(ended.duration_since(begun)));
    }

    fn demands(self, now: Instant) -> Demands {
        if self.0.is_none_or(|rested| rested <= now) { Demands::Served } else { Demands::Waiting }
    }

    /// From when they may.
    fn rested(self, now: Instant) -> Instant {
        self.0.unwrap_or(now)
    }
}

fn report(what: &str, fault: &Fault) {
    metrics::counter!("lanyard_job_failures_total", "job" => "mirror").increment(1);
    tracing::error!(
        what, fault = %fault.id(), cause = %fault.report(),
        "Keeping the mirror failed; it will be tried again"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_wait_for_as_long_as_the_last_round_took_and_two_seconds_at_least() {
        let begun = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.demands(begun), Demands::Served, "nothing was read yet");
        for (took, rest) in [(0, 2), (1, 2), (2, 2), (30, 30)] {
            let ended = begun + Duration::from_secs(took);
            pace.read(begun, ended);
            let rested = ended + Duration::from_secs(rest);
            assert_eq!(pace.rested(ended), rested);
            let before = rested - Duration::from_millis(1);
            assert_eq!(
                (pace.demands(before), pace.demands(rested)),
                (Demands::Waiting, Demands::Served)
            );
        }
    }
}
