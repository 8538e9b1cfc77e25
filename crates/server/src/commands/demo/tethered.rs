//! The tour's second half: a device and its user enroll through the simulated Intune, and their certificates follow what happens to
//! them there.
//!
//! What the device does, the demo does in its place: it takes Intune's challenge and what Intune asks for, and sends that by SCEP.

use std::time::{Duration, Instant};

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_lifecycle::object::ObjectKind;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::{
    Criticality, ExtendedKeyUsage, ExtensionValue as _, Extensions, KeyUsages, SubjectAltName,
};
use lanyard_pki::ocsp::CertStatus;
use lanyard_pki::{GeneralName, KeyAlgorithm, Oid, SerialNumber, pem};
use lanyard_signer::SoftwareKey;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::story::{Step, Story, program, quoted};
use super::tour::{Device, Tour, expect, until};
use crate::client::ocsp::Said;
use crate::client::scep::{Order, Outcome, ScepServer};
use crate::commands::enroll::{new_key, write_key};
use crate::commands::why::sentence;
use crate::control::client::ControlClient;
use crate::control::operations::directory::{Freshness, KnownBy, LookUpObject, SyncDirectories};
use crate::control::operations::why::{ExplainCertificate, WhyView};
use crate::exit::{ExitStatus, Failure};
use crate::file::write_public;

/// How long a change at the tenant may take until OCSP says so.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often OCSP is asked meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// The certificates of the tenant's example objects.
#[derive(Debug, Clone)]
pub(super) struct ExampleSerials {
    /// The device's.
    pub(super) device: SerialNumber,
    /// Its user's.
    pub(super) user: SerialNumber,
}

/// A managed device of the tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Managed {
    id: Uuid,
    device_name: String,
    user_id: Option<Uuid>,
    user_principal_name: Option<String>,
}

/// A profile of the tenant's Intune.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    id: Uuid,
    certificate_type: String,
}

#[derive(Debug, Deserialize)]
struct Listed<T> {
    value: Vec<T>,
}

/// What Intune gives a device to ask for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    challenge: String,
    subject: String,
    subject_alternative_names: Vec<AltName>,
    key_usage: Vec<String>,
    key_size: u32,
    extended_key_usages: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct AltName {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

impl Tour<'_> {
    /// Takes it: what it leaves behind are good certificates of the tenant's example objects.
    pub(super) async fn tethered(&self, story: &mut Story) -> Result<ExampleSerials, Failure> {
        let example = self.ready.example_device();
        let devices: Listed<Managed> =
            serde_json::from_value(self.tenant(Method::GET, "managedDevices?top=20", None).await?)?;
        let mut devices: Vec<_> =
            devices.value.into_iter().filter(|device| device.user_id.is_some()).collect();
        let kept = devices.iter().position(|device| Some(device.id) == example).unwrap_or(0);
        expect(
            devices.len() > 1,
            "the simulated tenant needs two devices with users: --devices 2",
        )?;
        let kept = devices.remove(kept);
        // Its user has no other device that the tour knows of.
        let other = devices.iter().position(|device| device.user_id != kept.user_id).unwrap_or(0);
        let lost = devices.remove(other);

        // A kept folder remembers the tenant as another demo left it.
        for managed in [&lost, &kept] {
            self.ask_anew(ObjectKind::IntuneDevice, managed.id).await?;
            self.ask_anew(ObjectKind::EntraUser, managed.user_id.unwrap_or_default()).await?;
        }
        let (device, user) = self.enroll_both(&lost, "lost", story).await?;
        self.wifi(&device, story).await?;
        self.wipe(&lost, &device, story).await?;
        self.disable_and_enable(&lost, &user, story).await?;
        self.outage(&user, story).await?;
        let (device, user) = self.enroll_both(&kept, "managed", story).await?;
        let serial = |device: &Device| device.certificate.serial().clone();
        Ok(ExampleSerials { device: serial(&device), user: serial(&user) })
    }

    async fn enroll_both(
        &self,
        managed: &Managed,
        name: &str,
        story: &mut Story,
    ) -> Result<(Device, Device), Failure> {
        let profiles = self.tenant(Method::GET, "profiles", None).await?;
        let profiles: Listed<Profile> = serde_json::from_value(profiles)?;
        let profile = |wanted: &str| {
            let found = profiles.value.iter().find(|one| one.certificate_type == wanted);
            let none = || Failure::new(ExitStatus::Failed, "the simulated Intune has no profile");
            found.map(|one| one.id).ok_or_else(none)
        };
        let upn = managed.user_principal_name.clone().unwrap_or_default();
        let began = Instant::now();
        let (of_device, of_user) = (format!("{name}-device"), format!("{name}-user"));
        let device = self.through_intune(managed.id, profile("device")?, &of_device).await?;
        let text = format!(
            "{} enrolls through Intune, which vouches for it: certificate {}",
            managed.device_name,
            device.certificate.serial()
        );
        let by_hand = self.why_by_hand(&device);
        story.tell(Step::timed("Intune", text, began.elapsed()).by_hand(by_hand));
        let began = Instant::now();
        let user = self.through_intune(managed.id, profile("user")?, &of_user).await?;
        let text =
            format!("{upn} does on the same device: certificate {}", user.certificate.serial());
        let by_hand = self.why_by_hand(&user);
        story.tell(Step::timed("Intune", text, began.elapsed()).by_hand(by_hand));
        Ok((device, user))
    }

    /// What a device does that gets a profile of Intune.
    async fn through_intune(
        &self,
        device: Uuid,
        profile: Uuid,
        name: &str,
    ) -> Result<Device, Failure> {
        let asked = json!({ "deviceId": device, "profileId": profile });
        let given: Given =
            serde_json::from_value(self.tenant(Method::POST, "challenges", Some(asked)).await?)?;
        let pkcs8 = new_key(KeyAlgorithm::Rsa { bits: given.key_size }).await?;
        let key = SoftwareKey::from_pkcs8(&pkcs8)?;
        let known = hex::encode(self.ca.fingerprint_sha256());
        let url = self.ready.intune_url.parse()?;
        let server = ScepServer::discover(self.http.clone(), url, Some(&known)).await?;
        let order = Order {
            key: &key,
            subject: given.subject.parse()?,
            extensions: given.extensions()?,
            challenge: Some(&ChallengePassword::new(&given.challenge)),
            validity: None,
            renews: None,
            now: SystemClock.now(),
        };
        let Outcome::Issued(certificate, _) = server.request(&order, |_| None).await? else {
            return Err(Failure::new(ExitStatus::Failed, "the request waits for approval"));
        };
        expect(
            certificate.verify_signed_by(self.ca.public_key()?).is_ok(),
            "the certificate is not signed by the authority",
        )?;
        let certificate_file = self.place.file(&format!("{name}.pem"));
        let text = pem::encode(pem::CERTIFICATE, certificate.as_der());
        write_public(&certificate_file, text.as_bytes())?;
        write_key(&self.place.file(&format!("{name}.key.pem")), &pkcs8)?;
        Ok(Device { certificate: *certificate, certificate_file })
    }

    async fn wifi(&self, device: &Device, story: &mut Story) -> Result<(), Failure> {
        let (said, took) = self.ask(device).await?;
        expect(said.status == CertStatus::Good, "OCSP does not call the certificate good")?;
        let text = format!("a Wi-Fi that asks OCSP lets the device in: good{}", until(&said));
        story.tell(Step::timed("Wi-Fi", text, took).by_hand(self.asking(device)));
        Ok(())
    }

    async fn wipe(
        &self,
        managed: &Managed,
        device: &Device,
        story: &mut Story,
    ) -> Result<(), Failure> {
        let path = format!("managedDevices/{}/wipe", managed.id);
        self.tenant(Method::POST, &path, Some(json!({}))).await?;
        let is_revoked = |said: &Said| is_revoked_for(said, "cessationOfOperation");
        let (why, took) = self.follows(device, is_revoked).await?;
        let text = format!("the device is wiped in Intune: {}", sentence(&why));
        let by_hand = self.control_by_hand("POST", &path, "{}");
        story.tell(
            Step::timed("wipe", text, took).by_hand(by_hand).by_hand(self.why_by_hand(device)),
        );
        Ok(())
    }

    async fn disable_and_enable(
        &self,
        managed: &Managed,
        user: &Device,
        story: &mut Story,
    ) -> Result<(), Failure> {
        let path = format!("users/{}", managed.user_id.unwrap_or_default());
        for (name, enabled) in [("disable", false), ("enable", true)] {
            let body = json!({ "accountEnabled": enabled });
            self.tenant(Method::PATCH, &path, Some(body.clone())).await?;
            let is_so = |said: &Said| {
                if enabled {
                    said.status == CertStatus::Good
                } else {
                    is_revoked_for(said, "certificateHold")
                }
            };
            let (why, took) = self.follows(user, is_so).await?;
            let text = format!("the user is {name}d in Entra ID: {}", sentence(&why));
            let by_hand = self.control_by_hand("PATCH", &path, &body.to_string());
            story.tell(Step::timed(name, text, took).by_hand(by_hand));
        }
        Ok(())
    }

    /// While nobody can be asked, what was known last serves.
    async fn outage(&self, user: &Device, story: &mut Story) -> Result<(), Failure> {
        let body = json!({ "faults": [{ "kind": "outage", "service": "graph" }] });
        self.tenant(Method::PUT, "faults", Some(body.clone())).await?;
        let outcome = async {
            self.look().await?;
            let (said, took) = self.ask(user).await?;
            Ok::<_, Failure>((said, took, self.why(user).await?))
        };
        let outcome = outcome.await;
        self.tenant(Method::DELETE, "faults", None).await?;
        let (said, took, why) = outcome?;
        expect(said.status == CertStatus::Good, "OCSP forgets what is known in an outage")?;
        let known = why.facts.iter().map(|fact| &fact.learnt).max();
        let known = known.map(|learnt| format!(", as known at {learnt}")).unwrap_or_default();
        let text =
            format!("Graph does not answer, and what is known serves: good{known}{}", until(&said));
        let by_hand = self.control_by_hand("PUT", "faults", &body.to_string());
        story.tell(Step::timed("outage", text, took).by_hand(by_hand));
        Ok(())
    }

    /// Has the authority look at the tenant, and asks OCSP until it says what has happened there.
    async fn follows(
        &self,
        device: &Device,
        is_so: impl Fn(&Said) -> bool,
    ) -> Result<(WhyView, Duration), Failure> {
        let began = Instant::now();
        self.look().await?;
        while began.elapsed() < PATIENCE {
            let (said, _) = self.ask(device).await?;
            if is_so(&said) {
                let took = began.elapsed();
                return Ok((self.why(device).await?, took));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Failure::new(ExitStatus::Failed, "OCSP does not follow what happened at the tenant"))
    }

    /// What would happen by itself at the next round.
    async fn look(&self) -> Result<(), Failure> {
        self.command().await?.run(SyncDirectories { directory: None, kind: None }).await?;
        Ok(())
    }

    /// Has the directory itself asked about an object.
    async fn ask_anew(&self, kind: ObjectKind, id: Uuid) -> Result<(), Failure> {
        let by = KnownBy::Id(id.to_string());
        let asked = LookUpObject { directory: None, kind, by, freshness: Freshness::Now };
        self.command().await?.run(asked).await?;
        Ok(())
    }

    async fn why(&self, device: &Device) -> Result<WhyView, Failure> {
        let serial = device.certificate.serial().to_string();
        self.command().await?.run(ExplainCertificate { serial }).await
    }

    async fn command(&self) -> Result<ControlClient, Failure> {
        let socket = self.place.file("control.sock");
        let control = ControlClient::find(&socket, &crate::commands::operator()).await?;
        control
            .ok_or_else(|| Failure::new(ExitStatus::Failed, "the control socket does not answer"))
    }

    /// Asks the tenant's control interface, which is the administrator's and the device's part.
    async fn tenant(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let url = format!("{}/_control/{path}", self.ready.simulator_url);
        let mut request = self.http.request(method, url);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        if answer.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer)?) }
    }

    fn why_by_hand(&self, device: &Device) -> String {
        let data = quoted(&self.ready.data_dir);
        format!("{} certificate why {} --data {data}", program(), device.certificate.serial())
    }

    fn control_by_hand(&self, method: &str, path: &str, body: &str) -> String {
        format!("curl -X {method} {}/_control/{path} -d '{body}'", self.ready.simulator_url)
    }
}

impl Given {
    fn extensions(&self) -> Result<Extensions, Failure> {
        let mut extensions = Extensions::default();
        let names = self.subject_alternative_names.iter().map(|name| match name.kind.as_str() {
            "email" => GeneralName::Email(name.value.clone()),
            "dns" => GeneralName::Dns(name.value.clone()),
            "upn" => GeneralName::upn(&name.value),
            _ => GeneralName::Uri(name.value.clone()),
        });
        extensions.push(SubjectAltName(names.collect()).extension(Criticality::NonCritical));
        let usages = self.key_usage.iter().filter_map(|name| KeyUsages::from_name(name));
        let usages = usages.fold(KeyUsages::EMPTY, KeyUsages::union);
        extensions.push(usages.extension(Criticality::Critical));
        let purposes: Result<Vec<Oid>, _> =
            self.extended_key_usages.iter().map(|text| text.parse()).collect();
        extensions.push(ExtendedKeyUsage(purposes?).extension(Criticality::NonCritical));
        Ok(extensions)
    }
}

fn is_revoked_for(said: &Said, reason: &str) -> bool {
    match said.status {
        CertStatus::Revoked { reason: given, .. } => {
            given.is_some_and(|given| given.to_string() == reason)
        }
        CertStatus::Good | CertStatus::Unknown => false,
    }
}
