//! The brake on automatic revocations: what it lets pass, what it holds back, and what a person decides.
//!
//! When it takes hold is `lanyard_lifecycle::brake`'s; the worker carries out what is confirmed.

use std::sync::PoisonError;
use std::time::Duration;

use lanyard_lifecycle::brake::{Traffic, covers};
use lanyard_lifecycle::fact::Fact;
use lanyard_lifecycle::revocation::{RevocationReason, Standing};
use lanyard_lifecycle::verdict::{ByRule, Rule};
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{
    BatchId, BatchState, BrakeBatch, BrakeDecision, Cursor, Decided, HeldBackCertificate, Page,
    QueueAnswer, StatusRecord,
};

use super::plan;
use super::settle::{Case, Due, Outcome, Settled, With};
use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::settings::{days, seconds};
use crate::{Authority, Fault};

/// How long a count of the certificates in force serves, in seconds.
const COUNTED_FOR: i64 = 60;

/// Batches that are told of.
const BATCHES: u32 = 50;

/// Certificates of a batch that are read at once.
const PAGE: u32 = 500;

const READ_BATCHES: &str = "read what the brake holds back";

/// How the brake stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrakeReport {
    /// Certificates in force that follow an object, those revoked by rule within the window, and those that wait.
    pub traffic: Traffic,
    /// How many more rules may revoke now.
    pub lets_pass: u64,
    /// What was held back, newest first.
    pub batches: Vec<BrakeBatch>,
}

/// A revocation that Intune asks for.
#[derive(Debug, Clone)]
pub struct IntuneRevocation {
    /// Of which certificate.
    pub serial: SerialNumber,
    /// By what: Intune's list of certificates, or its queue of requests.
    pub rule: Rule,
    /// Why, where Intune says so.
    pub reason: Option<RevocationReason>,
    /// What Intune said.
    pub facts: Vec<Fact>,
    /// What Intune is to be told: recorded with the revocation, and not without it.
    pub answer: Option<QueueAnswer>,
}

/// What came of a revocation that Intune asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByIntune {
    /// It is revoked, now or since before.
    Revoked(Standing),
    /// Too many are to be revoked at a time: a person has to decide.
    HeldBack,
    /// It was not issued here.
    NotIssued,
    /// It was not enrolled through Intune, which has no say then.
    NotThroughIntune,
}

impl Authority {
    /// Revokes certificates that Intune has revoked or asks to be revoked, for good. Of each is told what came of it.
    pub async fn revoke_for_intune(
        &self,
        asked: Vec<IntuneRevocation>,
    ) -> Result<Vec<ByIntune>, Fault> {
        let authority = self.clone();
        // Whoever asks may go away between the commit and what follows it.
        let task = tokio::spawn(async move { authority.revoke_all_for_intune(asked).await });
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => Err(Fault::lasting("revoke what Intune has revoked", error)),
        }
    }

    async fn revoke_all_for_intune(
        &self,
        asked: Vec<IntuneRevocation>,
    ) -> Result<Vec<ByIntune>, Fault> {
        let _settling = self.tethers().settling.lock().await;
        let mut cases = Vec::new();
        let mut told = Vec::with_capacity(asked.len());
        for IntuneRevocation { serial, rule, reason, facts, answer } in asked {
            let Some(record) = self.record_of(&serial).await? else {
                told.push(Err(ByIntune::NotIssued));
                continue;
            };
            let now = self.now();
            let decided = ByRule::revoked_by_intune(record.source, rule, reason, facts, now);
            let Some(decided) = decided else {
                told.push(Err(ByIntune::NotThroughIntune));
                continue;
            };
            let plan = plan::ruled(&record, &[], decided);
            told.push(Ok(cases.len()));
            cases.push(Case { serial, record, plan, due: Due::AsBefore, answer });
        }
        let Settled::Yes(outcomes) = self.settle(&cases, With::default()).await? else {
            let error = "a lease was lost that nobody held";
            return Err(Fault::lasting("revoke what Intune has revoked", error));
        };
        let of_case = |number: usize| match (outcomes.get(number), cases.get(number)) {
            (Some(Outcome::Changed(after)), _) => ByIntune::Revoked(*after),
            (_, Some(case)) if case.record.is_revoked_for_good() => {
                ByIntune::Revoked(case.record.standing)
            }
            _ => ByIntune::HeldBack,
        };
        Ok(told.into_iter().map(|told| told.map_or_else(|early| early, of_case)).collect())
    }

    /// How the brake stands: for people, and for whatever raises the alarm.
    pub async fn brake(&self) -> Result<BrakeReport, Fault> {
        let traffic = self.traffic(self.now()).await?;
        let lets_pass = self.settings().tether.brake.lets_pass(traffic);
        let batches = self.store().brake_batches(BATCHES).await.doing(READ_BATCHES)?;
        Ok(BrakeReport { traffic, lets_pass, batches })
    }

    /// The certificates that are held back with a batch.
    pub async fn held_back(
        &self,
        batch: BatchId,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<HeldBackCertificate>, Fault> {
        let held = self.store().held_back(batch, after, limit.clamp(1, PAGE)).await;
        held.doing("list what the brake holds back")
    }

    /// Lets a batch be carried out. What has come back since it was held back is left alone.
    pub async fn confirm_held_back(&self, batch: BatchId, by: &Actor) -> Result<Decided, Fault> {
        self.decide_batch(batch, BrakeDecision::Confirm, by).await
    }

    /// Leaves the certificates of a batch as they are: what their directory says of these objects is not believed. If one
    /// comes back and goes away again, that counts anew.
    pub async fn discard_held_back(&self, batch: BatchId, by: &Actor) -> Result<Decided, Fault> {
        self.decide_batch(batch, BrakeDecision::Discard, by).await
    }

    async fn decide_batch(
        &self,
        batch: BatchId,
        decision: BrakeDecision,
        by: &Actor,
    ) -> Result<Decided, Fault> {
        let (now, act) = match decision {
            BrakeDecision::Confirm => (self.now(), Act::ConfirmHeldBack),
            BrakeDecision::Discard => (self.now(), Act::DiscardHeldBack),
        };
        let entry = act.by(by, now).target(&batch.0).done();
        let (store, by) = (self.store(), by.to_string());
        let decided = store.decide_held_back(batch, decision, by, now, Some(entry)).await;
        let decided = decided.doing("record what was decided about a batch")?;
        if decided == Decided::Recorded {
            self.forget_held_back(batch).await?;
            self.tethers().wake();
        }
        Ok(decided)
    }

    async fn forget_held_back(&self, batch: BatchId) -> Result<(), Fault> {
        let mut after = None;
        loop {
            let page = self.held_back(batch, after, PAGE).await?;
            for one in &page.items {
                self.forget_status(&one.serial);
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// How many more certificates rules may revoke now.
    pub(super) async fn brake_lets_pass(&self, now: Time) -> Result<u64, Fault> {
        Ok(self.settings().tether.brake.lets_pass(self.traffic(now).await?))
    }

    /// How many certificates wait for a person.
    pub(super) async fn waiting_for_a_person(&self) -> Result<u64, Fault> {
        // The one that waits is the newest.
        let newest = self.store().brake_batches(1).await.doing(READ_BATCHES)?;
        let waits = newest.iter().filter(|batch| batch.state == BatchState::Held);
        Ok(waits.map(|batch| batch.certificates).sum())
    }

    /// How long what is held back of a certificate may wait until nothing is said of it: as long as its directory's last
    /// word would serve.
    pub(super) fn patience_with(&self, record: &StatusRecord) -> Duration {
        let directory = record.binding.directory;
        let known = &self.settings().directories;
        let known = known.iter().find(|known| Some(known.id) == directory);
        known.map_or(days(1), |known| known.max_staleness)
    }

    async fn traffic(&self, now: Time) -> Result<Traffic, Fault> {
        let window = seconds(self.settings().tether.brake.window);
        let recorded = self.store().ruled_since(now.plus(-window)).await;
        let recorded = recorded.doing("count what rules have revoked")?;
        let covered = recorded.iter().filter(|count| covers(count.rule));
        let revoked = covered.map(|count| count.certificates).sum();
        let tethered = self.in_force(now).await?.saturating_add(revoked);
        Ok(Traffic { tethered, revoked, waiting: self.waiting_for_a_person().await? })
    }

    /// How many certificates follow an object and are in force, of late.
    async fn in_force(&self, now: Time) -> Result<u64, Fault> {
        let known = *self.tethers().in_force.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, counted)) = known
            && counted <= now
            && now < counted.plus(COUNTED_FOR)
        {
            return Ok(count);
        }
        let count = self.store().tethered_in_force(now).await;
        let count = count.doing("count the certificates in force")?;
        let counted = Some((count, now));
        *self.tethers().in_force.lock().unwrap_or_else(PoisonError::into_inner) = counted;
        Ok(count)
    }
}
