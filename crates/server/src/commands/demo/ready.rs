//! What scripts and people need to know about a demo that is up.

use std::path::{Path, PathBuf};

use lanyard_lifecycle::id::OrganizationId;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::exit::Failure;
use crate::routes::ca::chain_of;
use crate::server::Server;

/// What the ready file holds.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    /// Where plain HTTP is answered.
    pub(super) base_url: String,
    /// Where HTTPS is answered.
    pub(super) tls_url: String,
    /// The authority's certificate.
    pub(super) ca_url: String,
    /// The authority's certificate, PEM.
    pub(super) ca_file: PathBuf,
    /// The data folder.
    pub(super) data_dir: PathBuf,
    /// The SCEP endpoint with a challenge.
    pub(super) static_url: String,
    /// Its challenge.
    pub(super) static_challenge: String,
    /// The revocation list.
    pub(super) crl_url: String,
    /// The OCSP responder.
    pub(super) ocsp_url: String,
    /// What a browser is shown.
    pub(super) console_url: String,
    #[serde(skip)]
    ca_pem: String,
}

impl Ready {
    pub(super) fn new(server: &Server, data: &Path, static_challenge: String) -> Self {
        let app = server.app();
        let at = |path: &str| app.addresses.of(path);
        let tls = server.https().first().map(|address| format!("https://{address}"));
        let cas = app.authority.cas();
        Self {
            base_url: app.addresses.base().to_owned(),
            tls_url: tls.unwrap_or_default(),
            ca_url: at("/ca"),
            ca_file: data.join("ca.pem"),
            data_dir: data.to_owned(),
            static_url: at("/static"),
            static_challenge,
            crl_url: at(&format!("/crl/{}", app.crl_token.expose_secret())),
            ocsp_url: at("/ocsp"),
            console_url: at("/"),
            ca_pem: cas.current(OrganizationId::DEFAULT).map(|ca| chain_of(ca)).unwrap_or_default(),
        }
    }

    pub(super) fn write_ca(&self) -> Result<(), Failure> {
        Ok(crate::file::write_public(&self.ca_file, self.ca_pem.as_bytes())?)
    }

    /// Whole or not at all, so that a script that sees the file can read it. The challenge is in it: private.
    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        Ok(crate::file::write_private(file, &serde_json::to_vec_pretty(self)?)?)
    }

    /// What to try next, for people.
    pub(super) fn invitation(&self) -> String {
        format!(
            "It stays up until you press Ctrl-C. To try it yourself:\n\n  \
             status page   {}\n  \
             SCEP          {}  (challenge {})\n  \
             OCSP          {}\n  \
             CRL           {}\n  \
             HTTPS         {}\n  \
             CA            {}\n\n  \
             lanyard certificate search --data {}\n",
            self.console_url,
            self.static_url,
            self.static_challenge,
            self.ocsp_url,
            self.crl_url,
            self.tls_url,
            self.ca_file.display(),
            self.data_dir.display()
        )
    }
}
