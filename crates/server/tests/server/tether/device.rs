//! The simulated device: what it puts into a certificate request, and whose certificate that is.

use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::{
    Criticality, ExtendedKeyUsage, Extension, ExtensionValue as _, Extensions, KeyUsages,
    SubjectAltName,
};
use lanyard_pki::{Certificate, GeneralName, KeyAlgorithm, oid};
use lanyard_server::routes::scep::door::INTUNE;
use lanyard_signer::SoftwareKey;
use lanyard_simulator::intune::Intune;
use lanyard_simulator::tenant::{ManagedDevice, Tenant, View};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CHALLENGE, Stage};

/// What a device asks for.
pub(crate) struct Ask {
    pub(crate) key: SoftwareKey,
    pub(crate) subject: String,
    pub(crate) names: Vec<GeneralName>,
    pub(crate) usage: KeyUsages,
    pub(crate) challenge: ChallengePassword,
    pub(crate) more: Vec<Extension>,
}

impl Ask {
    /// A request with the endpoint's own challenge.
    pub(crate) fn named(subject: &str) -> Self {
        Self {
            key: SoftwareKey::generate(KeyAlgorithm::P256).unwrap(),
            subject: subject.to_owned(),
            names: Vec::new(),
            usage: KeyUsages::DIGITAL_SIGNATURE,
            challenge: ChallengePassword::new(CHALLENGE),
            more: Vec::new(),
        }
    }

    /// With an alternative name.
    pub(crate) fn and(mut self, name: GeneralName) -> Self {
        self.names.push(name);
        self
    }

    /// What Intune has given a device to ask for.
    pub(crate) fn given(made: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let name = |name: &Value| match name["type"].as_str().unwrap() {
            "email" => GeneralName::Email(text(&name["value"])),
            "dns" => GeneralName::Dns(text(&name["value"])),
            "upn" => GeneralName::upn(&text(&name["value"])),
            _ => GeneralName::Uri(text(&name["value"])),
        };
        let names = made["subjectAlternativeNames"].as_array().unwrap();
        Self {
            key: SoftwareKey::generate(KeyAlgorithm::Rsa { bits: 2048 }).unwrap(),
            subject: text(&made["subject"]),
            names: names.iter().map(name).collect(),
            usage: KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_ENCIPHERMENT,
            challenge: ChallengePassword::new(&text(&made["challenge"])),
            more: Vec::new(),
        }
    }

    pub(crate) fn extensions(&self) -> Extensions {
        let mut extensions = Extensions::default();
        if !self.names.is_empty() {
            let names = SubjectAltName(self.names.clone());
            extensions.push(names.extension(Criticality::NonCritical));
        }
        extensions.push(self.usage.extension(Criticality::Critical));
        let usages = ExtendedKeyUsage(vec![oid::CLIENT_AUTH]);
        extensions.push(usages.extension(Criticality::NonCritical));
        self.more.iter().for_each(|extension| extensions.push(extension.clone()));
        extensions
    }
}

impl Stage {
    /// The `n`-th device that Intune manages.
    pub(crate) fn managed(&self, n: usize) -> ManagedDevice {
        let read = |tenant: &Tenant| {
            let page = tenant.managed_devices.page(View::Current, 0, n + 1);
            page.records[n].as_ref().clone()
        };
        self.tenancy.simulator.world().read(self.tenancy.id, read).unwrap()
    }

    /// What Intune gives a device for itself.
    pub(crate) async fn given(&self, device: Uuid) -> Ask {
        let asked = json!({ "deviceId": device });
        Ask::given(&self.tenancy.control("POST", "challenges", &asked).await)
    }

    /// What Intune gives a device for its user.
    pub(crate) async fn given_for_user(&self, device: Uuid) -> Ask {
        let profile = |tenant: &Tenant| Intune::user_profile(&tenant.blueprint);
        let profile = self.tenancy.simulator.world().read(self.tenancy.id, profile).unwrap();
        let asked = json!({ "deviceId": device, "profileId": profile });
        Ask::given(&self.tenancy.control("POST", "challenges", &asked).await)
    }

    /// A device enrolls through Intune.
    pub(crate) async fn device(&self, device: Uuid) -> Certificate {
        self.enroll(INTUNE, &self.given(device).await).await.unwrap()
    }

    /// The user of a device enrolls through Intune.
    pub(crate) async fn user_of(&self, device: Uuid) -> Certificate {
        self.enroll(INTUNE, &self.given_for_user(device).await).await.unwrap()
    }
}
