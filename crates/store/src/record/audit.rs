//! The audit trail's entries: who did what to which thing, chained by hashes.

use lanyard_lifecycle::id::Scope;
use lanyard_pki::Time;

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused by a rule.
    Refused,
    /// It was tried and failed.
    Failed,
}

/// An act to be remembered. It is written in the transaction of the act itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Time,
    /// Whose records it touched.
    pub scope: Scope,
    /// Who: a person, a service, an endpoint's client.
    pub actor: String,
    /// From which network address.
    pub address: Option<String>,
    /// What, in dotted words (`certificate.issue`).
    pub action: String,
    /// To what: a serial number, an endpoint's name.
    pub target: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// More, as JSON; never keys, challenges, tokens or bodies.
    pub detail: Option<String>,
}

/// An entry, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number: from 1, without gaps.
    pub number: i64,
    /// What was remembered.
    pub entry: AuditEntry,
    /// SHA-256 over the hash before and this entry.
    pub hash: [u8; 32],
}

/// What a check of the whole trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every entry follows from the one before, and none is missing.
    Intact {
        /// How many entries there are.
        entries: i64,
        /// The last entry's hash: note it elsewhere to prove later that nothing before changed.
        head: [u8; 32],
    },
    /// An entry was changed, removed or put in.
    Broken {
        /// The first number at which the trail is not what it was.
        number: i64,
    },
}
