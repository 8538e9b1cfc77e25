//! One attempt to tell Intune something, and what follows from its answer.

use std::sync::Arc;

use lanyard_directory::intune::validation::{
    Enrollment, Group, HResult, IssuedCertificate, Rejection, ValidationError,
};
use lanyard_lifecycle::id::{DirectoryId, Scope};
use lanyard_lifecycle::verdict::Rule;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{Attempt, AuditEntry, FailedAttempt, NoticeId};
use serde_json::json;
use zeroize::Zeroizing;

use super::{KeptBack, Word};
use crate::audit::{Act, Actor};
use crate::error::Doing as _;
use crate::intune::IntuneServices;
use crate::intune::revoke::fact;
use crate::settings::DAY;
use crate::steps::Step;
use crate::tether::IntuneRevocation;
use crate::{Authority, Fault};

/// After so many seconds a notice is given up: Intune forgets what it was about long before.
const GIVEN_UP_AFTER: i64 = DAY;

/// The pause before the second attempt, in seconds; it doubles up to the longest.
const FIRST_PAUSE: i64 = 10;
const LONGEST_PAUSE: i64 = 600;

/// How telling went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Intune has taken it.
    Taken,
    /// It will be told again.
    Again,
    /// Intune does not want it.
    Refused,
}

/// One attempt to tell something.
pub(super) struct Telling {
    pub(super) id: NoticeId,
    pub(super) attempt: Attempt,
    pub(super) directory: DirectoryId,
    pub(super) serial: Option<SerialNumber>,
    pub(super) transaction: Vec<u8>,
    pub(super) request: Zeroizing<Vec<u8>>,
    pub(super) word: Word,
    pub(super) scope: Scope,
    pub(super) created_at: Time,
}

impl Authority {
    /// Tells, whether or not the client waits for it.
    pub(super) async fn tell_undisturbed(&self, telling: Telling) -> Result<Told, Fault> {
        let authority = self.clone();
        match tokio::spawn(async move { authority.tell_intune(telling).await }).await {
            Ok(told) => told,
            Err(error) => Err(Fault::lasting("tell Intune", error)),
        }
    }

    /// Tells, and records how it went.
    pub(super) async fn tell_intune(&self, telling: Telling) -> Result<Told, Fault> {
        let answer = self.call(&telling).await?;
        let (now, attempt) = (self.now(), telling.attempt);
        let (told, failed) = match answer {
            Ok(()) => (Told::Taken, None),
            Err(ValidationError::Rejected(rejection)) => {
                self.refused_notice(&telling, &rejection).await?;
                let error = rejection.to_string();
                (Told::Refused, Some(FailedAttempt { attempt, at: now, error, next: None }))
            }
            Err(ValidationError::Unanswered(ignorance)) => {
                let next = again_at(telling.created_at, attempt, now);
                if next.is_none() {
                    self.give_up(&telling).await?;
                }
                let error = ignorance.to_string();
                (Told::Again, Some(FailedAttempt { attempt, at: now, error, next }))
            }
        };
        let outcome = match told {
            Told::Taken => "taken",
            Told::Again => "unanswered",
            Told::Refused => "refused",
        };
        let word = telling.word.name();
        metrics::counter!("lanyard_intune_notices_total", "word" => word, "outcome" => outcome)
            .increment(1);
        match failed {
            None => {
                self.reached(Step::NoticeTaken).await?;
                let taken = self.store().deliver_notice(telling.id, now).await;
                taken.doing("record that a notice was taken")?;
            }
            Some(failed) => {
                tracing::warn!(
                    scep.transaction_id = %String::from_utf8_lossy(&telling.transaction),
                    attempt = attempt.0, again = failed.next.map(tracing::field::display),
                    "Intune did not take a notice: {}", failed.error
                );
                let entry = failed.next.is_none().then(|| ended(&telling, &failed));
                let recorded = self.store().fail_notice(telling.id, failed, entry).await;
                recorded.doing("record that a notice was not taken")?;
            }
        }
        Ok(told)
    }

    async fn call(&self, telling: &Telling) -> Result<Result<(), ValidationError>, Fault> {
        let services: &Arc<dyn IntuneServices> = self.intune(telling.directory)?;
        let transaction_id = str::from_utf8(&telling.transaction)
            .map_err(|error| Fault::lasting("read a notice", error))?;
        let enrollment = Enrollment { transaction_id, request: &telling.request };
        match (&telling.word, &telling.serial) {
            (Word::Failed { result, reason }, _) => {
                Ok(services.failed(enrollment, HResult(*result), reason).await)
            }
            (Word::Issued { .. }, Some(serial)) => {
                let der = self.store().certificate_der(serial.clone()).await;
                let der = der.doing("read a certificate")?;
                let der = der.ok_or_else(|| {
                    Fault::lasting("tell Intune", "the certificate is not kept any more")
                })?;
                let certificate = Certificate::from_der(&der)
                    .map_err(|error| Fault::lasting("read a certificate", error))?;
                let signed_by = certificate.issuer().to_string();
                let issued = IssuedCertificate {
                    der: &der,
                    serial,
                    not_after: certificate.not_after(),
                    issuer: &signed_by,
                };
                Ok(services.issued(enrollment, issued).await)
            }
            (Word::Issued { .. }, None) => {
                Err(Fault::lasting("tell Intune", "the notice names no certificate"))
            }
        }
    }

    /// Intune has decided against a request after its certificate was issued.
    async fn refused_notice(&self, telling: &Telling, rejection: &Rejection) -> Result<(), Fault> {
        let Word::Issued { kept_back } = telling.word else { return Ok(()) };
        // A client that has its certificate does not lose it because Intune was told too late, or by a challenge that is
        // over by now: that says nothing against the device.
        let is_late = rejection.code.group() == Some(Group::Challenge);
        if kept_back == KeptBack::No && is_late {
            return Ok(());
        }
        let said = ("scepActionResult", rejection.code.as_str().to_owned());
        self.revoke_untold(telling, said).await
    }

    /// Intune was not reached for so long that nobody waits for the certificate any more.
    async fn give_up(&self, telling: &Telling) -> Result<(), Fault> {
        match telling.word {
            Word::Issued { kept_back: KeptBack::UntilTaken } => {
                self.revoke_untold(telling, ("successNotification", "notTaken".to_owned())).await
            }
            Word::Issued { kept_back: KeptBack::No } | Word::Failed { .. } => Ok(()),
        }
    }

    /// Revokes a certificate that Intune does not know of. That is recorded before the notice ends.
    async fn revoke_untold(
        &self,
        telling: &Telling,
        (name, value): (&'static str, String),
    ) -> Result<(), Fault> {
        let Some(serial) = &telling.serial else { return Ok(()) };
        let wanted = IntuneRevocation {
            serial: serial.clone(),
            rule: Rule::IntuneNoticeRefused,
            reason: None,
            facts: vec![fact(telling.directory, name, value, self.now())],
            answer: None,
        };
        self.carry_out_for_intune(vec![wanted]).await.map(|_| ())
    }
}

/// For the audit trail: it will not be told.
fn ended(telling: &Telling, failed: &FailedAttempt) -> AuditEntry {
    let detail = json!({
        "word": telling.word.name(),
        "transaction": String::from_utf8_lossy(&telling.transaction),
        "attempts": failed.attempt.0,
        "error": failed.error,
    });
    let entry = Act::TellIntune.by(&Actor::System, failed.at).scope(telling.scope).detail(&detail);
    match &telling.serial {
        Some(serial) => entry.target(serial).failed(),
        None => entry.failed(),
    }
}

/// When a notice is told again after an attempt; none gives it up.
pub(super) fn again_at(created_at: Time, attempt: Attempt, now: Time) -> Option<Time> {
    Some(now.plus(pause(attempt))).filter(|next| *next < created_at.plus(GIVEN_UP_AFTER))
}

fn pause(attempt: Attempt) -> i64 {
    let doublings = attempt.0.saturating_sub(1).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}
