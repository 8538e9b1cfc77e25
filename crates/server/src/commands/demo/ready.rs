//! What scripts need to know about a demo that is up.

use std::path::{Path, PathBuf};

use lanyard_lifecycle::id::OrganizationId;
use lanyard_simulator::{Examples, Introduction};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use uuid::Uuid;

use super::place::Place;
use super::tenant::Following;
use super::tethered::ExampleSerials;
use crate::exit::{ExitStatus, Failure};
use crate::routes::ca::chain_of;
use crate::routes::scep::door::INTUNE;
use crate::server::Server;

/// Objects of the tenant, and the certificates that they got through Intune.
#[derive(Debug, Serialize)]
struct DemoExamples {
    #[serde(flatten)]
    objects: Examples,
    /// The device's certificate.
    device_serial: Option<String>,
    /// Its user's certificate.
    user_serial: Option<String>,
}

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
    /// Where devices and users of the tenant's Intune enroll.
    pub(super) intune_url: String,
    /// Where devices and users of the tenant enroll with the challenge.
    static_aad_url: String,
    /// Where computers, mobile devices and their users enroll with the challenge.
    jamf_enroll_url: String,
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
    examples: DemoExamples,
    /// Whether the authority follows it.
    #[serde(skip)]
    pub(super) following: Following,
    #[serde(skip)]
    ca_pem: String,
}

impl Ready {
    /// Of a running server and the tenant beside it, with files in `place`.
    pub(super) fn new(
        server: &Server,
        tenant: Introduction,
        following: Following,
        place: &Place,
    ) -> Self {
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
            intune_url: at(INTUNE),
            static_aad_url: at("/static/aad"),
            jamf_enroll_url: at("/jamf"),
            crl_url: at(&format!("/crl/{}", app.crl_token.expose_secret())),
            ocsp_url: at("/ocsp"),
            console_url: at("/"),
            ca_pem: cas.current(OrganizationId::DEFAULT).map(|ca| chain_of(ca)).unwrap_or_default(),
            simulator_url: tenant.simulator_url,
            tenant_id: tenant.tenant_id,
            examples: DemoExamples {
                objects: tenant.examples,
                device_serial: None,
                user_serial: None,
            },
            following,
        }
    }

    /// The example objects have certificates now.
    pub(super) fn add_examples(&mut self, serials: &ExampleSerials) {
        self.examples.device_serial = Some(serials.device.to_string());
        self.examples.user_serial = Some(serials.user.to_string());
    }

    /// The example device in Intune.
    pub(super) fn example_device(&self) -> Option<Uuid> {
        self.examples.objects.intune_device_id
    }

    /// The serial number of its certificate.
    pub(super) fn device_serial(&self) -> Option<String> {
        self.examples.device_serial.clone()
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
