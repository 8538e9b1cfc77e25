//! Reasons to revoke, and which changes of a certificate's standing are allowed.
//!
//! This is what an installation writes down about a certificate. What follows from it together with
//! everything else that is known is a verdict: [`crate::verdict`](mod@crate::verdict).

use std::fmt;

use lanyard_pki::Time;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::verdict::State;

/// Why a certificate was revoked: CRLReason of RFC 5280 section 5.3.1, as far as it revokes for
/// good.
///
/// certificateHold (6) is [`Standing::OnHold`], removeFromCRL (8) is a release, 7 is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum RevocationReason {
    /// No reason is given. A CRL leaves the extension out.
    Unspecified = 0,
    /// The private key is known to another, or may be.
    KeyCompromise = 1,
    /// The authority's private key is known to another, or may be.
    CaCompromise = 2,
    /// The subject's name or another fact in the certificate has changed.
    AffiliationChanged = 3,
    /// Another certificate replaces it.
    Superseded = 4,
    /// It is no longer needed for what it was issued for.
    CessationOfOperation = 5,
    /// A privilege in the certificate was withdrawn.
    PrivilegeWithdrawn = 9,
    /// The attribute authority's private key is known to another, or may be.
    AaCompromise = 10,
}

impl RevocationReason {
    /// Every reason, by number.
    pub const ALL: &[Self] = &[
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The number of CRLReason.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The inverse of `code`; none for 6 and 8, which do not revoke for good, and for numbers
    /// without meaning.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }

    /// The name in RFC 5280.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// The inverse of `name`, in any letter case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What this installation has written down about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is held against it.
    NotRevoked,
    /// Suspended until somebody releases or revokes it.
    OnHold {
        /// Since when.
        since: Time,
    },
    /// Revoked for good.
    Revoked {
        /// Since when: a certificate that was on hold counts as revoked from the hold on.
        since: Time,
        /// Why.
        reason: RevocationReason,
    },
}

/// A change of standing that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Revoke for good.
    Revoke(RevocationReason),
    /// Suspend: certificateHold.
    Hold,
    /// Lift a hold: removeFromCRL.
    Release,
}

impl Change {
    /// The change that a CRLReason number asks for; none for 7 and numbers above 10.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            6 => Some(Self::Hold),
            8 => Some(Self::Release),
            other => RevocationReason::from_code(other).map(Self::Revoke),
        }
    }

    /// The change that a reason's name in RFC 5280 asks for, in any letter case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("certificateHold") {
            return Some(Self::Hold);
        }
        if name.eq_ignore_ascii_case("removeFromCRL") {
            return Some(Self::Release);
        }
        RevocationReason::from_name(name).map(Self::Revoke)
    }

    /// The number of CRLReason.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Revoke(reason) => reason.code(),
            Self::Hold => 6,
            Self::Release => 8,
        }
    }
}

impl Standing {
    /// The standing after a change, at `now`.
    ///
    /// Only a hold is ever lifted. What is revoked for good stays as it was recorded: its time and
    /// reason do not change. Holding what is on hold changes nothing and is no mistake.
    pub fn after(self, change: Change, now: Time) -> Result<Self, Refusal> {
        match (self, change) {
            (Self::Revoked { .. }, _) => Err(Refusal::RevokedForGood),
            (Self::NotRevoked, Change::Release) => Err(Refusal::NotOnHold),
            (Self::NotRevoked, Change::Revoke(reason)) => Ok(Self::Revoked { since: now, reason }),
            (Self::NotRevoked, Change::Hold) => Ok(Self::OnHold { since: now }),
            (Self::OnHold { since }, Change::Revoke(reason)) => Ok(Self::Revoked { since, reason }),
            (Self::OnHold { .. }, Change::Hold) => Ok(self),
            (Self::OnHold { .. }, Change::Release) => Ok(Self::NotRevoked),
        }
    }

    /// Since when something is held against it.
    #[must_use]
    pub const fn since(self) -> Option<Time> {
        match self {
            Self::NotRevoked => None,
            Self::OnHold { since } | Self::Revoked { since, .. } => Some(since),
        }
    }

    /// The effective one of two: either may be against a certificate, none takes precedence.
    ///
    /// Revoked comes before on hold, of two of a kind the earlier one stands, and of revocations at
    /// the same instant one with a reason.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if State::from(other).weight() < State::from(self).weight() { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: Time = Time::from_unix(1_000);
    const LATER: Time = Time::from_unix(2_000);
    const HELD: Standing = Standing::OnHold { since: FIRST };
    const REVOKED: Standing =
        Standing::Revoked { since: FIRST, reason: RevocationReason::Superseded };

    fn changes() -> impl Strategy<Value = Change> {
        (0_u8..=10).prop_filter_map("7 is not used", Change::from_code)
    }

    #[test]
    fn numbers_and_names_come_back() {
        for code in (0..=10).filter(|code| *code != 7) {
            assert_eq!(Change::from_code(code).unwrap().code(), code);
        }
        for reason in RevocationReason::ALL.iter().copied() {
            assert_eq!(RevocationReason::from_code(reason.code()), Some(reason));
            let name = reason.name().to_uppercase();
            assert_eq!(Change::from_name(&name), Some(Change::Revoke(reason)));
        }
        assert_eq!(Change::from_name("certificatehold"), Some(Change::Hold));
        assert_eq!(Change::from_name("removeFromCRL"), Some(Change::Release));
        assert_eq!(Change::from_name("bored"), None);
        assert_eq!(Change::from_code(7).or(Change::from_code(11)), None);
    }

    #[test]
    fn a_hold_can_be_revoked_and_then_counts_from_the_hold_on() {
        let reason = RevocationReason::KeyCompromise;
        let after = HELD.after(Change::Revoke(reason), LATER);
        assert_eq!(after, Ok(Standing::Revoked { since: FIRST, reason }));
    }

    #[test]
    fn a_hold_can_be_released_and_nothing_else() {
        assert_eq!(HELD.after(Change::Release, LATER), Ok(Standing::NotRevoked));
        let free = Standing::NotRevoked.after(Change::Release, LATER);
        assert_eq!(free, Err(Refusal::NotOnHold));
    }

    #[test]
    fn holding_twice_keeps_the_first_time() {
        assert_eq!(HELD.after(Change::Hold, LATER), Ok(HELD));
    }

    proptest! {
        #[test]
        fn what_is_revoked_for_good_stays(change in changes(), at: i32) {
            let after = REVOKED.after(change, Time::from_unix(i64::from(at)));
            prop_assert_eq!(after, Err(Refusal::RevokedForGood));
        }

        #[test]
        fn no_sequence_of_changes_leaves_revoked(changes in proptest::collection::vec(changes(), 0..12)) {
            let mut standing = Standing::NotRevoked;
            let mut revoked = None;
            for (change, at) in changes.into_iter().zip(0..) {
                standing = standing.after(change, Time::from_unix(at)).unwrap_or(standing);
                if revoked.is_none() && matches!(standing, Standing::Revoked { .. }) {
                    revoked = Some(standing);
                }
                prop_assert!(revoked.is_none_or(|first| first == standing));
            }
        }
    }
}
