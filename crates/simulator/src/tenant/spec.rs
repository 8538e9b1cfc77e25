//! What a tenant is asked to be before it is made.

use uuid::Uuid;

use super::app::{App, AppCertificate, AppRole, Assignment, GRAPH, INTUNE, INTUNE_API};
use super::app::{Apps, BUILT_IN_ROLES, MemberType, Secret, TokenVersion};
use super::blueprint::Blueprint;
use super::seed::{Seed, Space};

/// An application that a tenant starts with.
#[derive(Debug, Clone, Default)]
pub struct AppSpec {
    /// Its client id; one is made up where none is given.
    pub client_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// A client secret.
    pub secret: Option<String>,
    /// Certificates for assertions, as DER.
    pub certificates: Vec<Vec<u8>>,
    /// Values of the roles of Graph and Intune that it is granted.
    pub roles: Vec<String>,
    /// Whether it is a managed identity.
    pub managed_identity: bool,
}

/// A tenant to be made.
#[derive(Debug, Clone)]
pub struct TenantSpec {
    /// Its id; one is made up where none is given.
    pub id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// The domain of its people's names.
    pub domain: String,
    /// How many people it has.
    pub users: u64,
    /// How many devices Entra ID and Intune have.
    pub devices: u64,
    /// How many computers its Jamf Pro has.
    pub jamf_computers: u64,
    /// How many mobile devices its Jamf Pro has.
    pub jamf_mobile_devices: u64,
    /// The applications that it starts with, besides Microsoft's own.
    pub apps: Vec<AppSpec>,
}

/// The secret of the application that every tenant of [`TenantSpec::named`] has: it protects
/// nothing but made-up data on loopback.
pub const REHEARSAL_SECRET: &str = "rehearsal-secret";

impl TenantSpec {
    /// A tenant of so many devices and half as many people, with one application that has a secret
    /// and every role that a connector needs, and a managed identity with the same roles.
    pub fn named(name: &str, devices: u64) -> Self {
        let roles = [
            "Directory.Read.All",
            "Application.Read.All",
            "DeviceManagementManagedDevices.Read.All",
            "DeviceManagementConfiguration.Read.All",
            "IdentityRiskyUser.Read.All",
            "scep_challenge_provider",
        ];
        let roles: Vec<String> = roles.into_iter().map(str::to_owned).collect();
        let connector = AppSpec {
            name: "Lanyard".to_owned(),
            secret: Some(REHEARSAL_SECRET.to_owned()),
            roles: roles.clone(),
            ..AppSpec::default()
        };
        let identity = AppSpec {
            name: "Lanyard's machine".to_owned(),
            roles,
            managed_identity: true,
            ..AppSpec::default()
        };
        Self {
            id: None,
            name: name.to_owned(),
            domain: format!("{}.example", name.to_lowercase().replace(' ', "-")),
            users: devices.div_ceil(2),
            devices,
            jamf_computers: devices.div_ceil(4),
            jamf_mobile_devices: devices.div_ceil(4),
            apps: vec![connector, identity],
        }
    }

    /// The applications of the tenant and their roles.
    pub(super) fn apps(&self, seed: Seed) -> Apps {
        let mut apps = Apps::default();
        for (n, app) in microsoft(seed).into_iter().enumerate() {
            let n = 1_000 + n as u64;
            apps.put(App { service_principal: seed.guid(Space::ServicePrincipal, n), ..app });
        }
        for (n, spec) in self.apps.iter().enumerate() {
            let n = n as u64;
            let client_id = spec.client_id.unwrap_or_else(|| seed.guid(Space::App, n));
            let service_principal = seed.guid(Space::ServicePrincipal, n);
            let mut app = App::new(client_id, service_principal, spec.name.clone());
            app.identifier_uris = vec![format!("api://{client_id}")];
            app.secrets.extend(spec.secret.clone().map(|value| Secret { value, expires: None }));
            app.certificates
                .extend(spec.certificates.iter().filter_map(|der| AppCertificate::from_der(der)));
            app.managed_identity = spec.managed_identity;
            apps.put(app);
            for wanted in &spec.roles {
                let known = BUILT_IN_ROLES.iter().find(|(value, ..)| value == wanted);
                if let Some((_, role, resource)) = known {
                    let (principal, role, resource) = (service_principal, *role, *resource);
                    apps.assign(Assignment { resource, principal, role });
                }
            }
        }
        apps
    }

    /// What the tenant's objects are generated from.
    pub(super) fn blueprint(&self, seed: Seed, made: super::clock::Time) -> Blueprint {
        Blueprint {
            seed,
            domain: self.domain.to_lowercase().into(),
            users: self.users,
            devices: self.devices,
            jamf_computers: self.jamf_computers,
            jamf_mobile_devices: self.jamf_mobile_devices,
            made,
        }
    }
}

fn microsoft(seed: Seed) -> Vec<App> {
    let roles_of = |resource: Uuid| {
        let own = BUILT_IN_ROLES.iter().filter(move |(_, _, of)| *of == resource);
        let role = |(value, id, _): &(&str, Uuid, Uuid)| AppRole {
            id: *id,
            value: (*value).to_owned(),
            allowed_member_types: vec![MemberType::Application],
        };
        own.map(role).collect::<Vec<_>>()
    };
    let app = |id: Uuid, name: &str, uris: &[&str]| App {
        identifier_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
        token_version: TokenVersion::V1,
        roles: roles_of(id),
        ..App::new(id, seed.guid(Space::ServicePrincipal, u64::MAX >> 20), name)
    };
    let mut graph = app(GRAPH, "Microsoft Graph", &["https://graph.microsoft.com"]);
    graph.scopes = vec!["User.Read".to_owned()];
    vec![
        graph,
        app(INTUNE_API, "Microsoft Intune API", &["https://api.manage.microsoft.com"]),
        app(INTUNE, "Microsoft Intune", &["https://manage.microsoft.com"]),
    ]
}
