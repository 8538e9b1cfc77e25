//! The verdict on a certificate: good, on hold, revoked, unknown or undecided, and every fact that
//! led to it.
//!
//! Every source is asked and any one may revoke: opinions are or-ed, none takes precedence by its
//! rank. The same function serves OCSP, CRL, the console, the APIs and renewal. Expiry is not
//! judged here, as OCSP does not.
//!
//! Asking the sources is not done here: a source is a function from what is known to [`Opinion`]s.
//! The one for the installation's own record is [`record`], the one for directories is
//! [`crate::tether::judge`].

mod freshness;
mod recorded;
mod rule;

use std::fmt;

use lanyard_pki::Time;
use serde::{Deserialize, Serialize};

use crate::fact::Fact;
use crate::kind::coded;
use crate::refusal::NotGood;
use crate::revocation::RevocationReason;

pub use freshness::Freshness;
pub use recorded::{ByRule, Recording, conclude, record, to_record};
pub use rule::Rule;

/// What a verdict or an opinion comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is held against the certificate.
    Good,
    /// Suspended: certificateHold.
    OnHold {
        /// Since when.
        since: Time,
    },
    /// Revoked for good.
    Revoked {
        /// Since when.
        since: Time,
        /// Why.
        reason: RevocationReason,
    },
    /// Nobody knows such a certificate.
    Unknown,
    /// A source that would have to be asked cannot answer, and what is left does not decide:
    /// tryLater.
    Undecided,
}

coded! {
    /// Whether an opinion, once true, stays true. The codes are stable: stores keep them.
    Lasting {
        /// It may pass: a hold, or an absence that is not confirmed yet.
        Passing = 1,
        /// It may be recorded for good, and then nothing undoes it.
        Permanent = 2,
    }
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// What it comes to.
    pub state: State,
    /// The rule it follows from.
    pub rule: Rule,
    /// Whether a revocation stays, whatever the source says later. Of other states, nothing does.
    pub lasting: Lasting,
    /// What the source said.
    pub facts: Vec<Fact>,
    /// When this opinion may change by the passing of time alone: a grace ends, a fact grows stale.
    pub next_change: Option<Time>,
}

impl Opinion {
    /// Whether it is a revocation that nothing learnt later changes.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        matches!((self.state, self.lasting), (State::Revoked { .. }, Lasting::Permanent))
    }
}

/// The decision from all opinions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it comes to.
    pub state: State,
    /// The rule that decided.
    pub rule: Rule,
    /// Whether it stays, whatever is learnt later: a revocation that may be recorded for good.
    pub lasting: Lasting,
    /// Every fact that led to it, the deciding opinion's first.
    pub facts: Vec<Fact>,
    /// When it may next change by the passing of time alone. Caches and nextUpdate stop there.
    pub next_change: Option<Time>,
}

impl Verdict {
    /// Whether the certificate may be trusted now; else why not.
    pub const fn good(&self) -> Result<(), NotGood> {
        match self.state {
            State::Good => Ok(()),
            State::OnHold { .. } => Err(NotGood::OnHold),
            State::Revoked { reason, .. } => Err(NotGood::Revoked { reason }),
            State::Unknown => Err(NotGood::Unknown),
            State::Undecided => Err(NotGood::Undecided),
        }
    }

    /// Whether nothing that may be learnt later changes it.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        matches!((self.state, self.lasting), (State::Revoked { .. }, Lasting::Permanent))
    }
}

/// The verdict from what all sources say.
///
/// Revoked wins; the earliest revocation gives time and reason, of those that last if there are any.
/// A hold comes next, since the earliest hold: whatever a silent source would have said, the
/// certificate is not good. Then *undecided*: ignorance is never good. *Unknown* stands only against
/// *good*: a certificate that nobody issued is not good because a directory knows its object.
#[must_use]
pub fn verdict(opinions: impl IntoIterator<Item = Opinion>) -> Verdict {
    let mut opinions: Vec<Opinion> = opinions.into_iter().collect();
    opinions.sort_by_key(|opinion| {
        let (class, since, reason) = opinion.state.weight();
        (class, !opinion.is_lasting(), since, reason, opinion.rule.usualness())
    });
    let Some(first) = opinions.first() else {
        return Verdict {
            state: State::Unknown,
            rule: Rule::NobodyAsked,
            lasting: Lasting::Passing,
            facts: Vec::new(),
            next_change: None,
        };
    };
    let (state, rule) = (first.state, first.rule);
    let same = |opinion: &&Opinion| same_kind(opinion.state, state);
    let (lasting, next_change) = if first.is_lasting() {
        // Only a source that says so can stop saying so; others can only add to it.
        (Lasting::Permanent, None)
    } else {
        (Lasting::Passing, opinions.iter().filter_map(|opinion| opinion.next_change).min())
    };
    let facts = opinions.iter().filter(same).flat_map(|opinion| opinion.facts.clone()).collect();
    Verdict { state, rule, lasting, facts, next_change }
}

impl State {
    /// What weighs less decides. Of revocations at the same instant any reason weighs less than
    /// none given.
    pub(crate) const fn weight(self) -> (u8, Time, u8) {
        match self {
            Self::Revoked { since, reason: RevocationReason::Unspecified } => (0, since, u8::MAX),
            Self::Revoked { since, reason } => (0, since, reason.code()),
            Self::OnHold { since } => (1, since, 0),
            Self::Undecided => (2, Time::MIN, 0),
            Self::Unknown => (3, Time::MIN, 0),
            Self::Good => (4, Time::MIN, 0),
        }
    }
}

fn same_kind(one: State, other: State) -> bool {
    one.weight().0 == other.weight().0
}

#[cfg(test)]
mod tests;
