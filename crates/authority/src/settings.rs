//! What an installation decides about its authority: the first CA, validity, addresses in certificates, endpoints.
//!
//! Where these come from (file, environment, command line) is the server's affair.

mod endpoint;

use std::time::Duration;

pub use lanyard_lifecycle::binding::DeviceDirectory;
use lanyard_lifecycle::id::EndpointId;
use lanyard_lifecycle::policy::Limits;
use lanyard_pki::{KeyAlgorithm, Name};

use crate::mirror::DirectorySettings;
use crate::status::settings::StatusSettings;
use crate::tether::TetherSettings;
pub use endpoint::{
    Additions, Bootstrap, DirectoryIds, DirectorySid, Endpoint, Follows, IntuneFollows,
    IntuneSettings, Keeping, NoticeOrder,
};

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// So many days.
pub const fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

/// A span in whole seconds, as times are counted.
pub(crate) fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

/// Everything the authority is told when it opens.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the first start makes.
    pub first: NewCa,
    /// Limits on validity that hold for every certificate.
    pub limits: Limits,
    /// The addresses that certificates carry.
    pub publication: Publication,
    /// Who receives and answers SCEP messages.
    pub scep: ScepSettings,
    /// How status is answered.
    pub status: StatusSettings,
    /// The places to enroll.
    pub endpoints: Vec<Endpoint>,
    /// How often Intune is asked what it wants revoked.
    pub intune: IntuneSettings,
    /// The directories that certificates follow.
    pub directories: Vec<DirectorySettings>,
    /// What becomes of certificates that follow an object.
    pub tether: TetherSettings,
}

impl Settings {
    /// Defaults, for a CA of this name.
    pub fn new(name: Name) -> Self {
        Self {
            first: NewCa::new(name),
            limits: Limits::default(),
            publication: Publication::default(),
            scep: ScepSettings::default(),
            status: StatusSettings::default(),
            endpoints: Vec::new(),
            intune: IntuneSettings::default(),
            directories: Vec::new(),
            tether: TetherSettings::default(),
        }
    }

    /// How far back certificates begin, in seconds.
    pub fn clock_skew(&self) -> i64 {
        seconds(self.limits.clock_skew)
    }

    /// The endpoint of this id.
    pub fn endpoint(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }
}

/// A CA to make.
#[derive(Debug, Clone)]
pub struct NewCa {
    /// Its subject.
    pub name: Name,
    /// Its key.
    pub key: KeyAlgorithm,
    /// Who certifies it.
    pub certified_by: CertifiedBy,
    /// How long a self-signed certificate is valid. Another CA decides for itself.
    pub validity: Duration,
    /// How many CAs may follow below it; none is no limit.
    pub path_length: Option<u8>,
}

impl NewCa {
    /// A self-signed RSA-4096 CA for ten years.
    pub fn new(name: Name) -> Self {
        Self {
            name,
            key: KeyAlgorithm::Rsa { bits: 4096 },
            certified_by: CertifiedBy::Itself,
            validity: days(3650),
            path_length: None,
        }
    }
}

/// Who signs a CA's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertifiedBy {
    /// A root.
    Itself,
    /// Another CA, which is sent the request and whose answer is imported.
    Another,
}

/// The addresses that certificates carry. In each, `{ca}` stands for the issuing CA's key identifier in hexadecimal,
/// so that certificates of an earlier CA keep leading to it. What tells one CRL of a CA from another is added to the CRL's
/// address: see [`crate::crl::CrlAddress`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// Where OCSP is answered (authority information access).
    pub ocsp: Vec<String>,
    /// Where the issuing CA's certificate is (authority information access).
    pub ca_issuers: Vec<String>,
    /// Where its CRL is (CRL distribution points); empty leaves the extension out.
    pub crl: Vec<String>,
}

impl Publication {
    /// The addresses for certificates of one CA.
    #[must_use]
    pub fn for_ca(&self, key_identifier: &[u8; 20]) -> Self {
        let ca = hex::encode(key_identifier);
        let fill = |urls: &[String]| urls.iter().map(|url| url.replace("{ca}", &ca)).collect();
        Self { ocsp: fill(&self.ocsp), ca_issuers: fill(&self.ca_issuers), crl: fill(&self.crl) }
    }
}

/// Who receives and answers SCEP messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScepSettings {
    /// The CA or an RA.
    pub identity: ScepIdentityChoice,
    /// The RA's RSA key, in bits. The default is 2048.
    pub ra_key_bits: u32,
    /// How long an RA certificate is valid. The default is 30 days; a new one is made when a third is left, and the old
    /// key decrypts until its certificate ends.
    pub ra_validity: Duration,
}

impl Default for ScepSettings {
    fn default() -> Self {
        Self { identity: ScepIdentityChoice::Automatic, ra_key_bits: 2048, ra_validity: days(30) }
    }
}

/// Which key receives and answers SCEP messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScepIdentityChoice {
    /// The CA itself when its key can decrypt, else an RA: what Intune and Jamf Pro expect.
    #[default]
    Automatic,
    /// The CA itself; a CA whose key can't decrypt then offers no SCEP.
    Ca,
    /// An RA always: the CA's key signs certificates and nothing else.
    Ra,
}
