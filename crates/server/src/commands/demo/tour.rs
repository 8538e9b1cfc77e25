//! The tour: a device enrolls over SCEP, OCSP calls its certificate good, it is revoked, OCSP and CRL say so. Then a device and a
//! user of the simulated tenant enroll, and their certificates follow them (`tethered`).
//!
//! Everything goes over HTTP and the control socket, as it would from elsewhere. A step is told when what it shows was
//! checked: signatures, names, what is listed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::crl::Crl;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::Extensions;
use lanyard_pki::ocsp::CertStatus;
use lanyard_pki::{Certificate, KeyAlgorithm, Name, oid, pem};
use lanyard_signer::SoftwareKey;
use reqwest::Url;

use super::place::Place;
use super::ready::Ready;
use super::story::{Step, Story, program, quoted};
use super::tenant::Following;
use super::tethered::ExampleSerials;
use crate::client::ocsp::{Said, ask};
use crate::client::scep::{Order, Outcome, ScepServer};
use crate::commands::enroll::{new_key, write_key};
use crate::control::client::ControlClient;
use crate::control::operations::certificate::{ChangeStanding, ChangeView, StandingView};
use crate::exit::{ExitStatus, Failure};
use crate::file::write_public;
use crate::open::World;

/// Why the first device's certificate is revoked.
const REASON: &str = "keyCompromise";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A device with its certificate.
pub(super) struct Device {
    /// The certificate.
    pub(super) certificate: Certificate,
    /// Where it was written.
    pub(super) certificate_file: PathBuf,
}

/// What the steps stand on.
pub(super) struct Tour<'a> {
    pub(super) ready: &'a Ready,
    pub(super) place: &'a Place,
    pub(super) http: reqwest::Client,
    pub(super) ca: Certificate,
}

/// What a tour leaves behind.
pub(super) struct Toured {
    /// A device with a good certificate.
    pub(super) good: Device,
    /// The certificates of the tenant's example objects, where the tenant is followed.
    pub(super) examples: Option<ExampleSerials>,
}

/// Takes the tour; fails at the first step that is not as it should be.
pub(super) async fn take(
    ready: &Ready,
    place: &Place,
    start: Duration,
    story: &mut Story,
) -> Result<Toured, Failure> {
    let tour = Tour::new(ready, place)?;
    tour.authority(start, story).await?;
    let lost = tour.enroll("device-1", KeyAlgorithm::Rsa { bits: 2048 }, story).await?;
    tour.status_good(&lost, story).await?;
    tour.revoke(&lost, story).await?;
    tour.status_revoked(&lost, story).await?;
    tour.listed(&lost, story).await?;
    let kept = tour.enroll("device-2", KeyAlgorithm::P256, story).await?;
    tour.status_good(&kept, story).await?;
    let examples = match ready.following {
        Following::Simulated => Some(tour.tethered(story).await?),
        Following::Others => None,
    };
    Ok(Toured { good: kept, examples })
}

impl<'a> Tour<'a> {
    fn new(ready: &'a Ready, place: &'a Place) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(&ready.ca_file)?;
        let ca = Certificate::from_der(&pem::decode(pem::CERTIFICATE, &text)?)?;
        let root = reqwest::Certificate::from_pem_bundle(text.as_bytes())?;
        let http =
            reqwest::Client::builder().no_proxy().tls_certs_only(root).timeout(PATIENCE).build()?;
        Ok(Self { ready, place, http, ca })
    }
    /// Both listeners answer, the one with a certificate from this authority, and the certificate at `/ca` is the one in
    /// the file.
    async fn authority(&self, start: Duration, story: &mut Story) -> Result<(), Failure> {
        let key = self.ca.public_key()?.algorithm();
        let fetched = self.fetch(&self.ready.ca_url).await?;
        expect(fetched == self.ca.as_der(), "the certificate at /ca is not the authority's")?;
        let text = format!("{} ({key}) is up: {}", self.ca.subject(), self.ready.base_url);
        let by_hand = format!("openssl x509 -noout -text -in {}", quoted(&self.ready.ca_file));
        story.tell(Step::timed("authority", text, start).by_hand(by_hand));
        self.fetch(&format!("{}/probe", self.ready.tls_url)).await?;
        let text = format!("{}, with a certificate from this authority", self.ready.tls_url);
        let by_hand =
            format!("curl --cacert {} {}/probe", quoted(&self.ready.ca_file), self.ready.tls_url);
        story.tell(Step::new("HTTPS", text).by_hand(by_hand));
        Ok(())
    }

    /// A device with a new key enrolls, and gets what it asked for from this authority.
    async fn enroll(
        &self,
        name: &str,
        algorithm: KeyAlgorithm,
        story: &mut Story,
    ) -> Result<Device, Failure> {
        let pkcs8 = new_key(algorithm).await?;
        let key = SoftwareKey::from_pkcs8(&pkcs8)?;
        let subject = Name::from_attributes([(oid::COMMON_NAME, name)])?;
        let challenge = ChallengePassword::new(&self.ready.static_challenge);
        let url: Url = self.ready.static_url.parse()?;
        let known = hex::encode(self.ca.fingerprint_sha256());
        let began = Instant::now();
        let server = ScepServer::discover(self.http.clone(), url, Some(&known)).await?;
        let order = Order {
            key: &key,
            subject: subject.clone(),
            extensions: Extensions::none(),
            challenge: Some(&challenge),
            validity: None,
            renews: None,
            now: SystemClock.now(),
        };
        let certificate = match server.request(&order, |_| None).await? {
            Outcome::Issued(certificate, _) => *certificate,
            Outcome::Pending(_) => {
                return Err(Failure::new(ExitStatus::Failed, "the request waits for approval"));
            }
        };
        let took = began.elapsed();
        expect(
            certificate.verify_signed_by(self.ca.public_key()?).is_ok(),
            "the certificate is not signed by the authority",
        )?;
        expect(certificate.subject() == &subject, "the certificate has another subject")?;
        expect(certificate.is_valid_at(SystemClock.now()), "the certificate is not valid now")?;
        expect(!certificate.is_authority(), "the certificate is an authority's")?;
        let certificate_file = self.place.file(&format!("{name}.pem"));
        write_public(
            &certificate_file,
            pem::encode(pem::CERTIFICATE, certificate.as_der()).as_bytes(),
        )?;
        write_key(&self.place.file(&format!("{name}.key.pem")), &pkcs8)?;
        let text = format!(
            "{name} ({algorithm}) got certificate {} over SCEP, valid until {}",
            certificate.serial(),
            certificate.not_after()
        );
        let by_hand = format!("openssl x509 -noout -text -in {}", quoted(&certificate_file));
        story.tell(Step::timed("enrollment", text, took).by_hand(by_hand));
        Ok(Device { certificate, certificate_file })
    }

    async fn status_good(&self, device: &Device, story: &mut Story) -> Result<(), Failure> {
        let (said, took) = self.ask(device).await?;
        expect(said.status == CertStatus::Good, "OCSP does not call the certificate good")?;
        story.tell(
            Step::timed("OCSP", format!("good{}", until(&said)), took).by_hand(self.asking(device)),
        );
        Ok(())
    }

    async fn status_revoked(&self, device: &Device, story: &mut Story) -> Result<(), Failure> {
        let (said, took) = self.ask(device).await?;
        let CertStatus::Revoked { at, reason } = said.status else {
            return Err(Failure::new(
                ExitStatus::Failed,
                "OCSP does not call the certificate revoked",
            ));
        };
        let reason = reason.map(|reason| reason.to_string());
        expect(reason.as_deref() == Some(REASON), "OCSP gives another reason")?;
        let text = format!("revoked since {at}, {REASON}{}", until(&said));
        story.tell(Step::timed("OCSP", text, took));
        Ok(())
    }

    /// Through the control socket, as the command does it.
    async fn revoke(&self, device: &Device, story: &mut Story) -> Result<(), Failure> {
        let serial = device.certificate.serial();
        let began = Instant::now();
        let socket = self.place.file("control.sock");
        let control = ControlClient::find(&socket, &crate::commands::operator()).await?;
        let control = control.ok_or_else(|| {
            Failure::new(ExitStatus::Failed, "the control socket does not answer")
        })?;
        let change = ChangeView::Revoke { reason: REASON.to_owned() };
        let operation =
            ChangeStanding { serial: serial.to_string(), change, invalidity_date: None };
        let standing: StandingView = control.run(operation).await?;
        let took = began.elapsed();
        expect(
            standing.changed && standing.standing == "revoked",
            "the certificate was not revoked",
        )?;
        let by_hand = format!(
            "{} certificate revoke {serial} --reason {REASON} --data {}",
            program(),
            quoted(&self.ready.data_dir)
        );
        let text = "the device is lost: its certificate is revoked".to_owned();
        story.tell(Step::timed("revocation", text, took).by_hand(by_hand));
        Ok(())
    }

    /// The list is the authority's, and has the certificate with its reason.
    async fn listed(&self, device: &Device, story: &mut Story) -> Result<(), Failure> {
        let crl = Crl::from_der(&self.fetch(&self.ready.crl_url).await?)?;
        crl.verify_signed_by(self.ca.public_key()?)?;
        expect(crl.issuer().matches(self.ca.subject()), "the list is another authority's")?;
        expect(crl.is_current_at(SystemClock.now()), "the list is not current")?;
        let entry = crl.entry(device.certificate.serial())?;
        let reason = entry.and_then(|entry| entry.reason).map(|reason| reason.to_string());
        expect(
            reason.as_deref() == Some(REASON),
            "the list does not have the certificate, or with another reason",
        )?;
        let number = crl.number()?.map(|number| format!(" number {number}")).unwrap_or_default();
        let ends = crl.next_update().map(|end| format!(", valid until {end}")).unwrap_or_default();
        let text = format!("revocation list{number} has it{ends}");
        let by_hand =
            format!("curl -s {} | openssl crl -inform DER -noout -text", self.ready.crl_url);
        story.tell(Step::new("CRL", text).by_hand(by_hand));
        Ok(())
    }

    /// Asks at the address that the certificate names.
    pub(super) async fn ask(&self, device: &Device) -> Result<(Said, Duration), Failure> {
        let named = device.certificate.authority_info_access()?.ocsp;
        let url = named.first().ok_or_else(|| {
            Failure::new(ExitStatus::Failed, "the certificate does not say where OCSP is answered")
        })?;
        let nonce = lanyard_authority::entropy::random(&*World::real().entropy);
        let began = Instant::now();
        let said =
            ask(&self.http, url.parse()?, &device.certificate, &self.ca, nonce, SystemClock.now());
        let said = said.await?;
        Ok((said, began.elapsed()))
    }

    pub(super) fn asking(&self, device: &Device) -> String {
        let ca = quoted(&self.ready.ca_file);
        format!(
            "openssl ocsp -issuer {ca} -CAfile {ca} -url {} -cert {}",
            self.ready.ocsp_url,
            quoted(&device.certificate_file)
        )
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, Failure> {
        let answer = self.http.get(url).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }
}

pub(super) fn until(said: &Said) -> String {
    let until = said.next_update.map(|until| format!("; may be relied on until {until}"));
    until.unwrap_or_default()
}

pub(super) fn expect(is_so: bool, otherwise: &'static str) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(Failure::new(ExitStatus::Failed, otherwise)) }
}
