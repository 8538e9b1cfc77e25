//! A simulator, a client of it, and a device that makes certificate requests.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lanyard_pki::{
    Digest, Extensions, GeneralName, PublicKey, SignatureAlgorithm,
    csr::{ChallengePassword, RequestBuilder},
    extension::{Criticality, ExtendedKeyUsage, ExtensionValue, KeyUsages, SubjectAltName},
    pem,
};
use lanyard_simulator::{
    Options, Running, Simulator, intune,
    tenant::{Pace, REHEARSAL_SECRET, TenantSpec, Time, View},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// A running simulator, and what a client of its first tenant knows.
pub(crate) struct Bench {
    pub(crate) running: Running,
    pub(crate) http: reqwest::Client,
    pub(crate) tenant: Uuid,
    intune_token: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        let fault = |error| panic!("{error} in {:?}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(fault)
    }

    pub(crate) fn content_type(&self) -> &str {
        self.headers.get("content-type").map_or("", |value| value.to_str().unwrap())
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let options = Options {
            tenants: vec![TenantSpec::named("Contoso", 12), TenantSpec::named("Fabrikam", 4)],
            pace: Pace::Manual(Time::parse("2026-11-21T09:00:00Z").unwrap()),
            ..Options::default()
        };
        let running = Simulator::start(options).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let tenant = running.world().tenants().next().unwrap();
        let mut bench = Self { running, http, tenant, intune_token: String::new() };
        let resource = "https://api.manage.microsoft.com/";
        bench.intune_token = bench.token(tenant, resource).await;
        bench
    }

    /// A token of the tenant's connector application.
    pub(crate) async fn token(&self, tenant: Uuid, resource: &str) -> String {
        let app = self.running.world().read(tenant, |tenant| {
            tenant.apps.all().find(|app| app.display_name == "Lanyard").unwrap().app_id
        });
        let url = format!("{}/login/{tenant}/oauth2/v2.0/token", self.running.base_url());
        let form = [
            ("client_id", app.unwrap().to_string()),
            ("client_secret", REHEARSAL_SECRET.to_owned()),
            ("scope", format!("{resource}/.default")),
            ("grant_type", "client_credentials".to_owned()),
        ];
        let answer = Answer::of(self.http.post(url).form(&form)).await;
        answer.json()["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{}", answer.text))
            .to_owned()
    }

    /// Time goes by, and with it tokens.
    pub(crate) async fn pass(&mut self, span: Duration) {
        self.running.world().advance(span);
        let resource = "https://api.manage.microsoft.com/";
        self.intune_token = self.token(self.tenant, resource).await;
    }

    /// The id of the `n`-th managed device.
    pub(crate) fn device(&self, n: usize) -> Uuid {
        let read = self.running.world().read(self.tenant, |tenant| {
            tenant.managed_devices.page(View::Current, 0, n + 1).records[n].id
        });
        read.unwrap()
    }

    pub(crate) fn base(&self) -> &str {
        self.running.base_url()
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/_control/{path}", self.base());
        let request = self.http.request(method, url);
        Answer::of(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.control(Method::POST, path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json()
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        self.control(Method::GET, path, Value::Null).await.json()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) {
        let answer = self.control(Method::PUT, path, body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}: {}", answer.text);
    }

    /// What Intune gives a device for a profile.
    pub(crate) async fn challenge(&self, device: Uuid, profile: Option<Uuid>) -> Value {
        self.post("challenges", json!({ "deviceId": device, "profileId": profile })).await
    }

    /// A call of ScepActions.
    pub(crate) async fn scep(&self, action: &str, body: Value) -> Answer {
        let request = self.intune("ScepRequestValidationFEService", "ScepActions", action);
        Answer::of(request.header("api-version", "2018-02-20").json(&body)).await
    }

    /// A call of CertificateAuthorityRequests.
    pub(crate) async fn connector(&self, action: &str, body: Value) -> Answer {
        let request = self.intune("PkiConnectorFEService", "CertificateAuthorityRequests", action);
        Answer::of(request.header("api-version", "5019-05-05").json(&body)).await
    }

    /// A call of one of Intune's services, without the version.
    pub(crate) fn intune(&self, name: &str, part: &str, action: &str) -> reqwest::RequestBuilder {
        let services = intune::services(self.base());
        let service = services.iter().find(|service| service.provider_name == name).unwrap();
        self.http
            .post(format!("{}/{part}/{action}", service.uri))
            .bearer_auth(&self.intune_token)
            .header("client-request-id", Uuid::new_v4().to_string())
    }

    /// The code with which validateRequest answers.
    pub(crate) async fn validate(&self, transaction: &str, request: &str) -> String {
        let body = json!({ "request": {
            "transactionId": transaction,
            "certificateRequest": request,
            "callerInfo": "Lanyard/0.1",
        }});
        code(&self.scep("validateRequest", body).await)
    }

    /// The code with which successNotification answers.
    pub(crate) async fn notify(&self, transaction: &str, request: &str, serial: &str) -> String {
        let body = notification(transaction, request, serial, self.running.world().now());
        code(&self.scep("successNotification", body).await)
    }

    /// Goes all the way from the challenge to the notification.
    pub(crate) async fn issue(&self, device: Uuid, profile: Option<Uuid>, serial: &str) {
        let request = Request::asked_for(&self.challenge(device, profile).await).encode();
        assert_eq!(self.validate(serial, &request).await, "Success");
        assert_eq!(self.notify(serial, &request, serial).await, "Success");
    }
}

/// A notification of success; the thumbprint follows from the serial number.
pub(crate) fn notification(transaction: &str, request: &str, serial: &str, now: Time) -> Value {
    let thumbprint = hex::encode_upper(Digest::Sha1.of(serial.as_bytes()));
    json!({ "notification": {
        "transactionId": transaction,
        "certificateRequest": request,
        "certificateThumbprint": thumbprint,
        "certificateSerialNumber": serial,
        "certificateExpirationDateUtc": now.plus(Duration::from_hours(24 * 365)),
        "issuingCertificateAuthority": "CN=Lanyard Issuing",
        "callerInfo": "Lanyard/0.1",
        "caConfiguration": "lanyard",
        "certificateAuthority": null,
    }})
}

pub(crate) fn code(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let body = answer.json();
    let context = body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("scepRequestValidationService.api.scepActionResult"), "{context}");
    let code = body["code"].as_str().unwrap().to_owned();
    assert_eq!(body["errorDescription"].as_str().unwrap().is_empty(), code == "Success");
    code
}

pub(crate) const RSA_2048: &str = include_str!("../../../pki/tests/data/keys/rsa2048.pem");
pub(crate) const RSA_2048_OTHER: &str =
    include_str!("../../../pki/tests/data/keys/rsa2048-other.pem");
pub(crate) const RSA_3072: &str = include_str!("../../../pki/tests/data/keys/rsa3072.pem");

/// A certificate request that is to be made.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) key: &'static str,
    pub(crate) challenge: Option<String>,
    pub(crate) subject: String,
    pub(crate) alt_names: Vec<GeneralName>,
    pub(crate) key_usage: Option<KeyUsages>,
    pub(crate) purposes: Vec<String>,
}

impl Request {
    /// The request that Intune asked a device for.
    pub(crate) fn asked_for(given: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let texts = |value: &Value| value.as_array().unwrap().iter().map(text).collect::<Vec<_>>();
        let name = |name: &Value| match name["type"].as_str().unwrap() {
            "email" => GeneralName::Email(text(&name["value"])),
            "dns" => GeneralName::Dns(text(&name["value"])),
            "upn" => GeneralName::upn(&text(&name["value"])),
            _ => GeneralName::Uri(text(&name["value"])),
        };
        let usage = texts(&given["keyUsage"])
            .iter()
            .fold(KeyUsages::EMPTY, |usage, name| usage.union(KeyUsages::from_name(name).unwrap()));
        let names = given["subjectAlternativeNames"].as_array().unwrap();
        Self {
            key: RSA_2048,
            challenge: Some(text(&given["challenge"])),
            subject: text(&given["subject"]),
            alt_names: names.iter().map(name).collect(),
            key_usage: Some(usage),
            purposes: texts(&given["extendedKeyUsages"]),
        }
    }

    /// The request as DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        let key = pem::decode(pem::PRIVATE_KEY, self.key).unwrap();
        let pair = RsaKeyPair::from_pkcs8(&key).unwrap();
        let spki = pair.public_key().as_der().unwrap();
        let public = PublicKey::from_spki_der(spki.as_ref()).unwrap();
        let mut builder = RequestBuilder::new(self.subject.parse().unwrap(), public);
        builder.challenge = self.challenge.as_deref().map(ChallengePassword::new);
        let mut extensions = Extensions::default();
        if !self.alt_names.is_empty() {
            let names = SubjectAltName(self.alt_names.clone());
            extensions.push(names.extension(Criticality::NonCritical));
        }
        if let Some(usage) = self.key_usage {
            extensions.push(usage.extension(Criticality::Critical));
        }
        if !self.purposes.is_empty() {
            let purposes = self.purposes.iter().map(|purpose| purpose.parse().unwrap()).collect();
            extensions.push(ExtendedKeyUsage(purposes).extension(Criticality::NonCritical));
        }
        builder.extensions = extensions;
        let unsigned = builder.build(SignatureAlgorithm::RsaPkcs1(Digest::Sha256));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), unsigned.tbs(), &mut signature).unwrap();
        unsigned.assemble(&signature)
    }

    /// The request as Intune's services take it.
    pub(crate) fn encode(&self) -> String {
        STANDARD.encode(self.der())
    }

    /// SHA-256 of the key.
    pub(crate) fn key_digest(&self) -> String {
        let request = lanyard_pki::CertificationRequest::from_der(&self.der()).unwrap();
        hex::encode(Digest::Sha256.of(request.public_key().spki_der()))
    }
}
