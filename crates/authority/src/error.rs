//! How a verb fails: by a decision that may be shown, or by a fault of ours that may not.
//!
//! What a refusal looks like on the wire is each door's affair.

use std::collections::hash_map::RandomState;
use std::error::Error as StdError;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use lanyard_lifecycle::Refusal;
use lanyard_signer::{KeyStoreError, SignError};
use lanyard_store::StoreError;

/// Why a verb did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A decision: expected, recorded, safe to show to whoever asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something of ours failed. Shown as an id; the cause goes to the log, once, at the edge.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Whether asking again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// The store or a key is out of reach or overloaded for the moment: try again later.
    Passing,
    /// It will fail again until a person acts.
    Lasting,
}

/// Something of ours failed. `Display` shows the id alone, so that no cause leaks to a client.
#[derive(Debug)]
pub struct Fault {
    id: u64,
    persistence: Persistence,
    doing: &'static str,
    cause: Box<dyn StdError + Send + Sync>,
}

impl Fault {
    /// A fault while `doing` something ("record a certificate").
    pub fn new(
        doing: &'static str,
        persistence: Persistence,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { id: next_id(), persistence, doing, cause: cause.into() }
    }

    /// A fault that will last until a person acts.
    pub fn lasting(doing: &'static str, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(doing, Persistence::Lasting, cause)
    }

    /// The id that the client and the log share: 16 hexadecimal digits.
    pub fn id(&self) -> String {
        format!("{:016x}", self.id)
    }

    /// Whether asking again may help.
    pub fn persistence(&self) -> Persistence {
        self.persistence
    }

    /// What failed, whole, for the log and for nobody else.
    pub fn report(&self) -> String {
        let mut report = format!("could not {}: {}", self.doing, self.cause);
        let mut source = self.cause.source();
        while let Some(cause) = source {
            report.push_str(": ");
            report.push_str(&cause.to_string());
            source = cause.source();
        }
        report
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "internal fault {:016x}", self.id)
    }
}

impl StdError for Fault {}

/// Faults of what the authority stands on, in the context of what it was doing.
pub(crate) trait Doing<T> {
    /// Makes a fault of an error.
    fn doing(self, doing: &'static str) -> Result<T, Fault>;
}

/// An error that knows whether asking again may help.
pub(crate) trait Cause: StdError + Send + Sync + 'static {
    fn persistence(&self) -> Persistence;
}

impl<T, E: Cause> Doing<T> for Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T, Fault> {
        self.map_err(|cause| Fault::new(doing, cause.persistence(), cause))
    }
}

impl Cause for StoreError {
    fn persistence(&self) -> Persistence {
        if self.is_transient() { Persistence::Passing } else { Persistence::Lasting }
    }
}

/// Of work that is finished although nobody waits for it any more: the process ends.
impl Cause for tokio::task::JoinError {
    fn persistence(&self) -> Persistence {
        Persistence::Passing
    }
}

impl Cause for SignError {
    fn persistence(&self) -> Persistence {
        match self {
            Self::Unavailable(_) => Persistence::Passing,
            Self::Unsupported(_) | Self::Failed(_) => Persistence::Lasting,
        }
    }
}

impl Cause for KeyStoreError {
    fn persistence(&self) -> Persistence {
        Persistence::Lasting
    }
}

/// Ids tell faults apart in a log; they guard nothing.
fn next_id() -> u64 {
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    START.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_id_and_keeps_its_cause_for_the_log() {
        let cause = std::io::Error::other("disk /secret/place is full");
        let fault = Fault::lasting("record a certificate", cause);
        assert_eq!(fault.to_string(), format!("internal fault {}", fault.id()));
        assert_eq!(fault.report(), "could not record a certificate: disk /secret/place is full");
    }

    #[test]
    fn two_faults_have_two_ids() {
        let (one, two) = (Fault::lasting("a", "b"), Fault::lasting("a", "b"));
        assert_ne!(one.id(), two.id());
    }
}
