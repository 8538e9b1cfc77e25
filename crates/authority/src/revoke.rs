//! Revoke, put on hold, release: with every reason of RFC 5280, audited, at once for everyone who asks after it.
//!
//! What may follow what is `lanyard_lifecycle`'s rule, applied by the store in the transaction that records it.

use lanyard_lifecycle::id::Scope;
use lanyard_lifecycle::refusal::Refusal;
use lanyard_lifecycle::revocation::{Change, Standing};
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{StandingChange, StandingOutcome, Within};
use serde_json::json;

use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::{Authority, Error, Fault};

/// A change of a certificate's standing that somebody asks for.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// Which certificate.
    pub serial: SerialNumber,
    /// Revoke and why, hold, or release.
    pub change: Change,
    /// Since when the key is thought to be known to others, or the certificate to be invalid otherwise (RFC 5280
    /// section 5.3.2).
    pub invalidity_date: Option<Time>,
    /// Who asks.
    pub actor: Actor,
    /// Whose certificates he may touch.
    pub within: Within,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It stands so now.
    Changed(Standing),
    /// It stood so before: on hold, and to be held.
    Unchanged(Standing),
}

impl Authority {
    /// Revokes, holds or releases a certificate. When this returns, no answer says otherwise any more.
    ///
    /// Refused: what is revoked for good, a release of what is not on hold, and what was not issued here or lies outside
    /// of the caller's scope.
    pub async fn revoke(&self, revocation: Revocation) -> Result<Revoked, Error> {
        let authority = self.clone();
        // A caller that goes away between the commit and what follows it would leave old answers standing.
        let task = tokio::spawn(async move { authority.revoke_whole(revocation).await });
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => Err(Fault::lasting("revoke a certificate", error).into()),
        }
    }

    async fn revoke_whole(&self, revocation: Revocation) -> Result<Revoked, Error> {
        let Revocation { serial, change, invalidity_date, actor, within } = revocation;
        let now = self.now();
        let act = match change {
            Change::Revoke(_) => Act::RevokeCertificate,
            Change::Hold => Act::HoldCertificate,
            Change::Release => Act::ReleaseCertificate,
        };
        let entry = act.by(&actor, now).target(&serial).detail(&json!({
            "reason": change.code(),
            "invalidity_date": invalidity_date.map(|date| date.to_string()),
        }));
        let found = self.store().certificate_status(serial.clone()).await;
        let found = found
            .doing("read a certificate's status")?
            .filter(|record| reaches(within, record.scope));
        let Some(record) = found else {
            self.store().audit(entry.refused()).await.doing("record a refusal")?;
            return Err(Refusal::UnknownCertificate.into());
        };
        let entry = entry.scope(record.scope);
        let refused = entry.clone();
        let wish = StandingChange { change, at: now, by: actor.to_string(), invalidity_date };
        let outcome = self.store().change_standing(serial.clone(), wish, Some(entry.done())).await;
        // Even if it failed: what became of a transaction whose end was not told is not known.
        self.forget_status(&serial);
        match outcome.doing("record a certificate's standing")? {
            StandingOutcome::Changed { after, .. } => {
                self.memory().crls.mark();
                count(after);
                tracing::info!(cert.serial = %serial, by = %actor, "{}", in_words(after));
                Ok(Revoked::Changed(after))
            }
            StandingOutcome::Unchanged(standing) => Ok(Revoked::Unchanged(standing)),
            StandingOutcome::Refused(refusal) => {
                self.store().audit(refused.refused()).await.doing("record a refusal")?;
                Err(refusal.into())
            }
            StandingOutcome::NotIssued => Err(Refusal::UnknownCertificate.into()),
        }
    }
}

/// By reason, as RFC 5280 names it. What is released is not counted.
pub(crate) fn count(after: Standing) {
    let reason = match after {
        Standing::NotRevoked => return,
        Standing::OnHold { .. } => "certificateHold",
        Standing::Revoked { reason, .. } => reason.name(),
    };
    metrics::counter!("lanyard_revocations_total", "reason" => reason).increment(1);
}

pub(crate) fn in_words(standing: Standing) -> &'static str {
    match standing {
        Standing::NotRevoked => "Released a certificate",
        Standing::OnHold { .. } => "Put a certificate on hold",
        Standing::Revoked { .. } => "Revoked a certificate",
    }
}

/// Whether a record of this scope lies within what somebody may see.
pub(crate) fn reaches(within: Within, scope: Scope) -> bool {
    match within {
        Within::Everywhere => true,
        Within::Organization(organization) => scope.organization == organization,
        Within::Department(organization, department) => {
            scope.organization == organization && scope.department == Some(department)
        }
    }
}

#[cfg(test)]
mod tests;
