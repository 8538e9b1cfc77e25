//! Intune's requests to revoke: taken, carried out, answered, and durable between.
//!
//! Intune hands a request out once and then not again for about an hour, answered or not, so that what was taken is
//! recorded before anything else is done. The queue is the tenant's: what is meant for another authority is left alone.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lanyard_directory::intune::revocation::{
    FailureCode, Outcome, RequestContext, RevocationError, RevocationRequest, RevocationResult,
    read_serial,
};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::kind::Source;
use lanyard_lifecycle::verdict::Rule;
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{NewQueueRequest, QueueAnswer, QueueRequest, StatusRecord};
use serde::{Deserialize, Serialize};

use super::IntuneServices;
use super::revoke::{Done, fact};
use crate::error::Doing as _;
use crate::settings::DAY;
use crate::steps::Step;
use crate::tether::IntuneRevocation;
use crate::{Authority, Fault};

/// No queue is longer in one run; what is left comes in the next.
const MOST_PAGES: usize = 1_000;

/// Requests that are carried out and answered together.
const AT_ONCE: u32 = 2_000;

/// For how long an answer is kept that Intune does not take, in seconds.
const UNTOLD_FOR: i64 = DAY;

/// A run that began this long ago at most serves whoever asks for one, in seconds.
const SERVES: i64 = 2;

/// How long an enrollment waits for a run.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were taken.
    pub taken: usize,
    /// Certificates that were revoked by them.
    pub revoked: usize,
    /// Requests that Intune was told the outcome of.
    pub answered: usize,
}

/// Why a run ended early. What was taken stays recorded.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// Intune does not answer, or does not take the results.
    #[error(transparent)]
    Intune(#[from] RevocationError),
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What Intune is to be told, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Answer {
    Revoked,
    Failed { code: String, message: String },
}

/// What becomes of a request.
enum Carried {
    /// This certificate is to be revoked.
    Revoke(SerialNumber),
    /// Nothing is to be done; Intune is told this.
    Told(Answer),
}

impl Authority {
    /// Works a tenant's queue off.
    ///
    /// # Errors
    /// When Intune does not answer, or the store does not. The next run goes on where this one ended.
    pub async fn drain_revocations(&self, directory: DirectoryId) -> Result<Drained, DrainError> {
        self.drain_unless(directory, |_| false).await
    }

    /// Works a tenant's queue off before a decision about an object that has certificates already. A queue that cannot be
    /// read stops nothing: what is in it concerns those certificates, and is carried out by the next run.
    pub(crate) async fn drain_before(&self, directory: DirectoryId) {
        if self.intune(directory).is_err() {
            return;
        }
        let (authority, asked) = (self.clone(), self.now());
        // A client that hangs up must not interrupt it; many who ask at once are served by one run.
        let run = tokio::spawn(async move {
            let serves = |began: Time| asked.seconds_since(began) < SERVES;
            authority.drain_unless(directory, serves).await
        });
        match tokio::time::timeout(PATIENCE, run).await {
            Ok(Ok(Ok(_))) => {}
            Ok(Ok(Err(error))) => report(directory, &error),
            Ok(Err(error)) => tracing::error!(%error, "Reading Intune's requests to revoke ended"),
            Err(_) => tracing::warn!(%directory, "Intune's requests to revoke take too long"),
        }
    }

    /// Works a tenant's queue off unless a run that began then serves as well.
    async fn drain_unless(
        &self,
        directory: DirectoryId,
        serves: impl Fn(Time) -> bool,
    ) -> Result<Drained, DrainError> {
        let services = Arc::clone(self.intune(directory)?);
        let last = self.inner.intune.last_drain(directory).ok_or_else(|| {
            Fault::lasting("read requests to revoke", "the directory has no queue")
        })?;
        let mut last = last.lock().await;
        if last.is_some_and(serves) {
            return Ok(Drained::default());
        }
        let began = self.now();
        let drained = self.drain(&services).await?;
        *last = Some(began);
        if drained.taken > 0 {
            let Drained { taken, revoked, .. } = drained;
            tracing::info!(taken, revoked, %directory, "Carried out Intune's requests to revoke");
        }
        Ok(drained)
    }

    async fn drain(&self, services: &Arc<dyn IntuneServices>) -> Result<Drained, DrainError> {
        let mut drained = Drained::default();
        // What an earlier run has taken and not answered comes first. That Intune takes no answers keeps nothing from being
        // carried out.
        let mut untold = self.finish(services, &mut drained).await?;
        let mut known: HashSet<RequestContext> = HashSet::new();
        for _ in 0..MOST_PAGES {
            let page = services.download_revocations().await?;
            let new: Vec<RevocationRequest> =
                page.into_iter().filter(|one| known.insert(one.context.clone())).collect();
            if new.is_empty() {
                break;
            }
            let taken = self.take(services, new).await?;
            drained.taken += taken;
            if taken > 0 {
                self.reached(Step::QueueTaken).await?;
                untold = self.finish(services, &mut drained).await?;
            }
        }
        untold.map_or(Ok(drained), |error| Err(error.into()))
    }

    /// Records those of a page that are for this authority; tells how many.
    async fn take(
        &self,
        services: &Arc<dyn IntuneServices>,
        requests: Vec<RevocationRequest>,
    ) -> Result<usize, Fault> {
        let (directory, taken_at) = (services.directory(), self.now());
        let mut ours = Vec::new();
        for request in requests {
            if self.is_ours(services, &request).await? {
                ours.push(NewQueueRequest {
                    directory,
                    context: request.context.as_str().to_owned(),
                    serial: request.serial_number,
                    taken_at,
                });
            }
        }
        let count = ours.len();
        if count > 0 {
            let taken = self.store().take_queue_requests(ours).await;
            taken.doing("record Intune's requests to revoke")?;
        }
        Ok(count)
    }

    /// Whether a request is for this authority: it names a certificate of ours that follows the tenant, whatever it calls
    /// us, for nobody else's has that number; or it calls us by our name.
    async fn is_ours(
        &self,
        services: &Arc<dyn IntuneServices>,
        request: &RevocationRequest,
    ) -> Result<bool, Fault> {
        let follows = |record: StatusRecord| record.binding.directory == Some(services.directory());
        if let Some(serial) = request.serial()
            && self.certificate_of(&serial).await?.is_some_and(follows)
        {
            return Ok(true);
        }
        let named = request.ca_configuration.as_deref().map(str::trim);
        let named = named.filter(|named| !named.is_empty());
        let ours = services.ca_configuration();
        Ok(named.zip(ours).is_some_and(|(named, ours)| named.eq_ignore_ascii_case(ours)))
    }

    /// Carries out all that was taken, and answers it; tells why something is not answered.
    async fn finish(
        &self,
        services: &Arc<dyn IntuneServices>,
        drained: &mut Drained,
    ) -> Result<Option<RevocationError>, Fault> {
        let directory = services.directory();
        let mut taken = self.queue_of(directory).await?;
        if taken.iter().any(|one| one.outcome.is_none()) {
            taken.retain(|one| one.outcome.is_none());
            drained.revoked += self.carry_out(directory, taken).await?;
            self.reached(Step::QueueCarriedOut).await?;
            taken = self.queue_of(directory).await?;
        }
        let results: Vec<RevocationResult> = taken.iter().filter_map(result).collect();
        if results.is_empty() {
            return Ok(None);
        }
        let (told, untold) = upload(services, &results).await;
        if !told.is_empty() {
            self.reached(Step::QueueAnswered).await?;
        }
        drained.answered += told.len();
        // What Intune still wants to know after a day it asks for anew: it is carried out all the same.
        let before = self.now().plus(-UNTOLD_FOR);
        let is_old = |one: &&QueueRequest| one.outcome.is_some() && one.request.taken_at < before;
        let old = taken.iter().filter(is_old).map(|one| one.request.context.clone());
        let done = told.into_iter().chain(old).collect();
        let forgotten = self.store().forget_queue_requests(directory, done).await;
        forgotten.doing("forget requests to revoke that were answered")?;
        Ok(untold)
    }

    async fn queue_of(&self, directory: DirectoryId) -> Result<Vec<QueueRequest>, Fault> {
        let taken = self.store().queue_requests(directory, AT_ONCE).await;
        taken.doing("read Intune's requests to revoke")
    }

    /// Revokes, and records with it what Intune is to be told.
    async fn carry_out(
        &self,
        directory: DirectoryId,
        requests: Vec<QueueRequest>,
    ) -> Result<usize, Fault> {
        let now = self.now();
        let (mut wanted, mut answers) = (Vec::new(), Vec::new());
        for QueueRequest { request, .. } in requests {
            let carried = self.carried(directory, &request).await?;
            let answer = match &carried {
                Carried::Told(answer) => answer,
                Carried::Revoke(_) => &Answer::Revoked,
            };
            let outcome = serde_json::to_string(answer)
                .map_err(|error| Fault::lasting("write an answer for Intune", error))?;
            let answer = QueueAnswer { directory, context: request.context, outcome };
            match carried {
                Carried::Told(_) => answers.push(answer),
                Carried::Revoke(serial) => wanted.push(IntuneRevocation {
                    serial,
                    rule: Rule::IntuneRevocationRequested,
                    reason: None,
                    facts: vec![fact(directory, "caRevocationRequest", request.serial, now)],
                    // It is recorded with the revocation, so that neither is ever there alone.
                    answer: Some(answer),
                }),
            }
        }
        if !answers.is_empty() {
            let recorded = self.store().answer_queue_requests(answers).await;
            recorded.doing("record what Intune is to be told")?;
        }
        let Done { revoked, held_back } = self.carry_out_for_intune(wanted).await?;
        for (outcome, count) in [("revoked", revoked), ("held_back", held_back)] {
            metrics::counter!("lanyard_intune_revocation_requests_total", "outcome" => outcome)
                .increment(count as u64);
        }
        Ok(revoked)
    }

    async fn carried(
        &self,
        directory: DirectoryId,
        request: &NewQueueRequest,
    ) -> Result<Carried, Fault> {
        let failed = |code: FailureCode, message: &str| {
            let (code, message) = (code.name().to_owned(), message.to_owned());
            Ok(Carried::Told(Answer::Failed { code, message }))
        };
        let Some(serial) = read_serial(&request.serial) else {
            return failed(FailureCode::ParameterDataInvalid, "this is no serial number");
        };
        let record = self.certificate_of(&serial).await?;
        // A tenant speaks for its own certificates alone, and does not learn which others there are.
        let Some(record) = record.filter(|record| record.binding.directory == Some(directory))
        else {
            let message = "this authority has issued no such certificate";
            return failed(FailureCode::CertificateNotFound, message);
        };
        if !is_from_intune(record.source) {
            let message = "this certificate was not enrolled through Intune";
            return failed(FailureCode::CertificateNotFound, message);
        }
        if record.is_revoked_for_good() {
            return Ok(Carried::Told(Answer::Revoked));
        }
        Ok(Carried::Revoke(serial))
    }

    pub(super) async fn certificate_of(
        &self,
        serial: &SerialNumber,
    ) -> Result<Option<StatusRecord>, Fault> {
        let record = self.store().certificate_status(serial.clone()).await;
        record.doing("look up a certificate")
    }

    /// Reads the queues of all tenants again and again, for as long as the future is polled.
    pub(super) async fn keep_queue(&self, directory: DirectoryId) {
        let interval = self.settings().intune.queue_interval;
        loop {
            match self.take_turn("queue", directory, interval).await {
                Ok(super::Turn::Ours) => {
                    if let Err(error) = self.drain_revocations(directory).await {
                        report(directory, &error);
                    }
                }
                Ok(super::Turn::Others) => {}
                Err(fault) => super::report("requests to revoke", &fault),
            }
            tokio::time::sleep(interval.max(Duration::from_secs(1))).await;
        }
    }
}

/// Whether Intune may have a certificate revoked: only one that was enrolled through it.
pub(super) const fn is_from_intune(source: Source) -> bool {
    matches!(source, Source::Intune | Source::IntuneListed)
}

/// Tells Intune results, and tells which of them it has taken, and why not all. One that it does not take does not keep the
/// others from it.
async fn upload(
    services: &Arc<dyn IntuneServices>,
    results: &[RevocationResult],
) -> (Vec<String>, Option<RevocationError>) {
    let context = |result: &RevocationResult| result.context.as_str().to_owned();
    let mut untold = match services.upload_results(results).await {
        Ok(()) => return (results.iter().map(context).collect(), None),
        Err(error @ RevocationError::NotTaken) if results.len() > 1 => Some(error),
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut told = Vec::new();
    for result in results {
        match services.upload_results(std::slice::from_ref(result)).await {
            Ok(()) => told.push(context(result)),
            Err(error @ RevocationError::NotTaken) => untold = Some(error),
            Err(error) => return (told, Some(error)),
        }
    }
    if told.len() == results.len() {
        untold = None;
    }
    (told, untold)
}

fn result(request: &QueueRequest) -> Option<RevocationResult> {
    let outcome = request.outcome.as_deref()?;
    let outcome = match serde_json::from_str(outcome).ok() {
        Some(Answer::Revoked) => Outcome::Revoked,
        Some(Answer::Failed { code, message }) => {
            let code = FailureCode::ALL.iter().copied().find(|known| known.name() == code);
            Outcome::Failed { code: code.unwrap_or(FailureCode::NonRetryableService), message }
        }
        // Whatever it was, what is carried out is told as failed at worst, never left unanswered.
        None => Outcome::Failed {
            code: FailureCode::NonRetryableService,
            message: "what became of the request is not known".to_owned(),
        },
    };
    Some(RevocationResult { context: RequestContext::new(&*request.request.context), outcome })
}

fn report(directory: DirectoryId, error: &DrainError) {
    metrics::counter!("lanyard_job_failures_total", "job" => "Intune requests to revoke")
        .increment(1);
    match error {
        DrainError::Intune(error) => {
            tracing::warn!(%directory, "Intune's requests to revoke are not read: {error}");
        }
        DrainError::Fault(fault) => super::report("requests to revoke", fault),
    }
}
