//! A server of a test's own, and the little client that sends what no decent client would.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use lanyard_authority::Clock as _;
use lanyard_authority::clock::{ManualClock, SystemClock};
use lanyard_authority::entropy::SystemEntropy;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::Extensions;
use lanyard_pki::{Certificate, KeyAlgorithm};
use lanyard_server::client::ocsp::{OcspClientError, Said, ask};
use lanyard_server::client::scep::{Order, Outcome, ScepClientError, ScepServer};
use lanyard_server::config::{Config, KeySetting};
use lanyard_server::control::client::ControlClient;
use lanyard_server::open::World;
use lanyard_server::server::Server;
use lanyard_signer::SoftwareKey;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const CHALLENGE: &str = "a challenge of the tests";

/// A running server with an RSA-2048 CA, and a clock that stands still at the time of the start.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) http: reqwest::Client,
    pub(crate) folder: TempDir,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server whose configuration is changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        lanyard_server::install_tls_provider();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data: folder.path().join("data"), ..Config::default() };
        config.listen.http = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        config.listen.https = Vec::new();
        config.authority.key = KeySetting::Rsa2048;
        config.authority.subject = "CN=Test CA,O=Example".into();
        config.endpoints.r#static.challenge = Some(SecretString::from(CHALLENGE));
        change(&mut config);
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let world = World { clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let server = Server::start(config, world).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { server, clock, http, folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.http()[0]
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn ca(&self) -> Certificate {
        Certificate::from_der(&self.get("/ca").await.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn control(&self) -> ControlClient {
        let socket = self.data().join("control.sock");
        ControlClient::find(&socket, "tester").await.unwrap().unwrap()
    }

    pub(crate) async fn scep(&self) -> ScepServer {
        let url = self.url("/static").parse().unwrap();
        ScepServer::discover(self.http.clone(), url, None).await.unwrap()
    }

    /// A device's attempt with this challenge.
    pub(crate) async fn attempt(
        &self,
        key: &SoftwareKey,
        subject: &str,
        challenge: &str,
    ) -> Result<Outcome, ScepClientError> {
        let order = Order {
            key,
            subject: subject.parse().unwrap(),
            extensions: Extensions::none(),
            challenge: Some(&ChallengePassword::new(challenge)),
            validity: None,
            renews: None,
            now: self.clock.now(),
        };
        self.scep().await.request(&order, |_| None).await
    }

    /// A new device with its certificate.
    pub(crate) async fn device(&self, subject: &str) -> (Certificate, SoftwareKey) {
        let key = device_key();
        let outcome = self.attempt(&key, subject, CHALLENGE).await.unwrap();
        let issued = match outcome {
            Outcome::Issued(certificate, _) => Some(*certificate),
            Outcome::Pending(_) => None,
        };
        (issued.unwrap(), key)
    }

    /// What OCSP says about a certificate.
    pub(crate) async fn status(&self, certificate: &Certificate) -> Said {
        self.asked(certificate).await.unwrap()
    }

    /// What comes of asking OCSP about a certificate.
    pub(crate) async fn asked(&self, certificate: &Certificate) -> Result<Said, OcspClientError> {
        let url = self.url("/ocsp").parse().unwrap();
        let now = self.clock.now();
        ask(&self.http, url, certificate, &self.ca().await, [7; 32], now).await
    }

    /// Sends octets as they are, says that no more will come, and returns everything that is answered.
    pub(crate) async fn raw(&self, octets: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        // A server that has heard enough stops listening.
        let _ = stream.write_all(octets).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// A P-256 key: made in no time.
pub(crate) fn device_key() -> SoftwareKey {
    SoftwareKey::generate(KeyAlgorithm::P256).unwrap()
}
