//! Intune's requests to revoke certificates, and what is told of them afterwards.
//!
//! The queue is the tenant's: it may hold requests for certificates of other authorities, which are
//! to be left alone. Which certificate a request means is said by its serial number alone; whose it
//! is and what is done about it is decided by whoever carries the requests out.

mod request;
mod result;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use super::discovery::{Discovery, IntuneService};
use super::door::{Answered, Door};
use crate::http::Service;
use crate::ignorance::Ignorance;
use crate::token::Tokens;
use wire::{DownloadBody, DownloadParameters, Downloaded, ResultBody, UploadBody, Uploaded};

pub use request::{RequestContext, RevocationRequest, read_serial, serial_text};
pub use result::{ErrorCodeSpelling, FailureCode, Lasting, Outcome, RevocationResult};

const API_VERSION: &str = "5019-05-05";
const REQUESTS: &str = "CertificateAuthorityRequests";
/// No queue is longer in one round; what is left comes in the next.
const MOST_PAGES: usize = 1000;

/// The queue of a tenant.
#[derive(Debug)]
pub struct RevocationQueue {
    door: Door,
    settings: QueueSettings,
}

/// How the queue is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// How many requests are downloaded, and results uploaded, at once: 1 to 500.
    pub page: u16,
    /// How error codes are spelt.
    pub error_codes: ErrorCodeSpelling,
}

impl Default for QueueSettings {
    /// 100, which works where others have met a lower limit than the documented one.
    fn default() -> Self {
        Self { page: 100, error_codes: ErrorCodeSpelling::default() }
    }
}

/// How a round went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Requests that were downloaded, each counted once.
    pub requests: usize,
    /// Results that Intune has taken.
    pub results: usize,
    /// Whether the queue was read to its end.
    pub end: QueueEnd,
}

/// Whether a queue was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueEnd {
    /// The last page was empty.
    #[default]
    Empty,
    /// Requests that stay unanswered came again. What lies behind them cannot be seen before they
    /// are gone: whoever they are for has to answer them.
    Blocked,
    /// There is more, for the next round.
    More,
}

/// Why a round ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// Not answered. Requests whose results were not taken come again.
    #[error(transparent)]
    Unanswered(#[from] Ignorance),
    /// Intune answered that it does not take the results. They come again.
    #[error("Intune does not take the results of its revocation requests")]
    NotTaken,
}

impl RevocationQueue {
    /// The queue of a tenant.
    pub fn new(
        discovery: Arc<Discovery>,
        service: Arc<Service>,
        tokens: Arc<Tokens>,
        settings: QueueSettings,
    ) -> Self {
        let which = IntuneService::PkiConnector;
        let door = Door { discovery, service, tokens, which, api_version: API_VERSION };
        let settings = QueueSettings { page: settings.page.clamp(1, 500), ..settings };
        Self { door, settings }
    }

    /// Downloads requests until there are no more, has them carried out page by page, and uploads
    /// the results of each page before the next is downloaded.
    ///
    /// `carry_out` gives the results that Intune is to be told; what it revokes must be durable
    /// before it returns. A request without a result stays in the queue: that is what becomes of
    /// other authorities' requests. Each request is given to it once in a round.
    ///
    /// # Errors
    /// When the services do not answer; what was done before stays done.
    pub async fn drain<F>(
        &self,
        mut carry_out: impl FnMut(Vec<RevocationRequest>) -> F,
    ) -> Result<Drained, RevocationError>
    where
        F: Future<Output = Vec<RevocationResult>>,
    {
        let mut known = HashSet::new();
        let mut drained = Drained::default();
        for _ in 0..MOST_PAGES {
            let page = self.download().await?;
            if page.is_empty() {
                return Ok(drained);
            }
            let new: Vec<RevocationRequest> =
                page.into_iter().filter(|request| known.insert(request.context.clone())).collect();
            if new.is_empty() {
                drained.end = QueueEnd::Blocked;
                return Ok(drained);
            }
            drained.requests += new.len();
            let results = carry_out(new).await;
            self.upload(&results).await?;
            drained.results += results.len();
        }
        drained.end = QueueEnd::More;
        Ok(drained)
    }

    /// One page of requests; empty at the end. Others than ours are among them.
    ///
    /// # Errors
    /// When the service does not answer.
    pub async fn download(&self) -> Result<Vec<RevocationRequest>, RevocationError> {
        let download_parameters =
            DownloadParameters { max_requests: self.settings.page, issuer_name: None };
        let body = DownloadBody { download_parameters };
        let path = [REQUESTS, "downloadRevocationRequests"];
        let downloaded: Answered<Downloaded> =
            self.door.post("download revocation requests", path, &body).await?;
        Ok(downloaded.body.value.into_iter().map(Into::into).collect())
    }

    /// Tells what became of requests. Nothing is sent when there is nothing to tell.
    ///
    /// # Errors
    /// When the service does not answer, or does not take them.
    pub async fn upload(&self, results: &[RevocationResult]) -> Result<(), RevocationError> {
        for results in results.chunks(usize::from(self.settings.page)) {
            let spelt = |result| ResultBody::new(result, self.settings.error_codes);
            let body = UploadBody { results: results.iter().map(spelt).collect() };
            let path = [REQUESTS, "uploadRevocationResults"];
            let uploaded: Answered<Uploaded> =
                self.door.post("upload revocation results", path, &body).await?;
            if !uploaded.body.taken() {
                return Err(RevocationError::NotTaken);
            }
        }
        Ok(())
    }
}
