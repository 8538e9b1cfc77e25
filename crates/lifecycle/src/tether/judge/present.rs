//! The rows about an object that is there.

use lanyard_pki::Time;

use super::{Asked, opinion, seconds};
use crate::fact::Fact;
use crate::kind::Kind;
use crate::object::{
    ComplianceState, EntraDevice, EntraUser, IntuneDevice, ManagementState, Properties, RiskyUser,
};
use crate::revocation::RevocationReason;
use crate::tether::OnWipe;
use crate::tether::sight::Told;
use crate::verdict::{Lasting, Opinion, Rule, State};

impl Asked<'_> {
    pub(super) fn present(&self, told: &Told<'_>, properties: &Properties) -> Vec<Opinion> {
        let is_there = || good(told, vec![told.fact(properties.kind().name(), "found")]);
        match properties {
            Properties::IntuneDevice(device) => {
                let mut rows = vec![is_there()];
                rows.extend(self.wipe(told, device));
                rows.extend(self.intune_compliance(told, device));
                rows
            }
            Properties::EntraDevice(device) => {
                let enabled = self.enabled(told, device.account_enabled, Rule::EntraDeviceDisabled);
                let mut rows = vec![is_there(), enabled];
                rows.extend(self.entra_compliance(told, device));
                rows
            }
            Properties::EntraUser(EntraUser { account_enabled, .. }) => {
                let enabled = self.enabled(told, *account_enabled, Rule::EntraUserDisabled);
                vec![is_there(), enabled]
            }
            Properties::RiskyUser(user) => vec![self.risk(told, user)],
            Properties::JamfComputer(_)
            | Properties::JamfMobileDevice(_)
            | Properties::JamfUser(_) => vec![is_there()],
        }
    }

    fn wipe(&self, told: &Told<'_>, device: &IntuneDevice) -> Option<Opinion> {
        let state = device.management_state.as_ref()?;
        let facts = vec![told.fact("managementState", state.to_string())];
        let Some(rule) = on_management(state) else { return Some(good(told, facts)) };
        Some(match self.rules.revoke_on_wipe {
            OnWipe::Permanent => {
                let reason = RevocationReason::CessationOfOperation;
                let state = State::Revoked { since: self.since(told), reason };
                Opinion { lasting: Lasting::Permanent, ..opinion(state, rule, facts, None) }
            }
            OnWipe::Hold => self.hold(told, rule, facts, None),
            OnWipe::Off => good(told, facts),
        })
    }

    fn intune_compliance(&self, told: &Told<'_>, device: &IntuneDevice) -> Option<Opinion> {
        let state = device.compliance_state.as_ref()?;
        let mut facts = vec![told.fact("complianceState", state.to_string())];
        facts.extend(device.enrolled.map(|at| told.fact("enrolledDateTime", at.to_string())));
        let complies = *state != ComplianceState::Noncompliant;
        let rule = Rule::IntuneDeviceNotCompliant;
        self.compliance(told, complies, device.enrolled, rule, facts)
    }

    fn entra_compliance(&self, told: &Told<'_>, device: &EntraDevice) -> Option<Opinion> {
        let complies = device.is_compliant?;
        let facts = vec![told.fact("isCompliant", if complies { "true" } else { "false" })];
        self.compliance(told, complies, None, Rule::EntraDeviceNotCompliant, facts)
    }

    /// Grace counts from the enrolment, or where no directory tells of one, from when the device was
    /// first seen: no number of new certificates makes it longer.
    fn compliance(
        &self,
        told: &Told<'_>,
        complies: bool,
        enrolled: Option<Time>,
        rule: Rule,
        facts: Vec<Fact>,
    ) -> Option<Opinion> {
        // A certificate for devices that do not comply yet does not ask that they do.
        if self.tethered.binding.kind == Kind::IntuneBootstrap {
            return None;
        }
        let compliance = self.rules.compliance?;
        if complies {
            return Some(good(told, facts));
        }
        let grace = enrolled.or(told.first_seen).map(|from| from.plus(seconds(compliance.grace)));
        Some(match grace {
            Some(end) if self.now < end => {
                let next = end.min(told.ask_again);
                opinion(State::Good, Rule::ComplianceGrace, facts, Some(next))
            }
            end => self.hold(told, rule, facts, end),
        })
    }

    fn enabled(&self, told: &Told<'_>, enabled: Option<bool>, disabled: Rule) -> Opinion {
        let fact = |value: &'static str| vec![told.fact("accountEnabled", value)];
        match enabled {
            Some(true) => good(told, fact("true")),
            Some(false) => self.hold(told, disabled, fact("false"), None),
            // A directory leaves out what it has no permission to tell.
            None => opinion(State::Undecided, Rule::EnabledNotTold, Vec::new(), None),
        }
    }

    fn risk(&self, told: &Told<'_>, user: &RiskyUser) -> Opinion {
        let level = user.risk_level.as_ref();
        let facts: Vec<Fact> =
            level.map(|level| told.fact("riskLevel", level.to_string())).into_iter().collect();
        if level.is_some_and(|level| self.rules.untolerated_user_risks.contains(level)) {
            self.hold(told, Rule::EntraUserAtRisk, facts, None)
        } else {
            good(told, facts)
        }
    }

    fn hold(&self, told: &Told<'_>, rule: Rule, facts: Vec<Fact>, from: Option<Time>) -> Opinion {
        let since = self.since(told).max(from.unwrap_or(Time::MIN)).min(self.now);
        opinion(State::OnHold { since }, rule, facts, Some(told.stale_at))
    }
}

fn good(told: &Told<'_>, facts: Vec<Fact>) -> Opinion {
    opinion(State::Good, Rule::ObjectGood, facts, Some(told.ask_again))
}

/// What a management state counts as; none for one that is nothing to be said. A word that is not
/// known says nothing.
const fn on_management(state: &ManagementState) -> Option<Rule> {
    match state {
        ManagementState::WipePending
        | ManagementState::WipeFailed
        | ManagementState::WipeIssued => Some(Rule::IntuneDeviceWiped),
        ManagementState::RetirePending
        | ManagementState::RetireFailed
        | ManagementState::RetireIssued => Some(Rule::IntuneDeviceRetired),
        ManagementState::DeletePending => Some(Rule::IntuneDeviceDeletePending),
        ManagementState::Unhealthy => Some(Rule::IntuneDeviceUnhealthy),
        ManagementState::Managed
        | ManagementState::WipeCanceled
        | ManagementState::RetireCanceled
        | ManagementState::Discovered
        | ManagementState::Other(_) => None,
    }
}
