use std::time::Duration;

use super::*;
use crate::id::DirectoryId;
use crate::object::{
    ComplianceState, EntraDevice, EntraUser, IntuneDevice, JamfDevice, JamfUser, ManagementState,
    Presence, Properties, RiskLevel, RiskyUser,
};
use crate::verdict::{Verdict, conclude};

mod absence;
mod enrolling;
mod histories;
mod outages;
mod table;

const NOW: Time = Time::from_unix(1_800_000_000);
const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const DIRECTORY: DirectoryId = DirectoryId::from_bytes([7; 16]);
/// How old a fact may be for a decision, in these tests.
const DELAY: i64 = 60;

/// A certificate that was issued yesterday.
fn certificate(kind: Kind) -> Tethered {
    let object = match kind {
        Kind::JamfComputer | Kind::JamfDevice => ObjectId::jamf_device(7),
        Kind::JamfUserOnComputer | Kind::JamfUserOnDevice => ObjectId::jamf_user(7, 9),
        _ => ObjectId::from_u128(0xD0),
    };
    let binding = Binding::tethered(kind, object, DIRECTORY).unwrap();
    Tethered { binding, source: Source::Intune, issued_at: NOW.plus(-DAY) }
}

/// Rules with everything switched on.
fn strict() -> Rules {
    Rules {
        compliance: Some(Compliance {
            grace: Duration::from_hours(2),
            newcomers: Newcomers::Bootstrap,
        }),
        untolerated_user_risks: vec![RiskLevel::Medium, RiskLevel::High],
        ..Rules::default()
    }
}

/// What was said of an object just now, a week after it was first seen.
fn sight(key: ObjectKey, presence: Presence) -> Sight {
    let is_there = presence != Presence::Absent;
    Sight {
        service: "Intune".into(),
        key,
        known: Known::Observed {
            presence,
            learnt: NOW,
            first_seen: Some(NOW.plus(-7 * DAY)),
            absent_since: (!is_there).then_some(NOW.plus(-HOUR)),
            stale_at: NOW.plus(DAY),
            current_until: Some(NOW.plus(DELAY)),
        },
    }
}

/// How an object is that nothing speaks against.
fn well(kind: ObjectKind) -> Presence {
    Presence::Present(match kind {
        ObjectKind::EntraUser => {
            Properties::EntraUser(EntraUser { account_enabled: Some(true), ..EntraUser::default() })
        }
        ObjectKind::EntraDevice => Properties::EntraDevice(EntraDevice {
            account_enabled: Some(true),
            is_compliant: Some(true),
            ..EntraDevice::default()
        }),
        ObjectKind::RiskyUser => return Presence::Absent,
        ObjectKind::IntuneDevice => Properties::IntuneDevice(IntuneDevice {
            management_state: Some(ManagementState::Managed),
            compliance_state: Some(ComplianceState::Compliant),
            enrolled: Some(NOW.plus(-7 * DAY)),
            ..IntuneDevice::default()
        }),
        ObjectKind::JamfComputer => Properties::JamfComputer(JamfDevice::default()),
        ObjectKind::JamfMobileDevice => Properties::JamfMobileDevice(JamfDevice::default()),
        ObjectKind::JamfUser => Properties::JamfUser(JamfUser::default()),
    })
}

/// Sights of everything that a certificate follows: all well but one object, which is as given.
fn sights(tethered: &Tethered, rules: &Rules, kind: ObjectKind, presence: &Presence) -> Vec<Sight> {
    let seen = |key: ObjectKey| {
        let is_it = key.kind == kind;
        sight(key, if is_it { presence.clone() } else { well(key.kind) })
    };
    objects(tethered, rules).into_iter().map(seen).collect()
}

fn managed(state: ManagementState) -> Presence {
    let device = IntuneDevice {
        management_state: Some(state),
        enrolled: Some(NOW.plus(-7 * DAY)),
        ..IntuneDevice::default()
    };
    Presence::Present(Properties::IntuneDevice(device))
}

fn user(enabled: Option<bool>) -> Presence {
    let user = EntraUser { account_enabled: enabled, ..EntraUser::default() };
    Presence::Present(Properties::EntraUser(user))
}

fn at_risk(level: RiskLevel) -> Presence {
    let user = RiskyUser { risk_level: Some(level), ..RiskyUser::default() };
    Presence::Present(Properties::RiskyUser(user))
}

/// The verdict with nothing recorded.
fn verdict_on(tethered: &Tethered, sights: &[Sight], rules: &Rules, now: Time) -> Verdict {
    let live = judge(tethered, sights, rules, now);
    conclude(Some(crate::Standing::NotRevoked), None, live, now)
}
