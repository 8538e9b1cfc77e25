use proptest::prelude::*;

use super::*;
use crate::revocation::{RevocationReason, Standing};
use crate::verdict::{ByRule, Recording, conclude, to_record};

const NOW: Time = Time::from_unix(1_800_000_000);
const DAY: Duration = Duration::from_hours(24);
const WAITING: Decision = Decision::Waiting { since: NOW, at_most: DAY };

fn revoked(rule: Rule) -> Opinion {
    let reason = RevocationReason::CessationOfOperation;
    Opinion {
        state: State::Revoked { since: NOW, reason },
        rule,
        lasting: Lasting::Permanent,
        facts: Vec::new(),
        next_change: None,
    }
}

fn traffic(tethered: u64, revoked: u64) -> Traffic {
    Traffic { tethered, revoked, waiting: 0 }
}

#[test]
fn one_in_twenty_passes_within_an_hour_and_a_few_always() {
    let rules = BrakeRules::default();
    assert_eq!(rules.lets_pass(traffic(10_000, 0)), 500);
    assert_eq!(rules.lets_pass(traffic(10_000, 499)), 1);
    assert_eq!(rules.lets_pass(traffic(10_000, 700)), 0);
    assert_eq!(rules.lets_pass(traffic(100, 0)), 25);
    assert_eq!(rules.lets_pass(traffic(0, 20)), 5);
    assert_eq!(rules.lets_pass(traffic(u64::MAX, 0)), u64::MAX / 20);
}

#[test]
fn as_long_as_a_person_is_asked_nothing_more_passes() {
    let traffic = Traffic { waiting: 1, ..traffic(10_000, 0) };
    assert_eq!(BrakeRules::default().lets_pass(traffic), 0);
}

#[test]
fn orders_are_never_held_back_and_what_is_only_noticed_is() {
    let mut table: Vec<String> = Vec::new();
    for rule in Rule::ALL.iter().copied() {
        let held = withheld(revoked(rule), WAITING, NOW).state == State::Good;
        assert_eq!(held, covers(rule));
        if held {
            table.push(rule.name().to_owned());
        }
    }
    insta::assert_snapshot!(table.join("\n"), @"
    intuneDeviceDeleted
    intuneDeviceDeletePending
    intuneDeviceUnhealthy
    intuneListedRevoked
    entraDeviceDeleted
    entraUserDeleted
    jamfComputerDeleted
    jamfDeviceDeleted
    jamfUserDeleted
    ");
}

#[test]
fn what_waits_stays_good_for_a_while_and_then_nothing_is_said_of_it() {
    let opinion = || revoked(Rule::EntraUserDeleted);
    let waiting = withheld(opinion(), WAITING, NOW);
    let end = NOW.plus(86_400);
    assert_eq!((waiting.state, waiting.next_change), (State::Good, Some(end)));
    assert_eq!(withheld(opinion(), WAITING, end).state, State::Undecided);
    assert_eq!(withheld(opinion(), Decision::Discarded, end).state, State::Good);
}

#[test]
fn a_hold_is_not_lifted_by_holding_back_something_worse() {
    let held = ByRule {
        standing: Standing::OnHold { since: NOW.plus(-50) },
        rule: Rule::EntraUserDisabled,
        lasting: Lasting::Passing,
        recorded_at: NOW.plus(-50),
        facts: Vec::new(),
    };
    let live = vec![withheld(revoked(Rule::EntraUserDeleted), WAITING, NOW)];
    assert_eq!(to_record(&live, Some(&held), NOW), Recording::Keep);
    let verdict = conclude(Some(Standing::NotRevoked), Some(&held), live, NOW);
    assert_eq!(verdict.state, State::OnHold { since: NOW.plus(-50) });
}

#[test]
fn a_hold_stays_a_hold_whatever_the_brake_does() {
    let state = State::OnHold { since: NOW };
    let opinion = Opinion { state, ..revoked(Rule::IntuneDeviceDeletePending) };
    assert_eq!(withheld(opinion.clone(), WAITING, NOW), opinion);
}

proptest! {
    #[test]
    fn no_more_than_the_share_passes_in_a_window(
        share in 0_u32..2_000, least in 0_u64..100, tethered in 0_u64..1_000_000,
        asked in proptest::collection::vec(0_u64..10_000, 0..20),
    ) {
        let rules = BrakeRules { share, least, ..BrakeRules::default() };
        let most = (tethered * u64::from(share.min(1_000)) / 1_000).max(least);
        let mut done = 0;
        for asked in asked {
            done += rules.lets_pass(traffic(tethered, done)).min(asked);
            prop_assert!(done <= most);
        }
    }
}
