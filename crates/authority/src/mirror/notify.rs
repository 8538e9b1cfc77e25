//! Telling whoever keeps something that rests on an object that the object has changed: at once in this process, from the
//! store's sequence in others.
//!
//! What is kept, and what of it is to be forgotten, is known to whoever keeps it.

use std::sync::Arc;

use lanyard_lifecycle::object::ObjectKey;
use lanyard_store::{Applied, ObjectSequence};
use tokio::sync::broadcast;

use crate::error::Doing as _;
use crate::{Authority, Fault};

/// How many changes of other processes are read at a time.
const AT_ONCE: u32 = 1_000;

impl Authority {
    /// The objects that change from now on, told once they are recorded. A listener that falls behind is told so
    /// ([`broadcast::error::RecvError::Lagged`]) and has to forget everything.
    pub fn object_changes(&self) -> broadcast::Receiver<Arc<[ObjectKey]>> {
        self.mirror().changes.subscribe()
    }

    pub(super) fn announce_applied(&self, applied: Applied) {
        if let Applied::Recorded(changed) = applied {
            self.announce(changed);
        }
    }

    /// Tells all listeners.
    pub(super) fn announce(&self, changed: Vec<ObjectKey>) {
        if changed.is_empty() {
            return;
        }
        metrics::counter!("lanyard_directory_changes_total").increment(changed.len() as u64);
        self.tell(changed.into());
    }

    /// What rests on the objects is forgotten before anyone can hear of the change.
    fn tell(&self, changed: Arc<[ObjectKey]>) {
        for key in changed.iter() {
            self.memory().generations.advance_object(key);
        }
        self.tethers().objects_changed(&changed);
        // Without listeners nobody keeps anything.
        let _ = self.mirror().changes.send(changed);
    }

    /// Tells all listeners what changed since, whoever recorded it, and returns where to go on. What this process
    /// recorded itself is told twice.
    pub(crate) async fn announce_since(
        &self,
        mut after: ObjectSequence,
    ) -> Result<ObjectSequence, Fault> {
        loop {
            let changes = self.store().object_changes(after, AT_ONCE).await;
            let changes = changes.doing("read what has changed at the directories")?;
            let Some(last) = changes.last() else { return Ok(after) };
            after = last.sequence;
            self.tell(changes.iter().map(|change| change.key).collect());
        }
    }
}
