//! The connectors to Entra ID and Intune against a simulated tenant, over HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod changes;
mod faults;
mod look_ups;
mod sign_in;
mod subscriptions;

use std::time::Duration;

use lanyard_directory::cloud::Endpoints;
use lanyard_directory::entra::{EntraId, UserRisk};
use lanyard_directory::http::Limits;
use lanyard_directory::intune::devices::Intune;
use lanyard_directory::tenant::{Tenant, TenantSettings, Transports};
use lanyard_directory::token::Credential;
use lanyard_directory::{Ambient, Connector, Query};
use lanyard_lifecycle::{DirectoryId, ObjectId, ObjectKind, Presence, Properties};
use lanyard_pki::Time;
use lanyard_simulator::fault::Fault;
use lanyard_simulator::tenant::app::App;
use lanyard_simulator::tenant::spec::REHEARSAL_SECRET;
use lanyard_simulator::{Options, Running, Simulator};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

/// A simulated tenant, and the connectors to it.
struct Rehearsal {
    simulator: Running,
    id: Uuid,
    client: Uuid,
    entra: EntraId,
    intune: Intune,
    control: reqwest::Client,
}

/// Patient enough for a busy machine, and short enough for a test of every fault.
fn limits() -> Limits {
    Limits {
        attempts: 3,
        attempt_timeout: Duration::from_millis(1500),
        deadline: Duration::from_secs(5),
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        breaker_failures: 1000,
        ..Limits::default()
    }
}

/// The connectors to a tenant, not yet signed in.
struct Connectors {
    entra: EntraId,
    intune: Intune,
}

impl Connectors {
    fn of(&self, kind: ObjectKind) -> &dyn Connector {
        if kind == ObjectKind::IntuneDevice { &self.intune } else { &self.entra }
    }
}

impl Rehearsal {
    async fn start() -> Self {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let id = simulator.world().tenants().next().unwrap();
        let client = app_called(&simulator, id, "Lanyard");
        let Connectors { entra, intune } = connect(&simulator, id, client);
        let control = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, id, client, entra, intune, control }
    }

    /// Further connectors to the tenant.
    fn connect(&self) -> Connectors {
        connect(&self.simulator, self.id, self.client)
    }

    /// Asks the simulator's control interface.
    async fn control(&self, method: &str, path: &str, body: &Value) {
        let url = format!("{}/_control/{path}", self.simulator.base_url());
        let method = method.parse().unwrap();
        let answer = self.control.request(method, url).json(body).send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
    }

    fn faults(&self, faults: Vec<Fault>) {
        self.simulator.shared().faults.replace(faults);
    }

    fn connector(&self, kind: ObjectKind) -> &dyn Connector {
        if kind == ObjectKind::IntuneDevice { &self.intune } else { &self.entra }
    }

    async fn presence(&self, kind: ObjectKind, id: Uuid) -> Presence {
        let query = Query::id(kind, id.into());
        let found = self.connector(kind).look_up(&query).await.unwrap();
        found.state().unwrap().presence
    }

    /// A user, a device in Entra ID and a device in Intune that there are.
    fn examples(&self) -> Examples {
        let of = |tenant: &lanyard_simulator::tenant::Tenant| {
            let user = tenant.users.example().unwrap();
            let device = tenant.devices.example().unwrap();
            Examples {
                user: user.id,
                upn: user.user_principal_name.clone(),
                device: device.device_id,
                device_object: device.id,
                managed: tenant.managed_devices.example().unwrap().id,
            }
        };
        self.simulator.world().read(self.id, of).unwrap()
    }
}

struct Examples {
    user: Uuid,
    upn: String,
    device: Uuid,
    /// The directory object of the device.
    device_object: Uuid,
    managed: Uuid,
}

const DIRECTORY: DirectoryId = DirectoryId::from_bytes([1; 16]);

fn app_called(simulator: &Running, tenant: Uuid, name: &str) -> Uuid {
    let is_called = |app: &&App| app.display_name == name;
    let find = |tenant: &lanyard_simulator::tenant::Tenant| {
        tenant.apps.all().find(is_called).map(|app| app.app_id)
    };
    simulator.world().read(tenant, find).unwrap().unwrap()
}

fn connect(simulator: &Running, id: Uuid, client: Uuid) -> Connectors {
    let secret = REHEARSAL_SECRET.to_owned().into();
    let credential = Credential::Secret { client_id: client.to_string(), secret };
    let tenant = tenant(simulator, id, credential);
    let entra = EntraId::new(&tenant, UserRisk::Followed);
    Connectors { entra, intune: Intune::new(&tenant) }
}

/// The tenant as a connector is configured for it; time and chance are the simulator's.
fn tenant(simulator: &Running, id: Uuid, credential: Credential) -> Tenant {
    let (clock, chance) = (simulator.shared().clone(), simulator.shared().clone());
    let ambient = Ambient::new(
        move || Time::from_unix(clock.world.now().unix_seconds()),
        move |bytes| {
            for byte in bytes {
                [*byte] = chance.world.random();
            }
        },
    );
    let endpoints = Endpoints::under(&Url::parse(simulator.base_url()).unwrap()).unwrap();
    let (directory, tenant) = (DIRECTORY, id.to_string());
    let settings = TenantSettings { directory, tenant, endpoints, credential, limits: limits() };
    Tenant::new(settings, Transports::https().unwrap(), ambient)
}
