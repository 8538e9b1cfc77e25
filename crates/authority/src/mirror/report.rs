//! What the mirror knows and how well: for the doctor, commands, the console and the metrics.

use futures_util::future::join_all;
use lanyard_directory::{Check, FeedKind};
use lanyard_lifecycle::id::{DirectoryId, Scope};
use lanyard_lifecycle::object::ObjectKind;
use lanyard_pki::Time;
use lanyard_store::{FeedPhase, FeedProgress};

use super::source::{MirroredDirectory, Source};
use crate::error::Doing as _;
use crate::settings::seconds;
use crate::{Authority, Fault};

/// A directory, and how well each kind of its objects is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryReport {
    /// Its id.
    pub id: DirectoryId,
    /// Its name.
    pub name: String,
    /// Whose certificates follow it.
    pub scope: Scope,
    /// By kind of object.
    pub feeds: Vec<FeedReport>,
}

/// How well a kind of object is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedReport {
    /// The kind.
    pub kind: ObjectKind,
    /// What people call who tells of them.
    pub service: &'static str,
    /// How their changes are learnt.
    pub how: FeedKind,
    /// How it is with them.
    pub health: FeedHealth,
    /// What the feed is doing.
    pub phase: FeedPhase,
    /// Objects that the present round has shown so far, or the last one in all.
    pub seen: u64,
    /// Objects that the directory says there are, where it does.
    pub total: Option<u64>,
    /// Objects known to be there.
    pub present: u64,
    /// Objects known to be absent.
    pub absent: u64,
    /// Whether objects that the last whole reading did not show wait to be looked up.
    pub is_proving: bool,
    /// Whether somebody has demanded a round that has not begun.
    pub is_demanded: bool,
    /// Up to when changes are known.
    pub as_of: Option<Time>,
    /// How long ago that is, in seconds.
    pub staleness: Option<i64>,
    /// What keeps the feed from being read.
    pub trouble: Option<Trouble>,
}

/// How it is with a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedHealth {
    /// Objects are asked for one at a time.
    OnDemand,
    /// It was never read as a whole.
    Loading,
    /// It is read as it should be.
    Current,
    /// It is behind, and what is known still serves.
    Behind,
    /// It is so far behind that what is known serves no longer.
    Stale,
}

/// What keeps a feed from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In words that may be shown.
    pub text: String,
    /// Since when.
    pub since: Time,
}

impl Authority {
    /// Every directory that is configured, and how well it is known.
    pub async fn directories(&self) -> Result<Vec<DirectoryReport>, Fault> {
        let directories = &self.mirror().directories;
        if directories.is_empty() {
            return Ok(Vec::new());
        }
        let feeds = self.store().feeds().await.doing("read how far the feeds have come")?;
        let counts = self.store().object_counts().await.doing("count the objects")?;
        let now = self.now();
        let report = |directory: &std::sync::Arc<MirroredDirectory>| {
            let settings = &directory.settings;
            let of = |source: &std::sync::Arc<Source>| {
                let progress = feeds.iter().find(|feed| feed.key == source.key).cloned();
                let progress = progress.unwrap_or_else(|| FeedProgress::new(source.key));
                let count = counts.iter().find(|count| count.feed == source.key);
                let (present, absent) = count.map_or((0, 0), |count| (count.present, count.absent));
                FeedReport { present, absent, ..feed_report(directory, source, progress, now) }
            };
            DirectoryReport {
                id: settings.id,
                name: settings.name.clone(),
                scope: settings.scope,
                feeds: directory.sources.iter().map(of).collect(),
            }
        };
        Ok(directories.iter().map(report).collect())
    }

    /// Has every connector try itself: the directory's name, the service's, and how each thing went.
    pub async fn check_directories(&self) -> Vec<(String, &'static str, Vec<Check>)> {
        let directories = self.mirror().directories.iter();
        let checks = directories.flat_map(|directory| {
            let name = &directory.settings.name;
            directory.connectors.iter().map(move |connector| async move {
                (name.clone(), connector.name(), connector.check().await)
            })
        });
        join_all(checks).await
    }
}

fn feed_report(
    directory: &MirroredDirectory,
    source: &Source,
    progress: FeedProgress,
    now: Time,
) -> FeedReport {
    let staleness = progress.as_of.map(|as_of| now.seconds_since(as_of).max(0));
    FeedReport {
        kind: source.key.kind,
        service: source.connector.name(),
        how: source.how,
        health: health(directory, source, staleness),
        phase: progress.phase,
        seen: progress.seen,
        total: progress.total,
        present: 0,
        absent: 0,
        is_proving: progress.proved_to.is_some(),
        is_demanded: progress.demanded > progress.served,
        as_of: progress.as_of,
        staleness,
        trouble: progress
            .trouble
            .map(|trouble| Trouble { text: trouble.text, since: trouble.since }),
    }
}

fn health(directory: &MirroredDirectory, source: &Source, staleness: Option<i64>) -> FeedHealth {
    if source.how == FeedKind::LookupOnly {
        return FeedHealth::OnDemand;
    }
    let Some(staleness) = staleness else { return FeedHealth::Loading };
    // One round may be under way, and one be due.
    let expected = directory.interval(source.how).saturating_mul(3);
    if staleness > seconds(directory.settings.max_staleness) {
        FeedHealth::Stale
    } else if staleness > expected {
        FeedHealth::Behind
    } else {
        FeedHealth::Current
    }
}
