//! The permissions that connectors need, by the names and ids under which administrators grant
//! them.

/// An application permission (role) of one of Microsoft's interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// Its name, as the token's `roles` claim has it.
    pub name: &'static str,
    /// Names of others that include it.
    pub included_in: &'static [&'static str],
    /// What people call the interface that it belongs to.
    pub interface: &'static str,
    /// That interface's application id.
    pub application: &'static str,
    /// The role's id there.
    pub role: &'static str,
}

const GRAPH: &str = "Microsoft Graph";
const GRAPH_APPLICATION: &str = "00000003-0000-0000-c000-000000000000";

impl Permission {
    /// Users and devices of Entra ID.
    pub const DIRECTORY: Self = Self {
        name: "Directory.Read.All",
        included_in: &["Directory.ReadWrite.All"],
        interface: GRAPH,
        application: GRAPH_APPLICATION,
        role: "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    };
    /// Managed devices of Intune.
    pub const MANAGED_DEVICES: Self = Self {
        name: "DeviceManagementManagedDevices.Read.All",
        included_in: &["DeviceManagementManagedDevices.ReadWrite.All"],
        interface: GRAPH,
        application: GRAPH_APPLICATION,
        role: "2f51be20-0bb4-4fed-bf7b-db946066c75e",
    };
    /// The certificates that Intune believes issued.
    pub const DEVICE_CONFIGURATION: Self = Self {
        name: "DeviceManagementConfiguration.Read.All",
        included_in: &["DeviceManagementConfiguration.ReadWrite.All"],
        interface: GRAPH,
        application: GRAPH_APPLICATION,
        role: "dc377aa6-52d8-4e23-b271-2a7ae04cedf3",
    };
    /// Risky users of Entra ID Protection.
    pub const RISKY_USERS: Self = Self {
        name: "IdentityRiskyUser.Read.All",
        included_in: &["IdentityRiskyUser.ReadWrite.All"],
        interface: GRAPH,
        application: GRAPH_APPLICATION,
        role: "dc5007c0-2d7d-4c42-879c-2dab87571379",
    };
    /// Where Intune's certificate services are.
    pub const APPLICATIONS: Self = Self {
        name: "Application.Read.All",
        included_in: &[
            "Application.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        interface: GRAPH,
        application: GRAPH_APPLICATION,
        role: "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    };
    /// Intune's validation of SCEP requests, and its revocation requests.
    pub const SCEP_CHALLENGE: Self = Self {
        name: "scep_challenge_provider",
        included_in: &[],
        interface: "Intune API",
        application: "c161e42e-d4df-4a3d-9b42-e7a3c31f59d4",
        role: "39d724e8-6a34-4930-9a36-364082c35716",
    };

    /// Whether a token with these roles has it.
    pub fn is_among(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| {
            role.eq_ignore_ascii_case(self.name)
                || self.included_in.iter().any(|other| role.eq_ignore_ascii_case(other))
        })
    }

    /// How to grant it, in a sentence.
    pub fn remedy(&self) -> String {
        let Self { name, interface, application, role, .. } = self;
        format!(
            "grant the application permission {name} (role {role}) of {interface} \
             (application {application}) and give admin consent; a managed identity keeps its old \
             roles for some hours"
        )
    }
}
