use proptest::prelude::*;

use super::*;

const NOW: Time = Time::from_unix(1_800_000_000);
const GONE: RevocationReason = RevocationReason::CessationOfOperation;
const FREE: Option<Standing> = Some(Standing::NotRevoked);

fn opinion(state: State, rule: Rule, lasting: Lasting) -> Opinion {
    Opinion { state, rule, lasting, facts: Vec::new(), next_change: None }
}

fn held(since: Time) -> Opinion {
    opinion(State::OnHold { since }, Rule::EntraUserDisabled, Lasting::Passing)
}

fn gone(since: Time, lasting: Lasting) -> Opinion {
    opinion(State::Revoked { since, reason: GONE }, Rule::IntuneDeviceDeleted, lasting)
}

fn good() -> Opinion {
    opinion(State::Good, Rule::ObjectGood, Lasting::Passing)
}

fn silent() -> Opinion {
    opinion(State::Undecided, Rule::DirectorySilent, Lasting::Passing)
}

fn recorded(live: &[Opinion], before: Option<&ByRule>) -> Option<ByRule> {
    match to_record(live, before, NOW) {
        Recording::Keep => before.cloned(),
        Recording::Set(to) => to,
    }
}

#[test]
fn a_hold_is_recorded_once_and_keeps_its_time() {
    let first = recorded(&[held(NOW)], None).unwrap();
    assert_eq!(first.standing, Standing::OnHold { since: NOW });
    let later = [held(NOW.plus(90))];
    assert_eq!(to_record(&later, Some(&first), NOW.plus(90)), Recording::Keep);
    let verdict = conclude(FREE, Some(&first), later.to_vec(), NOW.plus(90));
    assert_eq!(verdict.state, State::OnHold { since: NOW });
}

#[test]
fn a_hold_is_lifted_when_its_directory_says_so_and_not_when_it_is_silent() {
    let first = recorded(&[held(NOW)], None);
    assert_eq!(to_record(&[silent()], first.as_ref(), NOW), Recording::Keep);
    assert_eq!(to_record(&[good(), silent()], first.as_ref(), NOW), Recording::Keep);
    assert_eq!(to_record(&[good()], first.as_ref(), NOW), Recording::Set(None));
    assert_eq!(to_record(&[good()], None, NOW), Recording::Keep);
}

#[test]
fn what_may_pass_speaks_only_while_it_is_so() {
    let hold = recorded(&[held(NOW)], None);
    assert_eq!(conclude(FREE, hold.as_ref(), vec![good()], NOW).good(), Ok(()));
    let flicker = recorded(&[gone(NOW, Lasting::Passing)], None);
    assert_eq!(conclude(FREE, flicker.as_ref(), vec![good()], NOW).good(), Ok(()));
}

#[test]
fn an_absence_that_has_lasted_is_recorded_for_good_with_the_time_it_was_noticed() {
    let flicker = recorded(&[gone(NOW, Lasting::Passing)], None);
    let hold = flicker.as_ref().map(|by_rule| by_rule.standing);
    assert_eq!(hold, Some(Standing::OnHold { since: NOW }), "a CRL can take that back");
    let again = [gone(NOW.plus(5), Lasting::Passing)];
    assert_eq!(to_record(&again, flicker.as_ref(), NOW.plus(5)), Recording::Keep);
    let lasting = recorded(&[gone(NOW.plus(5), Lasting::Permanent)], flicker.as_ref()).unwrap();
    assert!(lasting.is_permanent());
    assert_eq!(lasting.standing, Standing::Revoked { since: NOW, reason: GONE });
    for live in [vec![good()], vec![silent()], vec![held(NOW)], Vec::new()] {
        assert_eq!(to_record(&live, Some(&lasting), NOW), Recording::Keep);
        let verdict = conclude(FREE, Some(&lasting), live, NOW);
        assert_eq!(verdict.state, State::Revoked { since: NOW, reason: GONE });
        assert!(verdict.is_lasting());
    }
}

#[test]
fn what_lasts_is_recorded_though_something_that_may_pass_began_before_it() {
    let live = [
        gone(NOW.plus(-500), Lasting::Passing),
        opinion(
            State::Revoked { since: NOW, reason: GONE },
            Rule::JamfUserDeleted,
            Lasting::Permanent,
        ),
    ];
    let by_rule = recorded(&live, None).unwrap();
    assert_eq!((by_rule.rule, by_rule.is_permanent()), (Rule::JamfUserDeleted, true));
}

#[test]
fn by_hand_and_by_rule_are_or_ed() {
    let early = NOW.plus(-100);
    let by_hand = Standing::Revoked { since: early, reason: RevocationReason::KeyCompromise };
    let by_rule = recorded(&[gone(NOW, Lasting::Permanent)], None);
    let verdict = conclude(Some(by_hand), by_rule.as_ref(), vec![silent()], NOW);
    assert_eq!(verdict.state, by_hand.into());
    let hold = Standing::OnHold { since: early };
    let verdict = conclude(Some(hold), by_rule.as_ref(), Vec::new(), NOW);
    assert_eq!(verdict.rule, Rule::IntuneDeviceDeleted);
    assert_eq!(hold.or(by_rule.unwrap().standing), Standing::Revoked { since: NOW, reason: GONE });
}

#[test]
fn a_certificate_without_a_record_is_unknown_though_its_object_is_good() {
    assert_eq!(conclude(None, None, vec![good()], NOW).state, State::Unknown);
}

#[test]
fn a_good_verdict_tells_what_is_unusual_first() {
    let new = opinion(State::Good, Rule::NotYetAbsent, Lasting::Passing);
    assert_eq!(conclude(FREE, None, vec![good(), new], NOW).rule, Rule::NotYetAbsent);
    assert_eq!(conclude(FREE, None, vec![good()], NOW).rule, Rule::ObjectGood);
    assert_eq!(conclude(FREE, None, Vec::new(), NOW).rule, Rule::NothingRecorded);
}

fn standings() -> impl Strategy<Value = Standing> {
    let at = || (0_i64..50).prop_map(Time::from_unix);
    let reason = (0..RevocationReason::ALL.len()).prop_map(|n| RevocationReason::ALL[n]);
    prop_oneof![
        Just(Standing::NotRevoked),
        at().prop_map(|since| Standing::OnHold { since }),
        (at(), reason).prop_map(|(since, reason)| Standing::Revoked { since, reason }),
    ]
}

proptest! {
    #[test]
    fn the_effective_standing_does_not_depend_on_the_order(
        one in standings(), other in standings(), third in standings(),
    ) {
        prop_assert_eq!(one.or(other), other.or(one));
        prop_assert_eq!(one.or(other).or(third), one.or(other.or(third)));
        prop_assert_eq!(one.or(one), one);
        prop_assert_eq!(one.or(Standing::NotRevoked), one);
    }

    #[test]
    fn crls_and_answers_agree_on_what_is_recorded_for_good(
        by_hand in standings(), since in 0_i64..50, reason in 0..RevocationReason::ALL.len(),
    ) {
        let standing = Standing::Revoked {
            since: Time::from_unix(since),
            reason: RevocationReason::ALL[reason],
        };
        let by_rule = ByRule {
            standing,
            rule: Rule::IntuneRevocationRequested,
            lasting: Lasting::Permanent,
            recorded_at: NOW,
            facts: Vec::new(),
        };
        let verdict = conclude(Some(by_hand), Some(&by_rule), Vec::new(), NOW);
        prop_assert_eq!(verdict.state, State::from(by_hand.or(standing)));
    }
}
