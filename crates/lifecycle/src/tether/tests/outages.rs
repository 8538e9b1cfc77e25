//! Directories that cannot be asked.

use super::*;
use crate::verdict::{Freshness, Rule, State};

/// A device that was well, the last time that its directory was heard.
fn heard(device: &Tethered, learnt: Time) -> Vec<Sight> {
    let key = objects(device, &Rules::default())[0];
    let known = Known::Observed {
        presence: well(key.kind),
        learnt,
        first_seen: Some(learnt),
        absent_since: None,
        stale_at: learnt.plus(DAY),
        current_until: Some(learnt.plus(DELAY)),
    };
    vec![Sight { service: "Intune".into(), key, known }]
}

#[test]
fn a_good_answer_never_outlives_the_facts_that_it_rests_on() {
    let device = certificate(Kind::IntuneDevice);
    let sights = heard(&device, NOW);
    let ask = |now| verdict_on(&device, &sights, &Rules::default(), now);
    assert_eq!(ask(NOW).next_change, Some(NOW.plus(DELAY)));
    assert_eq!(ask(NOW.plus(20)).next_change, Some(NOW.plus(DELAY)));
    let later = NOW.plus(HOUR);
    assert_eq!(ask(later).next_change, Some(later.plus(DELAY)), "the end of an outage is noticed");
    let last = NOW.plus(DAY - 10);
    let until = Freshness::default().until(&ask(last), None, last);
    assert_eq!(until, Some(NOW.plus(DAY)));
}

#[test]
fn past_the_age_that_serves_it_is_try_later() {
    let device = certificate(Kind::IntuneDevice);
    let sights = heard(&device, NOW);
    let verdict = verdict_on(&device, &sights, &Rules::default(), NOW.plus(DAY));
    assert_eq!((verdict.state, verdict.rule), (State::Undecided, Rule::DirectorySilent));
    assert!(!verdict.facts.is_empty(), "what was known is told");
    assert_eq!(Freshness::default().until(&verdict, None, NOW.plus(DAY)), None);
}

#[test]
fn a_strict_installation_answers_with_current_facts_only() {
    let device = certificate(Kind::IntuneDevice);
    let sights = heard(&device, NOW);
    let rules = Rules { outage: Outage::TryLater, ..Rules::default() };
    let ask = |now| verdict_on(&device, &sights, &rules, now).state;
    assert_eq!(ask(NOW.plus(DELAY)), State::Good);
    assert_eq!(ask(NOW.plus(DELAY + 1)), State::Undecided);
}

#[test]
fn a_directory_that_tells_of_changes_serves_until_it_is_too_long_silent() {
    let device = certificate(Kind::IntuneDevice);
    let mut sights = heard(&device, NOW);
    for sight in &mut sights {
        if let Known::Observed { current_until, .. } = &mut sight.known {
            *current_until = None;
        }
    }
    let verdict = verdict_on(&device, &sights, &Rules::default(), NOW);
    assert_eq!(verdict.next_change, Some(NOW.plus(DAY)));
}

#[test]
fn what_is_known_to_hold_is_answered_beside_what_is_not_known() {
    let user_of = certificate(Kind::EntraUser);
    let mut seen = sights(&user_of, &strict(), ObjectKind::EntraUser, &user(Some(false)));
    for sight in &mut seen {
        if sight.key.kind == ObjectKind::RiskyUser {
            sight.known = Known::Never;
        }
    }
    let verdict = verdict_on(&user_of, &seen, &strict(), NOW);
    assert_eq!(verdict.state, State::OnHold { since: NOW });
    assert_eq!(verdict.rule, Rule::EntraUserDisabled);
}

#[test]
fn grace_ends_by_itself() {
    let device = certificate(Kind::IntuneDevice);
    let enrolled = NOW.plus(-2 * HOUR + 30);
    let presence = Presence::Present(Properties::IntuneDevice(IntuneDevice {
        compliance_state: Some(ComplianceState::Noncompliant),
        enrolled: Some(enrolled),
        ..IntuneDevice::default()
    }));
    let seen = sights(&device, &strict(), ObjectKind::IntuneDevice, &presence);
    let end = NOW.plus(30);
    let before = verdict_on(&device, &seen, &strict(), NOW);
    assert_eq!((before.state, before.next_change), (State::Good, Some(end)));
    assert_eq!(before.rule, Rule::ComplianceGrace);
    let after = verdict_on(&device, &seen, &strict(), end);
    assert_eq!(after.state, State::OnHold { since: end });
}

#[test]
fn grace_counts_from_the_first_sight_where_no_enrolment_is_told() {
    let device = certificate(Kind::EntraDevice);
    let presence = Presence::Present(Properties::EntraDevice(EntraDevice {
        account_enabled: Some(true),
        is_compliant: Some(false),
        ..EntraDevice::default()
    }));
    let mut seen = sights(&device, &strict(), ObjectKind::EntraDevice, &presence);
    assert!(verdict_on(&device, &seen, &strict(), NOW).good().is_err());
    for sight in &mut seen {
        if let Known::Observed { first_seen, .. } = &mut sight.known {
            *first_seen = Some(NOW.plus(-HOUR));
        }
    }
    assert_eq!(verdict_on(&device, &seen, &strict(), NOW).rule, Rule::ComplianceGrace);
}
