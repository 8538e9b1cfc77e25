//! A simulator, and connectors to its first tenant.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use http::Method;
use lanyard_directory::Ambient;
use lanyard_directory::cloud::Endpoints;
use lanyard_directory::http::{Https, Limits, Proxy, Service, Transport};
use lanyard_directory::intune::{CertificateServices, Settings};
use lanyard_directory::jamf::{self, JamfPro};
use lanyard_directory::tenant::{Tenant, TenantSettings, Transports};
use lanyard_directory::token::Credential;
use lanyard_lifecycle::DirectoryId;
use lanyard_pki::csr::{ChallengePassword, RequestBuilder};
use lanyard_pki::extension::{
    Criticality, ExtendedKeyUsage, ExtensionValue, KeyUsages, SubjectAltName,
};
use lanyard_pki::{Digest, Extensions, GeneralName, PublicKey, SignatureAlgorithm, Time, pem};
use lanyard_simulator::fault::Fault;
use lanyard_simulator::tenant::{REHEARSAL_SECRET, TenantSpec, View};
use lanyard_simulator::{Options, Running, Simulator};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

pub(crate) const DIRECTORY: u128 = 0x11;

pub(crate) struct Bench {
    pub(crate) running: Running,
    http: reqwest::Client,
    transport: Arc<dyn Transport>,
    pub(crate) tenant: Uuid,
}

/// Pauses that do not keep a test waiting.
pub(crate) fn limits() -> Limits {
    Limits {
        attempt_timeout: Duration::from_secs(2),
        deadline: Duration::from_secs(4),
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(20),
        breaker_failures: 1000,
        ..Limits::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the time of day is this test's to give")]
fn ambient() -> Ambient {
    let now = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Time::from_unix(i64::try_from(since.as_secs()).unwrap())
    };
    Ambient::new(now, |bytes| aws_lc_rs::rand::fill(bytes).unwrap())
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let options = Options {
            tenants: vec![TenantSpec::named("Contoso", 24), TenantSpec::named("Fabrikam", 4)],
            ..Options::default()
        };
        let running = Simulator::start(options).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let transport = Arc::new(Https::new(Proxy::Direct).unwrap());
        let tenant = running.world().tenants().next().unwrap();
        Self { running, http, transport, tenant }
    }

    fn service(&self, name: &'static str) -> Arc<Service> {
        Arc::new(Service::new(name, limits(), Arc::clone(&self.transport), ambient()))
    }

    /// The connector to the tenant's Jamf Pro, signed in as its API client.
    pub(crate) async fn jamf(&self) -> JamfPro {
        let about = self.look("jamf").await;
        let (id, client) = about["clients"].as_object().unwrap().iter().next().unwrap();
        let secret = client["secret"].as_str().unwrap();
        self.jamf_as(jamf::Credential::Client { id: id.clone(), secret: secret.into() }).await
    }

    /// The same, as its account.
    pub(crate) async fn jamf_account(&self) -> JamfPro {
        let about = self.look("jamf").await;
        let (name, account) = about["accounts"].as_object().unwrap().iter().next().unwrap();
        let password = account["secret"].as_str().unwrap().into();
        self.jamf_as(jamf::Credential::Account { username: name.clone(), password }).await
    }

    async fn jamf_as(&self, credential: jamf::Credential) -> JamfPro {
        let url = self.look("jamf").await["baseUrl"].as_str().unwrap().parse().unwrap();
        let directory = DirectoryId::from(Uuid::from_u128(DIRECTORY));
        let settings = jamf::Settings { directory, url, credential, page_size: 4 };
        JamfPro::new(self.service(JamfPro::NAME), &settings)
    }

    /// Intune's services of the tenant.
    pub(crate) fn intune(&self, settings: Settings) -> CertificateServices {
        let app = self.running.world().read(self.tenant, |tenant| {
            tenant.apps.all().find(|app| app.display_name == "Lanyard").unwrap().app_id
        });
        let base = Url::parse(self.running.base_url()).unwrap();
        let tenant = TenantSettings {
            directory: DirectoryId::from(Uuid::from_u128(DIRECTORY)),
            tenant: self.tenant.to_string(),
            endpoints: Endpoints::under(&base).unwrap(),
            credential: Credential::Secret {
                client_id: app.unwrap().to_string(),
                secret: REHEARSAL_SECRET.into(),
            },
            limits: limits(),
        };
        let transports = Transports::one(Arc::clone(&self.transport));
        CertificateServices::new(&Tenant::new(tenant, transports, ambient()), settings)
    }

    pub(crate) fn faults(&self, faults: Vec<Fault>) {
        self.running.shared().faults.replace(faults);
    }

    /// The id of the `n`-th managed device.
    pub(crate) fn device(&self, n: usize) -> Uuid {
        let read = self.running.world().read(self.tenant, |tenant| {
            tenant.managed_devices.page(View::Current, 0, n + 1).records[n].id
        });
        read.unwrap()
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/_control/{path}", self.running.base_url());
        let request = self.http.request(method, url);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        self.control(Method::GET, path, Value::Null).await
    }

    /// The request that a device makes when Intune asks it to: DER.
    pub(crate) async fn request(&self, device: Uuid) -> Vec<u8> {
        let given = self.control(Method::POST, "challenges", json!({"deviceId": device})).await;
        request(&given)
    }
}

fn request(given: &Value) -> Vec<u8> {
    let key =
        pem::decode(pem::PRIVATE_KEY, include_str!("../../../pki/tests/data/keys/rsa2048.pem"));
    let pair = RsaKeyPair::from_pkcs8(&key.unwrap()).unwrap();
    let spki = pair.public_key().as_der().unwrap();
    let public = PublicKey::from_spki_der(spki.as_ref()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut builder = RequestBuilder::new(text(&given["subject"]).parse().unwrap(), public);
    builder.challenge = Some(ChallengePassword::new(&text(&given["challenge"])));
    let names = given["subjectAlternativeNames"].as_array().unwrap();
    let names = names.iter().map(|name| GeneralName::Uri(text(&name["value"]))).collect();
    let usage =
        given["keyUsage"].as_array().unwrap().iter().fold(KeyUsages::EMPTY, |usage, name| {
            usage.union(KeyUsages::from_name(name.as_str().unwrap()).unwrap())
        });
    let purposes = given["extendedKeyUsages"].as_array().unwrap();
    let purposes = purposes.iter().map(|purpose| text(purpose).parse().unwrap()).collect();
    let mut extensions = Extensions::default();
    extensions.push(SubjectAltName(names).extension(Criticality::NonCritical));
    extensions.push(usage.extension(Criticality::Critical));
    extensions.push(ExtendedKeyUsage(purposes).extension(Criticality::NonCritical));
    builder.extensions = extensions;
    let unsigned = builder.build(SignatureAlgorithm::RsaPkcs1(Digest::Sha256));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), unsigned.tbs(), &mut signature).unwrap();
    unsigned.assemble(&signature)
}
