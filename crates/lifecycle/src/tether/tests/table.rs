//! The table of verdicts, a line for each row, and the table of what deletion, disabling and options do
//! to each kind of bound object.

use std::fmt::Write;

use super::*;
use crate::revocation::Standing;
use crate::verdict::{ByRule, Lasting, Recording, Rule, State, to_record};

const HAND: Option<Standing> = Some(Standing::NotRevoked);

fn say(verdict: &Verdict) -> String {
    let kept = match (verdict.state, verdict.lasting) {
        (State::Revoked { .. }, Lasting::Permanent) => "permanent",
        (State::Revoked { .. }, Lasting::Passing) => "not confirmed",
        (State::OnHold { .. }, _) => "reversible",
        _ => "",
    };
    let state = match verdict.state {
        State::Good => "good".to_owned(),
        State::OnHold { .. } => "on hold".to_owned(),
        State::Revoked { reason, .. } => format!("revoked {reason}"),
        State::Unknown => "unknown".to_owned(),
        State::Undecided => "undecided".to_owned(),
    };
    format!("{state:<29} {kept:<13} {}", verdict.rule.name())
}

fn line(table: &mut String, kind: Kind, row: &str, presence: &Presence, rules: &Rules) {
    let of = match presence {
        Presence::Present(properties) => properties.kind(),
        Presence::Absent => objects(&certificate(kind), rules)[0].kind,
    };
    line_of(table, kind, row, of, presence, rules);
}

fn line_of(
    table: &mut String,
    kind: Kind,
    row: &str,
    of: ObjectKind,
    presence: &Presence,
    rules: &Rules,
) {
    let tethered = certificate(kind);
    let seen = sights(&tethered, rules, of, presence);
    let verdict = verdict_on(&tethered, &seen, rules, NOW);
    writeln!(table, "{:<18} | {row:<48} | {}", kind.name(), say(&verdict)).unwrap();
}

fn complies(state: ComplianceState, enrolled_hours_ago: i64) -> Presence {
    let device = IntuneDevice {
        management_state: Some(ManagementState::Managed),
        compliance_state: Some(state),
        enrolled: Some(NOW.plus(-enrolled_hours_ago * HOUR)),
        ..IntuneDevice::default()
    };
    Presence::Present(Properties::IntuneDevice(device))
}

fn entra_device(enabled: Option<bool>, compliant: Option<bool>) -> Presence {
    let device =
        EntraDevice { account_enabled: enabled, is_compliant: compliant, ..EntraDevice::default() };
    Presence::Present(Properties::EntraDevice(device))
}

#[test]
fn every_row_of_the_table_of_verdicts() {
    let lax = Rules::default();
    let on_wipe = |revoke_on_wipe| Rules { revoke_on_wipe, ..Rules::default() };
    let (hold, off) = (on_wipe(OnWipe::Hold), on_wipe(OnWipe::Off));
    let mut table = String::new();
    let t = &mut table;
    let device = Kind::IntuneDevice;
    line(t, device, "is there", &well(ObjectKind::IntuneDevice), &strict());
    line(t, device, "deleted", &Presence::Absent, &lax);
    for state in ManagementState::KNOWN.iter().cloned().chain(["unknownFutureValue".into()]) {
        let word = state.to_string();
        let is_said = managed(state);
        line(t, device, &word, &is_said, &lax);
        line(t, device, &format!("{word}, revoke_on_wipe hold"), &is_said, &hold);
        line(t, device, &format!("{word}, revoke_on_wipe off"), &is_said, &off);
    }
    for state in ComplianceState::KNOWN.iter().cloned().chain(["unknownFutureValue".into()]) {
        let word = format!("complianceState {state}");
        line(t, device, &word, &complies(state.clone(), 3), &strict());
        line(t, device, &format!("{word}, in the grace"), &complies(state.clone(), 1), &strict());
        line(t, device, &format!("{word}, not checked"), &complies(state, 3), &lax);
    }
    let bootstrap = Kind::IntuneBootstrap;
    let noncompliant = complies(ComplianceState::Noncompliant, 3);
    line(t, bootstrap, "complianceState noncompliant", &noncompliant, &strict());
    line(t, bootstrap, "deleted", &Presence::Absent, &strict());
    line(t, bootstrap, "wipeIssued", &managed(ManagementState::WipeIssued), &strict());
    let device = Kind::EntraDevice;
    line(t, device, "is there", &well(ObjectKind::EntraDevice), &strict());
    line(t, device, "deleted", &Presence::Absent, &lax);
    line(t, device, "accountEnabled false", &entra_device(Some(false), None), &lax);
    line(t, device, "accountEnabled not told", &entra_device(None, Some(true)), &lax);
    line(t, device, "isCompliant false", &entra_device(Some(true), Some(false)), &strict());
    line(t, device, "isCompliant false, not checked", &entra_device(Some(true), Some(false)), &lax);
    line(t, device, "isCompliant not told", &entra_device(Some(true), None), &strict());
    line(t, Kind::EntraUser, "is there, not at risk", &user(Some(true)), &strict());
    line(t, Kind::EntraUser, "deleted", &Presence::Absent, &lax);
    line(t, Kind::EntraUser, "accountEnabled false", &user(Some(false)), &lax);
    line(t, Kind::EntraUser, "accountEnabled not told", &user(None), &lax);
    for level in RiskLevel::KNOWN.iter().cloned().chain(["unknownFutureValue".into()]) {
        let word = format!("riskLevel {level}");
        line(t, Kind::EntraUser, &word, &at_risk(level.clone()), &strict());
        line(t, Kind::EntraUser, &format!("{word}, not checked"), &at_risk(level), &lax);
    }
    for kind in [Kind::JamfComputer, Kind::JamfDevice] {
        let is_there = well(objects(&certificate(kind), &lax)[0].kind);
        line(t, kind, "is there", &is_there, &strict());
        line(t, kind, "deleted", &Presence::Absent, &lax);
    }
    for kind in [Kind::JamfUserOnComputer, Kind::JamfUserOnDevice] {
        line(t, kind, "both are there", &well(ObjectKind::JamfUser), &strict());
        line(t, kind, "device deleted", &Presence::Absent, &lax);
        line_of(t, kind, "user deleted", ObjectKind::JamfUser, &Presence::Absent, &lax);
    }
    insta::assert_snapshot!(table);
}

/// What can be done to a bound object, and what becomes of the certificate when that is undone: what was
/// permanent is recorded by then.
#[test]
fn every_row_of_the_table_of_bound_objects() {
    let mut table = String::new();
    let rules = strict();
    let mut row = |kind, what: &str, of, presence: Presence, back: Presence| {
        let tethered = certificate(kind);
        let ask = |presence: &Presence| {
            let seen = sights(&tethered, &rules, of, presence);
            judge(&tethered, &seen, &rules, NOW)
        };
        let live = ask(&presence);
        let Recording::Set(by_rule) = to_record(&live, None, NOW) else {
            panic!("{kind} {what} is not recorded")
        };
        let verdict = conclude(HAND, by_rule.as_ref(), live, NOW);
        writeln!(table, "{:<18} | {what:<24} | {}", kind.name(), say(&verdict)).unwrap();
        let verdict = conclude(HAND, by_rule.as_ref(), ask(&back), NOW);
        writeln!(table, "{:<18} |   and back               | {}", "", say(&verdict)).unwrap();
    };
    let intune = ObjectKind::IntuneDevice;
    let (gone, there) = (Presence::Absent, well(intune));
    row(Kind::IntuneDevice, "Delete", intune, gone.clone(), there.clone());
    let wiped = managed(ManagementState::WipePending);
    let canceled = managed(ManagementState::WipeCanceled);
    row(Kind::IntuneDevice, "Wipe", intune, wiped, canceled);
    let retired = managed(ManagementState::RetirePending);
    let canceled = managed(ManagementState::RetireCanceled);
    row(Kind::IntuneDevice, "Retire", intune, retired, canceled);
    let noncompliant = complies(ComplianceState::Noncompliant, 3);
    row(Kind::IntuneDevice, "Intune device compliance", intune, noncompliant, there);
    let entra = ObjectKind::EntraDevice;
    row(Kind::EntraDevice, "Delete", entra, gone.clone(), well(entra));
    let disabled = entra_device(Some(false), Some(true));
    row(Kind::EntraDevice, "Disable", entra, disabled, well(entra));
    let noncompliant = entra_device(Some(true), Some(false));
    row(Kind::EntraDevice, "Entra device compliance", entra, noncompliant, well(entra));
    let who = ObjectKind::EntraUser;
    row(Kind::EntraUser, "Delete", who, gone.clone(), well(who));
    row(Kind::EntraUser, "Disable", who, user(Some(false)), well(who));
    let risk = ObjectKind::RiskyUser;
    row(Kind::EntraUser, "User risk", risk, at_risk(RiskLevel::High), at_risk(RiskLevel::None));
    let (computer, mobile) = (ObjectKind::JamfComputer, ObjectKind::JamfMobileDevice);
    row(Kind::JamfComputer, "Delete", computer, gone.clone(), well(computer));
    row(Kind::JamfDevice, "Delete", mobile, gone.clone(), well(mobile));
    let of_computer = Kind::JamfUserOnComputer;
    let jamf_user = ObjectKind::JamfUser;
    row(of_computer, "Delete (computer)", computer, gone.clone(), well(computer));
    row(of_computer, "Delete (user)", jamf_user, gone.clone(), well(jamf_user));
    let of_device = Kind::JamfUserOnDevice;
    row(of_device, "Delete (device)", mobile, gone.clone(), well(mobile));
    row(of_device, "Delete (user)", jamf_user, gone, well(jamf_user));
    for kind in [Kind::IntuneDevice, Kind::EntraDevice, Kind::EntraUser] {
        let listed = |source| {
            ByRule::revoked_by_intune(source, Rule::IntuneListedRevoked, None, Vec::new(), NOW)
        };
        let tethered = certificate(kind);
        let of = objects(&tethered, &rules)[0].kind;
        let live = || judge(&tethered, &sights(&tethered, &rules, of, &well(of)), &rules, NOW);
        let verdict = conclude(HAND, listed(Source::Intune).as_ref(), live(), NOW);
        writeln!(table, "{:<18} | {:<24} | {}", kind.name(), "Endpoint list", say(&verdict))
            .unwrap();
        assert_eq!(listed(Source::StaticAAD), None, "Intune lists what was enrolled through it");
        assert_eq!(to_record(&live(), listed(Source::Intune).as_ref(), NOW), Recording::Keep);
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_revocation_by_hand_stands_beside_a_good_object() {
    let tethered = certificate(Kind::IntuneDevice);
    let seen = sights(&tethered, &strict(), ObjectKind::JamfUser, &Presence::Absent);
    let live = judge(&tethered, &seen, &strict(), NOW);
    let reason = crate::RevocationReason::KeyCompromise;
    let by_hand = Standing::Revoked { since: NOW, reason };
    let verdict = conclude(Some(by_hand), None, live, NOW);
    assert_eq!(verdict.state, State::Revoked { since: NOW, reason });
    assert!(verdict.is_lasting());
}

#[test]
fn a_certificate_that_follows_nothing_gets_no_opinions() {
    for kind in [Kind::Static, Kind::DomainController, Kind::RadiusServer] {
        let binding = Binding::untethered(kind, [7; 16]).unwrap();
        let tethered = Tethered { binding, source: Source::Static, issued_at: NOW };
        assert_eq!(objects(&tethered, &strict()), []);
        assert_eq!(judge(&tethered, &[], &strict(), NOW), []);
    }
}

#[test]
fn an_object_that_nobody_follows_is_ignorance() {
    for kind in [Kind::FleetDevice, Kind::FleetUser, Kind::AdComputer, Kind::AdUser] {
        let verdict = verdict_on(&certificate(kind), &[], &strict(), NOW);
        assert_eq!((verdict.state, verdict.rule), (State::Undecided, Rule::NotFollowed));
    }
    let mut lost = certificate(Kind::IntuneDevice);
    lost.binding.directory = None;
    assert_eq!(verdict_on(&lost, &[], &strict(), NOW).state, State::Undecided);
}
