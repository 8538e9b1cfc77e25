//! The export job `AllDeviceCertificates`: made, waited for, fetched.

use std::fs::File;
use std::io;
use std::time::Duration;

use ::http::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_MATCH, RANGE};
use ::http::{Method, StatusCode};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::fs;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};
use url::Url;

use super::report::Report;
use super::{Certificates, PERMISSION};
use crate::graph::Version;
use crate::http::{Answer, Call, Retry};
use crate::ignorance::{Ignorance, Why};

const ORDER: &str = "order the report of certificates";
const WAIT: &str = "wait for the report of certificates";
const FETCH: &str = "fetch the report of certificates";

/// Pauses between questions whether the report is ready.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Octets that are fetched at once.
const PART: u64 = 8 << 20;
/// A report packs to about a tenth.
const PACKED: u64 = 4;

const COLUMNS: [&str; 14] = [
    "CertificateStatus",
    "DeviceId",
    "DeviceName",
    "EnhancedKeyUsage",
    "IssuerName",
    "KeyUsage",
    "PolicyId",
    "SerialNumber",
    "SubjectName",
    "Thumbprint",
    "UPN",
    "UserId",
    "ValidFrom",
    "ValidTo",
];

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Not answered.
    #[error(transparent)]
    Unanswered(#[from] Ignorance),
    /// Intune says that making it failed.
    #[error("Intune could not make its report of certificates")]
    Failed,
    /// It was not ready in time.
    #[error("Intune's report of certificates was not ready within {} s", .0.as_secs())]
    NotReady(Duration),
    /// It is longer than allowed.
    #[error("Intune's report of certificates is longer than {0} octets")]
    TooLong(u64),
    /// No place for it on this machine.
    #[error("Intune's report of certificates cannot be kept: {0}")]
    Disk(#[from] io::Error),
}

#[derive(Debug, Deserialize)]
struct Job {
    id: String,
    #[serde(default)]
    status: JobStatus,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum JobStatus {
    NotStarted,
    InProgress,
    Completed,
    Failed,
    /// `unknown`, and whatever else Intune may say: not ready.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Certificates {
    /// Orders the report, waits up to `within` until it is ready, and fetches it to the disk. It may
    /// be as long as `most_octets`, unpacked.
    ///
    /// # Errors
    /// [`ExportError`]
    pub async fn report(&self, within: Duration, most_octets: u64) -> Result<Report, ExportError> {
        let deadline = Instant::now() + within;
        let mut job = self.order().await?;
        let mut pause = FIRST_PAUSE;
        let url = loop {
            match (job.status, job.url.as_deref()) {
                (JobStatus::Completed, Some(url)) => break self.download_url(url)?,
                (JobStatus::Failed, _) => return Err(ExportError::Failed),
                _ => {}
            }
            if Instant::now() + pause > deadline {
                return Err(ExportError::NotReady(within));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            job = self.look(&job.id).await?;
        };
        let file = self.fetch(&url, most_octets / PACKED).await?;
        Ok(Report::new(file, most_octets))
    }

    async fn order(&self) -> Result<Job, ExportError> {
        let url = self.graph.url(Version::V1, &["deviceManagement", "reports", "exportJobs"]);
        // Status words stay English; translations come in columns of their own.
        let body = json!({
            "reportName": "AllDeviceCertificates",
            "format": "csv",
            "select": COLUMNS,
            "localizationType": "localizedValuesAsAdditionalColumn",
        });
        let call = self.graph.call(ORDER, Method::POST, &url).json(&body).map_err(|error| {
            let name = self.graph.service().name();
            Ignorance::new(name, ORDER, Why::NotAskable, error.to_string())
        })?;
        let call = call.permission(PERMISSION).retry(Retry::Unprocessed);
        Ok(self.graph.send(call).await?.json()?)
    }

    async fn look(&self, id: &str) -> Result<Job, ExportError> {
        // Ids are made of report names and GUIDs; a quote would end the key.
        let key = format!("exportJobs('{}')", id.replace('\'', "''"));
        let url = self.graph.url(Version::V1, &["deviceManagement", "reports", &key]);
        let answer = self.graph.get(WAIT, &url, PERMISSION).await?;
        if answer.status == StatusCode::NOT_FOUND {
            // The order was taken: another replica may not have it yet.
            return Ok(Job { id: id.to_owned(), status: JobStatus::Unknown, url: None });
        }
        Ok(answer.json()?)
    }

    /// The address carries its own permission. It is taken in the clear from a Graph alone that is
    /// itself asked so, a simulated one.
    fn download_url(&self, url: &str) -> Result<Url, Ignorance> {
        let clear = self.graph.url(Version::V1, &[]).scheme() == "http";
        Url::parse(url)
            .ok()
            .filter(Url::has_host)
            .filter(|url| url.scheme() == "https" || (clear && url.scheme() == "http"))
            .ok_or_else(|| self.unreadable("the address of the report cannot be used"))
    }

    /// Part by part, so that memory stays small and a broken connection costs one part.
    async fn fetch(&self, url: &Url, most_octets: u64) -> Result<File, ExportError> {
        let mut file = fs::File::from_std(tempfile::tempfile()?);
        let mut version: Option<String> = None;
        let mut at = 0;
        loop {
            let mut call =
                Call::get(FETCH, url).header(RANGE, format!("bytes={at}-{}", at + PART - 1));
            if let Some(version) = &version {
                call = call.header(IF_MATCH, version);
            }
            let answer = self.storage.call(call).await?;
            let part = match self.part(&answer, at)? {
                Part::Whole => {
                    // A storage that sends everything whatever is asked for.
                    file.set_len(0).await?;
                    file.rewind().await?;
                    write(&mut file, &answer.body, 0, most_octets).await?;
                    break;
                }
                Part::Of(total) => {
                    write(&mut file, &answer.body, at, most_octets).await?;
                    total
                }
            };
            at += answer.body.len() as u64;
            if at >= part {
                break;
            }
            if part > most_octets {
                return Err(ExportError::TooLong(most_octets));
            }
            version = version.or_else(|| header(&answer.headers, &ETAG).map(str::to_owned));
        }
        file.flush().await?;
        Ok(file.into_std().await)
    }

    fn part(&self, answer: &Answer, at: u64) -> Result<Part, Ignorance> {
        match answer.status {
            StatusCode::PARTIAL_CONTENT => {
                let range = header(&answer.headers, &CONTENT_RANGE).and_then(content_range);
                match range {
                    Some((start, total)) if start == at && !answer.body.is_empty() => {
                        Ok(Part::Of(total))
                    }
                    _ => Err(self.unreadable("another part of the report than the one asked for")),
                }
            }
            status if status.is_success() => Ok(Part::Whole),
            _ => Err(answer.refusal()),
        }
    }

    fn unreadable(&self, detail: &str) -> Ignorance {
        Ignorance::new(self.storage.name(), FETCH, Why::Unreadable, detail)
    }
}

/// What an answer of the storage holds.
enum Part {
    /// Everything.
    Whole,
    /// The part asked for, of so many octets in all.
    Of(u64),
}

async fn write(file: &mut fs::File, body: &Bytes, at: u64, most: u64) -> Result<(), ExportError> {
    if at.saturating_add(body.len() as u64) > most {
        return Err(ExportError::TooLong(most));
    }
    Ok(file.write_all(body).await?)
}

fn header<'a>(headers: &'a HeaderMap, name: &::http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 0-99/1000`: where it starts, and how much there is in all.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()?))
}
