use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::fact::FactSource;
use crate::id::{DirectoryId, ObjectId};
use crate::revocation::Standing;

const NOW: Time = Time::from_unix(1_800_000_000);

fn states() -> impl Strategy<Value = State> {
    let reason = (0..RevocationReason::ALL.len()).prop_map(|n| RevocationReason::ALL[n]);
    prop_oneof![
        Just(State::Good),
        Just(State::Unknown),
        Just(State::Undecided),
        (0_i64..5_000).prop_map(|at| State::OnHold { since: Time::from_unix(at) }),
        (0_i64..5_000, reason)
            .prop_map(|(at, reason)| State::Revoked { since: Time::from_unix(at), reason }),
    ]
}

fn opinions() -> impl Strategy<Value = Vec<Opinion>> {
    let lasting = prop_oneof![Just(Lasting::Passing), Just(Lasting::Permanent)];
    let change = proptest::option::of(0_i64..5_000);
    let opinion = (states(), lasting, change).prop_map(|(state, lasting, change)| {
        let next_change = change.map(|after| NOW.plus(after));
        Opinion {
            state,
            rule: Rule::NothingRecorded,
            lasting,
            facts: vec![fact(&format!("{state:?}"))],
            next_change,
        }
    });
    proptest::collection::vec(opinion, 0..6)
}

fn fact(value: &str) -> Fact {
    Fact {
        source: FactSource::Directory {
            name: "Intune".into(),
            directory: DirectoryId::from_bytes([1; 16]),
        },
        object: Some(ObjectId::from_u128(1)),
        name: "managementState".into(),
        value: value.to_owned().into(),
        learnt: NOW,
    }
}

fn is_revoked(opinion: &Opinion) -> bool {
    matches!(opinion.state, State::Revoked { .. })
}

fn is_lasting(opinion: &Opinion) -> bool {
    is_revoked(opinion) && opinion.lasting == Lasting::Permanent
}

/// What the record says alone.
fn recorded(standing: Option<Standing>) -> Verdict {
    verdict(record(standing, None, NOW))
}

proptest! {
    #[test]
    fn any_one_source_may_revoke_and_the_order_does_not_matter(
        mut said in opinions(), rotation in 0_usize..6,
    ) {
        let seen = verdict(said.clone());
        let revoked = matches!(seen.state, State::Revoked { .. });
        prop_assert_eq!(said.iter().any(is_revoked), revoked);
        prop_assert_eq!(said.iter().any(is_lasting), seen.is_lasting());
        if !said.is_empty() {
            let by = rotation % said.len();
            said.rotate_left(by);
        }
        let again = verdict(said);
        prop_assert_eq!(again.state, seen.state);
        prop_assert_eq!(again.next_change, seen.next_change);
    }

    #[test]
    fn one_more_opinion_never_makes_it_better(said in opinions(), more in states()) {
        prop_assume!(!said.is_empty());
        let before = verdict(said.clone());
        let more = Opinion {
            state: more,
            rule: Rule::NobodyAsked,
            lasting: Lasting::Passing,
            facts: vec![],
            next_change: None,
        };
        let after = verdict(said.into_iter().chain([more]));
        prop_assert!(after.state.weight() <= before.state.weight());
    }

    #[test]
    fn good_needs_every_source_to_say_so(said in opinions()) {
        let all = !said.is_empty() && said.iter().all(|opinion| opinion.state == State::Good);
        prop_assert_eq!(verdict(said).good().is_ok(), all);
    }

    #[test]
    fn an_answer_is_never_relied_on_past_the_next_change(said in opinions(), life in 1_i64..1_000_000) {
        let seen = verdict(said);
        let until = Freshness::default().until(&seen, Some(NOW.plus(life)), NOW);
        prop_assert_eq!(until.is_none(), seen.state == State::Undecided);
        if let (Some(until), Some(change)) = (until, seen.next_change) {
            prop_assert!(until <= change);
        }
        prop_assert!(until.is_none_or(|until| until >= NOW));
    }
}

#[test]
fn the_earliest_revocation_gives_time_and_reason() {
    let standings = [
        Standing::Revoked { since: Time::from_unix(20), reason: RevocationReason::Superseded },
        Standing::Revoked { since: Time::from_unix(10), reason: RevocationReason::KeyCompromise },
        Standing::OnHold { since: Time::from_unix(1) },
    ];
    let said = standings.into_iter().flat_map(|standing| record(Some(standing), None, NOW));
    let seen = verdict(said);
    let since = Time::from_unix(10);
    assert_eq!(seen.state, State::Revoked { since, reason: RevocationReason::KeyCompromise });
    assert_eq!(seen.facts.len(), 2, "both revocations are told, the hold is not why");
}

#[test]
fn a_hold_is_answered_even_if_another_source_is_silent() {
    let silent = Opinion {
        state: State::Undecided,
        rule: Rule::NobodyAsked,
        lasting: Lasting::Passing,
        facts: vec![],
        next_change: None,
    };
    let since = Time::from_unix(5);
    let held = record(Some(Standing::OnHold { since }), None, NOW);
    let seen = verdict(held.into_iter().chain([silent.clone()]));
    assert_eq!(seen.state, State::OnHold { since });
    let good = record(Some(Standing::NotRevoked), None, NOW);
    assert_eq!(verdict(good.into_iter().chain([silent])).good(), Err(NotGood::Undecided));
}

#[test]
fn a_certificate_that_nobody_issued_is_unknown() {
    assert_eq!(verdict([]).good(), Err(NotGood::Unknown));
    assert_eq!(recorded(None).rule, Rule::NoRecord);
}

#[test]
fn freshness_follows_the_state() {
    let fresh = Freshness::default();
    let until = |standing, not_after| {
        let seen = recorded(standing);
        fresh.until(&seen, not_after, NOW).unwrap().seconds_since(NOW)
    };
    let revoked = Some(Standing::Revoked { since: NOW, reason: RevocationReason::Unspecified });
    assert_eq!(until(Some(Standing::NotRevoked), None), 600);
    assert_eq!(until(Some(Standing::OnHold { since: NOW }), None), 300);
    assert_eq!(until(None, None), 300);
    assert_eq!(until(revoked, None), 604_800);
    assert_eq!(until(revoked, Some(NOW.plus(50))), 50);
    assert_eq!(until(revoked, Some(NOW.plus(-50))), 604_800, "it has expired: no end to keep to");
    let endless = Freshness { good: Duration::MAX, ..fresh };
    let good = recorded(Some(Standing::NotRevoked));
    assert_eq!(endless.until(&good, None, NOW), Some(Time::NO_WELL_DEFINED_END));
}

#[test]
fn a_fact_reads_as_a_sentence_for_people() {
    insta::assert_snapshot!(
        fact("wipePending"),
        @"Intune: managementState=wipePending (learnt 2027-01-15T08:00:00Z)"
    );
}
