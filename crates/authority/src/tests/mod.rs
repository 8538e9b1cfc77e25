//! The authority from the outside: an installation in a temporary folder, a clock that the test moves, chance from a seed.

mod any_names;
mod approval;
mod crash;
mod detached;
mod enrolling;
mod first_start;
mod issuing;
mod killed;
mod mirrored;
mod mirrored_anew;
mod mirrored_at_random;
mod mirrored_demanded;
mod mirrored_killed;
mod renewal;
mod rollover;
mod scep;
mod tethered;
mod tethered_brake;
mod tethered_killed;
mod tethered_often;
mod tethered_together;
mod tethered_unknown;
mod transactions;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use lanyard_lifecycle::id::{EndpointId, Scope};
use lanyard_lifecycle::kind::{Kind, Source};
use lanyard_lifecycle::policy::{EndpointPolicy, KeyReuse, RenewalFrom, RenewalRules};
use lanyard_lifecycle::revocation::Change;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::csr::{CertificationRequest, ChallengePassword, RequestBuilder};
use lanyard_pki::extension::{Criticality, ExtensionValue as _, Extensions, SubjectAltName};
use lanyard_pki::profile::Profile;
use lanyard_pki::{GeneralName, KeyAlgorithm, Name, Time};
use lanyard_signer::{KeyStore, Signer, SoftwareKey};
use lanyard_store::{Filter, Options, Store, StoreUrl, Within};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use crate::open::open_disturbed;
use crate::revoke::Revocation;
use crate::settings::{Additions, Endpoint, Follows, Keeping, Settings};
use crate::steps::{Step, Steps, Undisturbed};
use crate::{
    Actor, Authority, Error, Fault, Issued, OpenError, Outcome, Persistence, Ports, Proof, Request,
    Transaction,
};

/// When every test begins.
const START: Time = Time::from_unix(1_800_000_000);
const SECRET: &str = "open sesame";
const STATIC: EndpointId = EndpointId::from_bytes([7; 16]);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// P-256 for speed, an endpoint `/static` with a challenge, renewals allowed.
fn settings() -> Settings {
    let mut settings = Settings::new(name("CN=Test CA,O=Example"));
    settings.first.key = KeyAlgorithm::P256;
    settings.publication.ocsp = vec!["http://pki.example/ocsp".into()];
    settings.publication.ca_issuers = vec!["http://pki.example/ca/{ca}".into()];
    settings.publication.crl = vec!["http://pki.example/crl/{ca}".into()];
    settings.scep.identity = crate::settings::ScepIdentityChoice::Ca;
    settings.endpoints.push(Endpoint {
        id: STATIC,
        name: "static".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Nothing(Kind::Static),
        additions: Additions::default(),
        source: Source::Static,
        profile: Profile::client(),
        keep: Keeping::Everything,
        policy: EndpointPolicy {
            renewal: RenewalRules::On {
                kinds: vec![Kind::Static],
                key: KeyReuse::Allowed,
                from: RenewalFrom::ThisEndpoint,
            },
            ..EndpointPolicy::default()
        },
        challenge: Some(SECRET.into()),
    });
    settings
}

/// An installation's folder and clock: what stays when the program is killed.
struct Installation {
    folder: TempDir,
    clock: Arc<ManualClock>,
    seed: std::cell::Cell<u64>,
}

impl Installation {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder, clock: Arc::new(ManualClock::new(START)), seed: std::cell::Cell::new(1) }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn ports(&self) -> Ports {
        self.seed.set(self.seed.get() + 1);
        ports(self.path(), self.clock.clone(), self.seed.get()).await
    }

    async fn open(&self, settings: Settings) -> Authority {
        self.open_disturbed(settings, Arc::new(Undisturbed)).await.unwrap()
    }

    async fn open_disturbed(
        &self,
        settings: Settings,
        steps: Arc<dyn Steps>,
    ) -> Result<Authority, OpenError> {
        open_disturbed(settings, self.ports().await, steps).await
    }

    /// Runs `work` with the authority until it reaches the kill, then drops everything that lives in memory.
    async fn killed_at(&self, step: Step, settings: Settings, work: impl AsyncFnOnce(Authority)) {
        let ports = self.ports().await;
        let kill = Arc::new(Kill { step, reached: Notify::new() });
        let run = async {
            let opened = open_disturbed(settings, ports.clone(), kill.clone()).await;
            work(opened.unwrap()).await;
        };
        tokio::select! {
            biased;
            () = kill.reached.notified() => {}
            () = run => panic!("{step:?} was never reached"),
        }
        ports.store.close().await;
    }
}

/// What an installation in this folder stands on.
async fn ports(folder: &Path, clock: Arc<ManualClock>, seed: u64) -> Ports {
    let url = StoreUrl::Sqlite(folder.join("lanyard.db"));
    Ports {
        store: Store::open(&url, Options::WRITING).await.unwrap(),
        keys: KeyStore::open(&folder.join("keys"), None).unwrap(),
        clock,
        entropy: Arc::new(SeededEntropy::new(seed)),
        directories: Vec::new(),
        intune: Vec::new(),
    }
}

/// Stops for good at a step, like a program that is killed there.
#[derive(Debug)]
struct Kill {
    step: Step,
    reached: Notify,
}

impl Steps for Kill {
    fn at(&self, step: Step) -> BoxFuture<'_, Result<(), Fault>> {
        if step == self.step {
            self.reached.notify_one();
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Makes a step fail a number of times.
#[derive(Debug)]
struct Fail {
    step: Step,
    left: AtomicUsize,
}

impl Fail {
    fn once_at(step: Step) -> Arc<Self> {
        Arc::new(Self { step, left: AtomicUsize::new(1) })
    }
}

impl Steps for Fail {
    fn at(&self, step: Step) -> BoxFuture<'_, Result<(), Fault>> {
        let spend = |left: usize| left.checked_sub(1);
        let fails = step == self.step
            && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).is_ok();
        Box::pin(std::future::ready(if fails {
            Err(Fault::new("do what the test lets fail", Persistence::Passing, "as told"))
        } else {
            Ok(())
        }))
    }
}

/// Makes a step fail always, and for a reason that asking again does not mend.
#[derive(Debug)]
struct FailForGood {
    step: Step,
}

impl Steps for FailForGood {
    fn at(&self, step: Step) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(std::future::ready(if step == self.step {
            Err(Fault::lasting("do what the test lets fail", "as told"))
        } else {
            Ok(())
        }))
    }
}

/// A device with a key.
struct Device {
    key: SoftwareKey,
    name: &'static str,
}

impl Device {
    fn new(name: &'static str) -> Self {
        Self { key: SoftwareKey::generate(KeyAlgorithm::P256).unwrap(), name }
    }

    async fn csr(&self, challenge: Option<&str>) -> CertificationRequest {
        self.csr_with(challenge, Extensions::none()).await
    }

    async fn csr_with(
        &self,
        challenge: Option<&str>,
        mut extensions: Extensions,
    ) -> CertificationRequest {
        let names = SubjectAltName(vec![GeneralName::Dns(format!("{}.example", self.name))]);
        extensions.push(names.extension(Criticality::NonCritical));
        let key = Signer::public_key(&self.key).clone();
        let builder = RequestBuilder {
            challenge: challenge.map(ChallengePassword::new),
            extensions,
            ..RequestBuilder::new(name(&format!("CN={}", self.name)), key)
        };
        let algorithm = self.key.algorithms()[0];
        let unsigned = builder.build(algorithm);
        let signature = self.key.sign(algorithm, unsigned.tbs()).await.unwrap();
        CertificationRequest::from_der(&unsigned.assemble(&signature)).unwrap()
    }

    /// A first enrollment with the right challenge.
    async fn request(&self, transaction: &str) -> Request {
        self.request_with(transaction, self.csr(Some(SECRET)).await)
    }

    fn request_with(&self, transaction: &str, csr: CertificationRequest) -> Request {
        Request {
            endpoint: STATIC,
            csr,
            proof: Proof::Challenge,
            transaction: Some(self.transaction(transaction)),
            actor: Actor::Client { endpoint: "static".into(), address: None },
        }
    }

    fn transaction(&self, id: &str) -> Transaction {
        Transaction { id: id.into(), signer: Signer::public_key(&self.key).fingerprint() }
    }
}

/// The certificate, which the outcome must be.
fn issued(outcome: Result<Outcome, Error>) -> Issued {
    match outcome {
        Ok(Outcome::Issued(issued)) => issued,
        other => panic!("not issued: {other:?}"),
    }
}

/// Revokes, holds or releases a certificate, as an operator would.
async fn change(authority: &Authority, issued: &Issued, change: Change) {
    let revocation = Revocation {
        serial: issued.serial.clone(),
        change,
        invalidity_date: None,
        actor: Actor::Operator("ada".into()),
        within: Within::Everywhere,
    };
    authority.revoke(revocation).await.unwrap();
}

/// The refusal, which the outcome must be.
fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> lanyard_lifecycle::Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn certificate(issued: &Issued) -> Certificate {
    Certificate::from_der(&issued.certificate).unwrap()
}

/// How many certificates were issued to devices.
async fn recorded(authority: &Authority) -> usize {
    let filter = Filter { endpoint: Some(STATIC), ..Filter::all(Within::Everywhere) };
    authority.store().search_certificates(filter, None, 100).await.unwrap().items.len()
}
