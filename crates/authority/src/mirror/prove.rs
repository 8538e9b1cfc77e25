//! Proof of absence: what a whole reading did not show is looked up, some at a time, before it counts as absent. Pages
//! shift while objects come and go, and a permission that was lost shortens a list without a word.

use lanyard_directory::{Found, Ignorance, Query};
use lanyard_lifecycle::object::ObjectKey;
use lanyard_store::{Cursor, FeedProgress, ObjectChange};

use super::feed::{Recorded, count_failure};
use super::source::{Held, Source};
use crate::error::Doing as _;
use crate::steps::Step;
use crate::{Authority, Fault};

/// How many are looked up in one step: what a batch request of Microsoft Graph holds.
const AT_ONCE: u32 = 20;

impl Authority {
    /// Looks some of the missing objects up, and records what is learnt.
    pub(super) async fn prove_some(
        &self,
        source: &Source,
        mut progress: FeedProgress,
        held: &Held,
    ) -> Result<Recorded, Fault> {
        let place = progress.proved_to.unwrap_or(Cursor(0));
        let missing = self.store().unseen_objects(source.key, progress.swept, place, AT_ONCE);
        let missing = missing.await.doing("find the objects that a directory did not show")?;
        progress.proved_to = missing.next;
        let (changes, failure) = look_up(source, &missing.items).await;
        match failure {
            None => source.proving.clear(),
            Some(ignorance) => {
                count_failure(source, &ignorance);
                source.proving.failed(&ignorance, self.now());
                if changes.is_empty() {
                    // Nobody could be asked: the same ones again, later.
                    progress.proved_to = Some(place);
                } else {
                    // Some could be: one that never can must not stand before the others.
                    progress.proved_to = Some(missing.next.unwrap_or(Cursor(0)));
                }
            }
        }
        self.reached(Step::ProofRead).await?;
        let swept = progress.swept;
        let recorded = self.record_page(swept, changes, progress, held).await?;
        self.reached(Step::ProofRecorded).await?;
        Ok(recorded)
    }
}

/// What the directory says of each, and what it did not say of one of them.
async fn look_up(source: &Source, missing: &[ObjectKey]) -> (Vec<ObjectChange>, Option<Ignorance>) {
    let queries: Vec<Query> = missing.iter().map(|key| Query::id(key.kind, key.object)).collect();
    let (mut changes, mut failure) = (Vec::new(), None);
    for (answer, key) in source.connector.look_up_all(&queries).await.into_iter().zip(missing) {
        match answer {
            // An answer about another object proves nothing of this one.
            Ok(Found::State(state)) if state.key == *key => {
                changes.push(ObjectChange::State(state));
            }
            Ok(Found::State(_) | Found::NoSuch) => {}
            Err(ignorance) => failure = Some(ignorance),
        }
    }
    (changes, failure)
}
