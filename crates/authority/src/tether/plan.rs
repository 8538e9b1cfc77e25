//! What follows for the record from what the directories say, and what the brake has a say in.
//!
//! Decisions from what was read; nothing is read or written here.

use std::time::Duration;

use lanyard_lifecycle::brake::{self, Decision, covers};
use lanyard_lifecycle::verdict::{
    ByRule, Lasting, Opinion, Recording, Rule, State, to_record, verdict,
};
use lanyard_pki::Time;
use lanyard_store::{BatchState, HeldBack, StatusRecord};

/// How soon a directory is asked again that has to confirm what it said, and could not be asked, in seconds.
const AGAIN: i64 = 120;

/// What follows for the record of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// Nothing: it says so, or has to wait.
    Keep,
    /// This is recorded, and what was held back is forgotten.
    Record(Option<ByRule>),
    /// This is recorded if the brake lets it pass.
    AskBrake(ByRule),
}

/// What follows from what the directories say.
pub(super) fn plan(record: &StatusRecord, live: &[Opinion], now: Time) -> Plan {
    if record.is_revoked_for_good() {
        return Plan::Keep;
    }
    match to_record(live, record.by_rule.as_ref(), now) {
        Recording::Set(Some(decided)) => ruled(record, live, decided),
        Recording::Set(None) => Plan::Record(None),
        Recording::Keep => kept(record, live, now),
    }
}

/// What follows from the word of a rule, whatever it rests on.
pub(super) fn ruled(record: &StatusRecord, live: &[Opinion], decided: ByRule) -> Plan {
    if record.is_revoked_for_good() {
        return Plan::Keep;
    }
    let revokes = |opinion: &Opinion| matches!(opinion.state, State::Revoked { .. });
    let was_ordered = |opinion: &Opinion| {
        revokes(opinion) && opinion.lasting == Lasting::Permanent && !covers(opinion.rule)
    };
    // A rule may put on hold what it revokes elsewhere, and a hold is never held back.
    let is_hold = live.iter().any(|opinion| opinion.rule == decided.rule && !revokes(opinion));
    let is_covered = covers(decided.rule) && !is_hold;
    // What goes on from a hold by the same rule was let pass then.
    let goes_on = record.by_rule.as_ref().is_some_and(|known| known.rule == decided.rule);
    if !is_covered || goes_on || live.iter().any(was_ordered) {
        return Plan::Record(Some(decided));
    }
    match &record.held_back {
        Some(held) if held.state == BatchState::Confirmed => Plan::Record(Some(decided)),
        Some(held) if held.ruled.rule == decided.rule => Plan::Keep,
        _ => Plan::AskBrake(decided),
    }
}

/// What follows for what is held back when nothing else does.
fn kept(record: &StatusRecord, live: &[Opinion], now: Time) -> Plan {
    let Some(held) = &record.held_back else { return Plan::Keep };
    let by_itself = !follows_an_object(held.ruled.rule);
    let is_good = verdict(live.iter().cloned()).state == State::Good;
    match held.state {
        BatchState::Confirmed if by_itself || !is_good => {
            Plan::Record(Some(ByRule { recorded_at: now, ..held.ruled.clone() }))
        }
        _ if is_good && !by_itself => Plan::Record(record.by_rule.clone()),
        _ => Plan::Keep,
    }
}

/// Whether a rule rests on what its directory says of an object now, rather than on what it said of the certificate.
fn follows_an_object(rule: Rule) -> bool {
    !matches!(rule, Rule::IntuneListedRevoked | Rule::IntuneRevocationRequested)
}

/// When a certificate is to be judged again although nobody says anything new of its objects; none if time alone changes
/// nothing.
pub(super) fn due(live: &[Opinion], now: Time) -> Option<Time> {
    let due = |opinion: &Opinion| {
        let next = opinion.next_change.filter(|next| *next < Time::NO_WELL_DEFINED_END);
        match opinion.state {
            State::Revoked { .. } if opinion.lasting == Lasting::Permanent => None,
            State::Revoked { .. } => Some(next.unwrap_or(now.plus(AGAIN))),
            State::Undecided if opinion.rule == Rule::DirectorySilent => Some(now.plus(AGAIN)),
            State::Good | State::OnHold { .. } | State::Undecided | State::Unknown => next,
        }
    };
    live.iter().filter_map(due).min().map(|due| due.max(now))
}

/// The opinions, with what the brake holds back of them. What is held back stands for a rule whose word is not among
/// them.
pub(super) fn withhold(
    mut live: Vec<Opinion>,
    held: Option<&HeldBack>,
    at_most: Duration,
    now: Time,
) -> Vec<Opinion> {
    let Some(held) = held.filter(|held| held.state != BatchState::Confirmed) else { return live };
    let ByRule { standing, rule, ref facts, .. } = held.ruled;
    if !follows_an_object(rule) {
        let (state, lasting, facts) = (standing.into(), Lasting::Permanent, facts.clone());
        live.push(Opinion { state, rule, lasting, facts, next_change: None });
    }
    let decision = match held.state {
        BatchState::Discarded => Decision::Discarded,
        BatchState::Held | BatchState::Confirmed => {
            Decision::Waiting { since: held.held_at, at_most }
        }
    };
    // Another rule's word is not held back.
    let withhold = |opinion: Opinion| {
        if opinion.rule == rule { brake::withheld(opinion, decision, now) } else { opinion }
    };
    live.into_iter().map(withhold).collect()
}
