//! Enrollment for objects of directories: a scripted tenant, its scripted Intune, and what becomes of requests.

mod bound;
mod intune;
mod listed;
mod notices;
mod queue;

use lanyard_directory::intune::validation::Code;
use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::binding::DeviceDirectory;
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::object::{
    ComplianceState, EntraDevice, EntraUser, IntuneDevice, ManagementState, ObjectKind, Properties,
};
use lanyard_lifecycle::refusal::Unbound;
use lanyard_store::StatusRecord;

use super::*;
use crate::intune::testing::{Said, ScriptedIntune, Trouble};
use crate::mirror::DirectorySettings;
use crate::mirror::testing::{Scripted, TENANT};
use crate::settings::{Bootstrap, DirectorySid, IntuneFollows, NoticeOrder};

const INTUNE: EndpointId = EndpointId::from_bytes([8; 16]);
const ENTRA: EndpointId = EndpointId::from_bytes([9; 16]);

/// A managed device, and the id that it has in Entra ID.
const LAPTOP: &str = "00000000-0000-0000-0000-0000000000a1";
const LAPTOP_ID: u128 = 0xa1;
const LAPTOP_IN_ENTRA: u128 = 0xe1;
/// A device that Entra ID alone has.
const PHONE: &str = "00000000-0000-0000-0000-0000000000b2";
const PHONE_ID: u128 = 0xb2;
const ADA: &str = "ada@example.com";
const ADA_ID: u128 = 0xada;

/// An installation, the directory that its certificates follow, and that one's Intune.
struct Tenancy {
    installation: Installation,
    directory: Arc<Scripted>,
    intune: Arc<ScriptedIntune>,
}

impl Tenancy {
    fn new() -> Self {
        let installation = Installation::new();
        let directory = Scripted::with_jamf(installation.clock.clone());
        let mut world = directory.world();
        world.put(LAPTOP_ID, laptop());
        world.put(LAPTOP_IN_ENTRA, in_entra(Some("S-1-5-21-1-2-3-1101")));
        world.put(PHONE_ID, in_entra(None));
        world.put(ADA_ID, ada());
        drop(world);
        Self { installation, directory, intune: ScriptedIntune::new(TENANT) }
    }

    async fn ports(&self) -> Ports {
        let mut ports = self.installation.ports().await;
        ports.directories.push(self.directory.clone());
        ports.intune.push(self.intune.clone());
        ports
    }

    async fn open(&self) -> Authority {
        self.open_with(|_| {}).await
    }

    async fn open_with(&self, change: impl FnOnce(&mut Settings)) -> Authority {
        let mut settings = tethering();
        change(&mut settings);
        open_disturbed(settings, self.ports().await, Arc::new(Undisturbed)).await.unwrap()
    }

    /// Runs `work` until it reaches the kill, then drops everything that lives in memory.
    async fn killed_at(&self, step: Step, work: impl AsyncFnOnce(Authority)) {
        let ports = self.ports().await;
        let kill = Arc::new(Kill { step, reached: Notify::new() });
        let run = async {
            let opened = open_disturbed(tethering(), ports.clone(), kill.clone()).await;
            work(opened.unwrap()).await;
        };
        tokio::select! {
            biased;
            () = kill.reached.notified() => {}
            () = run => panic!("{step:?} was never reached"),
        }
        ports.store.close().await;
    }

    fn later(&self, seconds: i64) {
        self.installation.clock.advance(seconds);
    }
}

/// Settings with an endpoint for Intune and one for Entra ID.
fn tethering() -> Settings {
    let mut settings = settings();
    settings.directories.push(DirectorySettings::new(TENANT, "Example"));
    let plain = settings.endpoints[0].clone();
    settings.endpoints.push(Endpoint {
        id: INTUNE,
        name: "intune".into(),
        source: Source::Intune,
        follows: Follows::Intune(IntuneFollows::new(TENANT)),
        challenge: None,
        policy: EndpointPolicy {
            renewal: renewing(&[Kind::IntuneDevice, Kind::IntuneBootstrap, Kind::EntraDevice]),
            ..EndpointPolicy::default()
        },
        ..plain.clone()
    });
    settings.endpoints.push(Endpoint {
        id: ENTRA,
        name: "aad".into(),
        source: Source::StaticAAD,
        follows: Follows::Entra(TENANT),
        policy: EndpointPolicy {
            renewal: renewing(&[Kind::EntraUser]),
            ..EndpointPolicy::default()
        },
        ..plain
    });
    settings
}

fn renewing(kinds: &[Kind]) -> RenewalRules {
    RenewalRules::On {
        kinds: kinds.to_vec(),
        key: KeyReuse::Allowed,
        from: RenewalFrom::ThisEndpoint,
    }
}

/// What the Intune endpoint does otherwise.
fn follows(settings: &mut Settings) -> &mut IntuneFollows {
    match &mut settings.endpoints[1].follows {
        Follows::Intune(intune) => intune,
        other => panic!("{other:?}"),
    }
}

fn laptop() -> Properties {
    managed(ManagementState::Managed, ComplianceState::Compliant)
}

fn managed(state: ManagementState, compliance: ComplianceState) -> Properties {
    Properties::IntuneDevice(IntuneDevice {
        management_state: Some(state),
        compliance_state: Some(compliance),
        enrolled: Some(START.plus(-3_600)),
        azure_ad_device_id: Some(uuid::Uuid::from_u128(LAPTOP_IN_ENTRA)),
        ..IntuneDevice::default()
    })
}

fn in_entra(sid: Option<&str>) -> Properties {
    Properties::EntraDevice(EntraDevice {
        account_enabled: Some(true),
        on_premises_security_identifier: sid.map(str::to_owned),
        ..EntraDevice::default()
    })
}

fn ada() -> Properties {
    Properties::EntraUser(EntraUser {
        user_principal_name: Some(ADA.to_owned()),
        account_enabled: Some(true),
        on_premises_security_identifier: Some("S-1-5-21-1-2-3-1001".to_owned()),
        ..EntraUser::default()
    })
}

/// A request with these names.
async fn request_of(
    device: &Device,
    endpoint: EndpointId,
    transaction: &str,
    subject: &str,
    names: Vec<GeneralName>,
) -> Request {
    let mut extensions = Extensions::none();
    if !names.is_empty() {
        extensions.push(SubjectAltName(names).extension(Criticality::NonCritical));
    }
    request_with(device, endpoint, transaction, subject, extensions).await
}

async fn request_with(
    device: &Device,
    endpoint: EndpointId,
    transaction: &str,
    subject: &str,
    extensions: Extensions,
) -> Request {
    let builder = RequestBuilder {
        challenge: Some(ChallengePassword::new(SECRET)),
        extensions,
        ..RequestBuilder::new(name(subject), Signer::public_key(&device.key).clone())
    };
    signed(device, endpoint, transaction, &builder).await
}

async fn signed(
    device: &Device,
    endpoint: EndpointId,
    transaction: &str,
    builder: &RequestBuilder,
) -> Request {
    let algorithm = device.key.algorithms()[0];
    let unsigned = builder.build(algorithm);
    let signature = device.key.sign(algorithm, unsigned.tbs()).await.unwrap();
    let csr = CertificationRequest::from_der(&unsigned.assemble(&signature)).unwrap();
    Request { endpoint, ..device.request_with(transaction, csr) }
}

/// The laptop's request at the Intune endpoint.
async fn laptops(device: &Device, transaction: &str) -> Request {
    let uri = GeneralName::Uri(format!("IntuneDeviceId://{LAPTOP}"));
    request_of(device, INTUNE, transaction, "CN=laptop", vec![uri]).await
}

/// Enrolls the laptop through Intune.
async fn enrolled(authority: &Authority, device: &Device, transaction: &str) -> Issued {
    issued(authority.issue(laptops(device, transaction).await).await)
}

async fn record(authority: &Authority, issued: &Issued) -> StatusRecord {
    authority.store().certificate_status(issued.serial.clone()).await.unwrap().unwrap()
}

/// How many certificates were issued at the endpoints of directories.
async fn tethered(authority: &Authority) -> usize {
    let mut count = 0;
    for endpoint in [INTUNE, ENTRA] {
        let filter = Filter { endpoint: Some(endpoint), ..Filter::all(Within::Everywhere) };
        let found = authority.store().search_certificates(filter, None, 100).await.unwrap();
        count += found.items.len();
    }
    count
}
