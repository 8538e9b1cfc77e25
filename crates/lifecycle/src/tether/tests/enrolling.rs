//! Who may have a certificate.

use super::*;
use crate::refusal::{Refusal, Unbound};
use crate::verdict::Rule;

fn asked(kind: Kind) -> Tethered {
    Tethered { issued_at: NOW, ..certificate(kind) }
}

fn try_it(kind: Kind, of: ObjectKind, presence: &Presence, rules: &Rules) -> Result<Kind, Refusal> {
    let tethered = asked(kind);
    may_enroll(&tethered, &sights(&tethered, rules, of, presence), rules, Vouched::No, NOW)
}

const KINDS: [(Kind, ObjectKind); 7] = [
    (Kind::IntuneDevice, ObjectKind::IntuneDevice),
    (Kind::EntraDevice, ObjectKind::EntraDevice),
    (Kind::EntraUser, ObjectKind::EntraUser),
    (Kind::JamfComputer, ObjectKind::JamfComputer),
    (Kind::JamfDevice, ObjectKind::JamfMobileDevice),
    (Kind::JamfUserOnComputer, ObjectKind::JamfUser),
    (Kind::JamfUserOnDevice, ObjectKind::JamfUser),
];

#[test]
fn an_object_that_is_there_and_good_may_have_one() {
    for (kind, of) in KINDS {
        assert_eq!(try_it(kind, of, &well(of), &strict()), Ok(kind), "{kind}");
    }
}

#[test]
fn an_object_that_is_gone_may_have_none() {
    for (kind, of) in KINDS {
        let refused = try_it(kind, of, &Presence::Absent, &strict());
        assert_eq!(refused, Err(Refusal::Unbound(Unbound::NoSuchObject(of))), "{kind}");
    }
}

#[test]
fn what_nobody_can_say_is_a_refusal_of_its_own() {
    for (kind, _) in KINDS {
        let tethered = asked(kind);
        let silent = may_enroll(&tethered, &[], &strict(), Vouched::ByIntune, NOW);
        assert!(matches!(silent, Err(Refusal::DirectorySilent { .. })), "{kind}: {silent:?}");
    }
    let refused = try_it(Kind::EntraUser, ObjectKind::EntraUser, &user(None), &strict());
    assert_eq!(refused, Err(Refusal::DirectorySilent { kind: ObjectKind::EntraUser }));
}

#[test]
fn an_object_on_hold_or_being_wiped_may_have_none() {
    let not_good = |rule| Err(Refusal::Unbound(Unbound::NotGood(rule)));
    let device = ObjectKind::IntuneDevice;
    let wiped = managed(ManagementState::WipeIssued);
    let refused = try_it(Kind::IntuneDevice, device, &wiped, &strict());
    assert_eq!(refused, not_good(Rule::IntuneDeviceWiped));
    let hold = Rules { revoke_on_wipe: OnWipe::Hold, ..strict() };
    assert!(try_it(Kind::IntuneDevice, device, &wiped, &hold).is_err());
    let disabled = try_it(Kind::EntraUser, ObjectKind::EntraUser, &user(Some(false)), &strict());
    assert_eq!(disabled, not_good(Rule::EntraUserDisabled));
    let risky =
        try_it(Kind::EntraUser, ObjectKind::RiskyUser, &at_risk(RiskLevel::High), &strict());
    assert_eq!(risky, not_good(Rule::EntraUserAtRisk));
}

fn noncompliant(enrolled: Time) -> Presence {
    Presence::Present(Properties::IntuneDevice(IntuneDevice {
        compliance_state: Some(ComplianceState::Noncompliant),
        enrolled: Some(enrolled),
        ..IntuneDevice::default()
    }))
}

#[test]
fn a_device_that_does_not_comply_gets_a_short_lived_one_or_none() {
    let device = ObjectKind::IntuneDevice;
    let late = noncompliant(NOW.plus(-3 * HOUR));
    let granted = try_it(Kind::IntuneDevice, device, &late, &strict());
    assert_eq!(granted, Ok(Kind::IntuneBootstrap));
    let compliance =
        Some(Compliance { grace: Duration::from_hours(2), newcomers: Newcomers::Refused });
    let refused =
        try_it(Kind::IntuneDevice, device, &late, &Rules { compliance, ..Rules::default() });
    let rule = Rule::IntuneDeviceNotCompliant;
    assert_eq!(refused, Err(Refusal::Unbound(Unbound::NotGood(rule))));

    let new = noncompliant(NOW.plus(-HOUR));
    let granted = try_it(Kind::IntuneDevice, device, &new, &strict());
    assert_eq!(granted, Ok(Kind::IntuneDevice), "the grace is not over");
}

#[test]
fn a_short_lived_certificate_is_renewed_by_a_whole_one_once_the_device_complies() {
    let device = ObjectKind::IntuneDevice;
    let granted = try_it(Kind::IntuneBootstrap, device, &well(device), &strict());
    assert_eq!(granted, Ok(Kind::IntuneDevice));
}

#[test]
fn a_device_that_is_not_compliant_and_wiped_gets_nothing() {
    let presence = Presence::Present(Properties::IntuneDevice(IntuneDevice {
        compliance_state: Some(ComplianceState::Noncompliant),
        management_state: Some(ManagementState::WipePending),
        ..IntuneDevice::default()
    }));
    let refused = try_it(Kind::IntuneDevice, ObjectKind::IntuneDevice, &presence, &strict());
    let rule = Rule::IntuneDeviceWiped;
    assert_eq!(refused, Err(Refusal::Unbound(Unbound::NotGood(rule))));
}

#[test]
fn intune_s_word_stands_for_a_device_that_nobody_has_seen_and_for_nothing_else() {
    for (kind, of) in KINDS {
        for (vouched, is_new) in
            [(Vouched::ByIntune, true), (Vouched::ByIntune, false), (Vouched::No, true)]
        {
            let tethered = asked(kind);
            let mut seen = sights(&tethered, &strict(), of, &Presence::Absent);
            for sight in &mut seen {
                if let (true, Known::Observed { first_seen, .. }) = (is_new, &mut sight.known) {
                    *first_seen = None;
                }
            }
            let may = may_enroll(&tethered, &seen, &strict(), vouched, NOW).is_ok();
            let expected = kind == Kind::IntuneDevice && vouched == Vouched::ByIntune && is_new;
            assert_eq!(may, expected, "{kind} {vouched:?} {is_new}");
        }
    }
}

#[test]
fn kinds_that_follow_nothing_are_free_and_kinds_that_nobody_follows_cannot_be_had() {
    let binding = Binding::untethered(Kind::Static, [7; 16]).unwrap();
    let free = Tethered { binding, source: Source::Static, issued_at: NOW };
    assert_eq!(may_enroll(&free, &[], &strict(), Vouched::No, NOW), Ok(Kind::Static));
    let kind = Kind::AdUser;
    let refused = may_enroll(&asked(kind), &[], &strict(), Vouched::No, NOW);
    assert_eq!(refused, Err(Refusal::Unbound(Unbound::NotFollowed(kind))));
}
