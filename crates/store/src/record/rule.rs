//! What rules hold against certificates because of their objects, beside what people do by hand.

use lanyard_lifecycle::{
    revocation::Standing,
    verdict::{ByRule, Rule},
};
use lanyard_pki::{SerialNumber, Time};

use super::{
    AuditEntry, HeldLease, NewHeldBack, ObjectSequence, QueueAnswer, StatusRecord, StatusSequence,
};

/// What the rules say of a certificate now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// The certificate.
    pub serial: SerialNumber,
    /// What they hold against it; none takes back what may pass. A standing of
    /// [`Standing::NotRevoked`] is none.
    pub to: Option<ByRule>,
    /// When to judge it again although nobody says anything new of its objects; none is never.
    pub due: Option<Time>,
    /// Remembered if this changes what is held against it.
    pub audit: Option<AuditEntry>,
}

/// What the rules say of many certificates, recorded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBatch {
    /// What is to be recorded, one a certificate.
    pub changes: Vec<RuleChange>,
    /// What the brake holds back, one a certificate: what is new and what it, or a person's
    /// decision, has held back before and the rules still say. The latter stays with its batch,
    /// since when it was. A certificate may be among the changes as well: what a rule that is not
    /// held back says of it, and when it is due.
    pub held_back: Vec<NewHeldBack>,
    /// What a directory that asked for some of this is to be told.
    pub answers: Vec<QueueAnswer>,
    /// Up to where changes of objects are judged with this.
    pub judged: Option<ObjectSequence>,
    /// The lease that the work is done under. Whoever has lost it records nothing.
    pub lease: Option<HeldLease>,
    /// What to remember of the batch itself.
    pub audit: Vec<AuditEntry>,
    /// Now.
    pub now: Time,
}

impl RuleBatch {
    /// Nothing yet.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self {
            changes: Vec::new(),
            held_back: Vec::new(),
            answers: Vec::new(),
            judged: None,
            lease: None,
            audit: Vec::new(),
            now,
        }
    }
}

/// What came of [`record_rules`](crate::Store::record_rules).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruled {
    /// Recorded. One outcome for each of the changes, in their order.
    Recorded(Vec<RuleOutcome>),
    /// The lease was lost. Nothing was recorded, and the work must stop.
    LeaseLost,
}

/// What came of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleOutcome {
    /// Recorded.
    Changed {
        /// How the certificate stood, by hand and by rule.
        before: Standing,
        /// How it stands now.
        after: Standing,
        /// The change's place in the order of all changes.
        sequence: StatusSequence,
    },
    /// This was held against it before, or it is revoked for good: then nothing follows. Only when
    /// it is due was recorded.
    Unchanged(Standing),
    /// No certificate was issued with this serial number.
    NotIssued,
}

/// A certificate that follows an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundCertificate {
    /// Its serial number.
    pub serial: SerialNumber,
    /// What is recorded of it.
    pub status: StatusRecord,
    /// When it is to be judged again.
    pub due: Option<Time>,
}

/// How many certificates a rule has revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleCount {
    /// The rule.
    pub rule: Rule,
    /// Certificates.
    pub certificates: u64,
}
