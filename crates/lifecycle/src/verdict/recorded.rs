//! What is recorded of a certificate, as a source of the verdict; and what a judgement adds to it.
//!
//! Two things are recorded apart from each other: what people and programs did, and what a rule has
//! decided. From the latter only what lasts speaks; a hold or an absence that is not confirmed speaks
//! through the directories alone, and is recorded for CRLs, searches and its one `since`.

use lanyard_pki::Time;

use super::{Lasting, Opinion, Rule, State, Verdict, verdict};
use crate::fact::{Fact, FactSource};
use crate::kind::Source;
use crate::revocation::{RevocationReason, Standing};

/// What a rule has decided about a certificate, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByRule {
    /// What it came to; never [`Standing::NotRevoked`].
    pub standing: Standing,
    /// The rule.
    pub rule: Rule,
    /// Whether that stays, whatever becomes of the object.
    pub lasting: Lasting,
    /// When it was recorded.
    pub recorded_at: Time,
    /// What it was decided from.
    pub facts: Vec<Fact>,
}

impl ByRule {
    /// Whether it is a revocation that nothing undoes.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        matches!((self.standing, self.lasting), (Standing::Revoked { .. }, Lasting::Permanent))
    }

    /// What is to be recorded of a certificate that Intune has revoked, by `rule`: its list of
    /// certificates or its queue of requests. None for a certificate that was not enrolled through
    /// Intune.
    #[must_use]
    pub fn revoked_by_intune(
        source: Source,
        rule: Rule,
        reason: Option<RevocationReason>,
        facts: Vec<Fact>,
        now: Time,
    ) -> Option<Self> {
        let (Source::Intune | Source::IntuneListed) = source else { return None };
        let reason = reason.unwrap_or(RevocationReason::CessationOfOperation);
        Some(Self {
            standing: Standing::Revoked { since: now, reason },
            rule,
            lasting: Lasting::Permanent,
            recorded_at: now,
            facts,
        })
    }
}

/// What the installation's own record says of a certificate: what was done by hand, and what a rule
/// has recorded for good. `by_hand` is none for a certificate that a complete store does not have.
#[must_use]
pub fn record(by_hand: Option<Standing>, by_rule: Option<&ByRule>, now: Time) -> Vec<Opinion> {
    let Some(by_hand) = by_hand else {
        return vec![Opinion {
            state: State::Unknown,
            rule: Rule::NoRecord,
            lasting: Lasting::Passing,
            facts: Vec::new(),
            next_change: None,
        }];
    };
    let (rule, lasting, value) = match by_hand {
        Standing::NotRevoked => (Rule::NothingRecorded, Lasting::Passing, "notRevoked"),
        Standing::OnHold { .. } => (Rule::RecordedHold, Lasting::Passing, "certificateHold"),
        Standing::Revoked { reason, .. } => {
            (Rule::RecordedRevocation, Lasting::Permanent, reason.name())
        }
    };
    let fact = Fact {
        source: FactSource::Record,
        object: None,
        name: "standing".into(),
        value: value.into(),
        learnt: now,
    };
    let by_hand =
        Opinion { state: by_hand.into(), rule, lasting, facts: vec![fact], next_change: None };
    let by_rule = by_rule.filter(|by_rule| by_rule.is_permanent()).map(|by_rule| Opinion {
        state: by_rule.standing.into(),
        rule: by_rule.rule,
        lasting: Lasting::Permanent,
        facts: by_rule.facts.clone(),
        next_change: None,
    });
    std::iter::once(by_hand).chain(by_rule).collect()
}

/// The verdict on a certificate from its record and from what the directories say now (`live`).
///
/// What is recorded for good is the verdict, whatever the directories say: its time and reason are the
/// ones that CRLs have. What a rule has put on hold keeps its one `since`, whatever the directories'
/// facts are dated by now.
#[must_use]
pub fn conclude(
    by_hand: Option<Standing>,
    by_rule: Option<&ByRule>,
    live: Vec<Opinion>,
    now: Time,
) -> Verdict {
    let recorded = record(by_hand, by_rule, now);
    if recorded.iter().any(Opinion::is_lasting) {
        return verdict(recorded);
    }
    verdict(since_recorded(live, by_rule).chain(recorded))
}

/// What a judgement changes in what is recorded by rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recording {
    /// Nothing: it says what is recorded, or nothing can be said now.
    Keep,
    /// This is to be recorded; none lifts what is.
    Set(Option<ByRule>),
}

/// What a judgement changes in what is recorded by rule.
///
/// A permanent revocation never changes again. One that may pass is recorded as a hold: nothing else
/// is ever lifted. Ignorance changes nothing: what was on hold stays so in CRLs until its directory
/// says otherwise. `live` is what the brake lets through: see [`crate::brake::withheld`].
#[must_use]
pub fn to_record(live: &[Opinion], by_rule: Option<&ByRule>, now: Time) -> Recording {
    if by_rule.is_some_and(ByRule::is_permanent) {
        return Recording::Keep;
    }
    let deciding = verdict(since_recorded(live.to_vec(), by_rule));
    let standing = match deciding.state {
        State::Good => Standing::NotRevoked,
        State::Revoked { since, reason } if deciding.lasting == Lasting::Permanent => {
            Standing::Revoked { since, reason }
        }
        // Nothing but a hold is ever taken off a CRL.
        State::OnHold { since } | State::Revoked { since, .. } => Standing::OnHold { since },
        State::Unknown | State::Undecided => return Recording::Keep,
    };
    if standing == Standing::NotRevoked {
        return by_rule.map_or(Recording::Keep, |_| Recording::Set(None));
    }
    let (rule, lasting) = (deciding.rule, deciding.lasting);
    let is_recorded = |by_rule: &ByRule| {
        by_rule.standing == standing && by_rule.rule == rule && by_rule.lasting == lasting
    };
    if by_rule.is_some_and(is_recorded) {
        return Recording::Keep;
    }
    let facts = deciding.facts;
    Recording::Set(Some(ByRule { standing, rule, lasting, recorded_at: now, facts }))
}

/// The opinions, dated as recorded where a rule's word is recorded already; and with a recorded hold
/// that the brake's holding back of something worse would lift.
fn since_recorded(
    live: Vec<Opinion>,
    by_rule: Option<&ByRule>,
) -> impl Iterator<Item = Opinion> + use<> {
    let is_held_back = live.iter().any(|opinion| opinion.rule == Rule::HeldBack);
    let hold = by_rule
        .filter(|by_rule| is_held_back && matches!(by_rule.standing, Standing::OnHold { .. }))
        .map(|by_rule| Opinion {
            state: by_rule.standing.into(),
            rule: by_rule.rule,
            lasting: by_rule.lasting,
            facts: by_rule.facts.clone(),
            next_change: None,
        });
    let recorded = by_rule.and_then(|by_rule| Some((by_rule.rule, by_rule.standing.since()?)));
    live.into_iter().chain(hold).map(move |mut opinion| {
        if let State::OnHold { since } | State::Revoked { since, .. } = &mut opinion.state
            && let Some((rule, first)) = recorded
            && rule == opinion.rule
        {
            *since = first.min(*since);
        }
        opinion
    })
}

impl From<Standing> for State {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::NotRevoked => Self::Good,
            Standing::OnHold { since } => Self::OnHold { since },
            Standing::Revoked { since, reason } => Self::Revoked { since, reason },
        }
    }
}

#[cfg(test)]
mod tests;
