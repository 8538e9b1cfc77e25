//! A simulator that stands still in time, and a client of it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lanyard_simulator::tenant::{AppSpec, Pace, REHEARSAL_SECRET, TenantSpec, Time, View, World};
use lanyard_simulator::{Options, Running, Simulator};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const GRAPH: &str = "https://graph.microsoft.com";

/// An application that has no role at all.
pub(crate) const POOR: Uuid = uuid::uuid!("11111111-2222-4333-8444-555555555555");

pub(crate) struct Bench {
    pub(crate) running: Running,
    pub(crate) http: reqwest::Client,
    pub(crate) tenant: Uuid,
    pub(crate) client: Uuid,
    pub(crate) bearer: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of an answer that has to be a success.
    pub(crate) fn good(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.json()
    }

    /// Status and code of a refusal in Graph's envelope, whose other fields are checked here.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        let error = &body["error"];
        assert!(error["message"].is_string(), "{body}");
        for field in ["date", "request-id", "client-request-id"] {
            assert!(error["innerError"][field].is_string(), "{field} in {body}");
        }
        (self.status.as_u16(), error["code"].as_str().unwrap().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::of_devices(12).await
    }

    pub(crate) async fn of_devices(devices: u64) -> Self {
        let mut contoso = TenantSpec::named("Contoso", devices);
        contoso.apps.push(AppSpec {
            client_id: Some(POOR),
            name: "Poor".to_owned(),
            secret: Some("poor".to_owned()),
            ..AppSpec::default()
        });
        let options = Options {
            tenants: vec![contoso, TenantSpec::named("Fabrikam", 4)],
            pace: Pace::Manual(Time::parse("2026-11-21T09:00:00Z").unwrap()),
            ..Options::default()
        };
        let running = Simulator::start(options).await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let tenant = running.world().tenants().next().unwrap();
        let client = app(running.world(), tenant, "Lanyard");
        let mut bench = Self { running, http, tenant, client, bearer: String::new() };
        bench.sign_in().await;
        bench
    }

    /// Gets a fresh token for Graph.
    pub(crate) async fn sign_in(&mut self) {
        self.bearer = self.token(self.client, REHEARSAL_SECRET, GRAPH).await;
    }

    pub(crate) fn world(&self) -> &World {
        self.running.world()
    }

    pub(crate) fn base(&self) -> &str {
        self.running.base_url()
    }

    /// Time goes by, and with it tokens.
    pub(crate) async fn pass(&mut self, span: Duration) {
        self.world().advance(span);
        self.sign_in().await;
    }

    pub(crate) async fn ask_token(&self, form: &[(&str, &str)]) -> Answer {
        let url = format!("{}/login/{}/oauth2/v2.0/token", self.base(), self.tenant);
        Answer::of(self.http.post(url).form(form)).await
    }

    pub(crate) async fn token(&self, client: Uuid, secret: &str, resource: &str) -> String {
        let scope = format!("{resource}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client.to_string()),
            ("client_secret", secret),
            ("scope", &scope),
        ];
        let body = self.ask_token(&form).await.good();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks Graph, by a path below the version or by a whole link.
    pub(crate) async fn graph(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else if path.starts_with("/beta") {
            format!("{}/graph{path}", self.base())
        } else {
            format!("{}/graph/v1.0{path}", self.base())
        };
        let request = self.http.request(method, url).bearer_auth(&self.bearer);
        Answer::of(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.http.request(method, format!("{}/_control/{path}", self.base()));
        Answer::of(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub(crate) async fn faults(&self, faults: Value) {
        let answer = self.control(Method::PUT, "faults", json!({ "faults": faults })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }

    /// The id of the `n`-th user.
    pub(crate) fn user(&self, n: usize) -> (Uuid, String) {
        let read = self.world().read(self.tenant, |tenant| {
            let user = tenant.users.page(View::Current, 0, n + 1).records[n].clone();
            (user.id, user.user_principal_name.clone())
        });
        read.unwrap()
    }

    /// Graph id and deviceId of the `n`-th device.
    pub(crate) fn device(&self, n: usize) -> (Uuid, Uuid) {
        let read = self.world().read(self.tenant, |tenant| {
            let device = tenant.devices.page(View::Current, 0, n + 1).records[n].clone();
            (device.id, device.device_id)
        });
        read.unwrap()
    }
}

/// The client id of an application.
pub(crate) fn app(world: &World, tenant: Uuid, name: &str) -> Uuid {
    let find = |tenant: &lanyard_simulator::tenant::Tenant| {
        tenant.apps.all().find(|app| app.display_name == name).unwrap().app_id
    };
    world.read(tenant, find).unwrap()
}

/// The head and the claims of a token.
pub(crate) fn opened(token: &str) -> (Value, Value) {
    let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let mut parts = token.split('.');
    (part(parts.next().unwrap()), part(parts.next().unwrap()))
}
