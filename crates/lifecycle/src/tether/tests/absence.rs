//! Deletion and flicker.

use super::*;
use crate::RevocationReason;
use crate::verdict::{Lasting, Rule, State};

/// An absence, told at `learnt` for the first time at `since`.
fn gone(first_seen: Option<Time>, since: Time, learnt: Time) -> Vec<Sight> {
    let key = objects(&certificate(Kind::IntuneDevice), &Rules::default())[0];
    let known = Known::Observed {
        presence: Presence::Absent,
        learnt,
        first_seen,
        absent_since: Some(since),
        stale_at: learnt.plus(DAY),
        current_until: Some(learnt.plus(DELAY)),
    };
    vec![Sight { service: "Intune".into(), key, known }]
}

fn ask(tethered: &Tethered, sights: &[Sight], now: Time) -> Verdict {
    verdict_on(tethered, sights, &Rules::default(), now)
}

#[test]
fn a_known_object_s_absence_revokes_at_once_and_for_good_once_it_has_lasted() {
    let device = certificate(Kind::IntuneDevice);
    let seen = Some(NOW.plus(-7 * DAY));
    let first = ask(&device, &gone(seen, NOW, NOW), NOW);
    let reason = RevocationReason::CessationOfOperation;
    assert_eq!(first.state, State::Revoked { since: NOW, reason });
    assert_eq!((first.lasting, first.next_change), (Lasting::Passing, Some(NOW.plus(600))));

    let late = NOW.plus(600);
    let confirmed = ask(&device, &gone(seen, NOW, late), late);
    assert_eq!(confirmed.state, first.state, "it counts from when it was noticed");
    assert_eq!((confirmed.lasting, confirmed.next_change), (Lasting::Permanent, None));
}

#[test]
fn an_absence_lasts_for_as_long_as_its_directory_said_so_and_no_longer() {
    let device = certificate(Kind::IntuneDevice);
    let seen = Some(NOW.plus(-7 * DAY));
    let late = NOW.plus(700);
    let told_once = gone(seen, NOW, NOW.plus(30));
    let verdict = ask(&device, &told_once, late);
    assert_eq!(verdict.lasting, Lasting::Passing, "nobody could be asked since");
    let next = verdict.next_change.unwrap();
    assert!(next > late && next <= late.plus(60), "it is looked at again soon: {next}");
}

#[test]
fn an_object_that_was_never_seen_is_not_absent_for_a_quarter_of_an_hour() {
    let device = Tethered { issued_at: NOW, ..certificate(Kind::IntuneDevice) };
    let grace = NOW.plus(900);
    let young = ask(&device, &gone(None, NOW, NOW), NOW);
    assert_eq!((young.state, young.rule), (State::Good, Rule::NotYetAbsent));
    assert_eq!(young.next_change, Some(NOW.plus(DELAY)), "its directory is asked again");

    let last = grace.plus(-10);
    assert_eq!(ask(&device, &gone(None, NOW, last), last).next_change, Some(grace));

    let over = ask(&device, &gone(None, NOW, grace), grace);
    let reason = RevocationReason::CessationOfOperation;
    assert_eq!(over.state, State::Revoked { since: grace, reason });
    assert_eq!(over.lasting, Lasting::Passing);

    let confirmed = grace.plus(600);
    assert!(ask(&device, &gone(None, NOW, confirmed), confirmed).is_lasting());
}

#[test]
fn the_grace_is_for_young_certificates_and_for_objects_never_seen() {
    let old = certificate(Kind::IntuneDevice);
    assert!(ask(&old, &gone(None, NOW, NOW), NOW).good().is_err());
    let young = Tethered { issued_at: NOW, ..old };
    assert!(ask(&young, &gone(Some(NOW), NOW, NOW), NOW).good().is_err());
}

#[test]
fn a_certificate_is_not_revoked_before_it_was_issued() {
    let later = Tethered { issued_at: NOW.plus(50), ..certificate(Kind::IntuneDevice) };
    let seen = Some(NOW.plus(-DAY));
    let verdict = ask(&later, &gone(seen, NOW.plus(-HOUR), NOW.plus(60)), NOW.plus(60));
    let reason = RevocationReason::CessationOfOperation;
    assert_eq!(verdict.state, State::Revoked { since: NOW.plus(50), reason });
}

#[test]
fn one_of_two_objects_is_enough() {
    let rules = Rules::default();
    let user = certificate(Kind::JamfUserOnComputer);
    for kind in [ObjectKind::JamfComputer, ObjectKind::JamfUser] {
        let seen = sights(&user, &rules, kind, &Presence::Absent);
        assert!(verdict_on(&user, &seen, &rules, NOW).is_lasting(), "{kind}");
    }
}

#[test]
fn a_user_is_not_at_risk_who_is_on_no_list_of_those_who_are() {
    let user = certificate(Kind::EntraUser);
    let mut seen = sights(&user, &strict(), ObjectKind::RiskyUser, &Presence::Absent);
    assert_eq!(verdict_on(&user, &seen, &strict(), NOW).good(), Ok(()));
    seen.retain(|sight| sight.key.kind != ObjectKind::RiskyUser);
    assert_eq!(verdict_on(&user, &seen, &strict(), NOW).state, State::Undecided);
    assert_eq!(verdict_on(&user, &seen, &Rules::default(), NOW).good(), Ok(()));
}
