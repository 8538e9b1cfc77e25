//! A call to one of Intune's services for certification authorities.

use std::sync::Arc;

use ::http::Method;
use ::http::header::HeaderName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use super::discovery::{Discovery, IntuneService};
use crate::graph::Permission;
use crate::http::{Call, Retry, Service};
use crate::ignorance::{Ignorance, Why};
use crate::token::Tokens;

/// The role that both services ask for.
const ROLE: &str = Permission::SCEP_CHALLENGE.name;

const API_VERSION: HeaderName = HeaderName::from_static("api-version");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
/// What Microsoft's Java library calls its header; without a hyphen.
const USER_AGENT: HeaderName = HeaderName::from_static("useragent");

/// Who we say we are.
pub(super) const CALLER: &str = concat!("Lanyard/", env!("CARGO_PKG_VERSION"));

/// One of the services, wherever it is.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) discovery: Arc<Discovery>,
    pub(super) service: Arc<Service>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) which: IntuneService,
    pub(super) api_version: &'static str,
}

/// What was answered, and what Microsoft's support finds the call by.
#[derive(Debug)]
pub(super) struct Answered<T> {
    pub(super) body: T,
    pub(super) request_id: Uuid,
}

impl Door {
    /// Posts to a path below the service's address. All that is posted may be posted twice.
    ///
    /// An address that fails is asked for anew; a call that surely did not arrive is then made once
    /// more, if the new address is another.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: [&str; 2],
        body: &impl Serialize,
    ) -> Result<Answered<T>, Ignorance> {
        let request_id = self.service.ambient().uuid();
        let url = self.discovery.endpoint(self.which).await?;
        let ignorance = match self.ask(operation, &url, path, body, request_id).await {
            Ok(body) => return Ok(Answered { body, request_id }),
            Err(ignorance) => ignorance,
        };
        if !blames_address(ignorance.why) {
            return Err(ignorance);
        }
        self.discovery.failed().await;
        if !matches!(ignorance.why, Why::Unreachable | Why::Refused { status: 404 | 410 }) {
            return Err(ignorance);
        }
        match self.discovery.endpoint(self.which).await {
            Ok(moved) if moved != url => {
                let body = self.ask(operation, &moved, path, body, request_id).await?;
                Ok(Answered { body, request_id })
            }
            _ => Err(ignorance),
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        base: &Url,
        path: [&str; 2],
        body: &impl Serialize,
        request_id: Uuid,
    ) -> Result<T, Ignorance> {
        let mut url = base.clone();
        // An address without a path was refused when it was found.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let call = Call::new(operation, Method::POST, &url).json(body).map_err(|error| {
            let name = self.service.name();
            Ignorance::new(name, operation, Why::NotAskable, error.to_string())
        })?;
        let call = call
            .header(API_VERSION, self.api_version)
            .header(CLIENT_REQUEST_ID, request_id.to_string())
            .header(USER_AGENT, CALLER)
            .bearer(&self.tokens)
            .permission(ROLE)
            .retry(Retry::Always);
        self.service.call(call).await?.json()
    }
}

/// Whether the trouble may be that the service is elsewhere.
const fn blames_address(why: Why) -> bool {
    match why {
        Why::TimedOut
        | Why::Unreachable
        | Why::Unauthorized
        | Why::Forbidden { .. }
        | Why::Refused { .. }
        | Why::Failing { .. }
        | Why::Unreadable
        | Why::Redirected
        | Why::BreakerOpen { .. } => true,
        Why::Throttled { .. } | Why::NotAskable => false,
    }
}
