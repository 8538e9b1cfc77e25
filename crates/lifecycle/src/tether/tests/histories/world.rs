//! The model: objects as they are and as they are known, and what the table says of them.

use std::collections::BTreeMap;

use super::*;
use crate::RevocationReason;
use crate::revocation::Standing;
use crate::verdict::{ByRule, Recording, State, to_record};

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Well,
    Gone,
    /// Wiped, disabled, at risk: by its kind.
    Bad,
    /// The other bad thing, where there is another.
    Worse,
}

/// What the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Good,
    Undecided,
    Hold,
    Revoked(RevocationReason),
}

impl Says {
    const fn rank(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Undecided => 1,
            Self::Hold => 2,
            Self::Revoked(_) => 3,
        }
    }
}

fn table(kind: ObjectKind, fate: Fate, wipe: OnWipe, bootstrap: bool) -> Says {
    let over = RevocationReason::CessationOfOperation;
    match (kind, fate) {
        (_, Fate::Well) | (ObjectKind::RiskyUser, Fate::Gone) => Says::Good,
        (ObjectKind::EntraUser | ObjectKind::JamfUser, Fate::Gone) => {
            Says::Revoked(RevocationReason::AffiliationChanged)
        }
        (_, Fate::Gone) => Says::Revoked(over),
        (ObjectKind::IntuneDevice, Fate::Bad) => match wipe {
            OnWipe::Permanent => Says::Revoked(over),
            OnWipe::Hold => Says::Hold,
            OnWipe::Off => Says::Good,
        },
        (ObjectKind::IntuneDevice, Fate::Worse) if bootstrap => Says::Good,
        (ObjectKind::IntuneDevice, Fate::Worse)
        | (ObjectKind::EntraDevice | ObjectKind::EntraUser | ObjectKind::RiskyUser, _) => {
            Says::Hold
        }
        (ObjectKind::JamfComputer | ObjectKind::JamfMobileDevice | ObjectKind::JamfUser, _) => {
            Says::Good
        }
    }
}

fn presence(kind: ObjectKind, fate: Fate) -> Presence {
    let (ok, bad) = (fate == Fate::Well, fate == Fate::Bad);
    Presence::Present(match (kind, fate) {
        (_, Fate::Gone) | (ObjectKind::RiskyUser, Fate::Well) => return Presence::Absent,
        (ObjectKind::IntuneDevice, _) => Properties::IntuneDevice(IntuneDevice {
            management_state: Some(if bad {
                ManagementState::WipeIssued
            } else {
                ManagementState::Managed
            }),
            compliance_state: Some(if fate == Fate::Worse {
                ComplianceState::Noncompliant
            } else {
                ComplianceState::Compliant
            }),
            enrolled: Some(NOW.plus(-30 * DAY)),
            ..IntuneDevice::default()
        }),
        (ObjectKind::EntraDevice, _) => Properties::EntraDevice(EntraDevice {
            account_enabled: Some(!bad),
            is_compliant: Some(fate != Fate::Worse),
            ..EntraDevice::default()
        }),
        (ObjectKind::EntraUser, _) => {
            Properties::EntraUser(EntraUser { account_enabled: Some(ok), ..EntraUser::default() })
        }
        (ObjectKind::RiskyUser, _) => Properties::RiskyUser(RiskyUser {
            risk_level: Some(RiskLevel::High),
            ..RiskyUser::default()
        }),
        (kind, _) => return well(kind),
    })
}

/// What is known of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) fate: Fate,
    learnt: Time,
    first_seen: Option<Time>,
    absent_since: Option<Time>,
}

pub(super) struct World {
    pub(super) tethered: Tethered,
    pub(super) rules: Rules,
    pub(super) truth: BTreeMap<ObjectKey, Fate>,
    pub(super) mirror: BTreeMap<ObjectKey, Heard>,
    pub(super) by_rule: Option<ByRule>,
    pub(super) answer: Option<(Verdict, Time)>,
    pub(super) is_up: bool,
    pub(super) now: Time,
}

impl World {
    pub(super) fn new(kind: Kind, revoke_on_wipe: OnWipe, start: Fate) -> Self {
        let tethered = Tethered { issued_at: NOW, ..certificate(kind) };
        let compliance = Some(Compliance { grace: Duration::ZERO, newcomers: Newcomers::Refused });
        let rules = Rules { revoke_on_wipe, compliance, ..strict() };
        let truth = objects(&tethered, &rules).into_iter().map(|key| (key, start)).collect();
        Self {
            tethered,
            rules,
            truth,
            mirror: BTreeMap::new(),
            by_rule: None,
            answer: None,
            is_up: true,
            now: NOW,
        }
    }

    pub(super) fn hear(&mut self, key: ObjectKey) {
        let (fate, now) = (self.truth[&key], self.now);
        let before = self.mirror.get(&key).copied();
        let is_gone = presence(key.kind, fate) == Presence::Absent;
        let was_gone = before.and_then(|before| before.absent_since);
        let heard = Heard {
            fate,
            learnt: now,
            first_seen: before.and_then(|before| before.first_seen).or((!is_gone).then_some(now)),
            absent_since: is_gone.then(|| was_gone.unwrap_or(now)),
        };
        self.mirror.insert(key, heard);
        if before.is_none_or(|before| before.fate != fate) {
            self.answer = None;
        }
    }

    /// What is too old for a decision is asked for again.
    fn look(&mut self) -> Vec<Sight> {
        for key in self.truth.keys().copied().collect::<Vec<_>>() {
            let is_old = |heard: &Heard| self.now > heard.learnt.plus(DELAY);
            if self.is_up && self.mirror.get(&key).is_none_or(is_old) {
                self.hear(key);
            }
        }
        self.truth.keys().map(|key| self.sight(*key)).collect()
    }

    fn sight(&self, key: ObjectKey) -> Sight {
        let known = self.mirror.get(&key).map_or(Known::Never, |heard| Known::Observed {
            presence: presence(key.kind, heard.fate),
            learnt: heard.learnt,
            first_seen: heard.first_seen,
            absent_since: heard.absent_since,
            stale_at: heard.learnt.plus(DAY),
            current_until: Some(heard.learnt.plus(DELAY)),
        });
        Sight { service: "a directory".into(), key, known }
    }

    pub(super) fn judge(&self, sights: &[Sight], now: Time) -> Verdict {
        let live = judge(&self.tethered, sights, &self.rules, now);
        conclude(Some(Standing::NotRevoked), self.by_rule.as_ref(), live, now)
    }

    /// Looks, judges and records what is to be recorded.
    pub(super) fn work(&mut self) -> Vec<Sight> {
        let sights = self.look();
        let live = judge(&self.tethered, &sights, &self.rules, self.now);
        if let Recording::Set(to) = to_record(&live, self.by_rule.as_ref(), self.now) {
            self.by_rule = to;
            self.answer = None;
        }
        sights
    }

    /// What the table says of what is known: one of these, where it is revoked for two reasons.
    pub(super) fn model(&self) -> Vec<Says> {
        let bootstrap = self.tethered.binding.kind == Kind::IntuneBootstrap;
        let says = |key: &ObjectKey| {
            let Some(heard) = self.mirror.get(key) else { return Says::Undecided };
            if self.now >= heard.learnt.plus(DAY) {
                return Says::Undecided;
            }
            let is_young = self.now < self.tethered.issued_at.plus(15 * 60);
            if heard.fate == Fate::Gone && heard.first_seen.is_none() && is_young {
                return Says::Good;
            }
            table(key.kind, heard.fate, self.rules.revoke_on_wipe, bootstrap)
        };
        let all: Vec<Says> = self.truth.keys().map(says).collect();
        let worst = all.iter().map(|says| says.rank()).max();
        all.into_iter().filter(|says| Some(says.rank()) == worst).collect()
    }

    /// Whether what is known may be recorded for good: a wipe at once, an absence that has lasted.
    pub(super) fn may_be_permanent(&self) -> bool {
        self.mirror.iter().any(|(key, heard)| {
            let is_wiped = heard.fate == Fate::Bad
                && key.kind == ObjectKind::IntuneDevice
                && self.rules.revoke_on_wipe == OnWipe::Permanent;
            let lasted = |since: Time| heard.learnt >= since.plus(600);
            is_wiped || (heard.fate == Fate::Gone && heard.absent_since.is_some_and(lasted))
        })
    }
}

pub(super) fn says(state: State) -> Says {
    match state {
        State::Good => Says::Good,
        State::OnHold { .. } => Says::Hold,
        State::Revoked { reason, .. } => Says::Revoked(reason),
        State::Undecided | State::Unknown => Says::Undecided,
    }
}
