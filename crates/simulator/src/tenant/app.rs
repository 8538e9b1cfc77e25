//! Applications of a tenant: their credentials, the roles they define, and who was granted which.
//!
//! An application here is registration and service principal in one: the simulator has no
//! applications of other tenants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_lc_rs::digest;
use lanyard_pki::Certificate;
use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

use super::clock::Time;

/// Microsoft Graph's application id.
pub const GRAPH: Uuid = uuid!("00000003-0000-0000-c000-000000000000");

/// The application id of Intune's own interfaces, which carries the role for SCEP.
pub const INTUNE_API: Uuid = uuid!("c161e42e-d4df-4a3d-9b42-e7a3c31f59d4");

/// The application id under which Intune's services are discovered.
pub const INTUNE: Uuid = uuid!("0000000a-0000-0000-c000-000000000000");

/// Roles that every tenant's own services define: value, id and the application that defines it.
pub const BUILT_IN_ROLES: [(&str, Uuid, Uuid); 12] = [
    ("Directory.Read.All", uuid!("7ab1d382-f21e-4acd-a863-ba3e13f7da61"), GRAPH),
    ("Device.Read.All", uuid!("7438b122-aefc-4978-80ed-43db9fcc7715"), GRAPH),
    ("User.Read.All", uuid!("df021288-bdef-4463-88db-98f22de89214"), GRAPH),
    ("Application.Read.All", uuid!("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"), GRAPH),
    (
        "DeviceManagementManagedDevices.Read.All",
        uuid!("2f51be20-0bb4-4fed-bf7b-db946066c75e"),
        GRAPH,
    ),
    (
        "DeviceManagementManagedDevices.ReadWrite.All",
        uuid!("243333ab-4d21-40cb-a475-36241daa0842"),
        GRAPH,
    ),
    (
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
        uuid!("5b07b0dd-2377-4e44-a38d-703f09a0dc3c"),
        GRAPH,
    ),
    (
        "DeviceManagementConfiguration.Read.All",
        uuid!("dc377aa6-52d8-4e23-b271-2a7ae04cedf3"),
        GRAPH,
    ),
    (
        "DeviceManagementConfiguration.ReadWrite.All",
        uuid!("9241abd9-d0e6-425a-bd4f-47ba86e767a4"),
        GRAPH,
    ),
    ("IdentityRiskyUser.Read.All", uuid!("dc5007c0-2d7d-4c42-879c-2dab87571379"), GRAPH),
    ("IdentityRiskyUser.ReadWrite.All", uuid!("656f6061-f9fe-4807-9708-6a2e0934df76"), GRAPH),
    ("scep_challenge_provider", uuid!("39d724e8-6a34-4930-9a36-364082c35716"), INTUNE_API),
];

/// A version of access tokens. It follows the application that the token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TokenVersion {
    /// `sts.windows.net`, `appid`, `upn`.
    #[default]
    #[serde(rename = "v1")]
    V1,
    /// `/v2.0`, `azp`, `preferred_username`.
    #[serde(rename = "v2")]
    V2,
}

/// Whom an app role may be assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberType {
    /// People.
    User,
    /// Other applications.
    Application,
}

/// A role that an application defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRole {
    /// What an assignment names.
    pub id: Uuid,
    /// What tokens carry in `roles`.
    pub value: String,
    /// Whom it may be assigned to.
    pub allowed_member_types: Vec<MemberType>,
}

/// A client secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The secret itself.
    pub value: String,
    /// From when on it is refused.
    pub expires: Option<Time>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secret").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// A certificate whose key signs an application's assertions.
#[derive(Clone)]
pub struct AppCertificate {
    certificate: Certificate,
    sha1: Vec<u8>,
    sha256: Vec<u8>,
}

impl AppCertificate {
    /// Reads a certificate; nothing when it is none.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let of = |algorithm| digest::digest(algorithm, certificate.as_der()).as_ref().to_vec();
        let sha1 = of(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        let sha256 = of(&digest::SHA256);
        Some(Self { certificate, sha1, sha256 })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its SHA-1 thumbprint, as `x5t` carries it.
    pub fn sha1(&self) -> &[u8] {
        &self.sha1
    }

    /// Its SHA-256 thumbprint, as `x5t#S256` carries it.
    pub fn sha256(&self) -> &[u8] {
        &self.sha256
    }
}

impl fmt::Debug for AppCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AppCertificate({})", hex::encode(&self.sha1))
    }
}

/// An application in a tenant.
#[derive(Debug, Clone)]
pub struct App {
    /// The client id, the same in every tenant.
    pub app_id: Uuid,
    /// The object id of its service principal in this tenant, which `oid` of its tokens is.
    pub service_principal: Uuid,
    /// Its name.
    pub display_name: String,
    /// Names of the application as the audience of tokens, besides its client id.
    pub identifier_uris: Vec<String>,
    /// The version of the tokens that are made for it.
    pub token_version: TokenVersion,
    /// Client secrets.
    pub secrets: Vec<Secret>,
    /// Certificates for assertions.
    pub certificates: Vec<AppCertificate>,
    /// Where people may be sent back to after they signed in.
    pub redirect_uris: Vec<String>,
    /// Whether people may sign in without the application proving who it is.
    pub public_client: bool,
    /// Roles that it defines.
    pub roles: Vec<AppRole>,
    /// Delegated permissions that it defines.
    pub scopes: Vec<String>,
    /// Whether Entra refuses tokens for it to those that have no assignment.
    pub assignment_required: bool,
    /// Whether it is a managed identity, which takes tokens without a credential.
    pub managed_identity: bool,
}

impl App {
    /// An application without credentials and roles.
    pub fn new(app_id: Uuid, service_principal: Uuid, display_name: impl Into<String>) -> Self {
        Self {
            app_id,
            service_principal,
            display_name: display_name.into(),
            identifier_uris: Vec::new(),
            token_version: TokenVersion::V1,
            secrets: Vec::new(),
            certificates: Vec::new(),
            redirect_uris: Vec::new(),
            public_client: false,
            roles: Vec::new(),
            scopes: Vec::new(),
            assignment_required: false,
            managed_identity: false,
        }
    }

    /// Whether a token request that names this resource means this application.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let matches = |own: &String| own.trim_end_matches('/').eq_ignore_ascii_case(name);
        name.eq_ignore_ascii_case(&self.app_id.to_string())
            || name.eq_ignore_ascii_case(&format!("api://{}", self.app_id))
            || self.identifier_uris.iter().any(matches)
    }
}

/// That a user or an application has a role of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    /// The client id of the application that defines the role.
    pub resource: Uuid,
    /// The object id of the user or service principal that has it.
    pub principal: Uuid,
    /// The role.
    pub role: Uuid,
}

/// The applications of a tenant.
#[derive(Debug, Default)]
pub struct Apps {
    apps: BTreeMap<Uuid, App>,
    assignments: BTreeSet<Assignment>,
}

impl Apps {
    /// The application with this client id.
    pub fn find(&self, app_id: Uuid) -> Option<&App> {
        self.apps.get(&app_id)
    }

    /// The application with this client id, to be changed.
    pub fn find_mut(&mut self, app_id: Uuid) -> Option<&mut App> {
        self.apps.get_mut(&app_id)
    }

    /// The application that a token request's resource means.
    pub fn called(&self, name: &str) -> Option<&App> {
        self.apps.values().find(|app| app.is_called(name))
    }

    /// All applications, by client id.
    pub fn all(&self) -> impl Iterator<Item = &App> {
        self.apps.values()
    }

    /// Registers an application, in place of one with the same client id.
    pub fn put(&mut self, app: App) {
        self.apps.insert(app.app_id, app);
    }

    /// Takes an application and all its assignments away.
    pub fn remove(&mut self, app_id: Uuid) -> Option<App> {
        let app = self.apps.remove(&app_id)?;
        self.assignments.retain(|assignment| {
            assignment.resource != app_id && assignment.principal != app.service_principal
        });
        Some(app)
    }

    /// The role of an application by its id or its value, in any letter case.
    pub fn role(&self, resource: Uuid, name: &str) -> Option<&AppRole> {
        self.find(resource)?.roles.iter().find(|role| {
            role.value.eq_ignore_ascii_case(name) || role.id.to_string().eq_ignore_ascii_case(name)
        })
    }

    /// Gives a role.
    pub fn assign(&mut self, assignment: Assignment) {
        self.assignments.insert(assignment);
    }

    /// Takes a role away; whether there was one.
    pub fn unassign(&mut self, assignment: Assignment) -> bool {
        self.assignments.remove(&assignment)
    }

    /// Every assignment.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.iter()
    }

    /// The values of the roles of an application that somebody has.
    pub fn roles_of(&self, principal: Uuid, resource: &App) -> Vec<String> {
        let has = |role: &&AppRole| {
            let assignment = Assignment { resource: resource.app_id, principal, role: role.id };
            self.assignments.contains(&assignment)
        };
        resource.roles.iter().filter(has).map(|role| role.value.clone()).collect()
    }
}
