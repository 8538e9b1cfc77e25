//! Where Intune's services for certification authorities are, as Graph tells.
//!
//! Addresses differ by tenant and move. They are kept for a day and asked for anew as soon as one of
//! them fails.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::graph::{Graph, Permission, Version};
use crate::ignorance::{Ignorance, Why};

/// The application whose service principal lists the addresses: Intune's own. It is not the one
/// that carries the role for them.
const INTUNE: &str = "appId=0000000a-0000-0000-c000-000000000000";
const PERMISSION: &str = Permission::APPLICATIONS.name;
const OPERATION: &str = "find Intune's services";
const KEPT: Duration = Duration::from_hours(24);
/// After dropping, the list is not asked for again within this: whoever fails next may use what was
/// found, but a service that is down must not make Graph pay.
const AGAIN: Duration = Duration::from_secs(5);

/// A service of Intune for certification authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntuneService {
    /// Validates SCEP requests, and takes notice of what became of them.
    ScepRequestValidation,
    /// Hands out requests to revoke.
    PkiConnector,
}

impl IntuneService {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ScepRequestValidation, Self::PkiConnector];

    /// What Intune calls it.
    pub const fn provider_name(self) -> &'static str {
        match self {
            Self::ScepRequestValidation => "ScepRequestValidationFEService",
            Self::PkiConnector => "PkiConnectorFEService",
        }
    }
}

/// The addresses of a tenant's services.
#[derive(Debug)]
pub struct Discovery {
    graph: Graph,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    endpoints: Arc<[Endpoint]>,
    found: Instant,
    dropped: bool,
}

impl Kept {
    fn is_good(&self) -> bool {
        let age = self.found.elapsed();
        if self.dropped { age < AGAIN } else { age < KEPT }
    }
}

#[derive(Debug, Deserialize)]
struct Listing {
    value: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    #[serde(default)]
    provider_name: Option<String>,
    #[serde(default)]
    service_name: Option<String>,
    #[serde(default)]
    uri: Option<String>,
}

impl Discovery {
    /// The services that Graph lists for the tenant.
    pub const fn new(graph: Graph) -> Self {
        Self { graph, kept: Mutex::const_new(None) }
    }

    /// The address of a service. Of many who ask at once one reads the list.
    ///
    /// # Errors
    /// When Graph does not tell, or lists no such service: then Intune is not set up in the tenant.
    pub async fn endpoint(&self, service: IntuneService) -> Result<Url, Ignorance> {
        let mut kept = self.kept.lock().await;
        // What is kept stays so while the list is read: whoever reads it may go away.
        let endpoints = match kept.clone() {
            Some(good) if good.is_good() => good.endpoints,
            old => {
                let listed = self.list().await;
                let found = Instant::now();
                let new = match (listed, old) {
                    (Ok(endpoints), _) => {
                        Kept { endpoints: endpoints.into(), found, dropped: false }
                    }
                    // Better an old address than none: Graph's outage need not be Intune's.
                    (Err(_), Some(old)) => Kept { endpoints: old.endpoints, found, dropped: true },
                    (Err(ignorance), None) => return Err(ignorance),
                };
                Arc::clone(&kept.insert(new).endpoints)
            }
        };
        drop(kept);
        self.pick(&endpoints, service)
    }

    /// An address failed: the next call reads the list anew.
    pub async fn failed(&self) {
        if let Some(kept) = self.kept.lock().await.as_mut() {
            kept.dropped = true;
        }
    }

    pub(super) const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where Graph lists the services.
    pub(super) fn url(&self) -> Url {
        self.graph.url(Version::V1, &["servicePrincipals", INTUNE, "endpoints"])
    }

    async fn list(&self) -> Result<Vec<Endpoint>, Ignorance> {
        let answer = self.graph.get(OPERATION, &self.url(), PERMISSION).await?;
        answer.json::<Listing>().map(|listing| listing.value)
    }

    /// `providerName` is the documented name; `serviceName` is what older lists have.
    fn pick(&self, endpoints: &[Endpoint], service: IntuneService) -> Result<Url, Ignorance> {
        let name = service.provider_name();
        let named = |given: &Option<String>| {
            given.as_deref().is_some_and(|given| given.trim().eq_ignore_ascii_case(name))
        };
        let refused = |detail: String| {
            Ignorance::new(self.graph.service().name(), OPERATION, Why::Unreadable, detail)
        };
        let endpoint = endpoints
            .iter()
            .find(|endpoint| named(&endpoint.provider_name))
            .or_else(|| endpoints.iter().find(|endpoint| named(&endpoint.service_name)))
            .ok_or_else(|| refused(format!("the tenant has no {name}: is Intune set up in it?")))?;
        let uri = endpoint.uri.as_deref().unwrap_or_default();
        Url::parse(uri.trim())
            .ok()
            .filter(|url| self.may_have_our_token(url))
            .ok_or_else(|| refused(format!("the address of {name} cannot be used")))
    }

    /// The address comes from Graph, which we trust as far as its own connection goes: one that is
    /// not encrypted is taken only from a Graph that is not either, a simulated one.
    fn may_have_our_token(&self, url: &Url) -> bool {
        let base = self.graph.url(Version::V1, &[]);
        let scheme = url.scheme() == "https" || (url.scheme() == "http" && base.scheme() == "http");
        scheme && url.has_host() && url.username().is_empty() && url.password().is_none()
    }
}

#[cfg(test)]
mod tests;
