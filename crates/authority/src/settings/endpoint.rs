//! A configured place to enroll: who owns what is enrolled there, which directory its certificates follow, and what they
//! look like.
//!
//! Who may enroll is the policy's to say, which object a request is about and whether that one is good is decided in the
//! lifecycle room.

use std::fmt;
use std::time::Duration;

use lanyard_lifecycle::binding::{BindingRule, DeviceDirectory};
use lanyard_lifecycle::id::{DirectoryId, EndpointId, Scope};
use lanyard_lifecycle::kind::{Kind, Source};
use lanyard_lifecycle::policy::EndpointPolicy;
use lanyard_pki::profile::Profile;
use secrecy::SecretString;

use super::DAY;

/// A configured place to enroll.
#[derive(Clone)]
pub struct Endpoint {
    /// Its id, stable over restarts: transactions and certificates are recorded with it.
    pub id: EndpointId,
    /// Its name, for people.
    pub name: String,
    /// Who owns what is enrolled here.
    pub scope: Scope,
    /// What its certificates follow.
    pub follows: Follows,
    /// What its certificates say beyond what was asked for.
    pub additions: Additions,
    /// The channel that its certificates are recorded with.
    pub source: Source,
    /// What its certificates look like.
    pub profile: Profile,
    /// How much of its certificates is recorded.
    pub keep: Keeping,
    /// Who may enroll and what they get. Where Intune validates challenges, the policy is asked neither for a challenge of
    /// its own nor for a person's approval: Intune gives up on a request that has to wait.
    pub policy: EndpointPolicy,
    /// The challenge that every client knows, where the policy asks for one.
    pub challenge: Option<SecretString>,
}

/// What the certificates of an endpoint follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follows {
    /// Nothing: certificates of this kind are revoked by people alone.
    Nothing(Kind),
    /// Devices and users of a tenant whose Intune validates every challenge.
    Intune(IntuneFollows),
    /// Devices and users of a tenant of Entra ID, enrolled with a challenge of the endpoint's own.
    Entra(DirectoryId),
    /// Computers, mobile devices and their users of a Jamf Pro, enrolled with a challenge of the endpoint's own.
    Jamf(DirectoryId),
}

impl Follows {
    /// The directory that its objects are looked up in.
    pub const fn directory(&self) -> Option<DirectoryId> {
        match self {
            Self::Nothing(_) => None,
            Self::Intune(intune) => Some(intune.directory),
            Self::Entra(directory) | Self::Jamf(directory) => Some(*directory),
        }
    }

    /// Whether Intune validates its challenges.
    pub const fn is_intune(&self) -> bool {
        matches!(self, Self::Intune(_))
    }

    /// How its requests name what they are about.
    pub const fn rule(&self) -> BindingRule {
        match self {
            Self::Nothing(kind) => BindingRule::Untethered(*kind),
            Self::Intune(intune) => BindingRule::Intune(intune.devices),
            Self::Entra(_) => BindingRule::Entra,
            Self::Jamf(_) => BindingRule::Jamf,
        }
    }
}

/// An endpoint whose challenges Intune validates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntuneFollows {
    /// The tenant. Its Intune alone is asked, and objects are looked up in it alone, so that a challenge of another tenant
    /// speaks for nobody.
    pub directory: DirectoryId,
    /// Where devices are looked up.
    pub devices: DeviceDirectory,
    /// When Intune is told that a certificate was issued.
    pub notice: NoticeOrder,
    /// What a device gets that does not comply yet, while compliance is checked; none gets nothing.
    pub bootstrap: Option<Bootstrap>,
}

impl IntuneFollows {
    /// Defaults, for a tenant.
    pub const fn new(directory: DirectoryId) -> Self {
        Self {
            directory,
            devices: DeviceDirectory::EntraAndIntuneOpportunistic,
            notice: NoticeOrder::BeforeAnswer,
            bootstrap: None,
        }
    }
}

/// When Intune is told that a certificate was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoticeOrder {
    /// Before the client gets it, and Intune has to agree: its documented order.
    #[default]
    BeforeAnswer,
    /// Afterwards, as soon as Intune takes it.
    AfterAnswer,
}

/// How often every tenant's Intune is asked what it wants revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntuneSettings {
    /// How often requests to revoke are taken. The default is 5 minutes. Before a device or user that has certificates
    /// gets another one they are taken as well.
    pub queue_interval: Duration,
    /// How often the list of certificates is read, where an endpoint goes by it. The default is an hour.
    pub list_interval: Duration,
}

impl Default for IntuneSettings {
    fn default() -> Self {
        Self { queue_interval: Duration::from_mins(5), list_interval: Duration::from_hours(1) }
    }
}

/// The short-lived certificate of a device that does not comply yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// How long it is valid.
    pub validity: Duration,
    /// Up to how long after its enrollment in Intune a device gets one.
    pub within: Duration,
}

impl Default for Bootstrap {
    /// Three hours, on the day of enrollment.
    fn default() -> Self {
        Self { validity: Duration::from_hours(3), within: Duration::from_secs(DAY.unsigned_abs()) }
    }
}

/// What is added to certificates from the directory that they follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Additions {
    /// Ids in Entra ID.
    pub ids: DirectoryIds,
    /// The security identifier in Active Directory.
    pub sid: DirectorySid,
}

/// Whether certificates that follow a tenant name it (1.2.840.113556.5.14), and of devices the device id in Entra ID
/// (1.2.840.113556.1.5.284.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DirectoryIds {
    /// They do.
    #[default]
    Added,
    /// They do not.
    LeftOut,
}

/// Whether certificates of synchronised users and devices carry their security identifier (1.3.6.1.4.1.311.25.2) as the
/// directory has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DirectorySid {
    /// They do not.
    #[default]
    LeftOut,
    /// They do.
    Added,
}

/// How much of a certificate is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keeping {
    /// All that is known.
    #[default]
    Everything,
    /// What revocation needs: serial number, kind, dates, endpoint. No names; the certificate itself for a day.
    RevocationOnly,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("follows", &self.follows)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
