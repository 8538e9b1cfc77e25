//! Intune's services for certification authorities, as one tenant has them.

use std::sync::Arc;

use super::certificates::Certificates;
use super::discovery::Discovery;
use super::revocation::{QueueSettings, RevocationQueue};
use super::validation::ScepValidation;
use crate::tenant::Tenant;
use crate::token::{SignIn, Tokens};

/// What is configured of them.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A name for this authority that Intune keeps with each certificate and gives back with
    /// requests to revoke. It must be another than that of any other authority of the tenant, and
    /// never change.
    pub ca_configuration: Option<String>,
    /// How the queue is read.
    pub queue: QueueSettings,
}

/// Intune's services for certification authorities in one tenant.
#[derive(Debug)]
pub struct CertificateServices {
    /// Where they are.
    pub(super) discovery: Arc<Discovery>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) sign_in: SignIn,
    validation: ScepValidation,
    revocation: RevocationQueue,
    pub(super) certificates: Certificates,
}

impl CertificateServices {
    /// Those of a tenant. Nothing is asked yet.
    pub fn new(tenant: &Tenant, settings: Settings) -> Self {
        let graph = tenant.graph("Microsoft Graph (certificates)");
        let discovery = Arc::new(Discovery::new(graph.clone()));
        let tokens = tenant.sign_in().tokens_for(&tenant.endpoints().intune_resource);
        let validation = ScepValidation::new(
            Arc::clone(&discovery),
            tenant.service("Intune SCEP validation"),
            Arc::clone(&tokens),
            settings.ca_configuration,
        );
        let revocation = RevocationQueue::new(
            Arc::clone(&discovery),
            tenant.service("Intune revocation requests"),
            Arc::clone(&tokens),
            settings.queue,
        );
        let certificates = Certificates::new(graph, tenant.service("Intune reports"));
        let sign_in = tenant.sign_in().clone();
        Self { discovery, tokens, sign_in, validation, revocation, certificates }
    }

    /// Validates SCEP requests.
    pub const fn validation(&self) -> &ScepValidation {
        &self.validation
    }

    /// Requests to revoke.
    pub const fn revocation(&self) -> &RevocationQueue {
        &self.revocation
    }

    /// What Intune believes to be issued.
    pub const fn certificates(&self) -> &Certificates {
        &self.certificates
    }
}
