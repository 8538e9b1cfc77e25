//! What an operator may set: one struct a section, with its default, its unit and its meaning in the type.
//!
//! The annotated example, the JSON schema and the reference page are made from these types ([`document`]). How values are
//! found and merged is [`load`]; what they lead to is decided where they are used.

#![expect(clippy::trivially_copy_pass_by_ref, reason = "garde hands references to its checks")]

pub mod document;
pub mod load;
pub mod origin;
pub mod unit;

mod authority;
mod crl;
mod directory;
mod endpoint;
mod keys;
mod limits;
mod listen;
mod log;
mod observe;
mod ocsp;
mod publication;
mod scep;
mod secret;
mod storage;
mod tether;
mod tls;

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use authority::{AuthoritySection, CertifiedBySetting, KeySetting};
pub use crl::{CrlAccess, CrlSection};
pub use directory::{AppService, CloudSetting, DirectorySection, DirectoryType, FollowSetting};
pub use endpoint::{
    Approval, AvailabilitySetting, BootstrapSetting, DcSection, DeviceDirectorySetting,
    DirectoryIdsSetting, DirectorySidSetting, EndpointsSection, IntuneSection, Issuing,
    JamfSection, KeepSetting, KeyUsageSetting, KindSetting, NotificationSetting, RenewalSetting,
    RequestedSidSetting, RequestedUsagesSetting, StaticAadSection, StaticSection, UsageSetting,
};
pub use keys::KeysSection;
pub use limits::LimitsSection;
pub use listen::ListenSection;
pub use load::{Fault, Faults, Loaded, Sources};
pub use log::{LogFormat, LogSection};
pub use observe::{Audience, ObserveSection};
pub use ocsp::{OcspSection, Responder, ResponderKeySetting};
pub use origin::{Origin, Origins};
pub use publication::{CrlPointers, PublicationSection};
pub use scep::{BrokenAlgorithms, ScepIdentity, ScepSection};
pub use storage::StorageSection;
pub use tether::{CheckSetting, OutageSetting, RiskSetting, TetherSection, WipeSetting};
pub use tls::TlsSection;

/// The configuration of an installation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Lanyard configuration")]
pub struct Config {
    /// The data folder: keys, the embedded store, the control socket. Private to the user that the server runs as.
    #[garde(skip)]
    pub data: PathBuf,
    /// Where the server listens, and how long it waits for slow peers.
    #[garde(dive)]
    pub listen: ListenSection,
    /// The certificate of the HTTPS listener.
    #[garde(dive)]
    pub tls: TlsSection,
    /// The addresses under which clients reach this installation; certificates carry them.
    #[garde(dive)]
    pub publication: PublicationSection,
    /// The certificate authority that the first start makes, and what holds for every certificate.
    #[garde(dive)]
    pub authority: AuthoritySection,
    /// How key files are protected.
    #[garde(dive)]
    pub keys: KeysSection,
    /// Where certificates, requests and the audit trail are recorded.
    #[garde(dive)]
    pub storage: StorageSection,
    /// Enrollment by SCEP (RFC 8894), for every endpoint that speaks it.
    #[garde(dive)]
    pub scep: ScepSection,
    /// The places to enroll. One that is not configured answers 404 and does nothing.
    #[garde(dive)]
    pub endpoints: EndpointsSection,
    /// The directories whose users and devices certificates follow.
    #[garde(dive)]
    pub directory: Vec<DirectorySection>,
    /// What a directory's word about a device or user does to the certificates that are tethered to it.
    #[garde(dive)]
    pub tether: TetherSection,
    /// Certificate status by OCSP (RFC 6960).
    #[garde(dive)]
    pub ocsp: OcspSection,
    /// Certificate revocation lists (RFC 5280).
    #[garde(dive)]
    pub crl: CrlSection,
    /// What a client may ask for before it is told to wait or to stop.
    #[garde(dive)]
    pub limits: LimitsSection,
    /// What the server logs, and how.
    #[garde(dive)]
    pub log: LogSection,
    /// Who may look at the server's health.
    #[garde(dive)]
    pub observe: ObserveSection,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("/var/lib/lanyard"),
            listen: ListenSection::default(),
            tls: TlsSection::default(),
            publication: PublicationSection::default(),
            authority: AuthoritySection::default(),
            keys: KeysSection::default(),
            storage: StorageSection::default(),
            scep: ScepSection::default(),
            endpoints: EndpointsSection::default(),
            directory: Vec::new(),
            tether: TetherSection::default(),
            ocsp: OcspSection::default(),
            crl: CrlSection::default(),
            limits: LimitsSection::default(),
            log: LogSection::default(),
            observe: ObserveSection::default(),
        }
    }
}

impl Config {
    /// The control socket: administrative commands speak to the running server through it.
    pub fn control_socket(&self) -> PathBuf {
        self.data.join("control.sock")
    }
}

#[cfg(test)]
mod tests;
