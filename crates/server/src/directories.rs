//! The directories of the configuration: how the authority mirrors each, and who asks it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use aws_lc_rs::digest::{SHA256, digest};
use lanyard_authority::IntuneServices;
use lanyard_authority::mirror::DirectorySettings;
use lanyard_directory::cloud::{Cloud, Endpoints};
use lanyard_directory::entra::{EntraId, UserRisk};
use lanyard_directory::http::{Limits, Service, TransportError};
use lanyard_directory::intune::{self, CertificateServices, devices::Intune};
use lanyard_directory::jamf::{self, JamfPro};
use lanyard_directory::tenant::{Tenant, TenantSettings, Transports};
use lanyard_directory::token::{ClientCertificate, ClientKeyError, Credential, Identity};
use lanyard_directory::{Ambient, Connector, Subscriptions};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::object::ObjectKind;
use lanyard_pki::pem;
use secrecy::SecretString;
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use crate::config::{
    AppService, CloudSetting, Config, DirectorySection, DirectoryType, FollowSetting,
};
use crate::open::World;

/// Why a configured directory cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A file cannot be read.
    #[error("the directory {name}: {}: {cause}", path.display())]
    File {
        /// The directory's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A file does not hold what it should.
    #[error("the directory {name}: {}: {what}", path.display())]
    Content {
        /// The directory's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The settings do not fit together.
    #[error("the directory {name}: {what}")]
    Settings {
        /// The directory's name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// There is no way out of this machine.
    #[error("directories cannot be reached: {0}")]
    Transport(#[from] TransportError),
}

/// The directories that are configured.
#[derive(Debug, Default)]
pub struct Directories {
    /// How each is mirrored.
    pub settings: Vec<DirectorySettings>,
    /// Who asks them.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// Who asks Intune's services for certification authorities.
    pub intune: Vec<Arc<dyn IntuneServices>>,
    /// Whose notifications are taken, and how each is told from others'.
    pub callers: Vec<Caller>,
}

/// A directory that may tell of changes.
#[derive(Debug)]
pub struct Caller {
    /// The directory's name, which is in the address.
    pub name: String,
    /// Which directory.
    pub directory: DirectoryId,
    /// How it tells.
    pub how: HowTold,
}

/// How a directory tells of changes.
#[derive(Debug)]
pub enum HowTold {
    /// By webhooks of Jamf Pro, whose authorization header holds this.
    Webhook(SecretString),
    /// By notifications of Microsoft Graph.
    Graph(GraphCaller),
    /// Not any more: what was subscribed to before ends.
    Never(Arc<dyn Subscriptions>),
}

/// Notifications of Microsoft Graph: who subscribes, where they come, and how they are told from others'.
#[derive(Debug)]
pub struct GraphCaller {
    /// Who subscribes.
    pub subscriptions: Arc<dyn Subscriptions>,
    /// To what.
    pub kind: ObjectKind,
    /// Where notifications come.
    pub url: Url,
    /// What each repeats.
    pub client_state: SecretString,
    /// What a notification has said of the subscription itself.
    pub demands: AtomicU8,
    /// Lets whoever keeps the subscription look at it.
    pub wake: Notify,
}

impl GraphCaller {
    /// The subscription is over.
    pub const REMOVED: u8 = 1;
    /// The subscription has to be authorised anew.
    pub const REAUTHORIZE: u8 = 2;
}

/// Reads credentials and makes a connector for each service. Nothing is asked yet.
/// `ca_configuration` is the name under which Intune keeps this installation's certificates; `secret_of` derives what
/// Graph's notifications repeat, for each directory its own.
pub fn connect(
    config: &Config,
    world: &World,
    ca_configuration: &str,
    secret_of: impl Fn(DirectoryId) -> SecretString,
) -> Result<Directories, DirectoryError> {
    let mut directories = Directories::default();
    if config.directory.is_empty() {
        return Ok(directories);
    }
    let transports = Transports::https()?;
    let (clock, entropy) = (Arc::clone(&world.clock), Arc::clone(&world.entropy));
    let ambient = Ambient::new(move || clock.now(), move |bytes| entropy.fill(bytes));
    for section in &config.directory {
        let id = id(section)?;
        directories.settings.push(mirroring(section, id));
        let connectors = match section.r#type {
            DirectoryType::EntraIntune => {
                let served = config.endpoints.intune_directory(&config.directory);
                let challenges = if served.is_some_and(|served| served.name == section.name) {
                    Challenges::AskedHere
                } else {
                    Challenges::NotOurs
                };
                let intune = intune::Settings {
                    ca_configuration: Some(ca_configuration.to_owned()),
                    ..intune::Settings::default()
                };
                let connected = entra(section, id, (challenges, intune), &transports, &ambient)?;
                directories.intune.extend(connected.intune);
                directories.callers.extend(connected.subscriptions.map(|subscriptions| Caller {
                    name: section.name.clone(),
                    directory: id,
                    how: told(section, subscriptions, secret_of(id)),
                }));
                connected.connectors
            }
            DirectoryType::Jamf => vec![jamf(section, id, &transports, &ambient)?],
        };
        directories.connectors.extend(connectors);
        let webhook =
            secret(section, section.webhook_secret.as_ref(), section.webhook_secret_file.as_ref())?;
        if let Some(webhook) = webhook {
            let how = HowTold::Webhook(webhook);
            directories.callers.push(Caller { name: section.name.clone(), directory: id, how });
        }
    }
    Ok(directories)
}

/// How a tenant tells of changes: where an address is set, by notifications.
pub(crate) fn told(
    section: &DirectorySection,
    subscriptions: Arc<dyn Subscriptions>,
    client_state: SecretString,
) -> HowTold {
    let Some(url) = section.notification_url.clone() else { return HowTold::Never(subscriptions) };
    HowTold::Graph(GraphCaller {
        subscriptions,
        kind: ObjectKind::EntraUser,
        url,
        client_state,
        demands: AtomicU8::new(0),
        wake: Notify::new(),
    })
}

/// The id under which a directory's objects are kept.
pub fn id(section: &DirectorySection) -> Result<DirectoryId, DirectoryError> {
    let given = section.id.as_ref().or(section.tenant_id.as_ref());
    if let Some(text) = given {
        let id = Uuid::try_parse(text);
        return id.map(DirectoryId::from).map_err(|error| unfit(section, error.to_string()));
    }
    // The same instance has the same id on every node, however its address is written.
    let url =
        section.url.as_ref().ok_or_else(|| unfit(section, "it has neither id nor address"))?;
    let host = url.host_str().unwrap_or_default().to_lowercase();
    let path = url.path().trim_end_matches('/');
    let name = format!("jamf:{host}:{}{path}", url.port_or_known_default().unwrap_or_default());
    let hash = digest(&SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    Ok(DirectoryId::from(uuid::Builder::from_custom_bytes(bytes).into_uuid()))
}

fn mirroring(section: &DirectorySection, id: DirectoryId) -> DirectorySettings {
    DirectorySettings {
        change_interval: section.change_interval.into(),
        sweep_interval: section.sweep_interval.into(),
        max_detection_delay: section.max_detection_delay.into(),
        max_staleness: section.max_staleness.into(),
        missing_for: section.missing_for.into(),
        look_up_deadline: section.look_up_deadline.into(),
        look_ups_at_once: section.look_ups_at_once,
        ..DirectorySettings::new(id, &section.name)
    }
}

/// Who asks a tenant, and who subscribes to its notifications.
#[derive(Default)]
struct Connected {
    connectors: Vec<Arc<dyn Connector>>,
    intune: Option<Arc<dyn IntuneServices>>,
    subscriptions: Option<Arc<dyn Subscriptions>>,
}

/// Whether a tenant's devices enroll here with challenges of its Intune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenges {
    AskedHere,
    NotOurs,
}

fn entra(
    section: &DirectorySection,
    directory: DirectoryId,
    (challenges, intune): (Challenges, intune::Settings),
    transports: &Transports,
    ambient: &Ambient,
) -> Result<Connected, DirectoryError> {
    let tenant = section.tenant_id.clone().ok_or_else(|| unfit(section, "it names no tenant"))?;
    let mut endpoints = match &section.url {
        None => Ok(cloud(section.cloud).endpoints()),
        Some(base) => Endpoints::under(base).map_err(|error| unfit(section, error.to_string())),
    }?;
    if let Some(resource) = &section.intune_resource {
        endpoints.intune_resource = resource.to_string();
    }
    let settings = TenantSettings {
        directory,
        tenant,
        endpoints,
        credential: credential(section)?,
        limits: Limits::default(),
    };
    let transports = way(transports, section.url.as_ref());
    let tenant = Tenant::new(settings, transports, ambient.clone());
    let follows = |what| section.follow.contains(&what);
    let mut connected = Connected::default();
    let risk = match (follows(FollowSetting::Entra), follows(FollowSetting::UserRisk)) {
        (true, true) => Some(UserRisk::Followed),
        (true, false) => Some(UserRisk::Ignored),
        (false, true) => Some(UserRisk::Alone),
        (false, false) => None,
    };
    if let Some(risk) = risk {
        let entra = Arc::new(EntraId::new(&tenant, risk));
        if risk != UserRisk::Alone {
            connected.subscriptions = Some(entra.clone());
        }
        connected.connectors.push(entra);
    }
    if follows(FollowSetting::Intune) {
        connected.connectors.push(Arc::new(Intune::new(&tenant)));
    }
    if follows(FollowSetting::Intune) || challenges == Challenges::AskedHere {
        let services = CertificateServices::new(&tenant, intune);
        let services = Arc::new(services);
        connected.intune = Some(services.clone());
        connected.connectors.push(services);
    }
    Ok(connected)
}

fn credential(section: &DirectorySection) -> Result<Credential, DirectoryError> {
    let client_id = section.client_id.clone();
    let secret = secret(section, section.secret.as_ref(), section.secret_file.as_ref())?;
    if let (Some(client_id), Some(secret)) = (&client_id, secret) {
        return Ok(Credential::Secret { client_id: client_id.clone(), secret });
    }
    if let (Some(client_id), Some(certificate), Some(key)) =
        (&client_id, &section.certificate_file, &section.key_file)
    {
        let der = pem_block(section, certificate, pem::CERTIFICATE)?;
        let pkcs8 = pem_block(section, key, pem::PRIVATE_KEY)?;
        let certificate =
            ClientCertificate::new(&der, &pkcs8).map_err(|error: ClientKeyError| {
                DirectoryError::Content {
                    name: section.name.clone(),
                    path: key.clone(),
                    what: error.to_string(),
                }
            })?;
        return Ok(Credential::Certificate { client_id: client_id.clone(), certificate });
    }
    let object = section.identity_object_id.clone().map(Identity::Object);
    let resource = section.identity_resource_id.clone().map(Identity::Resource);
    let named = object.or(resource).or(client_id.map(Identity::Client));
    let identity = named.unwrap_or(Identity::System);
    Ok(match &section.app_service {
        None => Credential::ManagedIdentity(identity),
        Some(AppService { endpoint, header }) => {
            let (endpoint, header) = (endpoint.clone(), header.clone());
            Credential::AppService { endpoint, header, identity }
        }
    })
}

fn jamf(
    section: &DirectorySection,
    directory: DirectoryId,
    transports: &Transports,
    ambient: &Ambient,
) -> Result<Arc<dyn Connector>, DirectoryError> {
    let url: Url = section.url.clone().ok_or_else(|| unfit(section, "it has no address"))?;
    let secret = secret(section, section.secret.as_ref(), section.secret_file.as_ref())?
        .ok_or_else(|| unfit(section, "it has no secret"))?;
    let credential = match (&section.client_id, &section.username) {
        (Some(id), _) => jamf::Credential::Client { id: id.clone(), secret },
        (None, Some(username)) => {
            jamf::Credential::Account { username: username.clone(), password: secret }
        }
        (None, None) => return Err(unfit(section, "it has neither client nor account")),
    };
    let page_size = jamf::Settings::PAGE_SIZE;
    let outside = way(transports, Some(&url)).outside;
    let settings = jamf::Settings { directory, url, credential, page_size };
    let service =
        Service::new(JamfPro::NAME, jamf::limits(), outside, ambient.clone()).of(directory);
    Ok(Arc::new(JamfPro::new(Arc::new(service), &settings)))
}

/// What listens on this machine (a simulated tenant) is asked past any proxy.
fn way(transports: &Transports, url: Option<&Url>) -> Transports {
    let is_here = url.and_then(Url::host).is_some_and(|host| match host {
        url::Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    });
    if is_here { Transports::one(transports.machine.clone()) } else { transports.clone() }
}

fn cloud(setting: CloudSetting) -> Cloud {
    match setting {
        CloudSetting::Global => Cloud::Global,
        CloudSetting::GccHigh => Cloud::GccHigh,
        CloudSetting::Dod => Cloud::Dod,
        CloudSetting::China => Cloud::China,
    }
}

/// A secret of the environment or of a systemd credential, else of its file; none where there is neither.
fn secret(
    section: &DirectorySection,
    given: Option<&SecretString>,
    file: Option<&PathBuf>,
) -> Result<Option<SecretString>, DirectoryError> {
    if let Some(secret) = given {
        return Ok(Some(secret.clone()));
    }
    let Some(file) = file else { return Ok(None) };
    let text = zeroize::Zeroizing::new(read(section, file)?);
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        let (name, path) = (section.name.clone(), file.to_owned());
        return Err(DirectoryError::Content { name, path, what: "is empty".to_owned() });
    }
    Ok(Some(SecretString::from(text)))
}

fn pem_block(
    section: &DirectorySection,
    file: &Path,
    label: &str,
) -> Result<Vec<u8>, DirectoryError> {
    let text = zeroize::Zeroizing::new(read(section, file)?);
    pem::decode(label, &text).map_err(|error| DirectoryError::Content {
        name: section.name.clone(),
        path: file.to_owned(),
        what: error.to_string(),
    })
}

fn read(section: &DirectorySection, file: &Path) -> Result<String, DirectoryError> {
    std::fs::read_to_string(file).map_err(|cause| DirectoryError::File {
        name: section.name.clone(),
        path: file.to_owned(),
        cause,
    })
}

fn unfit(section: &DirectorySection, what: impl Into<String>) -> DirectoryError {
    DirectoryError::Settings { name: section.name.clone(), what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> DirectoryId {
        let url = Some(Url::parse(url).unwrap());
        id(&DirectorySection { r#type: DirectoryType::Jamf, url, ..DirectorySection::default() })
            .unwrap()
    }

    #[test]
    fn an_instance_of_jamf_pro_has_one_id_however_its_address_is_written() {
        let plain = at("https://example.jamfcloud.com");
        assert_eq!(plain, at("https://Example.jamfcloud.com:443/"));
        assert_ne!(plain, at("https://example.jamfcloud.com:8443/"));
        assert_ne!(plain, at("https://other.jamfcloud.com/"));
        assert_eq!(plain.to_string(), at("https://example.jamfcloud.com/").to_string());
    }

    #[test]
    fn a_managed_identity_is_the_machines_or_the_app_services_and_is_named_in_three_ways() {
        let named = |section: DirectorySection| match credential(&section).unwrap() {
            Credential::ManagedIdentity(identity) => format!("machine {identity:?}"),
            Credential::AppService { endpoint, identity, .. } => format!("{endpoint} {identity:?}"),
            other => panic!("{other:?}"),
        };
        let own = DirectorySection::default;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(named(own()), "machine System");
        let by_client = DirectorySection { client_id: text("c"), ..own() };
        assert_eq!(named(by_client), "machine Client(\"c\")");
        let by_object = DirectorySection { identity_object_id: text("o"), ..own() };
        assert_eq!(named(by_object), "machine Object(\"o\")");
        let by_resource = DirectorySection { identity_resource_id: text("/s"), ..own() };
        assert_eq!(named(by_resource), "machine Resource(\"/s\")");
        let endpoint = "http://127.0.0.1:41/msi/token".parse().unwrap();
        let app_service = Some(AppService { endpoint, header: "header".into() });
        let in_app_service = DirectorySection { app_service, client_id: text("c"), ..own() };
        assert_eq!(named(in_app_service), "http://127.0.0.1:41/msi/token Client(\"c\")");
    }

    #[test]
    fn a_tenant_has_its_own_id_unless_another_is_set() {
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let tenant_id = Some(guid.to_owned());
        let section = DirectorySection { tenant_id, ..DirectorySection::default() };
        assert_eq!(id(&section).unwrap().to_string(), guid);
        let other = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
        let section = DirectorySection { id: Some(other.to_owned()), ..section };
        assert_eq!(id(&section).unwrap().to_string(), other);
    }
}
