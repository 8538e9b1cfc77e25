//! Writing down what rules say of certificates: one transaction for many, the brake asked before, everyone told after.

use lanyard_lifecycle::revocation::Standing;
use lanyard_lifecycle::verdict::ByRule;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{
    HeldLease, NewHeldBack, ObjectSequence, QueueAnswer, RuleBatch, RuleChange, RuleOutcome, Ruled,
    StatusRecord,
};
use serde_json::json;

use super::plan::Plan;
use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::{Authority, Fault};

/// A certificate that was judged, and what follows for its record.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) serial: SerialNumber,
    pub(super) record: StatusRecord,
    pub(super) plan: Plan,
    /// When it is to be judged again although nobody says anything new of its objects.
    pub(super) due: Due,
    /// What a directory that asked for it is to be told once it is done.
    pub(super) answer: Option<QueueAnswer>,
}

/// When a certificate is to be judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// As recorded.
    AsBefore,
    /// Then, or never.
    At(Option<Time>),
}

/// What a batch is recorded with.
#[derive(Debug, Default)]
pub(super) struct With {
    /// Up to where changes of objects are judged with it.
    pub(super) judged: Option<ObjectSequence>,
    /// The lease that the work is done under.
    pub(super) lease: Option<HeldLease>,
}

/// What came of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    /// Written down; for each case what came of it.
    Yes(Vec<Outcome>),
    /// The lease is lost: somebody else works on.
    LeaseLost,
}

/// What came of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It stands otherwise now.
    Changed(Standing),
    /// It stands as before.
    AsBefore,
    /// Nothing was written of it: a person has to decide, or there was nothing to write.
    Waits,
    /// What a rule would have done waits for a person.
    HeldBack,
}

/// A batch in the making.
struct Draft {
    batch: RuleBatch,
    /// Of each case, which change it is.
    of: Vec<Of>,
}

enum Of {
    Nothing,
    Change(usize),
    HeldBack,
}

impl Authority {
    /// Writes down what follows for some certificates. To be called with the lock of
    /// [`Tethers::settling`](super::Tethers), by a task that nobody drops.
    pub(super) async fn settle(&self, cases: &[Case], with: With) -> Result<Settled, Fault> {
        let now = self.now();
        let asking = cases.iter().filter(|case| matches!(case.plan, Plan::AskBrake(_))).count();
        let room = if asking == 0 { 0 } else { self.brake_lets_pass(now).await? };
        let Draft { mut batch, of } = draft(cases, room, now);
        let held_back = batch.held_back.len();
        if held_back > 0 {
            let detail = json!({ "certificates": held_back });
            batch.audit.push(Act::HoldBack.by(&Actor::System, now).detail(&detail).done());
        }
        let With { judged, lease } = with;
        if batch.changes.is_empty() && batch.answers.is_empty() && judged.is_none() {
            return Ok(Settled::Yes(vec![Outcome::Waits; cases.len()]));
        }
        let batch = RuleBatch { judged, lease, ..batch };
        let ruled = self.store().record_rules(batch).await;
        // Even if it failed: what became of a transaction whose end was not told is not known.
        for (case, of) in cases.iter().zip(&of) {
            if !matches!(of, Of::Nothing) {
                self.forget_status(&case.serial);
            }
        }
        let outcomes = match ruled.doing("record what rules say of certificates")? {
            Ruled::Recorded(outcomes) => outcomes,
            Ruled::LeaseLost => return Ok(Settled::LeaseLost),
        };
        if outcomes.iter().any(|outcome| matches!(outcome, RuleOutcome::Changed { .. })) {
            self.memory().crls.mark();
        }
        if held_back > 0 {
            alarm(held_back);
        }
        let outcome = |(case, of): (&Case, Of)| match of {
            Of::Nothing => Outcome::Waits,
            Of::HeldBack => Outcome::HeldBack,
            Of::Change(number) => match outcomes.get(number) {
                Some(RuleOutcome::Changed { before, after, .. }) => {
                    self.tell_standing(case, *before, *after);
                    Outcome::Changed(*after)
                }
                Some(RuleOutcome::Unchanged(_) | RuleOutcome::NotIssued) | None => {
                    Outcome::AsBefore
                }
            },
        };
        Ok(Settled::Yes(cases.iter().zip(of).map(outcome).collect()))
    }

    /// Counts, times and logs a change.
    fn tell_standing(&self, case: &Case, before: Standing, after: Standing) {
        if before == after {
            return;
        }
        crate::revoke::count(after);
        self.tethers().latency.recorded(&self.keys_of(&case.record));
        let rule = match &case.plan {
            Plan::Record(Some(rule)) | Plan::AskBrake(rule) => rule.rule.name(),
            Plan::Record(None) | Plan::Keep => "none",
        };
        tracing::info!(cert.serial = %case.serial, rule, "{}", crate::revoke::in_words(after));
    }
}

fn draft(cases: &[Case], mut room: u64, now: Time) -> Draft {
    let mut batch = RuleBatch::new(now);
    let mut of = Vec::with_capacity(cases.len());
    for case in cases {
        let present = &case.record.by_rule;
        let (to, held_back) = match &case.plan {
            Plan::Keep if case.due == Due::AsBefore || case.record.held_back.is_some() => {
                if case.record.is_revoked_for_good() {
                    batch.answers.extend(case.answer.clone());
                }
                of.push(Of::Nothing);
                continue;
            }
            Plan::Keep => (present.clone(), None),
            Plan::Record(to) => (to.clone(), None),
            Plan::AskBrake(ruled) if room > 0 => {
                room -= 1;
                (Some(ruled.clone()), None)
            }
            Plan::AskBrake(ruled) => (present.clone(), Some(ruled.clone())),
        };
        of.push(if held_back.is_some() { Of::HeldBack } else { Of::Change(batch.changes.len()) });
        // What is held back is judged again when a person has decided, or its object changes.
        let due = match case.due {
            Due::At(due) if held_back.is_none() => due,
            Due::At(_) | Due::AsBefore => None,
        };
        let audit = (to != *present).then(|| audit(case, to.as_ref(), now));
        batch.changes.push(RuleChange { serial: case.serial.clone(), to, due, audit });
        if held_back.is_none() {
            batch.answers.extend(case.answer.clone());
        }
        let held_back = held_back.map(|ruled| NewHeldBack { serial: case.serial.clone(), ruled });
        batch.held_back.extend(held_back);
    }
    Draft { batch, of }
}

fn audit(case: &Case, to: Option<&ByRule>, now: Time) -> lanyard_store::AuditEntry {
    let act = match to.map(|rule| rule.standing) {
        None | Some(Standing::NotRevoked) => Act::ReleaseCertificate,
        Some(Standing::OnHold { .. }) => Act::HoldCertificate,
        Some(Standing::Revoked { .. }) => Act::RevokeCertificate,
    };
    let detail = json!({ "rule": to.map(|to| to.rule), "facts": to.map(|to| &to.facts) });
    let entry = act.by(&Actor::System, now).target(&case.serial).scope(case.record.scope);
    entry.detail(&detail).done()
}

/// To whoever reads logs and metrics; who looks at the installation is told by [`Authority::brake`].
fn alarm(held_back: usize) {
    metrics::counter!("lanyard_brake_held_back_total").increment(held_back as u64);
    tracing::error!(
        certificates = held_back,
        "More certificates are to be revoked by rule than the brake lets pass: a person has to confirm or discard the rest"
    );
}
