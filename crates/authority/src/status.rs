//! The one verb behind every question whether a certificate is good: serial number, record, verdict.
//!
//! OCSP, CRL, the APIs and renewal all come here. What is asked of the store is remembered until it changes
//! (`generations`); what an answer looks like is not known here.

pub(crate) mod generations;
mod records;
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
use crate::error::Doing as _;
use crate::{Authority, Error, Fault};
use generations::{Generations, Stamp};
use records::{Known, Records};
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
    /// The certificate's generation before anything was read.
    pub(crate) stamp: Stamp,
}

impl Authority {
    /// How a certificate stands, by its serial number.
    pub async fn status(&self, serial: &SerialNumber) -> Result<Status, Error> {
        let now = self.now();
        let (known, _) = self.recall(serial).await?;
        let known = known.or_else(|| {
            let cas = self.cas();
            let ca = cas.by_own_serial(serial)?;
            Some(own(ca.id, ca.certificate.not_after()))
        });
        Ok(Status {
            serial: serial.clone(),
            ca: known.map(|known| known.ca),
            not_after: known.map(|known| known.not_after),
            verdict: verdict(record(known.map(|known| known.standing), None, now)),
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
        let (known, stamp) = self.recall(serial).await?;
        let known = known.filter(|known| issuers.are_one(issuer, known.ca)).or_else(|| {
            let below = issuers.ca_below(issuer, serial)?;
            Some(own(below.id, below.certificate.not_after()))
        });
        Ok(Seen {
            verdict: verdict(record(known.map(|known| known.standing), None, now)),
            not_after: known.map(|known| known.not_after),
            stamp,
        })
    }

    async fn recall(&self, serial: &SerialNumber) -> Result<(Option<Known>, Stamp), Fault> {
        let memory = self.memory();
        let found = memory.records.record(serial, &memory.generations, self.store()).await;
        let found = found.doing("read a certificate's status")?;
        Ok((found.known, found.stamp))
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
    Known { ca, not_after, standing: Standing::NotRevoked }
}

/// The verdict on a certificate of an issuer that is not ours, in a request that asks for one of ours too.
pub(crate) fn foreign(now: Time) -> Verdict {
    verdict(record(None, None, now))
}
