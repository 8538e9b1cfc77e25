//! The verdict on a certificate: good, on hold, revoked, unknown or undecided, and every fact that
//! led to it.
//!
//! Every source is asked and any one may revoke: opinions are or-ed, none takes precedence by its
//! rank. The same function serves OCSP, CRL, the console, the APIs and renewal. Expiry is not
//! judged here, as OCSP does not.
//!
//! Asking the sources is not done here: a source is a function from what is known to [`Opinion`]s.
//! The one for the installation's own record is [`record`].

mod freshness;

use lanyard_pki::Time;

use crate::fact::{Fact, FactSource};
use crate::refusal::NotGood;
use crate::revocation::{RevocationReason, Standing};

pub use freshness::Freshness;

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

/// The rule that an opinion follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The record of the certificate holds nothing against it.
    NothingRecorded,
    /// A person or program has put it on hold, and this is recorded.
    RecordedHold,
    /// A person, program or rule has revoked it, and this is recorded.
    RecordedRevocation,
    /// There is no record of it in a store that is complete.
    NoRecord,
    /// No source had anything to say.
    NobodyAsked,
}

impl Rule {
    /// The rule in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NothingRecorded => "nothing is recorded against it",
            Self::RecordedHold => "it was put on hold",
            Self::RecordedRevocation => "it was revoked",
            Self::NoRecord => "it was never issued here",
            Self::NobodyAsked => "no source knows it",
        }
    }
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// What it comes to.
    pub state: State,
    /// The rule it follows from.
    pub rule: Rule,
    /// What the source said.
    pub facts: Vec<Fact>,
    /// When this opinion may change by the passing of time alone: a grace ends, a fact grows stale.
    pub next_change: Option<Time>,
}

/// The decision from all opinions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it comes to.
    pub state: State,
    /// The rule that decided.
    pub rule: Rule,
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
        matches!(self.state, State::Revoked { .. })
    }
}

/// The verdict from what all sources say.
///
/// Revoked for good wins, and the earliest revocation gives time and reason. A hold comes next,
/// since the earliest hold: whatever a silent source would have said, the certificate is not good.
/// Then *undecided*: ignorance is never good. *Unknown* stands only against *good*: a certificate
/// that nobody issued is not good because a directory knows its object.
#[must_use]
pub fn verdict(opinions: impl IntoIterator<Item = Opinion>) -> Verdict {
    let mut opinions: Vec<Opinion> = opinions.into_iter().collect();
    opinions.sort_by_key(|opinion| weight(opinion.state));
    let Some(first) = opinions.first() else {
        return Verdict {
            state: State::Unknown,
            rule: Rule::NobodyAsked,
            facts: Vec::new(),
            next_change: None,
        };
    };
    let (state, rule) = (first.state, first.rule);
    let same = |opinion: &&Opinion| same_kind(opinion.state, state);
    let next_change = match state {
        // Only a source that says so can stop saying so; others can only add to it.
        State::Revoked { .. } => None,
        _ => opinions.iter().filter_map(|opinion| opinion.next_change).min(),
    };
    let facts = opinions.iter().filter(same).flat_map(|opinion| opinion.facts.clone()).collect();
    Verdict { state, rule, facts, next_change }
}

/// What weighs less decides. Of revocations at the same instant any reason weighs less than none
/// given.
fn weight(state: State) -> (u8, Time, u8) {
    match state {
        State::Revoked { since, reason: RevocationReason::Unspecified } => (0, since, u8::MAX),
        State::Revoked { since, reason } => (0, since, reason.code()),
        State::OnHold { since } => (1, since, 0),
        State::Undecided => (2, Time::MIN, 0),
        State::Unknown => (3, Time::MIN, 0),
        State::Good => (4, Time::MIN, 0),
    }
}

fn same_kind(one: State, other: State) -> bool {
    weight(one).0 == weight(other).0
}

/// What the installation's own record says of a certificate; none is a certificate that a complete
/// store does not have.
#[must_use]
pub fn record(standing: Option<Standing>, now: Time) -> Opinion {
    let Some(standing) = standing else {
        return Opinion {
            state: State::Unknown,
            rule: Rule::NoRecord,
            facts: Vec::new(),
            next_change: None,
        };
    };
    let (state, rule, value) = match standing {
        Standing::NotRevoked => (State::Good, Rule::NothingRecorded, "notRevoked"),
        Standing::OnHold { since } => {
            (State::OnHold { since }, Rule::RecordedHold, "certificateHold")
        }
        Standing::Revoked { since, reason } => {
            (State::Revoked { since, reason }, Rule::RecordedRevocation, reason.name())
        }
    };
    let fact = Fact {
        source: FactSource::Record,
        object: None,
        name: "standing".into(),
        value: value.into(),
        learnt: now,
    };
    Opinion { state, rule, facts: vec![fact], next_change: None }
}

#[cfg(test)]
mod tests;
