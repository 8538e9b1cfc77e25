//! The one verb behind every question whether a certificate is good: serial number, record, objects, verdict.
//!
//! OCSP, CRL, the APIs and renewal all come here. What is learnt is remembered until it changes (`generations`); how a
//! tethered certificate is judged is in [`crate::tether`], and what an answer looks like is not known here.

pub(crate) mod generations;
pub(crate) mod records;
pub mod settings;
#[cfg(test)]
pub(crate) mod testing;

use std::num::NonZeroUsize;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use lanyard_lifecycle::revocation::Standing;
use lanyard_lifecycle::verdict::{Verdict, record, verdict};
use lanyard_pki::{SerialNumber, Time};
use lanyard_signer::Pool;
use lanyard_store::CaId;
use tokio::sync::Semaphore;

use crate::answer::{Answers, Failure, Issuer, Issuers};
use crate::crl::Crls;
use crate::settings::seconds;
use crate::{Authority, Error, Fault};
use generations::{Generations, Stamp};
use records::{Known, Outlook, Records, Remembered, Says};
use settings::StatusSettings;

/// How a certificate stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which certificate.
    pub serial: SerialNumber,
    /// The CA that issued it; none when it was not issued here.
    pub ca: Option<CaId>,
    /// End of validity. A verdict does not judge expiry.
    pub not_after: Option<Time>,
    /// Good, on hold, revoked, unknown or undecided, and why.
    pub verdict: Verdict,
}

/// What the status side of the authority remembers. All of it may be lost: it is made again from the store.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) generations: Generations,
    pub(crate) answers: Answers<Failure>,
    pub(crate) responder_pool: Arc<Pool>,
    pub(crate) crls: Crls,
    /// A place for each OCSP answer that may be made at a time.
    pub(crate) under_way: Semaphore,
    records: Records,
    issuers: ArcSwapOption<Issuers>,
}

impl Memory {
    /// Answers for these CAs, whose responders are seated.
    pub(crate) fn seat(&self, issuers: Issuers) {
        self.issuers.store(Some(Arc::new(issuers)));
    }

    /// Nothing remembered yet.
    pub(crate) fn new(settings: &StatusSettings) -> Self {
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            generations: Generations::new(),
            answers: Answers::new(settings.memory.answers),
            // Apart from the pool that issuance uses, so that no OCSP client waits behind an enrollment.
            responder_pool: Arc::new(Pool::new(processors)),
            crls: Crls::new(),
            under_way: Semaphore::new(settings.answers_under_way.min(Semaphore::MAX_PERMITS)),
            records: Records::new(settings.memory.records),
            issuers: ArcSwapOption::empty(),
        }
    }
}

/// How much is remembered, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Octets that signed OCSP answers take.
    pub answers_octets: u64,
    /// Certificates whose record is remembered.
    pub records: usize,
    /// Octets that they take.
    pub records_octets: usize,
}

/// A verdict and when it was reached.
pub(crate) struct Seen {
    pub(crate) verdict: Verdict,
    pub(crate) not_after: Option<Time>,
    /// The generation of the certificate, and of each object behind it, before anything was read.
    pub(crate) stamps: Stamps,
}

/// What a verdict was reached from: the generations of a certificate and of the objects behind it.
#[derive(Debug)]
pub(crate) struct Stamps {
    certificate: Stamp,
    objects: Option<Arc<Outlook>>,
}

impl Stamps {
    /// Every one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Stamp> {
        let objects = self.objects.iter().flat_map(|outlook| outlook.stamps.iter().copied());
        std::iter::once(self.certificate).chain(objects)
    }
}

impl Authority {
    /// How a certificate stands, by its serial number, with every fact that led to it.
    pub async fn status(&self, serial: &SerialNumber) -> Result<Status, Error> {
        let found = self.judge(serial, None).await?;
        if let Some(judged) = found.judged {
            return Ok(Status {
                serial: serial.clone(),
                ca: Some(judged.record.ca),
                not_after: Some(judged.record.not_after),
                verdict: judged.verdict,
            });
        }
        let (cas, now) = (self.cas(), self.now());
        let own = cas.by_own_serial(serial);
        Ok(Status {
            serial: serial.clone(),
            ca: own.map(|ca| ca.id),
            not_after: own.map(|ca| ca.certificate.not_after()),
            verdict: alone(own.map(|_| Standing::NotRevoked), now),
        })
    }

    /// How much is remembered now.
    pub fn memory_use(&self) -> MemoryUse {
        MemoryUse {
            answers_octets: self.memory().answers.octets(),
            records: self.memory().records.len(),
            records_octets: self.memory().records.octets(),
        }
    }

    /// The verdict on a certificate of one issuer.
    pub(crate) async fn verdict_on(
        &self,
        issuers: &Issuers,
        issuer: &Issuer,
        serial: &SerialNumber,
        now: Time,
    ) -> Result<Seen, Fault> {
        let Remembered { known, stamp } = self.recall(serial, issuer.ca.id, now).await?;
        let known = known.filter(|known| issuers.are_one(issuer, known.ca)).or_else(|| {
            let below = issuers.ca_below(issuer, serial)?;
            Some(own(below.id, below.certificate.not_after()))
        });
        let not_after = known.as_ref().map(|known| known.not_after);
        let (verdict, objects) = match known.map(|known| known.says) {
            Some(Says::Verdict(outlook)) => (outlook.verdict.clone(), Some(outlook)),
            Some(Says::Record(standing)) => (alone(Some(standing), now), None),
            None => (alone(None, now), None),
        };
        Ok(Seen { verdict, not_after, stamps: Stamps { certificate: stamp, objects } })
    }

    /// What is known of a certificate: remembered, else found out.
    async fn recall(
        &self,
        serial: &SerialNumber,
        below: CaId,
        now: Time,
    ) -> Result<Remembered, Fault> {
        let memory = self.memory();
        if let Some(remembered) = memory.records.current(serial, &memory.generations, now)
            && !self.is_of_another(&remembered, below)
        {
            return Ok(remembered);
        }
        if let Some(remembered) = self.prolong(serial, now).await?
            && !self.is_of_another(&remembered, below)
        {
            return Ok(remembered);
        }
        if !serial.conforms() {
            // Longer than any that is issued here: not worth a read, nor a place.
            let stamp = memory.generations.stamp(serial);
            return Ok(Remembered { known: None, stamp });
        }
        let found = self.judge(serial, Some(below)).await?;
        self.told(&found);
        let remembered = found.into_remembered();
        memory.records.keep(serial, remembered.clone());
        Ok(remembered)
    }

    /// What is known of a certificate, for longer: its objects have not changed, and their feed has told of all changes
    /// since. Not for longer than an answer would serve that was made when it was found out.
    async fn prolong(&self, serial: &SerialNumber, now: Time) -> Result<Option<Remembered>, Fault> {
        let memory = self.memory();
        let vouched = memory.records.vouched(serial, &memory.generations, now);
        let Some((remembered, vouched, reached)) = vouched else { return Ok(None) };
        let at_most = reached.plus(seconds(self.settings().status.freshness.good));
        let until = self.vouched_until(vouched, now).await?.map(|until| until.min(at_most));
        let Some(until) = until.filter(|until| *until > now) else { return Ok(None) };
        memory.records.keep(serial, remembered.prolonged(until));
        Ok(memory.records.current(serial, &memory.generations, now))
    }

    /// Whether what is remembered of a serial number was learnt of another CA's. A store has one certificate of a number;
    /// without one, each CA's are read apart.
    fn is_of_another(&self, remembered: &Remembered, below: CaId) -> bool {
        let ca = remembered.known.as_ref().map(|known| known.ca);
        self.inner.detached.is_some() && ca != Some(below)
    }

    /// Forgets everything that was remembered of a certificate. To be called when its standing has changed, or it was
    /// issued: after that is durable, before it is told to anyone.
    pub(crate) fn forget_status(&self, serial: &SerialNumber) {
        self.memory().generations.advance(serial);
    }

    /// The CAs that are answered for, as of now.
    pub(crate) fn issuers(&self) -> Arc<Issuers> {
        let cas = self.cas();
        let issuers = &self.memory().issuers;
        let before = issuers.load_full();
        match before {
            Some(present) if present.are_of(&cas) => present,
            before => {
                let made = Arc::new(Issuers::new(cas, before.as_deref()));
                issuers.store(Some(made.clone()));
                made
            }
        }
    }
}

/// A CA's own certificate is good for as long as the CA is used here: nothing else is known of it.
fn own(ca: CaId, not_after: Time) -> Known {
    Known { ca, not_after, says: Says::Record(Standing::NotRevoked) }
}

/// The verdict that follows from the record alone.
fn alone(standing: Option<Standing>, now: Time) -> Verdict {
    verdict(record(standing, None, now))
}

/// The verdict on a certificate of an issuer that is not ours, in a request that asks for one of ours too.
pub(crate) fn foreign(now: Time) -> Verdict {
    alone(None, now)
}
