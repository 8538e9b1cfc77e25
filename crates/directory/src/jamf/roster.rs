//! The ids of a whole collection as the Classic API lists them: the second witness of an absence,
//! and what sweeps of its collections go by.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use lanyard_pki::Time;
use tokio::time::Instant;

use super::session::{Reading, Session};
use super::wire::JamfId;
use super::wire::classic::Listing;
use crate::ignorance::{Ignorance, Why};

/// A list as old as this still serves a sweep. The list of a large instance is expensive.
const RECENT: Duration = Duration::from_mins(1);
const LIST: &str = "list a collection";

/// A collection of the Classic API, listed when it is needed and kept for a while.
#[derive(Debug)]
pub(super) struct Roster {
    path: &'static str,
    privilege: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Option<Arc<Listed>>,
    /// The list that is being fetched, since when.
    under_way: Option<(Instant, Fetching)>,
}

type Fetched = Result<Arc<Listed>, Ignorance>;
type Fetching = Shared<BoxFuture<'static, Fetched>>;

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
        Self { path, privilege, state: Mutex::default() }
    }

    /// A list that is at most a minute old. Of many who ask at once one fetches it.
    pub(super) async fn listed(&self, session: &Arc<Session>) -> Fetched {
        self.fetched(session, |fetched| fetched.elapsed() < RECENT).await
    }

    /// Whether a list agrees that the collection has no such object as was asked for at that time.
    ///
    /// Only a list from after the question bears witness: one from before lacks what was made since.
    /// One that still has the object may be older than its deletion: then a new one decides.
    pub(super) async fn lacks(
        &self,
        session: &Arc<Session>,
        id: JamfId,
        asked: Instant,
    ) -> Result<bool, Ignorance> {
        let now = Instant::now();
        if !self.fetched(session, |fetched| fetched >= asked).await?.has(id) {
            return Ok(true);
        }
        Ok(!self.fetched(session, |fetched| fetched >= now).await?.has(id))
    }

    /// A list that was asked for at a time that will do. There is one at a time: where the one under
    /// way will not do, all who wait for it share the next. It goes on being fetched when nobody
    /// waits for it any more: whoever asks next has it the sooner.
    async fn fetched(&self, session: &Arc<Session>, will_do: impl Fn(Instant) -> bool) -> Fetched {
        loop {
            let (fetching, does) = {
                let mut state = self.state();
                if let Some(kept) = state.kept.as_ref().filter(|kept| will_do(kept.fetched)) {
                    return Ok(Arc::clone(kept));
                }
                match &state.under_way {
                    Some((begun, fetching)) if fetching.peek().is_none() => {
                        (fetching.clone(), will_do(*begun))
                    }
                    _ => {
                        let begun = Instant::now();
                        let fetching = fetch(Arc::clone(session), self.path, self.privilege, begun);
                        state.under_way = Some((begun, fetching.clone()));
                        (fetching, true)
                    }
                }
            };
            let ended = fetching.await;
            if let Ok(listed) = &ended {
                let mut state = self.state();
                if state.kept.as_ref().is_none_or(|kept| kept.fetched < listed.fetched) {
                    state.kept = Some(Arc::clone(listed));
                }
            }
            if does {
                return ended;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment: the state is whole whatever happened to its writer.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fetch(
    session: Arc<Session>,
    path: &'static str,
    privilege: &'static str,
    fetched: Instant,
) -> Fetching {
    let name = session.service().name();
    let task = tokio::spawn(async move {
        let path = ["JSSResource", path];
        let answer = session.get(LIST, Reading::Many, &path, &[], privilege).await?;
        let listing: Listing = answer.json()?;
        let mut ids: Vec<JamfId> = listing.objects.into_iter().map(|listed| listed.id).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Arc::new(Listed { ids, learnt: answer.asked, fetched }))
    });
    let ended = move |ended: Result<Fetched, _>| {
        // The program is about to stop.
        ended.unwrap_or_else(|_| Err(Ignorance::new(name, LIST, Why::TimedOut, "interrupted")))
    };
    task.map(ended).boxed().shared()
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
