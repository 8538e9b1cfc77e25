//! What the authority does by itself, and when: the one list of background work.
//!
//! CRLs, which may take long to make, are kept beside it ([`crate::crl`]), and so are the mirror ([`crate::mirror`]), the
//! record of tethered certificates ([`crate::tether`]) and business with Intune ([`crate::intune`]). Each job says when it
//! is due next; the server drives them ([`Authority::drive_jobs`]), tests run them by hand with a clock of their own
//! ([`Authority::run_jobs`]).

use std::time::Duration;

use lanyard_pki::Time;

use crate::error::Doing as _;
use crate::{Authority, Fault};

/// The longest wait between two looks at the clock, in seconds: the clock may be set.
const LONGEST_WAIT: i64 = 60;

/// How much is forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// How many such transactions one run makes at most of each kind; the next run goes on.
const BATCHES: u32 = 100;

/// A kind of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Activates the next CA when its time has come.
    ActivateCa,
    /// Replaces registration authorities that near their end.
    RotateRas,
    /// Replaces OCSP responders that are half way to their end.
    RenewResponders,
    /// Forgets transactions, and certificates that were kept for a while only.
    Forget,
}

impl Job {
    /// Every one, in the order in which they run.
    pub const ALL: [Self; 4] =
        [Self::ActivateCa, Self::RotateRas, Self::RenewResponders, Self::Forget];

    /// Its name, for the log and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::ActivateCa => "activate CA",
            Self::RotateRas => "rotate RAs",
            Self::RenewResponders => "renew responders",
            Self::Forget => "forget",
        }
    }
}

impl Authority {
    /// Runs every job once and returns when something is due next. A job that fails is logged and tried again.
    pub async fn run_jobs(&self) -> Time {
        let now = self.now();
        let mut next = now.plus(LONGEST_WAIT);
        for job in Job::ALL {
            match self.run(job).await {
                Ok(due) => next = due.map_or(next, |due| due.min(next)),
                Err(fault) => {
                    metrics::counter!("lanyard_job_failures_total", "job" => job.name())
                        .increment(1);
                    tracing::error!(
                        job = job.name(), fault = %fault.id(), cause = %fault.report(),
                        "A background job failed; it will be tried again"
                    );
                }
            }
        }
        next.max(now)
    }

    /// Runs the jobs when they are due and keeps the CRLs, the mirror, the tethers and business with
    /// Intune, for as long as the future is polled.
    pub async fn drive_jobs(&self) {
        let (small, crls) = (self.drive_small_jobs(), self.keep_crls());
        let (mirror, tethers) = (Box::pin(self.keep_mirror()), Box::pin(self.keep_tethers()));
        let intune = Box::pin(self.keep_intune());
        futures_util::future::join5(small, crls, mirror, tethers, intune).await;
    }

    async fn drive_small_jobs(&self) {
        loop {
            let next = self.run_jobs().await;
            let wait = next.seconds_since(self.now()).clamp(1, LONGEST_WAIT);
            let wait = Duration::from_secs(u64::try_from(wait).unwrap_or(1));
            // Woken or not, what is due is done.
            let _ = tokio::time::timeout(wait, self.inner.wake.notified()).await;
        }
    }

    async fn run(&self, job: Job) -> Result<Option<Time>, Fault> {
        match job {
            Job::ActivateCa => self.activate_when_due().await,
            Job::RotateRas => self.rotate_ras().await,
            Job::RenewResponders => self.renew_responders().await,
            Job::Forget => self.forget().await.map(|()| None),
        }
    }

    async fn forget(&self) -> Result<(), Fault> {
        let now = self.now();
        let store = self.store();
        for _ in 0..BATCHES {
            let forgotten = store.forget_enrollments(now, FORGOTTEN_AT_ONCE).await;
            if forgotten.doing("forget old transactions")? < u64::from(FORGOTTEN_AT_ONCE) {
                break;
            }
        }
        for _ in 0..BATCHES {
            let forgotten = store.forget_certificates(now, FORGOTTEN_AT_ONCE).await;
            let forgotten = forgotten.doing("forget certificates that were kept for a while")?;
            if forgotten < u64::from(FORGOTTEN_AT_ONCE) {
                break;
            }
        }
        self.forget_notices(FORGOTTEN_AT_ONCE).await?;
        self.forget_missing_objects().await
    }
}
