//! The whole way from a directory to what is known of it here: simulated tenant, connectors, mirror, server, commands.

use std::path::Path;

use lanyard_authority::Authority;
use lanyard_lifecycle::id::{DirectoryId, OrganizationId};
use lanyard_lifecycle::object::ObjectKind;
use lanyard_server::config::{Config, DirectorySection, DirectoryType, FollowSetting};
use lanyard_server::control::client::ControlClient;
use lanyard_server::control::operations::directory::{
    CheckDirectories, DirectoryView, Freshness, KnownBy, ListDirectories, LookUpObject, ObjectView,
    SyncDirectories,
};
use lanyard_simulator::tenant::Tenant;
use lanyard_simulator::tenant::spec::REHEARSAL_SECRET;
use lanyard_simulator::{Options, Running, Simulator};
use lanyard_store::{Options as StoreOptions, Store, StoreUrl};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::site::Site;

const WEBHOOK: &str = "Bearer of the webhooks";
const JAMF_CLIENT: &str = "lanyard-of-the-tests";

/// A simulated tenant, and what a server is told to follow it.
pub(crate) struct Tenancy {
    pub(crate) simulator: Running,
    pub(crate) id: Uuid,
    client: Uuid,
    jamf_url: String,
    control: reqwest::Client,
    secrets: tempfile::TempDir,
}

impl Tenancy {
    pub(crate) async fn start() -> Self {
        lanyard_server::install_tls_provider();
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let id = simulator.world().tenants().next().unwrap();
        let app = |tenant: &Tenant| {
            let app = tenant.apps.all().find(|app| app.display_name == "Lanyard");
            app.map(|app| app.app_id)
        };
        let client = simulator.world().read(id, app).unwrap().unwrap();
        let secrets = tempfile::tempdir().unwrap();
        std::fs::write(secrets.path().join("entra"), REHEARSAL_SECRET).unwrap();
        std::fs::write(secrets.path().join("jamf"), "a secret of Jamf Pro\n").unwrap();
        std::fs::write(secrets.path().join("webhook"), WEBHOOK).unwrap();
        let control = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut tenancy = Self { simulator, id, client, jamf_url: String::new(), control, secrets };
        let shown = tenancy.control("GET", "jamf", &Value::Null).await;
        tenancy.jamf_url = shown["baseUrl"].as_str().unwrap().to_owned();
        let privileges = ["Read Computers", "Read Mobile Devices", "Read Users"];
        let access = json!({ "secret": "a secret of Jamf Pro", "privileges": privileges });
        tenancy.control("PUT", &format!("jamf/clients/{JAMF_CLIENT}"), &access).await;
        tenancy
    }

    /// Asks the simulator's control interface.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{path}", self.simulator.base_url());
        let mut request = self.control.request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) fn configure(&self, config: &mut Config) {
        let secret = |name: &str| Some(self.secrets.path().join(name));
        config.directory.push(DirectorySection {
            name: "contoso".to_owned(),
            tenant_id: Some(self.id.to_string()),
            follow: vec![FollowSetting::Entra, FollowSetting::Intune, FollowSetting::UserRisk],
            url: Some(self.simulator.base_url().parse().unwrap()),
            client_id: Some(self.client.to_string()),
            secret_file: secret("entra"),
            ..DirectorySection::default()
        });
        config.directory.push(DirectorySection {
            name: "jamf".to_owned(),
            r#type: DirectoryType::Jamf,
            url: Some(self.jamf_url.parse().unwrap()),
            client_id: Some(JAMF_CLIENT.to_owned()),
            secret_file: secret("jamf"),
            webhook_secret_file: secret("webhook"),
            ..DirectorySection::default()
        });
    }

    pub(crate) fn user(&self) -> Uuid {
        self.simulator.world().read(self.id, |t| t.users.example().unwrap().id).unwrap()
    }

    pub(crate) fn computer(&self) -> u32 {
        let first = |tenant: &Tenant| {
            (1..1_000).find(|number| tenant.jamf.computers.find(*number).is_some())
        };
        self.simulator.world().read(self.id, first).unwrap().unwrap()
    }

    pub(crate) fn managed_device(&self) -> Uuid {
        self.simulator.world().read(self.id, |t| t.managed_devices.example().unwrap().id).unwrap()
    }
}

/// Looks again after every change that is recorded until it is so.
async fn until(authority: &Authority, mut is_so: impl AsyncFnMut() -> bool) {
    let mut changes = authority.object_changes();
    while !is_so().await {
        changes.recv().await.unwrap();
    }
}

async fn known(
    control: &ControlClient,
    kind: ObjectKind,
    id: impl ToString,
    freshness: Freshness,
) -> ObjectView {
    let by = KnownBy::Id(id.to_string());
    control.run(LookUpObject { directory: None, kind, by, freshness }).await.unwrap()
}

fn value(view: &ObjectView, name: &str) -> Option<String> {
    view.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.clone())
}

fn present(directories: &[DirectoryView], kind: ObjectKind) -> u64 {
    let feeds = directories.iter().flat_map(|directory| &directory.feeds);
    feeds.filter(|feed| feed.kind == kind).map(|feed| feed.present).sum()
}

#[tokio::test]
async fn a_change_at_a_directory_is_known_within_one_round() {
    let tenancy = Tenancy::start().await;
    let site = Site::with(|config| tenancy.configure(config)).await;
    let authority = site.server.app().authority.clone();
    let control = site.control().await;
    until(&authority, async || {
        let directories = control.run(ListDirectories {}).await.unwrap();
        present(&directories, ObjectKind::IntuneDevice) == 20
            && present(&directories, ObjectKind::EntraUser) > 0
            && present(&directories, ObjectKind::JamfComputer) > 0
    })
    .await;

    let (user, device) = (tenancy.user(), tenancy.managed_device());
    let before = known(&control, ObjectKind::EntraUser, user, Freshness::Known).await;
    assert_eq!(value(&before, "accountEnabled").as_deref(), Some("true"));
    tenancy.control("PATCH", &format!("users/{user}"), &json!({ "accountEnabled": false })).await;
    tenancy.control("POST", &format!("managedDevices/{device}/wipe"), &json!({})).await;
    control.run(SyncDirectories { directory: Some("contoso".into()), kind: None }).await.unwrap();
    until(&authority, async || {
        let user = known(&control, ObjectKind::EntraUser, user, Freshness::Known).await;
        value(&user, "accountEnabled").as_deref() == Some("false")
    })
    .await;
    until(&authority, async || {
        let device = known(&control, ObjectKind::IntuneDevice, device, Freshness::Known).await;
        value(&device, "managementState").is_none_or(|state| state.starts_with("wipe"))
    })
    .await;

    // A deletion counts once a look-up has proved it.
    tenancy.control("DELETE", &format!("managedDevices/{device}"), &json!({})).await;
    control.run(SyncDirectories { directory: None, kind: None }).await.unwrap();
    until(&authority, async || {
        let device = known(&control, ObjectKind::IntuneDevice, device, Freshness::Known).await;
        device.presence == "absent" && device.absent_since.is_some()
    })
    .await;

    let checks = control.run(CheckDirectories {}).await.unwrap();
    let well = checks.iter().filter(|check| check.outcome == "ok").count();
    assert!(well > 3, "{checks:#?}");
    assert!(checks.iter().all(|check| check.outcome != "problem"), "{checks:#?}");
    let metrics = site.get("/metrics").await.text().await.unwrap();
    let line = "lanyard_directory_objects{directory=\"contoso\",kind=\"IntuneDevice\"} 19";
    assert!(metrics.contains(line), "{metrics}");
    site.server.stop().await;
    tenancy.simulator.stop().await;
}

#[tokio::test]
async fn a_webhook_has_what_it_names_looked_up_and_needs_its_secret() {
    let tenancy = Tenancy::start().await;
    let site = Site::with(|config| tenancy.configure(config)).await;
    let authority = site.server.app().authority.clone();
    let control = site.control().await;
    let computer = ObjectKind::JamfComputer;
    until(&authority, async || {
        present(&control.run(ListDirectories {}).await.unwrap(), computer) > 0
    })
    .await;
    let number = tenancy.computer();
    tenancy.control("DELETE", &format!("jamf/computers/{number}"), &Value::Null).await;
    let hint = json!({ "webhook": { "webhookEvent": "ComputerInventoryCompleted" },
                       "event": { "jssID": number } });
    let send = async |name: &str, secret: Option<&str>| {
        let mut request = site.http.post(site.url(&format!("/notifications/{name}"))).json(&hint);
        if let Some(secret) = secret {
            request = request.header("authorization", secret);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("jamf", None).await, 401);
    assert_eq!(send("jamf", Some("Bearer of nothing")).await, 401);
    assert_eq!(send("contoso", Some(WEBHOOK)).await, 404);
    let presence = async || known(&control, computer, number, Freshness::Known).await.presence;
    assert_eq!(presence().await, "present", "a webhook without its secret does nothing");
    assert_eq!(send("jamf", Some(WEBHOOK)).await, 204);
    until(&authority, async || presence().await == "absent").await;
    site.server.stop().await;
    tenancy.simulator.stop().await;
}

#[tokio::test]
async fn graph_tells_of_a_change_and_nobody_else_does() {
    let tenancy = Tenancy::start().await;
    // Graph calls an address that was known before the server listened at it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let site = Site::with(|config| {
        tenancy.configure(config);
        config.listen.http = vec![port];
        let url = format!("http://{port}/notifications/contoso");
        config.directory[0].notification_url = Some(url.parse().unwrap());
    })
    .await;
    let authority = site.server.app().authority.clone();
    let control = site.control().await;
    let user = tenancy.user();
    let is = async |enabled: &str| {
        let user = known(&control, ObjectKind::EntraUser, user, Freshness::Known).await;
        value(&user, "accountEnabled").as_deref() == Some(enabled)
    };
    until(&authority, async || is("true").await).await;
    let forged = json!({ "value": [{ "subscriptionId": "x", "clientState": "guessed",
                                     "changeType": "updated" }] });
    let sent = site.http.post(site.url("/notifications/contoso")).json(&forged).send().await;
    assert_eq!(sent.unwrap().status().as_u16(), 401);
    // The subscription is there once it is remembered.
    let id = DirectoryId::from(tenancy.id);
    let name = format!("directory.subscription.{id}");
    let url = StoreUrl::Sqlite(site.data().join("lanyard.db"));
    let store = Store::open(&url, StoreOptions::READING).await.unwrap();
    while store.setting(OrganizationId::DEFAULT, &name).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    tenancy.control("PATCH", &format!("users/{user}"), &json!({ "accountEnabled": false })).await;
    until(&authority, async || is("false").await).await;
    site.server.stop().await;
    tenancy.simulator.stop().await;
}

#[tokio::test]
async fn a_directory_whose_secret_is_missing_keeps_the_server_from_starting_and_says_why() {
    let mut config = Config::default();
    config.directory.push(DirectorySection {
        tenant_id: Some(Uuid::from_u128(7).to_string()),
        client_id: Some("app".to_owned()),
        secret_file: Some(Path::new("/nowhere/secret").to_owned()),
        ..DirectorySection::default()
    });
    lanyard_server::install_tls_provider();
    let world = lanyard_server::open::World::real();
    let error = lanyard_server::directories::connect(&config, &world, "name", |_| "".into())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("the directory example: /nowhere/secret: "), "{error}");
}
