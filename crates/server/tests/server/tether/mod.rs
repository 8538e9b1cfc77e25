//! Certificates that follow objects, end to end: a device enrolls over HTTP, something happens to its object at the simulated
//! tenant, and OCSP and CRL of the running server say so. A file an object.
//!
//! The server's clock stands still unless a test moves it, so that nothing here is so because time went by.

mod brake;
mod device;
mod entra;
mod intune;
mod jamf;
mod restart;

use std::time::Duration;

use lanyard_lifecycle::object::ObjectKind;
use lanyard_lifecycle::revocation::RevocationReason;
use lanyard_pki::Certificate;
use lanyard_pki::crl::Crl;
use lanyard_pki::ocsp::{CertStatus, ResponseError};
use lanyard_server::client::ocsp::OcspClientError;
use lanyard_server::client::scep::{Order, Outcome, ScepClientError, ScepServer};
use lanyard_server::config::{AvailabilitySetting, Config};
use lanyard_server::control::client::ControlClient;
use lanyard_server::control::operations::directory::{
    Freshness, KnownBy, ListDirectories, LookUpObject, SyncDirectories,
};
use lanyard_server::control::operations::why::{ExplainCertificate, WhyView};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::directories::Tenancy;
use crate::site::Site;
use device::Ask;

/// When a test that would wait for ever says what it waits for.
const GIVEN_UP: Duration = Duration::from_mins(2);

/// Between two questions about the same.
const PAUSE: Duration = Duration::from_millis(50);

/// When a deletion has lasted, in seconds: `tether.absence_confirm` and a little.
const CONFIRMED: i64 = 601;

/// What goes by between two things that happen, in seconds.
pub(crate) const A_MOMENT: i64 = 5;

/// The challenge of every endpoint that has one: as long as Jamf Pro takes it.
pub(crate) const CHALLENGE: &str = "a challenge of 32 characters ...";

/// A server that follows a simulated tenant and its Jamf Pro, with every endpoint open.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) tenancy: Tenancy,
    pub(crate) control: ControlClient,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With a configuration that is changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let tenancy = Tenancy::start().await;
        let site = Site::with(|config| {
            tenancy.configure(config);
            config.endpoints.intune.availability = AvailabilitySetting::Open;
            config.endpoints.static_aad.challenge = Some(SecretString::from(CHALLENGE));
            config.endpoints.jamf.challenge = Some(SecretString::from(CHALLENGE));
            config.endpoints.dc.challenge = Some(SecretString::from(CHALLENGE));
            change(config);
        })
        .await;
        let control = site.control().await;
        Self { site, tenancy, control }
    }

    /// Ends the server, then the tenant.
    pub(crate) async fn end(self) {
        self.site.server.stop().await;
        self.tenancy.simulator.stop().await;
    }

    /// Asks for a certificate at an endpoint.
    pub(crate) async fn enroll(&self, path: &str, ask: &Ask) -> Result<Certificate, String> {
        let outcome = self.attempt(path, ask).await.map_err(|error| error.to_string())?;
        match outcome {
            Outcome::Issued(certificate, _) => Ok(*certificate),
            Outcome::Pending(_) => Err("the request waits".to_owned()),
        }
    }

    pub(crate) async fn attempt(&self, path: &str, ask: &Ask) -> Result<Outcome, ScepClientError> {
        let url = self.site.url(path).parse().unwrap();
        let server = ScepServer::discover(self.site.http.clone(), url, None).await?;
        let order = Order {
            key: &ask.key,
            subject: ask.subject.parse().unwrap(),
            extensions: ask.extensions(),
            challenge: Some(&ask.challenge),
            validity: None,
            renews: None,
            now: lanyard_authority::Clock::now(&*self.site.clock),
        };
        server.request(&order, |_| None).await
    }

    /// Does something at the tenant, and has the server look.
    pub(crate) async fn act(&self, method: &str, path: &str, body: Value) {
        // It happens after whatever is known.
        self.site.clock.advance(A_MOMENT);
        self.tenancy.control(method, path, &body).await;
        self.look().await;
    }

    /// Has the server read its directories anew.
    pub(crate) async fn look(&self) {
        self.control.run(SyncDirectories { directory: None, kind: None }).await.unwrap();
    }

    /// Why a certificate stands as it does.
    pub(crate) async fn why(&self, certificate: &Certificate) -> WhyView {
        let serial = certificate.serial().to_string();
        self.control.run(ExplainCertificate { serial }).await.unwrap()
    }

    /// What OCSP says about a certificate: a word, or the reason of a revocation.
    pub(crate) async fn ocsp(&self, certificate: &Certificate) -> String {
        let status = match self.site.asked(certificate).await {
            Ok(said) => said.status,
            Err(OcspClientError::Response(ResponseError::Status(status))) => {
                return format!("{status:?}");
            }
            Err(error) => panic!("{error}"),
        };
        match status {
            CertStatus::Good => "good".to_owned(),
            CertStatus::Unknown => "unknown".to_owned(),
            CertStatus::Revoked { reason, .. } => {
                reason.map_or_else(|| "revoked".to_owned(), |reason| reason.to_string())
            }
        }
    }

    /// What the CRL says about a certificate, in the same words.
    pub(crate) async fn crl(&self, certificate: &Certificate) -> String {
        let token = self.site.server.app().crl_token.expose_secret().to_owned();
        let answer = self.site.get(&format!("/crl/{token}")).await.error_for_status().unwrap();
        let crl = Crl::from_der(&answer.bytes().await.unwrap()).unwrap();
        crl.entry(certificate.serial()).unwrap().map_or_else(
            || "good".to_owned(),
            |entry| entry.reason.map_or_else(|| "revoked".to_owned(), |reason| reason.to_string()),
        )
    }

    /// Asks until OCSP says so, and the CRL agrees.
    pub(crate) async fn comes_to(&self, certificate: &Certificate, expected: &str) {
        self.come_to(certificate, expected, expected).await;
    }

    /// Asks until OCSP says the one, and the CRL the other.
    pub(crate) async fn come_to(&self, certificate: &Certificate, ocsp: &str, crl: &str) {
        let soon = async {
            while self.ocsp(certificate).await != ocsp || self.crl(certificate).await != crl {
                // Nobody tells of an answer that would be another one now.
                tokio::time::sleep(PAUSE).await;
                // A round that was under way already may have missed what has happened.
                self.look().await;
            }
        };
        if tokio::time::timeout(GIVEN_UP, soon).await.is_err() {
            let (is_ocsp, is_crl) = (self.ocsp(certificate).await, self.crl(certificate).await);
            let why = self.why(certificate).await;
            let feeds = self.control.run(ListDirectories {}).await.unwrap();
            panic!(
                "OCSP {is_ocsp} and CRL {is_crl} never came to {ocsp} and {crl}: {why:#?} {feeds:#?}"
            );
        }
        assert_eq!(self.ocsp(certificate).await, ocsp, "it stays so");
    }

    /// Something is done for good: the certificate is revoked at once.
    pub(crate) async fn is_revoked_for_good(
        &self,
        certificate: &Certificate,
        reason: RevocationReason,
        (method, path, body): (&str, &str, Value),
    ) {
        self.is_good(certificate).await;
        self.act(method, path, body).await;
        self.comes_to(certificate, reason.name()).await;
        self.is_explained(certificate, reason).await;
    }

    /// Its object is deleted: the certificate is revoked at once, and for good once that has lasted. Until then the CRL, which
    /// takes no revocation back, has it on hold.
    pub(crate) async fn is_revoked_with(
        &self,
        certificate: &Certificate,
        reason: RevocationReason,
        object: &str,
    ) {
        self.is_good(certificate).await;
        self.act("DELETE", object, json!({})).await;
        self.come_to(certificate, reason.name(), "certificateHold").await;
        self.is_explained(certificate, reason).await;
        self.site.clock.advance(CONFIRMED);
        self.look().await;
        self.comes_to(certificate, reason.name()).await;
        self.is_explained(certificate, reason).await;
    }

    async fn is_good(&self, certificate: &Certificate) {
        assert_eq!(self.ocsp(certificate).await, "good");
        assert_eq!(self.crl(certificate).await, "good");
        assert_eq!(self.why(certificate).await.state, "good");
    }

    async fn is_explained(&self, certificate: &Certificate, reason: RevocationReason) {
        let why = self.why(certificate).await;
        assert_eq!((why.state.as_str(), why.reason.as_deref()), ("revoked", Some(reason.name())));
        assert!(!why.facts.is_empty() && why.since.is_some(), "{why:?}");
        assert_eq!(why.ocsp.status, "revoked");
    }

    /// Waits until the server knows this of an object.
    pub(crate) async fn knows(&self, kind: ObjectKind, id: Uuid, name: &str, value: &str) {
        self.look().await;
        let is_known = async || {
            let by = KnownBy::Id(id.to_string());
            let asked = LookUpObject { directory: None, kind, by, freshness: Freshness::Known };
            let view = self.control.run(asked).await.unwrap();
            view.facts.iter().any(|fact| fact.name == name && fact.value == value)
        };
        while !is_known().await {
            tokio::task::yield_now().await;
        }
    }

    /// Something is done that puts the certificate on hold; it is good again when it is undone.
    pub(crate) async fn is_on_hold_until_undone(
        &self,
        certificate: &Certificate,
        (method, path): (&str, &str),
        done: Value,
        undone: Value,
    ) {
        self.is_good(certificate).await;
        self.act(method, path, done).await;
        self.comes_to(certificate, "certificateHold").await;
        let why = self.why(certificate).await;
        assert_eq!(why.state, "onHold", "{why:?}");
        assert_eq!(why.reason.as_deref(), Some("certificateHold"));
        self.act(method, path, undone).await;
        self.comes_to(certificate, "good").await;
        let why = self.why(certificate).await;
        assert_eq!((why.state.as_str(), why.reason), ("good", None), "{:?}", why.facts);
    }
}

/// A request body without anything in it.
pub(crate) fn nothing() -> Value {
    json!({})
}

/// An id as paths of the simulator have it.
pub(crate) fn at(kind: &str, id: Uuid) -> String {
    format!("{kind}/{id}")
}
