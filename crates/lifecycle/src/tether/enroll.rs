//! Whether an object may have a certificate now.

use lanyard_pki::Time;

use super::{Newcomers, Rules, Sight, Tethered, judge, objects};
use crate::binding::Binding;
use crate::kind::{Kind, Tether};
use crate::object::{ObjectKind, Presence};
use crate::refusal::{Refusal, Unbound};
use crate::verdict::{Rule, State};

/// Who else vouches for the object that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouched {
    /// Nobody.
    No,
    /// Intune: it has validated the request's challenge now.
    ByIntune,
}

/// The kind of certificate that the object may have now; `asked.issued_at` is now.
///
/// The object must be there and good by the same table that judges certificates. A device in Intune
/// that nobody has seen yet may have one where Intune itself vouches for it: directories show new
/// objects late. One that does not comply may get [`Kind::IntuneBootstrap`], by the rules.
pub fn may_enroll(
    asked: &Tethered,
    sights: &[Sight],
    rules: &Rules,
    vouched: Vouched,
    now: Time,
) -> Result<Kind, Refusal> {
    let kind = match asked.binding.kind {
        untethered if untethered.tether() == Tether::None => return Ok(untethered),
        // What it gets is decided anew.
        Kind::IntuneBootstrap => Kind::IntuneDevice,
        kind => kind,
    };
    let asked = Tethered { binding: Binding { kind, ..asked.binding }, ..*asked };
    let keys = objects(&asked, rules);
    let Some(first) = keys.first() else {
        return Err(Refusal::Unbound(Unbound::NotFollowed(kind)));
    };
    for key in &keys {
        let sight = sights.iter().find(|sight| sight.key == *key);
        let told = sight.and_then(|sight| sight.told(rules.outage, now));
        let Some(told) = told else { return Err(Refusal::DirectorySilent { kind: key.kind }) };
        let is_new = told.first_seen.is_none()
            && key.kind == ObjectKind::IntuneDevice
            && vouched == Vouched::ByIntune;
        let may_be_absent = is_new || key.kind == ObjectKind::RiskyUser;
        if *told.presence == Presence::Absent && !may_be_absent {
            return Err(Refusal::Unbound(Unbound::NoSuchObject(key.kind)));
        }
    }
    let mut granted = kind;
    for opinion in judge(&asked, sights, rules, now) {
        match opinion.state {
            State::Good => {}
            State::OnHold { .. }
                if opinion.rule == Rule::IntuneDeviceNotCompliant
                    && rules
                        .compliance
                        .is_some_and(|rule| rule.newcomers == Newcomers::Bootstrap) =>
            {
                granted = Kind::IntuneBootstrap;
            }
            State::OnHold { .. } | State::Revoked { .. } => {
                return Err(Refusal::Unbound(Unbound::NotGood(opinion.rule)));
            }
            // Of its first object: what is silent of another was refused before.
            State::Undecided | State::Unknown => {
                return Err(Refusal::DirectorySilent { kind: first.kind });
            }
        }
    }
    Ok(granted)
}
