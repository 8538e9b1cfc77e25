//! The certificates that Intune believes to be issued, from its report or its list of states.
//!
//! The report ([`Certificates::report`]) is complete and documented, and takes Intune minutes to
//! make. The list of states ([`Certificates::states`]) is at hand at once, says more of revocations,
//! and exists in the beta interface only. What follows from a difference to what we have issued is
//! decided elsewhere.

mod export;
mod record;
mod report;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use ::http::Method;
use url::Url;

use crate::graph::{Graph, Page, Permission, Version};
use crate::http::Service;
use crate::ignorance::Ignorance;
use record::StateBody;

pub use export::ExportError;
pub use record::{CertificateRecord, CertificateStatus};
pub use report::{Report, ReportError};

/// What both take.
const PERMISSION: &str = Permission::DEVICE_CONFIGURATION.name;
const STATES: &str = "deviceConfigurationsAllManagedDeviceCertificateStates";
const LIST: &str = "list certificate states";

/// What Intune believes to be issued in a tenant.
#[derive(Debug)]
pub struct Certificates {
    graph: Graph,
    /// Where reports are fetched from, without a token.
    storage: Arc<Service>,
}

/// A page of certificate states.
#[derive(Debug)]
pub struct StatePage {
    /// The certificates on it; it may be empty and yet not be the last.
    pub records: Vec<CertificateRecord>,
    /// Where the next page is; none after the last.
    pub next: Option<NextPage>,
}

/// Where the next page of states is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage(String);

impl NextPage {
    /// At the address that the page before has named.
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into())
    }
}

/// Something that cannot be read without the permission.
pub(super) fn probe(certificates: &Certificates) -> Url {
    let mut url = certificates.graph.url(Version::Beta, &["deviceManagement", STATES]);
    url.set_query(Some("$top=1"));
    url
}

impl Certificates {
    /// Those of a tenant. Reports lie in a storage that is asked over `storage`, which needs no
    /// limits of Graph's.
    pub const fn new(graph: Graph, storage: Arc<Service>) -> Self {
        Self { graph, storage }
    }

    /// A page of certificate states, from the first one on.
    ///
    /// # Errors
    /// When Graph does not answer as documented.
    pub async fn states(&self, next: Option<&NextPage>) -> Result<StatePage, Ignorance> {
        let url = match next {
            None => self.graph.url(Version::Beta, &["deviceManagement", STATES]),
            Some(NextPage(link)) => self.graph.link(link).ok_or_else(|| {
                let why = crate::ignorance::Why::Unreadable;
                let detail = "the next page is said to be somewhere else";
                Ignorance::new(self.graph.service().name(), LIST, why, detail)
            })?,
        };
        let call = self.graph.call(LIST, Method::GET, &url).permission(PERMISSION);
        let page: Page<StateBody> = self.graph.send(call).await?.json()?;
        let records = page.value.into_iter().map(Into::into).collect();
        Ok(StatePage { records, next: page.next_link.map(NextPage) })
    }
}
