//! Judging a tethered certificate: its record, what is known of its objects, the verdict; and writing down what that
//! changes before anyone is told.

use std::sync::Arc;

use lanyard_lifecycle::object::ObjectKey;
use lanyard_lifecycle::tether::{Rules, Tethered, judge, objects};
use lanyard_lifecycle::verdict::{Opinion, State, Verdict, conclude};
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{CaId, StatusRecord};

use super::plan::{Plan, plan, withhold};
use super::settle::With;
use super::sights::{Looked, Purpose};
use crate::error::Doing as _;
use crate::mirror::Vouched;
use crate::status::generations::Stamp;
use crate::status::records::{Known, Outlook, Remembered, Says};
use crate::{Authority, Fault};

/// How often what a judgement changes is written down before the verdict is told all the same: another process may be
/// judging the same certificate.
const ATTEMPTS: u32 = 3;

/// What is known of a serial number.
#[derive(Debug)]
pub(crate) struct Found {
    /// The certificate's generation before anything was read.
    pub(crate) stamp: Stamp,
    /// None for one that was never issued here.
    pub(crate) judged: Option<Judged>,
}

/// A certificate that was issued here, and the verdict on it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) record: StatusRecord,
    pub(crate) verdict: Verdict,
    /// What the directories say, good things among it; nothing where they were not asked.
    pub(crate) live: Vec<Opinion>,
    /// For how long the verdict holds; none where the record alone decides.
    pub(crate) tether: Option<Tether>,
}

/// For how long a verdict holds.
#[derive(Debug)]
pub(crate) struct Tether {
    /// When it was reached.
    pub(crate) reached: Time,
    /// When its facts are too old for a decision.
    pub(crate) until: Time,
    /// The generation of each object before anything was read of it.
    pub(crate) stamps: Box<[Stamp]>,
    /// What vouches for the objects meanwhile.
    pub(crate) vouched: Option<Vouched>,
}

/// What the directories say of a certificate.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) live: Vec<Opinion>,
    until: Time,
    stamps: Box<[Stamp]>,
    vouched: Option<Vouched>,
}

impl Found {
    /// What is remembered of it.
    pub(crate) fn into_remembered(self) -> Remembered {
        let known = self.judged.map(|judged| {
            let says = match judged.tether {
                None => Says::Record(judged.record.standing),
                Some(Tether { reached, until, stamps, vouched }) => {
                    let verdict = Verdict { facts: Vec::new(), ..judged.verdict };
                    let until = verdict.next_change.map_or(until, |change| until.min(change));
                    let outlook = Outlook { verdict, reached, until, stamps, vouched };
                    Says::Verdict(Arc::new(outlook))
                }
            };
            Known { ca: judged.record.ca, not_after: judged.record.not_after, says }
        });
        Remembered { known, stamp: self.stamp }
    }
}

/// A certificate as its tether sees it; none for one that follows no object.
fn tethered(record: &StatusRecord) -> Option<Tethered> {
    let StatusRecord { binding, source, issued_at, .. } = *record;
    let follows = binding.kind.tether() == lanyard_lifecycle::kind::Tether::Directory;
    follows.then_some(Tethered { binding, source, issued_at })
}

/// The objects that a certificate follows.
pub(super) fn keys_of(record: &StatusRecord, rules: &Rules) -> Vec<ObjectKey> {
    tethered(record).map(|tethered| objects(&tethered, rules)).unwrap_or_default()
}

impl Authority {
    /// Everything that is known of a serial number, and the verdict. What that changes in the record is recorded first, so
    /// that every answer, CRL and process dates it alike.
    ///
    /// Without a store, the certificate is one `below` that CA, or below any.
    pub(crate) async fn judge(
        &self,
        serial: &SerialNumber,
        below: Option<CaId>,
    ) -> Result<Found, Fault> {
        if let Some(knowledge) = &self.inner.detached {
            return self.judge_detached(knowledge, serial, below).await;
        }
        let mut attempts = 0;
        loop {
            let stamp = self.memory().generations.stamp(serial);
            let Some(record) = self.record_of(serial).await? else {
                return Ok(Found { stamp, judged: None });
            };
            let now = self.now();
            let weighed = self.weigh(&record, Purpose::Answer).await?;
            let live = weighed.as_ref().map_or(&[][..], |weighed| &weighed.live);
            if plan(&record, live, now) == Plan::Keep || attempts == ATTEMPTS {
                return Ok(Found { stamp, judged: Some(self.conclude(record, weighed, now)) });
            }
            self.settle_one(serial).await?;
            attempts += 1;
        }
    }

    /// Writes down what follows for a certificate from what is known of its objects, with all others that wait for it.
    async fn settle_one(&self, serial: &SerialNumber) -> Result<(), Fault> {
        let authority = self.clone();
        let serial = serial.clone();
        // Whoever asks may go away between the commit and what follows it.
        let task = tokio::spawn(async move {
            let tethers = authority.tethers();
            tethers.wanted.ask(&serial);
            let _settling = tethers.settling.lock().await;
            while let Some(serials) = tethers.wanted.next(&serial) {
                authority.settle_wanted(serials).await?;
            }
            Ok(())
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => Err(Fault::lasting("record what a rule says", error)),
        }
    }

    /// Writes down what follows for some certificates. Of those that somebody else has written down meanwhile nothing is
    /// written: when they are to be judged again is for the worker to say.
    async fn settle_wanted(&self, serials: Vec<SerialNumber>) -> Result<(), Fault> {
        let mut cases = Vec::with_capacity(serials.len());
        for serial in serials {
            let Some(record) = self.record_of(&serial).await? else { continue };
            let case = self.case(serial, record, None).await?;
            if case.plan != Plan::Keep {
                cases.push(case);
            }
        }
        self.settle(&cases, With::default()).await.map(|_| ())
    }

    /// An answer is about to say so: how long that took is counted.
    pub(crate) fn told(&self, found: &Found) {
        let adverse = |state| matches!(state, State::Revoked { .. } | State::OnHold { .. });
        if let Some(judged) = found.judged.as_ref().filter(|one| adverse(one.verdict.state)) {
            self.tethers().latency.answered(|| self.keys_of(&judged.record));
        }
    }

    /// The objects that a certificate follows.
    pub(super) fn keys_of(&self, record: &StatusRecord) -> Vec<ObjectKey> {
        keys_of(record, &self.settings().tether.rules)
    }

    /// What is recorded of a certificate.
    pub(super) async fn record_of(
        &self,
        serial: &SerialNumber,
    ) -> Result<Option<StatusRecord>, Fault> {
        self.store().certificate_status(serial.clone()).await.doing("read a certificate's status")
    }

    /// What the directories say of a certificate; none where they have no say.
    pub(super) async fn weigh(
        &self,
        record: &StatusRecord,
        purpose: Purpose,
    ) -> Result<Option<Weighed>, Fault> {
        if record.is_revoked_for_good() && purpose != Purpose::Explain {
            return Ok(None);
        }
        let Some(tethered) = tethered(record) else { return Ok(None) };
        let rules = &self.settings().tether.rules;
        let looked = self.look(&objects(&tethered, rules), purpose).await?;
        let live = judge(&tethered, &looked.sights, rules, self.now());
        let Looked { until, stamps, vouched, .. } = looked;
        let weighed = Weighed { live, until, stamps, vouched };
        Ok(Some(weighed))
    }

    fn conclude(&self, record: StatusRecord, weighed: Option<Weighed>, now: Time) -> Judged {
        let (live, tether) = match weighed {
            None => (Vec::new(), None),
            Some(Weighed { live, until, stamps, vouched }) => {
                (live, Some(Tether { reached: now, until, stamps, vouched }))
            }
        };
        let at_most = self.patience_with(&record);
        let opinions = withhold(live.clone(), record.held_back.as_ref(), at_most, now);
        let verdict = conclude(Some(record.by_hand), record.by_rule.as_ref(), opinions, now);
        Judged { record, verdict, live, tether }
    }
}
