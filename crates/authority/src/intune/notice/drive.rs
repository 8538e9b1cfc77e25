//! Telling all that is due, again and again, until Intune has taken it or it is given up.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use lanyard_pki::Time;
use lanyard_store::{FailedAttempt, Notice};

use super::CLAIM;
use super::tell::again_at;
use crate::error::Doing as _;
use crate::settings::DAY;
use crate::{Authority, Fault};

/// For how long it is remembered what became of a notice, in seconds.
const REMEMBERED: i64 = 30 * DAY;

/// How many are claimed in one transaction, and told at a time.
const AT_ONCE: u32 = 64;
const SIDE_BY_SIDE: usize = 8;

/// The longest wait between two looks at what is due, in seconds.
const LONGEST_WAIT: i64 = 30;

impl Authority {
    /// Tells all that is due, and returns when something is due next.
    pub async fn work_notices(&self) -> Result<Time, Fault> {
        loop {
            let now = self.now();
            let claimed = self.store().claim_notices(now, now.plus(CLAIM), AT_ONCE).await;
            let claimed = claimed.doing("claim notices")?;
            let count = claimed.len();
            let tell = claimed.into_iter().map(|notice| self.tell_claimed(notice));
            stream::iter(tell).buffer_unordered(SIDE_BY_SIDE).collect::<()>().await;
            if count < AT_ONCE as usize {
                break;
            }
        }
        let next = self.store().next_notice().await.doing("look for notices that are due")?;
        Ok(next.unwrap_or(Time::NO_WELL_DEFINED_END))
    }

    async fn tell_claimed(&self, notice: Notice) {
        let told = match self.telling(&notice) {
            Ok(telling) => self.tell_intune(telling).await.map(|_| ()),
            Err(fault) => Err(fault),
        };
        let Err(fault) = told else { return };
        crate::intune::report("notices", &fault);
        let (attempt, now) = (notice.attempt, self.now());
        let next = again_at(notice.created_at, attempt, now);
        let failed = FailedAttempt { attempt, at: now, error: fault.to_string(), next };
        // If that is not recorded either, its claim runs out and it is due again.
        if let Err(error) = self.store().fail_notice(notice.id, failed, None).await {
            tracing::warn!(%error, "That a notice was not told is not recorded");
        }
    }

    /// Tells what is due, for as long as the future is polled.
    pub(crate) async fn keep_notices(&self) {
        if self.inner.ports.intune.is_empty() {
            return;
        }
        loop {
            let wait = match self.work_notices().await {
                Ok(next) => next.seconds_since(self.now()).clamp(1, LONGEST_WAIT),
                Err(fault) => {
                    crate::intune::report("notices", &fault);
                    LONGEST_WAIT
                }
            };
            let wait = Duration::from_secs(u64::try_from(wait).unwrap_or(1));
            // Woken or not, what is due is told.
            let _ = tokio::time::timeout(wait, self.inner.intune.notices.notified()).await;
        }
    }

    /// Forgets notices that ended long ago.
    pub(crate) async fn forget_notices(&self, limit: u32) -> Result<(), Fault> {
        let before = self.now().plus(-REMEMBERED);
        let forgotten = self.store().forget_notices(before, limit).await;
        forgotten.map(|_| ()).doing("forget notices")
    }

    pub(super) fn wake_notices(&self) {
        self.inner.intune.notices.notify_one();
    }
}
