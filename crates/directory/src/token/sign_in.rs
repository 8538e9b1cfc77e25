//! Signing in to Entra ID as an application, and as the managed identity of where this runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::HeaderName;
use ::http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use url::Url;

use super::{Credential, Grant, Identity, TokenSource, Tokens};
use crate::cloud::Endpoints;
use crate::connector::BoxFuture;
use crate::http::{Answer, Call, Retry, Service};
use crate::ignorance::{Ignorance, Why};

/// An application of a tenant, which gets tokens for any resource.
#[derive(Debug, Clone)]
pub struct SignIn {
    service: Arc<Service>,
    credential: Arc<Credential>,
    /// Where tokens are asked for.
    endpoint: Url,
}

impl SignIn {
    /// An application of `tenant` (its id, or one of its domains) that signs in by `credential`.
    /// For managed identities `service` has to reach the machine itself, past any proxy.
    pub fn new(
        service: Arc<Service>,
        endpoints: &Endpoints,
        tenant: &str,
        credential: Credential,
    ) -> Self {
        let endpoint = match &credential {
            Credential::Secret { .. } | Credential::Certificate { .. } => {
                let mut endpoint = endpoints.login.clone();
                if let Ok(mut path) = endpoint.path_segments_mut() {
                    path.pop_if_empty().extend([tenant, "oauth2", "v2.0", "token"]);
                }
                endpoint
            }
            Credential::ManagedIdentity(_) => endpoints.imds.clone(),
            Credential::AppService { endpoint, .. } => endpoint.clone(),
        };
        Self { service, credential: Arc::new(credential), endpoint }
    }

    /// The tokens for a resource, such as `https://graph.microsoft.com`.
    pub fn tokens_for(&self, resource: &str) -> Arc<Tokens> {
        let source = AppTokens { sign_in: self.clone(), resource: resource.to_owned() };
        Arc::new(Tokens::new(Arc::new(source)))
    }

    /// How it signs in, in words.
    pub fn describe(&self) -> String {
        match &*self.credential {
            Credential::Secret { client_id, .. } => {
                format!("application {client_id} with its client secret")
            }
            Credential::Certificate { client_id, .. } => {
                format!("application {client_id} with its certificate")
            }
            Credential::ManagedIdentity(_) => "the managed identity of this machine".to_owned(),
            Credential::AppService { .. } => "the managed identity of this app".to_owned(),
        }
    }
}

/// The tokens of an application for one resource.
struct AppTokens {
    sign_in: SignIn,
    resource: String,
}

impl fmt::Debug for AppTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppTokens({} for {})", self.sign_in.describe(), self.resource)
    }
}

impl TokenSource for AppTokens {
    fn acquire(&self) -> BoxFuture<'_, Result<Grant, Ignorance>> {
        Box::pin(async move {
            match &*self.sign_in.credential {
                Credential::Secret { client_id, secret } => self.by_secret(client_id, secret).await,
                Credential::Certificate { client_id, certificate } => {
                    let ambient = self.sign_in.service.ambient();
                    let assertion = certificate
                        .assertion(client_id, &self.sign_in.endpoint, ambient.uuid(), ambient.now())
                        .map_err(|error| self.refused(error.to_string()))?;
                    self.by_assertion(client_id, &assertion).await
                }
                Credential::ManagedIdentity(identity) => self.by_machine(identity).await,
                Credential::AppService { header, identity, .. } => {
                    self.by_app_service(header, identity).await
                }
            }
        })
    }
}

impl AppTokens {
    async fn by_secret(&self, client: &str, secret: &SecretString) -> Result<Grant, Ignorance> {
        let scope = self.scope();
        self.post([
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret.expose_secret()),
            ("scope", scope.as_str()),
        ])
        .await
    }

    async fn by_assertion(&self, client: &str, assertion: &str) -> Result<Grant, Ignorance> {
        let scope = self.scope();
        self.post([
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
            ("scope", scope.as_str()),
        ])
        .await
    }

    async fn post<const N: usize>(&self, form: [(&str, &str); N]) -> Result<Grant, Ignorance> {
        let call = Call::new(OPERATION, Method::POST, &self.sign_in.endpoint)
            .form(form)
            .retry(Retry::Always);
        self.grant(&self.sign_in.service.call(call).await?)
    }

    /// The machine's endpoint says 404 while it is being set up, and 410 while it is replaced, which
    /// takes up to 70 s. Who cannot wait so long hears nothing, and the next one asks again.
    async fn by_machine(&self, identity: &Identity) -> Result<Grant, Ignorance> {
        let names = ["client_id", "object_id", "msi_res_id"];
        let url = self.identity_url("2018-02-01", identity, names);
        let call = Call::get(OPERATION, &url).header(HeaderName::from_static("metadata"), "true");
        let begun = Instant::now();
        let mut pauses = IMDS_PAUSES.into_iter();
        loop {
            let answer = self.sign_in.service.call(call.clone()).await?;
            let status = answer.status;
            let is_replaced = status == StatusCode::GONE && begun.elapsed() < IMDS_REPLACED;
            let pause = match status {
                StatusCode::NOT_FOUND => pauses.next(),
                StatusCode::GONE => pauses.next().or(is_replaced.then_some(IMDS_PAUSES[2])),
                _ => None,
            };
            match pause {
                Some(pause) => sleep(pause).await,
                // Nothing that a person has to mend.
                None if status == StatusCode::GONE => {
                    let why = Why::Failing { status: status.as_u16() };
                    let name = self.sign_in.service.name();
                    return Err(Ignorance::new(name, OPERATION, why, answer.explanation()));
                }
                None => return self.grant(&answer),
            }
        }
    }

    async fn by_app_service(
        &self,
        header: &SecretString,
        identity: &Identity,
    ) -> Result<Grant, Ignorance> {
        let names = ["client_id", "principal_id", "mi_res_id"];
        let url = self.identity_url("2019-08-01", identity, names);
        let call = Call::get(OPERATION, &url)
            .header(HeaderName::from_static("x-identity-header"), header.expose_secret());
        self.grant(&self.sign_in.service.call(call).await?)
    }

    /// `names` are those of a client id, an object id and a resource id.
    fn identity_url(&self, version: &str, identity: &Identity, names: [&str; 3]) -> Url {
        let [client, object, resource] = names;
        let mut url = self.sign_in.endpoint.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", version).append_pair("resource", &self.resource);
        match identity {
            Identity::System => {}
            Identity::Client(id) => {
                query.append_pair(client, id);
            }
            Identity::Object(id) => {
                query.append_pair(object, id);
            }
            Identity::Resource(id) => {
                query.append_pair(resource, id);
            }
        }
        drop(query);
        url
    }

    /// `{resource}/.default`; a resource that ends in a slash gets two, as Microsoft's own clients
    /// send it.
    fn scope(&self) -> String {
        format!("{}/.default", self.resource)
    }

    fn grant(&self, answer: &Answer) -> Result<Grant, Ignorance> {
        if answer.status.is_client_error() && answer.error_code().is_some() {
            return Err(self.refused(answer.explanation()));
        }
        let granted: Granted = answer.json()?;
        let bearer = granted.token_type.as_deref().is_none_or(|t| t.eq_ignore_ascii_case("bearer"));
        let token = granted.access_token;
        if !bearer || token.is_empty() || !token.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(answer.unreadable("no bearer token in it"));
        }
        let until = |at: u64| {
            let now = u64::try_from(self.sign_in.service.ambient().now().unix()).unwrap_or(0);
            at.saturating_sub(now)
        };
        let seconds = whole(&granted.expires_in)
            .or_else(|| whole(&granted.expires_on).map(until))
            .ok_or_else(|| answer.unreadable("no lifetime in it"))?;
        Ok(Grant { token: token.into(), lifetime: Duration::from_secs(seconds) })
    }

    fn refused(&self, detail: impl AsRef<str>) -> Ignorance {
        Ignorance::new(self.sign_in.service.name(), OPERATION, Why::Unauthorized, detail)
    }
}

const OPERATION: &str = "get a token";

/// The machine's endpoint wants to be asked again after these.
const IMDS_PAUSES: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(6), Duration::from_secs(14)];

/// How long it may be replaced by another.
const IMDS_REPLACED: Duration = Duration::from_secs(70);

/// What all token endpoints answer; numbers come as numbers or as strings.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    expires_on: Value,
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
