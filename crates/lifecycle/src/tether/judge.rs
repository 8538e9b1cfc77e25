//! The table of what revokes, what puts on hold, and for how long that is so.

mod present;

use std::time::Duration;

use lanyard_pki::Time;

use super::sight::{Sight, Told};
use super::{Rules, Tethered, objects};
use crate::fact::Fact;
use crate::kind::Tether;
use crate::object::{ObjectKind, Presence};
use crate::revocation::RevocationReason;
use crate::verdict::{Lasting, Opinion, Rule, State};

/// What the directories say of a certificate, one opinion for each thing that they may say.
///
/// `sights` are those of [`objects`]; one that is missing is ignorance. A certificate that follows
/// no object gets no opinions. The opinion that a certificate is good is never older than its sights
/// allow: its `next_change` is when their directory is to be asked again, at the latest.
#[must_use]
pub fn judge(tethered: &Tethered, sights: &[Sight], rules: &Rules, now: Time) -> Vec<Opinion> {
    if tethered.binding.kind.tether() == Tether::None {
        return Vec::new();
    }
    let keys = objects(tethered, rules);
    if keys.is_empty() {
        return vec![opinion(State::Undecided, Rule::NotFollowed, Vec::new(), None)];
    }
    let asked = Asked { tethered, rules, now };
    let sight = |key| sights.iter().find(|sight| sight.key == key);
    keys.into_iter().flat_map(|key| asked.about(sight(key), key.kind)).collect()
}

/// How soon an absence that should have lasted by now is looked at again, in seconds.
const AGAIN: i64 = 60;

/// A question about a certificate.
#[derive(Clone, Copy)]
struct Asked<'a> {
    tethered: &'a Tethered,
    rules: &'a Rules,
    now: Time,
}

impl Asked<'_> {
    fn about(&self, sight: Option<&Sight>, kind: ObjectKind) -> Vec<Opinion> {
        let Some(told) = sight.and_then(|sight| sight.told(self.rules.outage, self.now)) else {
            let facts = sight.map(Sight::facts).unwrap_or_default();
            return vec![opinion(State::Undecided, Rule::DirectorySilent, facts, None)];
        };
        match told.presence {
            Presence::Present(properties) => self.present(&told, properties),
            Presence::Absent => vec![self.absent(&told, kind)],
        }
    }

    fn absent(&self, told: &Told<'_>, kind: ObjectKind) -> Opinion {
        let fact = vec![told.fact(kind.name(), "notFound")];
        let Some((rule, reason)) = on_deletion(kind) else {
            return opinion(State::Good, Rule::ObjectGood, fact, Some(told.ask_again));
        };
        let noticed = told.absent_since.unwrap_or(told.learnt).max(self.tethered.issued_at);
        let since = if told.first_seen.is_some() {
            noticed
        } else {
            let grace = self.tethered.issued_at.plus(seconds(self.rules.absence_grace));
            if self.now < grace {
                let next = grace.min(told.ask_again);
                return opinion(State::Good, Rule::NotYetAbsent, fact, Some(next));
            }
            noticed.max(grace)
        };
        let since = since.min(self.now);
        let confirmed = since.plus(seconds(self.rules.absence_confirm));
        let state = State::Revoked { since, reason };
        if told.learnt >= confirmed {
            return Opinion { lasting: Lasting::Permanent, ..opinion(state, rule, fact, None) };
        }
        // Once it has lasted, its directory has to say so again.
        let again = told.ask_again.min(self.now.plus(AGAIN));
        let next = if confirmed > self.now { confirmed } else { again };
        opinion(state, rule, fact, Some(next.min(told.stale_at)))
    }

    /// The date of something that is so now, learnt again and again.
    fn since(&self, told: &Told<'_>) -> Time {
        told.learnt.max(self.tethered.issued_at).min(self.now)
    }
}

/// What the absence of an object does; none for one whose absence is nothing to be said.
const fn on_deletion(kind: ObjectKind) -> Option<(Rule, RevocationReason)> {
    const GONE: RevocationReason = RevocationReason::CessationOfOperation;
    const LEFT: RevocationReason = RevocationReason::AffiliationChanged;
    match kind {
        ObjectKind::IntuneDevice => Some((Rule::IntuneDeviceDeleted, GONE)),
        ObjectKind::EntraDevice => Some((Rule::EntraDeviceDeleted, GONE)),
        ObjectKind::EntraUser => Some((Rule::EntraUserDeleted, LEFT)),
        ObjectKind::JamfComputer => Some((Rule::JamfComputerDeleted, GONE)),
        ObjectKind::JamfMobileDevice => Some((Rule::JamfDeviceDeleted, GONE)),
        ObjectKind::JamfUser => Some((Rule::JamfUserDeleted, LEFT)),
        // A user who is not on the list of those at risk is at none.
        ObjectKind::RiskyUser => None,
    }
}

fn opinion(state: State, rule: Rule, facts: Vec<Fact>, next_change: Option<Time>) -> Opinion {
    Opinion { state, rule, lasting: Lasting::Passing, facts, next_change }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}
