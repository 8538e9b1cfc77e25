//! For how long what a feed of changes has told goes on to serve: learnt without reading any object again.
//!
//! Whoever keeps what follows from an object hears of its changes. As long as there was none, and the feed's rounds come to
//! their end, the object is as it was told. That holds of what the feed's last whole reading told, and of no other.

use std::sync::{Mutex, PoisonError};

use lanyard_directory::FeedKind;
use lanyard_lifecycle::object::ObjectKey;
use lanyard_pki::Time;
use lanyard_store::{FeedKey, FeedProgress, Sweep};

use crate::error::Doing as _;
use crate::settings::seconds;
use crate::{Authority, Fault};

/// What was looked at was told by a feed of changes, whose last whole reading was this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vouched {
    feed: FeedKey,
    swept: Sweep,
}

/// How far a feed had come when that was last read: it serves for the second in which it was.
#[derive(Debug, Default)]
pub(super) struct LastRead(Mutex<Option<Come>>);

#[derive(Debug, Clone, Copy)]
struct Come {
    read: Time,
    swept: Sweep,
    as_of: Option<Time>,
}

impl LastRead {
    fn at(&self, now: Time) -> Option<Come> {
        let come = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        come.filter(|come| come.read == now)
    }

    fn keep(&self, come: Come) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(come);
    }
}

impl Authority {
    /// What vouches for an object that its feed tells of; none where it tells no changes. To be called before the object
    /// is looked at.
    pub(crate) async fn vouching(&self, key: &ObjectKey) -> Result<Option<Vouched>, Fault> {
        let feed = FeedKey { directory: key.directory, kind: key.kind };
        let come = self.come(feed, self.now()).await?;
        Ok(come.map(|come| Vouched { feed, swept: come.swept }))
    }

    /// Until when what was vouched for serves a decision if it has not changed; none once it was read anew as a whole.
    pub(crate) async fn vouched_until(
        &self,
        vouched: Vouched,
        now: Time,
    ) -> Result<Option<Time>, Fault> {
        let Vouched { feed, swept } = vouched;
        let Some((directory, _)) = self.mirror().source(feed) else { return Ok(None) };
        let delay = seconds(directory.settings.max_detection_delay);
        let come = self.come(feed, now).await?.filter(|come| come.swept == swept);
        // What is known up to a time to come was learnt before the clock was set back.
        let as_of = come.and_then(|come| come.as_of).filter(|as_of| *as_of <= now);
        Ok(as_of.map(|as_of| as_of.plus(delay)))
    }

    /// How far a feed of changes has come.
    async fn come(&self, feed: FeedKey, now: Time) -> Result<Option<Come>, Fault> {
        let source = self.mirror().source(feed).map(|(_, source)| source);
        let Some(source) = source.filter(|source| source.how == FeedKind::Delta) else {
            return Ok(None);
        };
        if let Some(come) = source.last_read.at(now) {
            return Ok(Some(come));
        }
        let progress = self.store().feed(feed).await.doing("read how far a feed has come")?;
        let come =
            progress.map(|FeedProgress { swept, as_of, .. }| Come { read: now, swept, as_of });
        if let Some(come) = come {
            source.last_read.keep(come);
        }
        Ok(come)
    }
}
