//! Keeping the record as the directories say: who judges the certificates of objects that have changed, and those whose
//! time has come.
//!
//! One process of several does so, under a lease. How far it has come is recorded with what it has learnt, so that whoever
//! goes on after a kill misses nothing. Answers do not wait for it: they are judged from the same facts
//! ([`Authority::status`]), and what they find first is recorded by the same verb.

use std::time::Duration;

use futures_util::future::try_join_all;
use lanyard_lifecycle::object::ObjectKey;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{BoundCertificate, Cursor, HeldLease, StatusRecord, StatusSequence};

use super::judge::keys_of;
use super::plan::{Plan, due, plan};
use super::settle::{Case, Due, Outcome, Settled, With};
use super::sights::Purpose;
use crate::error::Doing as _;
use crate::steps::Step;
use crate::{Authority, Fault};

/// The name of the lease.
const LEASE: &str = "tethers";

/// For how long it is taken, in seconds.
const HELD_FOR: i64 = 60;

/// How long to wait after a fault, and before a lease that somebody else holds is tried again, in seconds.
const PATIENCE: i64 = 10;

/// The longest wait between two looks, in seconds: other processes change things, and the clock may be set.
const LONGEST_WAIT: i64 = 5;

/// Changed objects, and certificates that are due, that are judged in one step.
const AT_ONCE: u32 = 128;

/// Certificates of one object that are judged in one step.
const OF_AN_OBJECT: u32 = 256;

/// Standings that are read at once.
const PAGE: u32 = 1_000;

const READ_JUDGED: &str = "read up to where changes are judged";
const READ_CHANGES: &str = "read what has changed at the directories";
const READ_CONFIRMED: &str = "find what a person has confirmed";

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worked {
    /// Something was done, and there may be more.
    Something,
    /// There was nothing to do.
    Nothing,
    /// The lease is lost.
    LeaseLost,
}

impl Authority {
    /// Judges all that is to be judged, as far as the lease can be had, and returns when something is due next.
    pub async fn work_tethers(&self) -> Result<Time, Fault> {
        let mut held = None;
        loop {
            let now = self.now();
            let next = self.store().next_due().await.doing("find the certificates that are due")?;
            let next = next.unwrap_or(Time::NO_WELL_DEFINED_END);
            if !self.has_work(next, now).await? {
                return Ok(next);
            }
            let Some(lease) = self.tether_lease(held.take(), now).await? else {
                return Ok(now.plus(PATIENCE));
            };
            let mut worked = self.judge_changes(&lease).await?;
            if worked == Worked::Nothing {
                worked = self.carry_out_confirmed(&lease).await?;
            }
            if worked == Worked::Nothing {
                worked = self.judge_due(&lease).await?;
            }
            match worked {
                Worked::Something => held = Some(lease),
                // What is due and cannot be moved on is no reason to turn in circles.
                Worked::Nothing => return Ok(next.max(now.plus(PATIENCE))),
                Worked::LeaseLost => {
                    self.tethers().forget_lease();
                    return Ok(now.plus(PATIENCE));
                }
            }
        }
    }

    /// Keeps the record as the directories say, for as long as the future is polled.
    pub(crate) async fn keep_tethers(&self) {
        let mut standings = None;
        loop {
            let wait = match self.keep_once(&mut standings).await {
                Ok(next) => next.seconds_since(self.now()).clamp(1, LONGEST_WAIT),
                Err(fault) => {
                    metrics::counter!("lanyard_job_failures_total", "job" => "tethers")
                        .increment(1);
                    tracing::error!(
                        fault = %fault.id(), cause = %fault.report(),
                        "Judging tethered certificates failed; it will be tried again"
                    );
                    PATIENCE
                }
            };
            let wait = Duration::from_secs(u64::try_from(wait).unwrap_or(1));
            // Woken or not, what is due is done.
            let _ = tokio::time::timeout(wait, self.tethers().wake.notified()).await;
        }
    }

    async fn keep_once(&self, standings: &mut Option<StatusSequence>) -> Result<Time, Fault> {
        if self.store().is_shared() {
            self.follow_standings(standings).await?;
        }
        let next = self.work_tethers().await?;
        let waiting = self.waiting_for_a_person().await?;
        let waiting = f64::from(u32::try_from(waiting).unwrap_or(u32::MAX));
        metrics::gauge!("lanyard_brake_waiting_certificates").set(waiting);
        Ok(next)
    }
}

impl Authority {
    async fn has_work(&self, next_due: Time, now: Time) -> Result<bool, Fault> {
        if next_due <= now {
            return Ok(true);
        }
        let judged = self.store().judged().await.doing(READ_JUDGED)?;
        let changed = self.store().object_changes(judged, 1).await.doing(READ_CHANGES)?;
        if !changed.is_empty() {
            return Ok(true);
        }
        let confirmed = self.store().confirmed_held_back(1).await;
        Ok(!confirmed.doing(READ_CONFIRMED)?.is_empty())
    }

    /// The lease, new or for longer; none while somebody else holds it.
    async fn tether_lease(
        &self,
        held: Option<HeldLease>,
        now: Time,
    ) -> Result<Option<HeldLease>, Fault> {
        let tethers = self.tethers();
        if let Some(held) = held.or_else(|| tethers.lease(now)) {
            return Ok(Some(held));
        }
        let until = now.plus(HELD_FOR);
        let owner = &self.mirror().owner;
        let taken = self.store().take_lease(LEASE, owner, now, until).await;
        let taken = taken.doing("take a lease")?;
        let lease = taken.map(|fence| HeldLease { name: LEASE.to_owned(), fence });
        if let Some(lease) = &lease {
            tethers.keep_lease(lease.clone(), now.plus(HELD_FOR / 2));
        }
        Ok(lease)
    }

    /// Judges the certificates of the objects that have changed next.
    async fn judge_changes(&self, lease: &HeldLease) -> Result<Worked, Fault> {
        let judged = self.store().judged().await.doing(READ_JUDGED)?;
        let changes = self.store().object_changes(judged, AT_ONCE).await.doing(READ_CHANGES)?;
        let Some(last) = changes.last().map(|change| change.sequence) else {
            return Ok(Worked::Nothing);
        };
        let _settling = self.tethers().settling.lock().await;
        let mut cases = Vec::new();
        for change in &changes {
            let mut after = None;
            loop {
                let (bound, next) = self.bound_to(change.key, after).await?;
                for one in bound {
                    cases.push(self.case(one.serial, one.status, one.due).await?);
                }
                after = next;
                if after.is_none() {
                    break;
                }
                // Where so many follow one object, they are recorded on the way; the object is judged with the last.
                let part = With { lease: Some(lease.clone()), ..With::default() };
                if self.settle(&std::mem::take(&mut cases), part).await? == Settled::LeaseLost {
                    return Ok(Worked::LeaseLost);
                }
            }
        }
        self.reached(Step::ChangesJudged).await?;
        let with = With { judged: Some(last), lease: Some(lease.clone()) };
        if self.settle(&cases, with).await? == Settled::LeaseLost {
            return Ok(Worked::LeaseLost);
        }
        for change in &changes {
            self.tethers().latency.judged(&change.key);
        }
        self.reached(Step::JudgementsRecorded).await?;
        Ok(Worked::Something)
    }

    /// Some of the certificates that follow an object, and where to go on.
    async fn bound_to(
        &self,
        key: ObjectKey,
        after: Option<Cursor>,
    ) -> Result<(Vec<BoundCertificate>, Option<Cursor>), Fault> {
        let now = self.now();
        let bound = self.store().certificates_bound_to(key, now, after, OF_AN_OBJECT).await;
        let bound = bound.doing("find the certificates of an object")?;
        let rules = &self.settings().tether.rules;
        let follows = |one: &BoundCertificate| keys_of(&one.status, rules).contains(&key);
        Ok((bound.items.into_iter().filter(follows).collect(), bound.next))
    }

    /// Judges some of the certificates that are due.
    async fn judge_due(&self, lease: &HeldLease) -> Result<Worked, Fault> {
        let due = self.store().certificates_due(self.now(), AT_ONCE).await;
        let due = due.doing("find the certificates that are due")?;
        // Time alone proves nothing: their directories are asked before the lock is taken, which others wait for.
        let rules = &self.settings().tether.rules;
        let look = due.iter().map(async |one| {
            let keys = keys_of(&one.status, rules);
            self.look(&keys, Purpose::RecordDue).await
        });
        try_join_all(look).await?;
        let _settling = self.tethers().settling.lock().await;
        let mut cases = Vec::with_capacity(due.len());
        for one in due {
            cases.push(self.case(one.serial, one.status, None).await?);
        }
        self.reached(Step::ChangesJudged).await?;
        let with = With { lease: Some(lease.clone()), ..With::default() };
        let settled = self.settle(&cases, with).await?;
        self.reached(Step::JudgementsRecorded).await?;
        Ok(match settled {
            Settled::LeaseLost => Worked::LeaseLost,
            Settled::Yes(outcomes) if outcomes.iter().all(|one| *one == Outcome::Waits) => {
                Worked::Nothing
            }
            Settled::Yes(_) => Worked::Something,
        })
    }

    /// Carries out what a person has confirmed, unless its object has come back meanwhile.
    async fn carry_out_confirmed(&self, lease: &HeldLease) -> Result<Worked, Fault> {
        let confirmed = self.store().confirmed_held_back(AT_ONCE).await.doing(READ_CONFIRMED)?;
        if confirmed.is_empty() {
            return Ok(Worked::Nothing);
        }
        let _settling = self.tethers().settling.lock().await;
        let mut cases = Vec::with_capacity(confirmed.len());
        for one in confirmed {
            let Some(record) = self.record_of(&one.serial).await? else { continue };
            let case = self.case(one.serial, record, None).await?;
            // Somebody may have revoked it by hand: then nothing is held back any more.
            let by_rule = || Plan::Record(case.record.by_rule.clone());
            let plan = if case.plan == Plan::Keep { by_rule() } else { case.plan };
            cases.push(Case { plan, ..case });
        }
        let with = With { lease: Some(lease.clone()), ..With::default() };
        match self.settle(&cases, with).await? {
            Settled::LeaseLost => Ok(Worked::LeaseLost),
            Settled::Yes(_) => Ok(Worked::Something),
        }
    }

    /// What follows for a certificate from what is known of its objects. If it was due before and would be again, its
    /// directories have not been asked yet.
    pub(super) async fn case(
        &self,
        serial: SerialNumber,
        record: StatusRecord,
        due_before: Option<Time>,
    ) -> Result<Case, Fault> {
        let live = self.weigh(&record, Purpose::RecordNews).await?.map(|weighed| weighed.live);
        let (live, now) = (live.unwrap_or_default(), self.now());
        let plan = plan(&record, &live, now);
        let due = due(&live, now).map(|due| due_before.map_or(due, |before| before.min(due)));
        Ok(Case { serial, record, plan, due: Due::At(due), answer: None })
    }

    /// Learns which standings other processes have changed: at once here, for CRLs in their own time.
    async fn follow_standings(&self, seen: &mut Option<StatusSequence>) -> Result<(), Fault> {
        const DOING: &str = "read which standings changed";
        let Some(mut after) = *seen else {
            *seen = Some(self.store().status_sequence().await.doing(DOING)?);
            return Ok(());
        };
        loop {
            let changes = self.store().status_changes(after, PAGE).await.doing(DOING)?;
            for change in &changes {
                self.forget_status(&change.serial);
                after = change.sequence;
            }
            *seen = Some(after);
            if !changes.is_empty() {
                self.memory().crls.mark();
            }
            if changes.len() < PAGE as usize {
                return Ok(());
            }
        }
    }
}
