//! CRLs: made in the background when something changes and on time when nothing does, served from memory.
//!
//! For each CA there is a complete CRL; with partitions, one for each of them too; beside long ones, deltas. How one is
//! made is in `build`, when in `schedule`. OCSP never waits for any of this.

mod address;
mod build;
mod published;
mod schedule;

use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use lanyard_lifecycle::id::OrganizationId;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{CaId, CrlPartition, StatusSequence};
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

pub use address::{CrlAddress, CrlForm, NoSuchCrl};
pub use published::PublishedCrl;

use crate::ca::Ca;
use crate::error::Doing as _;
use crate::{Authority, Fault};
use schedule::Made;

/// Changes that are read from the store at once.
const PAGE: u32 = 4096;

/// Seconds until another attempt after one that failed.
const RETRY: i64 = 15;

/// After making CRLs, the time that it took is waited so many times: changes without end take a tenth of a processor.
const PAUSES: u32 = 9;

/// However long it took, a revocation waits no longer than this for the next CRL.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The longest wait between two looks at the clock, in seconds: it may be set, and another process may change something.
const LONGEST_WAIT: i64 = 60;

/// A certificate's place: its CA and partition.
type Place = (CaId, CrlPartition);

/// The CRLs of an installation.
#[derive(Debug)]
pub(crate) struct Crls {
    lists: ArcSwap<HashMap<(Place, CrlForm), Arc<PublishedCrl>>>,
    work: Mutex<Work>,
    wake: Notify,
}

/// What the one who makes CRLs knows.
#[derive(Debug, Default)]
struct Work {
    /// Changes up to here are known.
    seen: Option<StatusSequence>,
    /// The latest change in each place, the complete CRLs among them.
    changed: HashMap<Place, StatusSequence>,
    /// The partitions of the CAs whose stored CRLs were taken over.
    taken_over: HashMap<CaId, u16>,
    /// The full CRL that the deltas of a place begin at.
    bases: HashMap<Place, Made>,
}

impl Crls {
    /// Nothing published yet.
    pub(crate) fn new() -> Self {
        Self {
            lists: ArcSwap::from_pointee(HashMap::new()),
            work: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Tells whoever keeps the CRLs that something has changed.
    pub(crate) fn mark(&self) {
        self.wake.notify_one();
    }

    fn published(&self, place: Place, form: CrlForm) -> Option<Arc<PublishedCrl>> {
        self.lists.load().get(&(place, form)).cloned()
    }

    fn publish(&self, place: Place, crl: PublishedCrl) {
        let (key, crl) = ((place, crl.form), Arc::new(crl));
        self.lists.rcu(|lists| {
            let mut lists = HashMap::clone(lists);
            lists.insert(key, crl.clone());
            lists
        });
    }

    fn withdraw(&self, place: Place, form: CrlForm) {
        if self.published(place, form).is_some() {
            self.lists.rcu(|lists| {
                let mut lists = HashMap::clone(lists);
                lists.remove(&(place, form));
                lists
            });
        }
    }
}

impl Authority {
    /// The CRL at an address, as published last; none where there is none, or not yet.
    pub fn crl(&self, address: CrlAddress) -> Option<Arc<PublishedCrl>> {
        let cas = self.cas();
        let ca = match address.ca {
            None => cas.current(OrganizationId::DEFAULT)?,
            Some(key_identifier) => cas.by_key_identifier(&key_identifier)?,
        };
        self.memory().crls.published((ca.id, address.partition), address.form)
    }

    /// The complete CRL of a CA, as published last.
    pub fn complete_crl(&self, ca: CaId) -> Option<Arc<PublishedCrl>> {
        self.memory().crls.published((ca, CrlPartition::COMPLETE), CrlForm::Full)
    }

    /// Where a certificate that `ca` issues now is listed once it is revoked: its partition, to be recorded with it, and
    /// the addresses for its CRL distribution point, none where certificates carry none.
    pub(crate) fn crl_urls(&self, ca: &Ca, serial: &SerialNumber) -> (CrlPartition, Vec<String>) {
        let published = &ca.publication.crl;
        let partitions = self.partitions().filter(|_| !published.is_empty());
        let partition = address::partition_of(serial, partitions);
        (partition, address::urls(published, partition, CrlForm::Full))
    }

    fn partitions(&self) -> Option<NonZeroU16> {
        self.settings().status.crl.partitions
    }

    /// Keeps the CRLs: makes them when something changes and on time, for as long as it is polled.
    pub async fn keep_crls(&self) {
        loop {
            let began = Instant::now();
            let next = self.refresh_crls().await;
            let pause = (began.elapsed() * PAUSES).min(LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
            let left = next.seconds_since(self.now()).clamp(0, LONGEST_WAIT);
            let due = Duration::from_secs(u64::try_from(left).unwrap_or_default());
            // Elapsed or woken: either way it is time to look.
            let _ = tokio::time::timeout(due, self.memory().crls.wake.notified()).await;
        }
    }

    /// Makes every CRL that is due now. Returns when the next one is due if nothing changes.
    ///
    /// What fails is logged; the CRLs published before are served on, and the next pass tries again.
    pub async fn refresh_crls(&self) -> Time {
        let mut work = self.memory().crls.work.lock().await;
        let mut next = self.now().plus(crate::settings::DAY);
        let retry = self.now().plus(RETRY);
        let cas = self.cas();
        let valid = || cas.iter().filter(|ca| ca.is_valid_at(self.now()));
        for ca in valid() {
            if let Err(fault) = self.take_over(&mut work, ca).await {
                log(&fault, ca);
                return retry;
            }
        }
        if let Err(fault) = self.learn_changes(&mut work).await {
            tracing::error!(fault = %fault.id(), cause = %fault.report(), "No CRL was made");
            return retry;
        }
        for ca in valid() {
            let partitions = work.taken_over.get(&ca.id).copied().unwrap_or_default();
            for partition in (0..=partitions).map(CrlPartition) {
                match self.refresh(&mut work, ca, partition).await {
                    Ok(due) => next = next.min(due),
                    Err(fault) => {
                        log(&fault, ca);
                        next = next.min(retry);
                    }
                }
            }
        }
        next
    }

    /// Publishes the CRLs that the store has of a CA, once, and counts its partitions: as many as the setting says, or as
    /// there were ever, since certificates lead there.
    async fn take_over(&self, work: &mut Work, ca: &Ca) -> Result<(), Fault> {
        if work.taken_over.contains_key(&ca.id) {
            return Ok(());
        }
        let wanted = self.partitions().map_or(0, NonZeroU16::get);
        let last = if ca.publication.crl.is_empty() { 0 } else { u16::MAX };
        let mut partitions = 0;
        for number in 0..=last {
            let place = (ca.id, CrlPartition(number));
            let full = self.stored(place, CrlForm::Full).await?;
            if full.is_none() && number > wanted {
                break;
            }
            partitions = number;
            let delta = self.stored(place, CrlForm::Delta).await?;
            for crl in [full, delta].into_iter().flatten() {
                let sequence = crl.made().sequence;
                work.seen = Some(work.seen.map_or(sequence, |seen| seen.min(sequence)));
                self.memory().crls.publish(place, crl);
            }
        }
        work.taken_over.insert(ca.id, partitions);
        Ok(())
    }

    async fn stored(
        &self,
        (ca, partition): Place,
        form: CrlForm,
    ) -> Result<Option<PublishedCrl>, Fault> {
        let delta = form == CrlForm::Delta;
        let stored = self.store().latest_crl(ca, partition, delta).await;
        Ok(stored.doing("read the last CRL")?.map(PublishedCrl::new))
    }

    /// Reads which places have changed since the last pass. What another process changed is forgotten here too.
    async fn learn_changes(&self, work: &mut Work) -> Result<(), Fault> {
        const DOING: &str = "read which standings changed";
        let Some(mut seen) = work.seen else {
            // Nothing was ever published, so that everything is due whatever has changed.
            work.seen = Some(self.store().status_sequence().await.doing(DOING)?);
            return Ok(());
        };
        loop {
            let changes = self.store().status_changes(seen, PAGE).await.doing(DOING)?;
            for change in &changes {
                self.forget_status(&change.serial);
                for partition in [CrlPartition::COMPLETE, change.crl_partition] {
                    work.changed.insert((change.ca, partition), change.sequence);
                }
                seen = seen.max(change.sequence);
            }
            work.seen = Some(seen);
            if changes.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// Makes the CRLs of one place if they are due. Returns when they are due next.
    async fn refresh(
        &self,
        work: &mut Work,
        ca: &Arc<Ca>,
        partition: CrlPartition,
    ) -> Result<Time, Fault> {
        let (crls, settings) = (&self.memory().crls, &self.settings().status.crl);
        let place = (ca.id, partition);
        let before = crls.published(place, CrlForm::Full);
        let before = before.as_deref().map(PublishedCrl::made);
        let changed = work.changed.get(&place).copied().unwrap_or_default();
        if let Some(before) = before
            && !schedule::is_due(Some(before), changed, settings, self.now())
        {
            return Ok(schedule::due_at(before, settings));
        }
        let long =
            |entries| settings.delta_from.is_some_and(|from| entries >= u64::from(from.get()));
        let full = self.make_full_crl(ca, partition, before).await?;
        let made = *full.made();
        // A row begins at the one before: that is what clients have. So does the first row after a start.
        let base = work.bases.remove(&place).or(before.copied());
        let base = base.filter(|_| long(made.entries));
        crls.publish(place, full);
        let mut in_delta = 0;
        match &base {
            None => crls.withdraw(place, CrlForm::Delta),
            Some(base) => {
                if let Some(delta) = self.make_delta_crl(ca, partition, base, &made).await? {
                    in_delta = delta.entries();
                    crls.publish(place, delta);
                }
            }
        }
        if long(made.entries) {
            let begins = schedule::begins_deltas(base.as_ref(), &made, in_delta, settings);
            work.bases.insert(place, base.filter(|_| !begins).unwrap_or(made));
        }
        Ok(schedule::due_at(&made, settings))
    }
}

fn log(fault: &Fault, ca: &Ca) {
    tracing::error!(
        fault = %fault.id(), ca = %ca.name, cause = %fault.report(),
        "A CRL could not be made"
    );
}

#[cfg(test)]
mod tests;
