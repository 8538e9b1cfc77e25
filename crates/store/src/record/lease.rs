//! Leases: one worker at a time for a named job, however many processes there are.

use lanyard_pki::Time;

/// A number that grows with every new holder of a lease. Whoever acts for a lease shows it, so
/// that a holder who lost the lease without noticing is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub i64);

/// A lease, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job's name.
    pub name: String,
    /// Who holds it.
    pub owner: String,
    /// The holder's number.
    pub fence: Fence,
    /// Until when.
    pub until: Time,
}
