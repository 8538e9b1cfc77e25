//! The tour: a device enrolls over SCEP, OCSP calls its certificate good, it is revoked, OCSP and CRL call it revoked.
//!
//! Everything goes over HTTP and the control socket, as it would from elsewhere; every answer's signature is checked.

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::crl::Crl;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::extension::Extensions;
use lanyard_pki::ocsp::CertStatus;
use lanyard_pki::{Certificate, KeyAlgorithm, Name, pem};
use lanyard_signer::SoftwareKey;
use reqwest::Url;

use super::ready::Ready;
use crate::client::ocsp::{Said, ask};
use crate::client::scep::{Order, Outcome, ScepServer};
use crate::commands::enroll::{failed, http_client, new_key};
use crate::control::client::ControlClient;
use crate::control::operations::certificate::{ChangeStanding, ChangeView};
use crate::exit::{ExitStatus, Failure};
use crate::open::World;
use crate::output::Output;

/// The device of the tour.
const DEVICE: &str = "CN=demo-device,O=Lanyard";

/// The reason for which its certificate is revoked.
const REASON: &str = "keyCompromise";

/// Takes the tour; fails where something is not as it should be.
pub(super) async fn take(ready: &Ready, output: Output) -> Result<(), Failure> {
    let narrator = Narrator { output };
    let http = http_client(None)?;
    let ca = Certificate::from_der(&pem::decode(
        pem::CERTIFICATE,
        &std::fs::read_to_string(&ready.ca_file)?,
    )?)?;

    narrator.step("The authority");
    narrator.line(&format!("{}, {}", ca.subject(), ca.public_key()?.algorithm()));
    narrator.line(&format!(
        "valid until {}, SHA-256 {}",
        ca.not_after(),
        hex::encode(ca.fingerprint_sha256())
    ));

    narrator.step("A device enrolls over SCEP");
    narrator.line(&ready.static_url);
    let device = enroll(ready, &http, &ca, output).await?;
    narrator.line(&format!("got certificate {} for {}", device.serial(), device.subject()));
    narrator.line(&format!("valid until {}", device.not_after()));

    narrator.step("What does OCSP say about it?");
    narrator.line(&ready.ocsp_url);
    let before = status(ready, &http, &device, &ca).await?;
    narrator.line(&sentence(&before));
    expect(before.status == CertStatus::Good, "OCSP does not call the new certificate good")?;

    narrator.step("The device is lost: its certificate is revoked");
    narrator.line(&format!("lanyard certificate revoke {} --reason {REASON}", device.serial()));
    let revoked = revoke(ready, &device).await?;
    narrator.line(&format!("revoked since {}", revoked.since.unwrap_or_default()));

    narrator.step("What does OCSP say now?");
    let after = status(ready, &http, &device, &ca).await?;
    narrator.line(&sentence(&after));
    expect(
        matches!(after.status, CertStatus::Revoked { .. }),
        "OCSP does not call the certificate revoked",
    )?;

    narrator.step("And the revocation list?");
    narrator.line(&ready.crl_url);
    let crl = http.get(&ready.crl_url).send().await?.error_for_status()?.bytes().await?;
    let crl = Crl::from_der(&crl)?;
    crl.verify_signed_by(ca.public_key()?)?;
    let entry = crl.entry(device.serial())?;
    expect(entry.is_some(), "the revocation list does not list the certificate")?;
    let number = crl.number()?.map(|number| number.0).unwrap_or_default();
    narrator.line(&format!("number {number} lists it: revoked"));
    narrator.end();
    Ok(())
}

async fn enroll(
    ready: &Ready,
    http: &reqwest::Client,
    ca: &Certificate,
    output: Output,
) -> Result<Certificate, Failure> {
    let url: Url = ready.static_url.parse()?;
    let known = hex::encode(ca.fingerprint_sha256());
    let server = ScepServer::discover(http.clone(), url, Some(&known)).await.map_err(failed)?;
    let pkcs8 = output
        .progress("Making the device's key", new_key(KeyAlgorithm::Rsa { bits: 2048 }))
        .await?;
    let key = SoftwareKey::from_pkcs8(&pkcs8)?;
    let subject: Name = DEVICE.parse()?;
    let order = Order {
        key: &key,
        subject,
        extensions: Extensions::none(),
        challenge: Some(&ChallengePassword::new(&ready.static_challenge)),
        validity: None,
        renews: None,
        now: SystemClock.now(),
    };
    match server.request(&order, |_| None).await.map_err(failed)? {
        Outcome::Issued(certificate, _) => Ok(*certificate),
        Outcome::Pending(_) => {
            Err(Failure::new(ExitStatus::Failed, "the request waits for approval"))
        }
    }
}

async fn status(
    ready: &Ready,
    http: &reqwest::Client,
    device: &Certificate,
    ca: &Certificate,
) -> Result<Said, Failure> {
    let nonce = lanyard_authority::entropy::random(&*World::real().entropy);
    Ok(ask(http, ready.ocsp_url.parse()?, device, ca, nonce, SystemClock.now()).await?)
}

/// Through the control socket, as the command does it.
async fn revoke(
    ready: &Ready,
    device: &Certificate,
) -> Result<crate::control::operations::certificate::StandingView, Failure> {
    let socket = ready.data_dir.join("control.sock");
    let control = ControlClient::find(&socket, "demo").await?;
    let control = control
        .ok_or_else(|| Failure::new(ExitStatus::Failed, "the control socket does not answer"))?;
    let change = ChangeView::Revoke { reason: REASON.to_owned() };
    let operation =
        ChangeStanding { serial: device.serial().to_string(), change, invalidity_date: None };
    control.run(operation).await
}

fn sentence(said: &Said) -> String {
    let until = said
        .next_update
        .map(|until| format!("; may be relied on until {until}"))
        .unwrap_or_default();
    match said.status {
        CertStatus::Good => format!("good{until}"),
        CertStatus::Revoked { at, .. } => format!("revoked since {at}{until}"),
        CertStatus::Unknown => "unknown".to_owned(),
    }
}

fn expect(is_so: bool, otherwise: &'static str) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(Failure::new(ExitStatus::Failed, otherwise)) }
}

/// Tells the tour to people; with `--json` it is silent.
struct Narrator {
    output: Output,
}

impl Narrator {
    fn step(&self, title: &str) {
        self.say(&format!("\n{title}"));
    }

    fn line(&self, text: &str) {
        self.say(&format!("  {text}"));
    }

    fn end(&self) {
        self.say("\nEverything is as it should be.\n");
    }

    fn say(&self, text: &str) {
        if !self.output.is_json() {
            self.output.line(text);
        }
    }
}
