//! How long it takes from a change of an object until its certificates say so, for the metrics.
//!
//! Counted from when this process recorded the change, or heard that another one had. A change that makes no certificate
//! say otherwise is not counted.

use lanyard_lifecycle::object::ObjectKey;
use quick_cache::sync::Cache;
use tokio::time::Instant;

/// How many changes are timed at once; the oldest give way.
const TIMED: usize = 16_384;

/// When objects changed whose change has had no consequence yet.
#[derive(Debug)]
pub(crate) struct Latency {
    to_record: Cache<ObjectKey, Instant>,
    to_answer: Cache<ObjectKey, Instant>,
}

impl Latency {
    pub(super) fn new() -> Self {
        Self { to_record: Cache::new(TIMED), to_answer: Cache::new(TIMED) }
    }

    /// An object has changed.
    pub(super) fn changed(&self, key: &ObjectKey) {
        if self.to_record.peek(key).is_none() {
            self.to_record.insert(*key, Instant::now());
        }
    }

    /// A certificate of these objects stands otherwise now.
    pub(super) fn recorded(&self, keys: &[ObjectKey]) {
        for key in keys {
            if let Some((key, changed)) = self.to_record.remove(key) {
                let seconds = changed.elapsed().as_secs_f64();
                metrics::histogram!("lanyard_change_to_recorded_seconds").record(seconds);
                self.to_answer.insert(key, changed);
            }
        }
    }

    /// All certificates of an object are judged after its change.
    pub(super) fn judged(&self, key: &ObjectKey) {
        self.to_record.remove(key);
    }

    /// An answer says of a certificate of these objects that it is not good.
    pub(super) fn answered(&self, keys: impl FnOnce() -> Vec<ObjectKey>) {
        if self.to_answer.is_empty() {
            return;
        }
        for key in keys() {
            if let Some((_, changed)) = self.to_answer.remove(&key) {
                let seconds = changed.elapsed().as_secs_f64();
                metrics::histogram!("lanyard_change_to_revoked_answer_seconds").record(seconds);
            }
        }
    }
}
