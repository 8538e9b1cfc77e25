//! Microsoft Graph: addresses, pages, batches and errors. Which objects there are is left to
//! [`crate::entra`] and [`crate::intune`].

mod batch;
mod check;
pub(crate) mod cursor;
mod error;
mod page;
mod permission;
pub(crate) mod walk;

use std::sync::Arc;

use ::http::Method;
use url::Url;

use crate::http::{Answer, Call, Service};
use crate::ignorance::Ignorance;
use crate::token::Tokens;

pub use batch::Question;
pub(crate) use check::Probe;
pub use check::{check_clock, check_permission, check_token};
pub use error::{Workload, is_described, is_expired_cursor, is_not_found, settled};
pub use page::Page;
pub use permission::Permission;

/// Graph as one workload is asked through: its limits and its outages are not the others'.
#[derive(Debug, Clone)]
pub struct Graph {
    service: Arc<Service>,
    tokens: Arc<Tokens>,
    base: Url,
}

/// Which version of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `v1.0`
    V1,
    /// `beta`, for what there is nowhere else.
    Beta,
}

impl Graph {
    /// Graph at `base`, the address before the version.
    pub const fn new(service: Arc<Service>, tokens: Arc<Tokens>, base: Url) -> Self {
        Self { service, tokens, base }
    }

    /// The address of a resource; `segments` are escaped as they need.
    pub fn url(&self, version: Version, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only an address that cannot have a path has none, and no such base can be asked.
        if let Ok(mut path) = url.path_segments_mut() {
            let version = match version {
                Version::V1 => "v1.0",
                Version::Beta => "beta",
            };
            path.pop_if_empty().push(version).extend(segments);
        }
        url
    }

    /// The address of a resource of version 1.0 with a query, each name and value of it escaped.
    pub fn query(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.url(Version::V1, segments);
        let mut pairs = Vec::with_capacity(query.len());
        for (name, value) in query {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            // Graph reads `+` in a query as itself in places.
            pairs.push(format!("{name}={}", value.replace('+', "%20").replace("%2C", ",")));
        }
        url.set_query(Some(&pairs.join("&")));
        url
    }

    /// A link that Graph gave, to be followed as it is; none when it leads elsewhere, where our
    /// token must not go.
    pub fn link(&self, link: &str) -> Option<Url> {
        let url = Url::parse(link).ok()?;
        let same = url.origin() == self.base.origin()
            && url.origin().is_tuple()
            && url.path().starts_with(self.base.path())
            && url.username().is_empty()
            && url.password().is_none();
        same.then_some(url)
    }

    /// A call with our token.
    pub fn call<'a>(&'a self, operation: &'static str, method: Method, url: &Url) -> Call<'a> {
        Call::new(operation, method, url).bearer(&self.tokens)
    }

    /// Asks for a resource, which needs `permission`.
    ///
    /// # Errors
    /// As [`Service::call`].
    pub async fn get(
        &self,
        operation: &'static str,
        url: &Url,
        permission: &'static str,
    ) -> Result<Answer, Ignorance> {
        self.send(self.call(operation, Method::GET, url).permission(permission)).await
    }

    /// Makes a call.
    ///
    /// # Errors
    /// As [`Service::call`].
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, Ignorance> {
        self.service.call(call).await
    }

    /// The service behind.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The tokens that it is asked with.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The path and query of an address below the version, as a batch names its questions.
    fn relative(&self, url: &Url) -> String {
        let version = self.url(Version::V1, &[]);
        let path = url.path().strip_prefix(version.path()).unwrap_or(url.path());
        match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }
}
