//! Intune's services for certification authorities, as one tenant has them.

use std::sync::Arc;

use lanyard_lifecycle::{DirectoryId, ObjectKind};

use super::certificates::Certificates;
use super::discovery::Discovery;
use super::revocation::{QueueSettings, RevocationQueue};
use super::validation::ScepValidation;
use crate::change::{Batch, ChangesError, Cursor};
use crate::check::Check;
use crate::connector::{BoxFuture, Connector, Feed, Found, Query};
use crate::ignorance::{Ignorance, Why};
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
    directory: DirectoryId,
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
        let directory = tenant.directory();
        Self { directory, discovery, tokens, sign_in, validation, revocation, certificates }
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

/// They hold no objects: as a connector they can be tried out, beside the one for managed devices.
impl Connector for CertificateServices {
    fn directory(&self) -> DirectoryId {
        self.directory
    }

    fn name(&self) -> &'static str {
        "Intune certificates"
    }

    fn feeds(&self) -> &[Feed] {
        &[]
    }

    fn look_up<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Result<Found, Ignorance>> {
        Box::pin(async { Err(self.no_objects("look an object up")) })
    }

    fn changes<'a>(
        &'a self,
        _: ObjectKind,
        _: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Batch, ChangesError>> {
        Box::pin(async { Err(self.no_objects("read changes").into()) })
    }

    fn check(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(self.try_out())
    }
}

impl CertificateServices {
    fn no_objects(&self, operation: &'static str) -> Ignorance {
        Ignorance::new(self.name(), operation, Why::NotAskable, "it holds no objects")
    }
}
