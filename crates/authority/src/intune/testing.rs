//! Intune by script: it accepts and refuses as a test has it, and remembers what it was asked and told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use lanyard_directory::intune::certificates::{CertificateRecord, NextPage, StatePage};
use lanyard_directory::intune::revocation::{
    RequestContext, RevocationError, RevocationRequest, RevocationResult,
};
use lanyard_directory::intune::validation::{
    Code, Enrollment, HResult, IssuedCertificate, Rejection, ValidationError,
};
use lanyard_directory::{BoxFuture, Ignorance, Why};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_pki::SerialNumber;

use super::IntuneServices;

/// What Intune keeps of every certificate and gives back.
pub(crate) const CONFIGURATION: &str = "lanyard-test";

/// A tenant's Intune in memory.
#[derive(Debug)]
pub(crate) struct ScriptedIntune {
    directory: DirectoryId,
    world: Mutex<IntuneWorld>,
}

/// What it was told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Issued { transaction: String, serial: SerialNumber },
    Failed { transaction: String, result: i32, reason: String },
}

/// What it does next, and what it has heard.
#[derive(Debug, Default)]
pub(crate) struct IntuneWorld {
    /// What the next validations fail with; without, it accepts.
    pub(crate) validations: VecDeque<Trouble>,
    /// What the next notices fail with; without, it takes them.
    pub(crate) notices: VecDeque<Trouble>,
    /// What the next downloads fail with.
    pub(crate) downloads: VecDeque<Why>,
    /// What the next uploads fail with.
    pub(crate) uploads: VecDeque<RevocationError>,
    /// What it was asked to validate, by transaction.
    pub(crate) validated: Vec<String>,
    /// What it has taken notice of.
    pub(crate) said: Vec<Said>,
    /// Requests to revoke that were not handed out.
    pub(crate) queue: VecDeque<RevocationRequest>,
    /// How often the queue was asked for.
    pub(crate) asked: usize,
    /// What it was told of requests.
    pub(crate) results: BTreeMap<String, RevocationResult>,
    /// How often each was told.
    pub(crate) answers: usize,
    /// The list of certificates, by pages.
    pub(crate) list: Vec<Vec<CertificateRecord>>,
    /// What the next page of the list fails with.
    pub(crate) list_faults: VecDeque<Why>,
}

/// How Intune lets somebody down.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It says no.
    No(Code),
    /// It says nothing.
    Silent(Why),
}

impl From<Trouble> for ValidationError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::No(code) => Self::Rejected(Rejection {
                code,
                explanation: String::new(),
                request_id: uuid::Uuid::nil(),
            }),
            Trouble::Silent(why) => Self::Unanswered(silence(why)),
        }
    }
}

fn silence(why: Why) -> Ignorance {
    Ignorance::new("Intune", "ask", why, "as the test has it")
}

impl ScriptedIntune {
    pub(crate) fn new(directory: DirectoryId) -> Arc<Self> {
        Arc::new(Self { directory, world: Mutex::default() })
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, IntuneWorld> {
        self.world.lock().unwrap()
    }
}

impl IntuneWorld {
    /// Asks for a revocation.
    pub(crate) fn ask(&mut self, context: &str, serial: &SerialNumber) {
        self.ask_as(context, &serial.to_string(), Some(CONFIGURATION));
    }

    /// Asks for a revocation in these words.
    pub(crate) fn ask_as(&mut self, context: &str, serial: &str, configuration: Option<&str>) {
        self.queue.push_back(RevocationRequest {
            context: RequestContext::new(context),
            serial_number: serial.to_owned(),
            issuer_name: None,
            ca_configuration: configuration.map(str::to_owned),
        });
    }

    /// The certificates that it has taken notice of.
    pub(crate) fn issued(&self) -> Vec<SerialNumber> {
        let serial = |said: &Said| match said {
            Said::Issued { serial, .. } => Some(serial.clone()),
            Said::Failed { .. } => None,
        };
        self.said.iter().filter_map(serial).collect()
    }
}

impl IntuneServices for ScriptedIntune {
    fn directory(&self) -> DirectoryId {
        self.directory
    }

    fn ca_configuration(&self) -> Option<&str> {
        Some(CONFIGURATION)
    }

    fn validate<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        let mut world = self.world();
        world.validated.push(enrollment.transaction_id.to_owned());
        let trouble = world.validations.pop_front();
        Box::pin(std::future::ready(trouble.map_or(Ok(()), |trouble| Err(trouble.into()))))
    }

    fn issued<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
        certificate: IssuedCertificate<'a>,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        let said = Said::Issued {
            transaction: enrollment.transaction_id.to_owned(),
            serial: certificate.serial.clone(),
        };
        self.take(said)
    }

    fn failed<'a>(
        &'a self,
        enrollment: Enrollment<'a>,
        result: HResult,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        self.take(Said::Failed {
            transaction: enrollment.transaction_id.to_owned(),
            result: result.0,
            reason: reason.to_owned(),
        })
    }

    fn download_revocations(
        &self,
    ) -> BoxFuture<'_, Result<Vec<RevocationRequest>, RevocationError>> {
        let mut world = self.world();
        world.asked += 1;
        if let Some(why) = world.downloads.pop_front() {
            return Box::pin(std::future::ready(Err(silence(why).into())));
        }
        // What was handed out does not come again within any test's time.
        let page = world.queue.len().min(2);
        let page = world.queue.drain(..page).collect();
        Box::pin(std::future::ready(Ok(page)))
    }

    fn upload_results<'a>(
        &'a self,
        results: &'a [RevocationResult],
    ) -> BoxFuture<'a, Result<(), RevocationError>> {
        let mut world = self.world();
        if let Some(error) = world.uploads.pop_front() {
            return Box::pin(std::future::ready(Err(error)));
        }
        world.answers += results.len();
        for result in results {
            world.results.insert(result.context.as_str().to_owned(), result.clone());
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn certificate_states<'a>(
        &'a self,
        next: Option<&'a NextPage>,
    ) -> BoxFuture<'a, Result<StatePage, Ignorance>> {
        let mut world = self.world();
        if let Some(why) = world.list_faults.pop_front() {
            return Box::pin(std::future::ready(Err(silence(why))));
        }
        let pages = world.list.len();
        let page = (0..pages).find(|page| next == Some(&NextPage::new(page.to_string())));
        let page = page.unwrap_or(0);
        let records = world.list.get(page).cloned().unwrap_or_default();
        let next = (page + 1 < pages).then(|| NextPage::new((page + 1).to_string()));
        Box::pin(std::future::ready(Ok(StatePage { records, next })))
    }
}

impl ScriptedIntune {
    fn take(&self, said: Said) -> BoxFuture<'static, Result<(), ValidationError>> {
        let mut world = self.world();
        let taken = if let Some(trouble) = world.notices.pop_front() {
            Err(trouble.into())
        } else {
            world.said.push(said);
            Ok(())
        };
        Box::pin(std::future::ready(taken))
    }
}
