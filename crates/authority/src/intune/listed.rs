//! The certificates that Intune believes to be issued: those that it lists as revoked are.

use std::sync::Arc;
use std::time::Duration;

use lanyard_directory::Ignorance;
use lanyard_directory::intune::certificates::{CertificateRecord, CertificateStatus, NextPage};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::verdict::Rule;

use super::queue::is_from_intune;
use super::revoke::fact;
use crate::settings::Follows;
use crate::tether::IntuneRevocation;
use crate::{Authority, Fault};

/// No list has more pages.
const MOST_PAGES: usize = 100_000;

/// What reading a list came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listed {
    /// Certificates on it.
    pub certificates: usize,
    /// Certificates that were revoked because it says so.
    pub revoked: usize,
    /// Certificates that the brake holds back instead.
    pub held_back: usize,
}

/// Why a list was not read to its end. What was learnt until then is recorded.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Intune does not answer.
    #[error(transparent)]
    Unanswered(#[from] Ignorance),
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Authority {
    /// Reads what a tenant's Intune believes to be issued, and revokes what it lists as revoked.
    ///
    /// # Errors
    /// When Intune does not answer, or the store does not.
    pub async fn read_endpoint_list(&self, directory: DirectoryId) -> Result<Listed, ListError> {
        let services = Arc::clone(self.intune(directory)?);
        let mut listed = Listed::default();
        let mut next: Option<NextPage> = None;
        for _ in 0..MOST_PAGES {
            let page = services.certificate_states(next.as_ref()).await?;
            listed.certificates += page.records.len();
            let mut revocations = Vec::new();
            for record in page.records {
                if record.status == CertificateStatus::Revoked
                    && let Some(revocation) = self.to_revoke(directory, record).await?
                {
                    revocations.push(revocation);
                }
            }
            let done = self.carry_out_for_intune(revocations).await?;
            listed.revoked += done.revoked;
            listed.held_back += done.held_back;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(listed)
    }

    /// A certificate of ours that the list says is revoked, and that is not.
    async fn to_revoke(
        &self,
        directory: DirectoryId,
        listed: CertificateRecord,
    ) -> Result<Option<IntuneRevocation>, Fault> {
        let Some(serial) = listed.serial else { return Ok(None) };
        // A tenant speaks for its own certificates alone.
        let concerns = self.certificate_of(&serial).await?.is_some_and(|record| {
            record.binding.directory == Some(directory)
                && is_from_intune(record.source)
                && !record.is_revoked_for_good()
        });
        let now = self.now();
        let status = listed.status.as_str().to_owned();
        Ok(concerns.then(|| IntuneRevocation {
            serial,
            rule: Rule::IntuneListedRevoked,
            reason: None,
            facts: vec![fact(directory, "certificateRevokeStatus", status, now)],
            answer: None,
        }))
    }

    /// Whether an endpoint of a tenant goes by its list.
    pub(super) fn wants_list(&self, directory: DirectoryId) -> bool {
        self.settings().endpoints.iter().any(|endpoint| match &endpoint.follows {
            Follows::Intune(intune) => {
                intune.directory == directory && intune.devices.reads_endpoint_list()
            }
            Follows::Nothing(_) | Follows::Entra(_) | Follows::Jamf(_) => false,
        })
    }

    /// Reads a tenant's list again and again, for as long as the future is polled.
    pub(super) async fn keep_list(&self, directory: DirectoryId) {
        let interval = self.settings().intune.list_interval;
        loop {
            match self.take_turn("list", directory, interval).await {
                Ok(super::Turn::Ours) => match self.read_endpoint_list(directory).await {
                    Ok(listed) => tracing::debug!(?listed, %directory, "Read Intune's list"),
                    Err(ListError::Unanswered(ignorance)) => {
                        tracing::warn!(%directory, "Intune's list is not read: {ignorance}");
                    }
                    Err(ListError::Fault(fault)) => super::report("list of certificates", &fault),
                },
                Ok(super::Turn::Others) => {}
                Err(fault) => super::report("list of certificates", &fault),
            }
            tokio::time::sleep(interval.max(Duration::from_secs(1))).await;
        }
    }
}
