//! What scripts need to know about a demo that is up.

use std::path::{Path, PathBuf};

use lanyard_lifecycle::id::OrganizationId;
use lanyard_simulator::{Examples, Introduction};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use uuid::Uuid;

use super::place::Place;
use crate::exit::{ExitStatus, Failure};
use crate::routes::ca::chain_of;
use crate::server::Server;

/// What the ready file holds.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    /// Where plain HTTP is answered.
    pub(super) base_url: String,
    /// Where HTTPS is answered.
    pub(super) tls_url: String,
    /// The authority's certificate, DER.
    pub(super) ca_url: String,
    /// The authority's certificate, PEM.
    pub(super) ca_file: PathBuf,
    /// The data folder.
    pub(super) data_dir: PathBuf,
    /// Where devices enroll by SCEP with a challenge.
    pub(super) static_url: String,
    /// Their challenge.
    pub(super) static_challenge: String,
    /// The revocation list, DER.
    pub(super) crl_url: String,
    /// The OCSP responder.
    pub(super) ocsp_url: String,
    /// What a browser is shown.
    pub(super) console_url: String,
    /// Where the simulated tenants are.
    pub(super) simulator_url: String,
    /// The tenant to rehearse with.
    tenant_id: Uuid,
    /// Objects of it to try things with.
    examples: Examples,
    #[serde(skip)]
    ca_pem: String,
}

impl Ready {
    /// Of a running server and the tenant beside it, with files in `place`.
    pub(super) fn new(server: &Server, tenant: Introduction, place: &Place) -> Self {
        let app = server.app();
        let at = |path: &str| app.addresses.of(path);
        let cas = app.authority.cas();
        Self {
            base_url: app.addresses.base().to_owned(),
            tls_url: tls_url(server),
            ca_url: at("/ca"),
            ca_file: place.file("ca.pem"),
            data_dir: place.folder().to_owned(),
            static_url: at("/static"),
            static_challenge: place.challenge().to_owned(),
            crl_url: at(&format!("/crl/{}", app.crl_token.expose_secret())),
            ocsp_url: at("/ocsp"),
            console_url: at("/"),
            ca_pem: cas.current(OrganizationId::DEFAULT).map(|ca| chain_of(ca)).unwrap_or_default(),
            simulator_url: tenant.simulator_url,
            tenant_id: tenant.tenant_id,
            examples: tenant.examples,
        }
    }

    /// The authority's certificate and those above it, PEM.
    pub(super) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Whole or not at all, so that a script that sees the file can read it. The challenge is in it: private.
    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        crate::file::write_private(file, &serde_json::to_vec_pretty(self)?).map_err(|error| {
            Failure::new(ExitStatus::Failed, format!("{}: {error}", file.display()))
        })
    }
}

fn tls_url(server: &Server) -> String {
    let Some(address) = server.https().first() else { return String::new() };
    if !address.ip().is_unspecified() {
        return format!("https://{address}");
    }
    let host = server.app().addresses.host().unwrap_or_else(crate::address::machine_name);
    format!("https://{host}:{}", address.port())
}
