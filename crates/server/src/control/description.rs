//! What a running server says about itself, for whoever may open its control socket.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::config::Config;
use crate::own_certificate;
use crate::routes::scep::door::DOORS;

/// The name of the request for it in the control socket's paths.
pub const DESCRIBE: &str = "server-describe";

/// What a running server says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerDescription {
    /// Its version.
    pub version: String,
    /// Where plain HTTP is answered.
    pub http: Vec<SocketAddr>,
    /// Where HTTPS is answered.
    pub https: Vec<SocketAddr>,
    /// The file with the certificate that HTTPS shows.
    pub tls_certificate_file: Option<PathBuf>,
    /// The address below which clients reach it.
    pub base_url: String,
    /// Who chose that address.
    pub base_url_from: BaseUrlFrom,
    /// Where somebody can enroll by SCEP.
    pub enrollment: Vec<EnrollmentDoor>,
    /// The OCSP responder.
    pub ocsp_url: String,
    /// The revocation list.
    pub crl_url: String,
    /// What protects the key files that it writes.
    pub keys: KeyFiles,
}

/// An endpoint that takes requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollmentDoor {
    /// Its path: `/static`.
    pub path: String,
    /// Where clients reach it.
    pub url: String,
}

impl EnrollmentDoor {
    /// Every one of a server.
    pub fn of(app: &App) -> Vec<Self> {
        let settings = app.authority.settings();
        let open = DOORS.iter().filter(|(_, endpoint)| settings.endpoint(*endpoint).is_some());
        open.map(|(path, _)| Self { path: (*path).to_owned(), url: app.addresses.of(path) })
            .collect()
    }
}

/// Who chose the address below which clients reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaseUrlFrom {
    /// The operator.
    Setting,
    /// Nobody: it follows from the first listener.
    Listener,
}

impl BaseUrlFrom {
    /// What a configuration says.
    pub fn of(config: &Config) -> Self {
        if config.publication.base_url.is_some() { Self::Setting } else { Self::Listener }
    }
}

/// What protects key files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyFiles {
    /// A passphrase and their permissions.
    Encrypted,
    /// Their permissions.
    Bare,
}

impl ServerDescription {
    /// Of the server with these routes.
    pub fn of(app: &App) -> Self {
        let config = &app.config;
        let tls_certificate_file = (!config.listen.https.is_empty()).then(|| {
            let files = config.tls.certificate_file.clone();
            files.unwrap_or_else(|| own_certificate::file(config))
        });
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            http: config.listen.http.clone(),
            https: config.listen.https.clone(),
            tls_certificate_file,
            base_url: app.addresses.base().to_owned(),
            base_url_from: BaseUrlFrom::of(config),
            enrollment: EnrollmentDoor::of(app),
            ocsp_url: app.addresses.of("/ocsp"),
            crl_url: app.addresses.of(&format!("/crl/{}", app.crl_token.expose_secret())),
            keys: match config.keys.passphrase {
                Some(_) => KeyFiles::Encrypted,
                None => KeyFiles::Bare,
            },
        }
    }
}
