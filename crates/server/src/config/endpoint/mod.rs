//! `[endpoints.…]`: the places to enroll, a section each.
//!
//! What every section has is written once, by [`section`]'s macro; what its certificates may be used for is `usage`'s, what is wrong
//! with sections together `faults`'s.

mod challenge;
mod faults;
mod intune;
mod section;
mod usage;

use garde::Validate;
use lanyard_lifecycle::kind::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use challenge::{DcSection, JamfSection, StaticAadSection, StaticSection};
pub use intune::{BootstrapSetting, DeviceDirectorySetting, IntuneSection, NotificationSetting};
pub use section::Issuing;
pub use usage::{KeyUsageSetting, UsageSetting};

/// The places to enroll. One that is not configured answers 404 and does nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct EndpointsSection {
    /// `/static`: enrollment by SCEP for anyone who knows the challenge. On when a challenge is set.
    #[garde(dive)]
    pub r#static: StaticSection,
    /// `/certsrv/mscep/mscep.dll`: enrollment by SCEP for devices and users of Intune, whose challenges Intune itself checks.
    #[garde(dive)]
    pub intune: IntuneSection,
    /// `/static/aad`: enrollment by SCEP for whoever knows the challenge and names a user or device of Entra ID, which the
    /// certificate then follows. On when a challenge is set.
    #[garde(dive)]
    pub static_aad: StaticAadSection,
    /// `/jamf`: enrollment by SCEP for Jamf Pro, as a proxy or by its devices. Certificates follow the computer, device or user
    /// that they name. On when a challenge is set.
    #[garde(dive)]
    pub jamf: JamfSection,
    /// `/dc`: enrollment by SCEP for domain controllers, with the usages of a Kerberos key distribution centre. On when a
    /// challenge is set.
    #[garde(dive)]
    pub dc: DcSection,
}

/// Whether an endpoint is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum AvailabilitySetting {
    /// It takes requests.
    Open,
    /// It answers 404 and does nothing.
    Closed,
}

/// Who decides on a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Approval {
    /// The rules alone: the certificate is issued at once.
    #[default]
    Automatic,
    /// A person: requests wait for `lanyard request approve` or `decline`.
    Manual,
}

/// Whether certificates may be renewed with their own key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RenewalSetting {
    /// The certificate's own key is enough while the certificate is good.
    #[default]
    Allowed,
    /// Every certificate needs the challenge.
    Refused,
}

/// Whether requests decide what their certificates are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RequestedUsagesSetting {
    /// Certificates get the endpoint's usages, whatever is asked for.
    #[default]
    Ignored,
    /// A request gets what it asks for, as far as it may be granted; what asks for nothing gets the endpoint's usages.
    /// Where only a challenge is asked for, whoever knows it can then have a certificate for a server under any name.
    Granted,
}

/// What becomes of a security identifier that a request asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RequestedSidSetting {
    /// It is left out.
    #[default]
    LeftOut,
    /// It gets into the certificate. Whoever may choose it can pass for any account of an Active Directory that trusts
    /// this authority.
    Carried,
}

/// Whether certificates get the security identifier that the directory has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DirectorySidSetting {
    /// They do not.
    #[default]
    LeftOut,
    /// They do, where the directory has one: strong mapping for a synchronized Active Directory.
    Added,
}

/// Whether certificates name their tenant, and those of devices the device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DirectoryIdsSetting {
    /// They do, in the extensions that Microsoft has for it.
    #[default]
    Added,
    /// They do not.
    LeftOut,
}

/// How much of an endpoint's certificates is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum KeepSetting {
    /// All that is known.
    #[default]
    Everything,
    /// What revocation needs: serial number, kind, dates, endpoint. No names; the certificate itself for a day.
    RevocationOnly,
}

/// A kind of certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum KindSetting {
    /// Tethered to nothing.
    Static,
    /// A domain controller.
    DomainController,
    /// A user in Entra ID.
    EntraUser,
    /// A device in Entra ID.
    EntraDevice,
    /// A device in Intune.
    IntuneDevice,
    /// A device in Intune that is not yet compliant.
    IntuneBootstrap,
    /// A computer in Jamf Pro.
    JamfComputer,
    /// A mobile device in Jamf Pro.
    JamfDevice,
    /// A user of a computer in Jamf Pro.
    JamfUserOnComputer,
    /// A user of a mobile device in Jamf Pro.
    JamfUserOnDevice,
}

impl From<KindSetting> for Kind {
    fn from(kind: KindSetting) -> Self {
        match kind {
            KindSetting::Static => Self::Static,
            KindSetting::DomainController => Self::DomainController,
            KindSetting::EntraUser => Self::EntraUser,
            KindSetting::EntraDevice => Self::EntraDevice,
            KindSetting::IntuneDevice => Self::IntuneDevice,
            KindSetting::IntuneBootstrap => Self::IntuneBootstrap,
            KindSetting::JamfComputer => Self::JamfComputer,
            KindSetting::JamfDevice => Self::JamfDevice,
            KindSetting::JamfUserOnComputer => Self::JamfUserOnComputer,
            KindSetting::JamfUserOnDevice => Self::JamfUserOnDevice,
        }
    }
}
