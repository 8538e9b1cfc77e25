//! Who reads the feeds, and when: for each directory the one process that holds its lease.
//!
//! The server keeps the mirror for as long as it runs ([`Authority::keep_mirror`]); tests do what is due by hand
//! ([`Authority::work_mirror`]).

use std::time::Duration;

use futures_util::future::{join, join_all, select, select_all};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::object::ObjectKind;
use lanyard_pki::Time;
use lanyard_store::{FeedKey, HeldLease};

use super::feed::Worked;
use super::source::{Held, MirroredDirectory, Source};
use crate::error::Doing as _;
use crate::{Authority, Fault};

/// For how long a lease is taken, in seconds.
const LEASE: i64 = 60;

/// How often it is prolonged.
const RENEWAL: Duration = Duration::from_secs(15);

/// How long to wait before a lease that somebody else holds is tried again, and after a fault.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest wait between two looks at the clock and at what other processes demand, in seconds.
const LONGEST_WAIT: i64 = 5;

/// How often the changes that other processes recorded are read.
const FOLLOW: Duration = Duration::from_secs(2);

/// How long what a directory did not know is remembered at all, in seconds: for whoever asks why.
const REMEMBERED: i64 = 86_400;

/// How much is forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

impl Authority {
    /// Has a directory's feeds read at once, by whichever process reads them: all of them, or one. False if there is
    /// none such.
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

    async fn demand(&self, key: FeedKey) -> Result<(), Fault> {
        self.store().demand_feed(key).await.doing("demand that a feed is read")
    }

    /// Does all that is due once, as far as the leases can be had, and returns when something is due next.
    pub async fn work_mirror(&self) -> Result<Time, Fault> {
        let mut next = Time::NO_WELL_DEFINED_END;
        for directory in &self.mirror().directories {
            let Some(held) = self.take_lease(directory).await? else { continue };
            for source in &directory.sources {
                match self.work_feed(directory, source, &held).await? {
                    Worked::Until(due) => next = next.min(due),
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
        loop {
            let wait = match self.work_feed(directory, source, held).await {
                Ok(Worked::Until(due)) => {
                    let wait = due.seconds_since(self.now()).clamp(1, LONGEST_WAIT);
                    Duration::from_secs(u64::try_from(wait).unwrap_or(1))
                }
                Ok(Worked::LeaseLost) => return,
                Err(fault) => {
                    report(source.key.kind.name(), &fault);
                    PATIENCE
                }
            };
            // Woken or not, what is due is done.
            let _ = tokio::time::timeout(wait, source.wake.notified()).await;
        }
    }

    /// Prolongs the lease until it is lost.
    async fn keep_lease(&self, held: &Held) {
        let HeldLease { name, fence } = &held.0;
        loop {
            tokio::time::sleep(RENEWAL).await;
            let now = self.now();
            match self.store().renew_lease(name, *fence, now, now.plus(LEASE)).await {
                Ok(true) => {}
                Ok(false) => return,
                // It runs out by itself if this goes on; each record asks for it.
                Err(error) => tracing::warn!(%error, "A lease could not be prolonged"),
            }
        }
    }

    async fn take_lease(&self, directory: &MirroredDirectory) -> Result<Option<Held>, Fault> {
        let (name, now) = (directory.lease(), self.now());
        let owner = &self.mirror().owner;
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

fn report(what: &str, fault: &Fault) {
    metrics::counter!("lanyard_job_failures_total", "job" => "mirror").increment(1);
    tracing::error!(
        what, fault = %fault.id(), cause = %fault.report(),
        "Keeping the mirror failed; it will be tried again"
    );
}
