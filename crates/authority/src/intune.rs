//! What the authority has to do with Intune beyond reading its devices: whose requests it stands behind, what it is told
//! of them, and what it wants revoked.
//!
//! How Intune's services are called is the connectors' affair; whom a certificate is for is decided in [`crate::issue`].

mod accept;
mod listed;
mod notice;
mod port;
mod queue;
mod revoke;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_pki::Time;
use tokio::sync::{Mutex, Notify};

use crate::error::Doing as _;
use crate::settings::{Follows, seconds};
use crate::{Authority, Fault};
pub(crate) use accept::Accepted;
pub use listed::{ListError, Listed};
pub(crate) use notice::notice_of;
pub use port::IntuneServices;
pub use queue::{DrainError, Drained};

/// What a running program remembers of its business with Intune.
#[derive(Debug)]
pub(crate) struct State {
    /// Lets whoever tells notices look at what is due.
    notices: Notify,
    /// When the last complete run over each tenant's queue began. Held while a run is under way.
    drains: BTreeMap<DirectoryId, Mutex<Option<Time>>>,
}

impl State {
    /// Of these tenants.
    pub(crate) fn new(services: &[Arc<dyn IntuneServices>]) -> Self {
        let drains = services.iter().map(|one| (one.directory(), Mutex::default())).collect();
        Self { notices: Notify::new(), drains }
    }

    fn last_drain(&self, directory: DirectoryId) -> Option<&Mutex<Option<Time>>> {
        self.drains.get(&directory)
    }
}

/// Whose turn a piece of periodic work is.
enum Turn {
    /// This process's.
    Ours,
    /// Another's.
    Others,
}

impl Authority {
    /// Tells notices, reads queues and lists, for as long as the future is polled.
    pub(crate) async fn keep_intune(&self) {
        // The queue of a tenant that enrolls elsewhere is left to those who do: what is taken, others do not see for a while.
        let directories = || self.inner.ports.intune.iter().map(|one| one.directory());
        let directories = || directories().filter(|directory| self.enrolls(*directory));
        let queues = join_all(directories().map(|directory| self.keep_queue(directory)));
        let listed = directories().filter(|directory| self.wants_list(*directory));
        let lists = join_all(listed.map(|directory| self.keep_list(directory)));
        join(self.keep_notices(), join(queues, lists)).await;
    }

    /// Whether a tenant's devices enroll here.
    fn enrolls(&self, directory: DirectoryId) -> bool {
        self.settings().endpoints.iter().any(|endpoint| match &endpoint.follows {
            Follows::Intune(intune) => intune.directory == directory,
            Follows::Nothing(_) | Follows::Entra(_) | Follows::Jamf(_) => false,
        })
    }

    /// Whether it is for this process to do something about a tenant now: of several processes one does, in each interval.
    async fn take_turn(
        &self,
        what: &str,
        directory: DirectoryId,
        interval: Duration,
    ) -> Result<Turn, Fault> {
        let (name, now) = (format!("intune {what} {directory}"), self.now());
        let owner = &self.mirror().owner;
        let until = now.plus(seconds(interval).max(1));
        let taken = self.store().take_lease(&name, owner, now, until).await;
        Ok(taken.doing("take a lease")?.map_or(Turn::Others, |_| Turn::Ours))
    }
}

fn report(what: &str, fault: &Fault) {
    metrics::counter!("lanyard_job_failures_total", "job" => "Intune").increment(1);
    tracing::error!(
        what, fault = %fault.id(), cause = %fault.report(),
        "Business with Intune failed; it will be tried again"
    );
}
