//! The brake on mass revocation: when too many certificates are about to be revoked by rule at a time,
//! the rest waits for a person.
//!
//! A directory that is cleaned up wrongly, or an account that has lost a permission, looks like a fleet
//! that was deleted. What was ordered is not held back: a wipe, a retire, a revocation that Intune asks
//! for or that a person makes. Who waits is recorded by the store.

use std::time::Duration;

use lanyard_pki::Time;

use crate::verdict::{Lasting, Opinion, Rule, State};

/// When the brake takes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrakeRules {
    /// The share of the tethered certificates that may be revoked within the window, in thousandths.
    /// The default is 50: one in twenty.
    pub share: u32,
    /// How many may be, however few certificates there are. The default is 25.
    pub least: u64,
    /// The window. The default is an hour.
    pub window: Duration,
}

impl Default for BrakeRules {
    fn default() -> Self {
        Self { share: 50, least: 25, window: Duration::from_hours(1) }
    }
}

/// What the brake is decided by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Tethered certificates that were good or on hold when the window began.
    pub tethered: u64,
    /// How many of them were revoked within the window by rules that the brake covers.
    pub revoked: u64,
    /// How many are held back and wait for a person.
    pub waiting: u64,
}

impl BrakeRules {
    /// How many more certificates may be revoked now; the rest is held back.
    ///
    /// As long as any wait for a person, none: what is wrong then is not known yet.
    #[must_use]
    pub fn lets_pass(&self, traffic: Traffic) -> u64 {
        if traffic.waiting > 0 {
            return 0;
        }
        let share = u128::from(traffic.tethered) * u128::from(self.share.min(1000)) / 1000;
        let most = u64::try_from(share).unwrap_or(u64::MAX).max(self.least);
        most.saturating_sub(traffic.revoked)
    }
}

/// Whether the brake covers a rule's revocations: those that a mistake in a directory makes.
#[must_use]
pub const fn covers(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::IntuneDeviceDeleted
            | Rule::IntuneDeviceDeletePending
            | Rule::IntuneDeviceUnhealthy
            | Rule::IntuneListedRevoked
            | Rule::EntraDeviceDeleted
            | Rule::EntraUserDeleted
            | Rule::JamfComputerDeleted
            | Rule::JamfDeviceDeleted
            | Rule::JamfUserDeleted
    )
}

/// What a person has said about a revocation that is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet.
    Waiting {
        /// Since when it waits.
        since: Time,
        /// How long it may: past that, nothing is said of the certificate.
        at_most: Duration,
    },
    /// It is not to be: what the rule says is not believed.
    Discarded,
}

/// The opinion of a rule whose revocation is held back by the brake: as long as it waits the
/// certificate stays good, and past that nothing is said of it. Opinions that the brake does not cover
/// stay as they are.
#[must_use]
pub fn withheld(opinion: Opinion, decision: Decision, now: Time) -> Opinion {
    if !covers(opinion.rule) || !matches!(opinion.state, State::Revoked { .. }) {
        return opinion;
    }
    let (state, next_change) = match decision {
        Decision::Waiting { since, at_most } => {
            let end = since.plus(i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX));
            if now < end { (State::Good, Some(end)) } else { (State::Undecided, None) }
        }
        Decision::Discarded => (State::Good, None),
    };
    let next_change = [next_change, opinion.next_change].into_iter().flatten().min();
    Opinion { state, rule: Rule::HeldBack, lasting: Lasting::Passing, next_change, ..opinion }
}

#[cfg(test)]
mod tests;
