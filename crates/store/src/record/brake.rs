//! What the brake holds back: automatic revocations that wait for a person.

use lanyard_lifecycle::{binding::Binding, id::Scope, verdict::ByRule};
use lanyard_pki::{SerialNumber, Time};

/// The number of what is decided on together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub i64);

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BatchState {
    /// It waits for a person, and more may be added to it.
    Held,
    /// It is to be carried out.
    Confirmed,
    /// It is not to be carried out.
    Discarded,
}

/// What a rule would have recorded of a certificate. It joins the batch that waits, or begins one,
/// unless the rule has said so before: then it stays with that batch, which may be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHeldBack {
    /// The certificate.
    pub serial: SerialNumber,
    /// What would have been recorded.
    pub ruled: ByRule,
}

/// What is held back of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The batch that it is decided with.
    pub batch: BatchId,
    /// What became of the batch.
    pub state: BatchState,
    /// Since when it is held back.
    pub held_at: Time,
    /// What would have been recorded then.
    pub ruled: ByRule,
}

/// A certificate that something is held back of, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBackCertificate {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Who owns it.
    pub scope: Scope,
    /// Its kind and object.
    pub binding: Binding,
    /// What is held back.
    pub held_back: HeldBack,
}

/// A batch, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrakeBatch {
    /// What people name it by.
    pub id: BatchId,
    /// What became of it.
    pub state: BatchState,
    /// When the brake began to hold back.
    pub opened_at: Time,
    /// Certificates that are still held back; of a confirmed batch, those that are not carried out
    /// yet.
    pub certificates: u64,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Time>,
}

/// What a person decides about a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrakeDecision {
    /// Carry it out.
    Confirm,
    /// Leave the certificates as they are.
    Discard,
}

/// What came of [`decide_held_back`](crate::Store::decide_held_back).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Recorded.
    Recorded,
    /// It was decided before. Nothing was recorded.
    Before(BatchState),
    /// There is no such batch.
    NoSuchBatch,
}
