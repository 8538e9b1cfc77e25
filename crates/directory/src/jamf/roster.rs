//! The ids of a whole collection as the Classic API lists them: the second witness of an absence,
//! and what sweeps of its collections go by.

use std::sync::Arc;
use std::time::Duration;

use lanyard_pki::Time;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::session::{Reading, Session};
use super::wire::JamfId;
use super::wire::classic::Listing;
use crate::ignorance::Ignorance;

/// A list as old as this still bears witness. The list of a large instance is expensive.
const WITNESS: Duration = Duration::from_mins(1);

/// A collection of the Classic API, listed when it is needed and kept for a while.
#[derive(Debug)]
pub(super) struct Roster {
    path: &'static str,
    privilege: &'static str,
    kept: Mutex<Option<Arc<Listed>>>,
}

/// The ids that were listed.
#[derive(Debug)]
pub(super) struct Listed {
    /// In ascending order.
    pub(super) ids: Vec<JamfId>,
    /// When the list was asked for.
    pub(super) learnt: Time,
    fetched: Instant,
}

impl Listed {
    pub(super) fn has(&self, id: JamfId) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// The ids after one, at most so many.
    pub(super) fn after(&self, id: u64, most: usize) -> &[JamfId] {
        let start = self.ids.partition_point(|listed| listed.0 <= id);
        let rest = self.ids.get(start..).unwrap_or_default();
        rest.get(..most).unwrap_or(rest)
    }
}

impl Roster {
    pub(super) fn new(path: &'static str, privilege: &'static str) -> Self {
        Self { path, privilege, kept: Mutex::default() }
    }

    /// A list that is at most a minute old. Of many who ask at once one fetches it.
    pub(super) async fn listed(&self, session: &Session) -> Result<Arc<Listed>, Ignorance> {
        self.fetched(session, |listed| listed.fetched.elapsed() < WITNESS).await
    }

    /// Whether a list agrees that the collection has no such object. A list from before the question
    /// may still have it: then a new one decides.
    pub(super) async fn lacks(&self, session: &Session, id: JamfId) -> Result<bool, Ignorance> {
        let asked = Instant::now();
        if !self.listed(session).await?.has(id) {
            return Ok(true);
        }
        Ok(!self.fetched(session, |listed| listed.fetched >= asked).await?.has(id))
    }

    async fn fetched(
        &self,
        session: &Session,
        is_good: impl Fn(&Listed) -> bool,
    ) -> Result<Arc<Listed>, Ignorance> {
        let mut kept = self.kept.lock().await;
        if let Some(listed) = kept.as_ref().filter(|listed| is_good(listed)) {
            return Ok(Arc::clone(listed));
        }
        *kept = None;
        let fetched = Instant::now();
        let path = ["JSSResource", self.path];
        let answer =
            session.get("list a collection", Reading::Many, &path, &[], self.privilege).await?;
        let listing: Listing = answer.json()?;
        let mut ids: Vec<JamfId> = listing.objects.into_iter().map(|listed| listed.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let listed = Arc::new(Listed { ids, learnt: answer.asked, fetched });
        *kept = Some(Arc::clone(&listed));
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_slices_without_gap_or_repetition() {
        let ids = vec![JamfId(2), JamfId(3), JamfId(5), JamfId(8)];
        let listed = Listed { ids, learnt: Time::from_unix(0), fetched: Instant::now() };
        assert_eq!(listed.after(0, 3), [JamfId(2), JamfId(3), JamfId(5)]);
        assert_eq!(listed.after(5, 3), [JamfId(8)]);
        assert_eq!(listed.after(4, 1), [JamfId(5)]);
        assert_eq!(listed.after(8, 3), []);
        assert!(listed.has(JamfId(5)) && !listed.has(JamfId(4)));
    }
}
