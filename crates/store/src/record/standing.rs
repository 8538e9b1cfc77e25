//! Good, on hold, revoked: the record that status answers and CRLs are made from.

use lanyard_lifecycle::{
    binding::Binding,
    id::{EndpointId, Scope},
    kind::Source,
    refusal::Refusal,
    revocation::{Change, Standing},
    verdict::ByRule,
};
use lanyard_pki::{SerialNumber, Time};

use super::{CaId, CrlPartition, HeldBack};

/// A place in the order in which standings changed, across all CAs. Every change gets the next
/// number in the transaction that makes it, so a reader that has seen `n` misses nothing up to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusSequence(pub i64);

/// What a status answer needs to know of a certificate, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRecord {
    /// The CA that issued it.
    pub ca: CaId,
    /// Its kind and the object that it is tethered to.
    pub binding: Binding,
    /// The channel that it was issued through.
    pub source: Source,
    /// The endpoint that it was issued at.
    pub endpoint: EndpointId,
    /// Who owns it.
    pub scope: Scope,
    /// Start of validity.
    pub not_before: Time,
    /// End of validity.
    pub not_after: Time,
    /// When it was recorded, for grace periods that count from issuance.
    pub issued_at: Time,
    /// Good, on hold or revoked, as recorded: by hand and by rule. This is what CRLs, searches and
    /// counts go by.
    pub standing: Standing,
    /// What people have done.
    pub by_hand: Standing,
    /// What rules hold against it.
    pub by_rule: Option<ByRule>,
    /// What rules would hold against it if the brake did not hold it back.
    pub held_back: Option<HeldBack>,
    /// See [`Summary::invalidity_date`](super::Summary::invalidity_date).
    pub invalidity_date: Option<Time>,
}

impl StatusRecord {
    /// Whether it is revoked for good, by hand or by a rule: nothing follows.
    #[must_use]
    pub fn is_revoked_for_good(&self) -> bool {
        matches!(self.by_hand, Standing::Revoked { .. })
            || self.by_rule.as_ref().is_some_and(ByRule::is_permanent)
    }
}

/// A wish to revoke, hold or release a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingChange {
    /// What to do.
    pub change: Change,
    /// Now; a new hold or revocation counts from it.
    pub at: Time,
    /// Who does it, for people.
    pub by: String,
    /// See [`Summary::invalidity_date`](super::Summary::invalidity_date).
    pub invalidity_date: Option<Time>,
}

/// What came of [`change_standing`](crate::Store::change_standing).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandingOutcome {
    /// Recorded.
    Changed {
        /// How it stood, by hand and by rule.
        before: Standing,
        /// How it stands now. What a rule holds against it stays after a release.
        after: Standing,
        /// The change's place in the order of all changes.
        sequence: StatusSequence,
    },
    /// It stood so by hand before (on hold, and to be held). Nothing was recorded, no audit entry either.
    Unchanged(Standing),
    /// The rules do not allow it (revoked for good, not on hold). Nothing was recorded.
    Refused(Refusal),
    /// No certificate was issued with this serial number. Nothing was recorded.
    NotIssued,
}

/// The latest change of one certificate, for delta CRLs and caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Where it stands in the order of all changes.
    pub sequence: StatusSequence,
    /// The certificate.
    pub serial: SerialNumber,
    /// The CA that issued it.
    pub ca: CaId,
    /// The CRL partition that its distribution point names.
    pub crl_partition: CrlPartition,
    /// Good after a release: `removeFromCRL`.
    pub standing: Standing,
    /// See [`Summary::invalidity_date`](super::Summary::invalidity_date).
    pub invalidity_date: Option<Time>,
    /// End of validity.
    pub not_after: Time,
}
