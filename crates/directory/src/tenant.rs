//! A tenant of Microsoft's cloud: one application's way to all of its services.

use std::sync::Arc;
use std::time::Duration;

use lanyard_lifecycle::DirectoryId;

use crate::ambient::Ambient;
use crate::cloud::Endpoints;
use crate::graph::Graph;
use crate::http::{Https, Limits, Proxy, Service, Transport, TransportError};
use crate::token::{Credential, SignIn, Tokens};

/// What it takes to ask a tenant.
#[derive(Debug)]
pub struct TenantSettings {
    /// Under which id its objects are kept.
    pub directory: DirectoryId,
    /// The tenant's id, or one of its domains.
    pub tenant: String,
    /// Where its services are.
    pub endpoints: Endpoints,
    /// How we sign in.
    pub credential: Credential,
    /// How hard each service is asked; services with limits of their own keep to them as well.
    pub limits: Limits,
}

/// The wires out.
#[derive(Debug, Clone)]
pub struct Transports {
    /// To the Internet, through a proxy where the environment names one.
    pub outside: Arc<dyn Transport>,
    /// To services of this machine.
    pub machine: Arc<dyn Transport>,
}

impl Transports {
    /// Over the network.
    ///
    /// # Errors
    /// When the operating system's trusted certificates cannot be read.
    pub fn https() -> Result<Self, TransportError> {
        Ok(Self {
            outside: Arc::new(Https::new(Proxy::Environment)?),
            machine: Arc::new(Https::new(Proxy::Direct)?),
        })
    }

    /// The same wire for both: for tests.
    pub fn one(transport: Arc<dyn Transport>) -> Self {
        Self { outside: transport.clone(), machine: transport }
    }
}

/// A tenant, signed in to when it is first asked.
#[derive(Debug)]
pub struct Tenant {
    directory: DirectoryId,
    name: String,
    endpoints: Endpoints,
    limits: Limits,
    transports: Transports,
    ambient: Ambient,
    sign_in: SignIn,
    graph_tokens: Arc<Tokens>,
}

impl Tenant {
    /// From its settings. Nothing is asked yet.
    pub fn new(settings: TenantSettings, transports: Transports, ambient: Ambient) -> Self {
        let TenantSettings { directory, tenant, endpoints, credential, limits } = settings;
        let transport = match &credential {
            Credential::Secret { .. } | Credential::Certificate { .. } => &transports.outside,
            Credential::ManagedIdentity(_) | Credential::AppService { .. } => &transports.machine,
        };
        let service = Service::new(SIGN_IN, limits.clone(), transport.clone(), ambient.clone());
        let service = service.of(directory);
        let sign_in = SignIn::new(Arc::new(service), &endpoints, &tenant, credential);
        let graph_tokens = sign_in.tokens_for(&endpoints.graph_resource);
        let name = tenant;
        Self { directory, name, endpoints, limits, transports, ambient, sign_in, graph_tokens }
    }

    /// Under which id its objects are kept.
    pub const fn directory(&self) -> DirectoryId {
        self.directory
    }

    /// The tenant's id or domain, as configured.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its services are.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Time of day and randomness.
    pub const fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    /// The application that asks.
    pub const fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// The tokens for Graph, which all of its workloads share.
    pub fn graph_tokens(&self) -> Arc<Tokens> {
        self.graph_tokens.clone()
    }

    /// A service of the tenant with the tenant's limits, of its own fate.
    pub fn service(&self, name: &'static str) -> Arc<Service> {
        self.service_within(name, self.limits.clone())
    }

    /// Graph for one workload, which people call `name`.
    pub fn graph(&self, name: &'static str) -> Graph {
        Graph::new(self.service(name), self.graph_tokens(), self.endpoints.graph.clone())
    }

    /// Graph for a workload that takes one request in `interval`.
    pub fn graph_at_most_every(&self, name: &'static str, interval: Duration) -> Graph {
        let limits = Limits { interval, concurrency: 1, ..self.limits.clone() };
        let service = self.service_within(name, limits);
        Graph::new(service, self.graph_tokens(), self.endpoints.graph.clone())
    }

    fn service_within(&self, name: &'static str, limits: Limits) -> Arc<Service> {
        let transport = self.transports.outside.clone();
        Arc::new(Service::new(name, limits, transport, self.ambient.clone()).of(self.directory))
    }
}

const SIGN_IN: &str = "Entra ID sign-in";
