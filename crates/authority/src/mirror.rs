//! The mirror: what directories say of their objects, kept here so that an answer costs no call to them.
//!
//! Feeds are read by one node of several, under a lease ([`drive`](self)): everything once, then what has changed where
//! the directory tells, else everything again and again. What a whole reading no longer shows is looked up before it
//! counts as absent. An object that is not known, or not known well enough for the moment, is looked up on demand
//! ([`Authority::observe`]).
//!
//! What follows from an object's state is not decided here, and how a directory is asked is the connectors'.

mod drive;
mod feed;
mod flight;
mod notify;
mod observe;
mod prove;
mod report;
pub mod settings;
mod source;
#[cfg(test)]
pub(crate) mod testing;
mod vouch;

use std::sync::Arc;

use lanyard_directory::Connector;
use lanyard_lifecycle::object::ObjectKey;
use lanyard_store::{Directory, FeedKey};
use tokio::sync::broadcast;

use crate::error::Doing as _;
use crate::{Authority, Fault, Ports};
pub use observe::{Answer, Need, Observed, Told};
pub use report::{DirectoryReport, FeedHealth, FeedReport, Trouble};
pub use settings::DirectorySettings;
use source::{MirroredDirectory, Source};
pub(crate) use vouch::Vouched;

/// How many announcements a listener may be behind before it is told to forget everything.
const ANNOUNCEMENTS: usize = 1_024;

/// The mirror's part of an authority.
#[derive(Debug)]
pub(crate) struct Mirror {
    directories: Vec<Arc<MirroredDirectory>>,
    changes: broadcast::Sender<Arc<[ObjectKey]>>,
    /// Who this process is to others that would do the same work.
    pub(crate) owner: String,
}

/// Why the directories that are configured cannot be mirrored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// Two sections speak of one directory.
    #[error("the directory {0} is configured twice")]
    Twice(String),
    /// A connector serves a directory that no settings speak of.
    #[error("a connector ({0}) serves a directory that is not configured")]
    Unconfigured(&'static str),
}

impl Mirror {
    /// Of these directories, as their connectors tell of them.
    pub(crate) fn new(
        settings: &[DirectorySettings],
        ports: &Ports,
        owner: String,
    ) -> Result<Self, MirrorError> {
        let mut directories: Vec<Arc<MirroredDirectory>> = Vec::new();
        for one in settings {
            if directories.iter().any(|known| known.settings.id == one.id) {
                return Err(MirrorError::Twice(one.name.clone()));
            }
            let of_it = |connector: &&Arc<dyn Connector>| connector.directory() == one.id;
            let connectors = ports.directories.iter().filter(of_it).cloned().collect();
            directories.push(Arc::new(MirroredDirectory::new(one.clone(), connectors)));
        }
        let is_configured = |connector: &&Arc<dyn Connector>| {
            directories.iter().any(|known| known.settings.id == connector.directory())
        };
        if let Some(stray) = ports.directories.iter().find(|one| !is_configured(one)) {
            return Err(MirrorError::Unconfigured(stray.name()));
        }
        Ok(Self { directories, changes: broadcast::Sender::new(ANNOUNCEMENTS), owner })
    }

    /// Whether anybody can be asked for an object.
    fn serves(&self, key: &ObjectKey) -> bool {
        self.source(FeedKey { directory: key.directory, kind: key.kind }).is_some()
    }

    fn source(&self, key: FeedKey) -> Option<(&Arc<MirroredDirectory>, &Arc<Source>)> {
        let directory = self.directories.iter().find(|one| one.settings.id == key.directory)?;
        directory.sources.iter().find(|source| source.key.kind == key.kind).map(|s| (directory, s))
    }
}

impl Authority {
    pub(crate) fn mirror(&self) -> &Mirror {
        &self.inner.mirror
    }

    /// Whether anybody can be asked for an object.
    pub(crate) fn serves(&self, key: &ObjectKey) -> bool {
        self.mirror().serves(key)
    }

    /// Records which directories there are, so that their objects can be.
    pub(crate) async fn record_directories(&self) -> Result<(), Fault> {
        for directory in &self.mirror().directories {
            let DirectorySettings { id, scope, name, .. } = &directory.settings;
            let added_at = self.now();
            let record = Directory { id: *id, scope: *scope, name: name.clone(), added_at };
            self.store().record_directory(record).await.doing("record a directory")?;
        }
        Ok(())
    }
}
