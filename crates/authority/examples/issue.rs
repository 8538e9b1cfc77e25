//! What issuing costs beside its key operations: processor time for each certificate, without HTTP.
//!
//! `cargo run --release --example issue -- rsa-2048 20000 64` issues 20,000 certificates for RSA-2048 clients, 64 at a
//! time, with an RSA-2048 CA and a durable SQLite store in a temporary folder; then it makes the same key operations
//! (verify the request, sign) alone, and prints both.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use lanyard_authority::clock::SystemClock;
use lanyard_authority::entropy::SystemEntropy;
use lanyard_authority::settings::{Additions, Endpoint, Follows, Keeping, Settings};
use lanyard_authority::{Actor, Authority, Outcome, Ports, Proof, Request, Transaction, open};
use lanyard_lifecycle::id::{EndpointId, Scope};
use lanyard_lifecycle::kind::{Kind, Source};
use lanyard_lifecycle::policy::EndpointPolicy;
use lanyard_pki::csr::{CertificationRequest, ChallengePassword, RequestBuilder};
use lanyard_pki::profile::Profile;
use lanyard_pki::{KeyAlgorithm, SignatureAlgorithm};
use lanyard_signer::{KeyStore, Signer, SoftwareKey};
use lanyard_store::{Options, Store, StoreUrl};
use tokio::task::JoinSet;

const STATIC: EndpointId = EndpointId::from_bytes([7; 16]);
const CHALLENGE: &str = "a challenge of thirty-two octets";
const CLIENT_KEYS: usize = 16;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let key = algorithm(arguments.next().as_deref().unwrap_or("rsa-2048"))?;
    let count: usize = arguments.next().as_deref().unwrap_or("5000").parse()?;
    let at_a_time: usize = arguments.next().as_deref().unwrap_or("64").parse()?;

    let folder = tempfile::tempdir()?;
    let authority = authority(folder.path(), key).await?;
    let requests = requests(count).await?;
    println!("{key} CA, {count} certificates, {at_a_time} at a time");

    let issuing = measure(count, || issue_all(&authority, requests.clone(), at_a_time)).await?;
    println!("issuing:        {issuing}");
    let alone = measure(count, || keys_alone(&authority, requests, at_a_time)).await?;
    println!("keys alone:     {alone}");
    let beside = issuing.cpu_micros - alone.cpu_micros;
    let share = 100.0 * beside / alone.cpu_micros;
    println!("beside the keys: {beside:.1} µs of processor time each, {share:.1} %");
    Ok(())
}

fn algorithm(name: &str) -> Result<KeyAlgorithm> {
    Ok(match name {
        "rsa-2048" => KeyAlgorithm::Rsa { bits: 2048 },
        "rsa-3072" => KeyAlgorithm::Rsa { bits: 3072 },
        "rsa-4096" => KeyAlgorithm::Rsa { bits: 4096 },
        "p-256" => KeyAlgorithm::P256,
        "p-384" => KeyAlgorithm::P384,
        "p-521" => KeyAlgorithm::P521,
        other => bail!("{other}: one of rsa-2048, rsa-3072, rsa-4096, p-256, p-384, p-521"),
    })
}

async fn authority(folder: &std::path::Path, key: KeyAlgorithm) -> Result<Authority> {
    let mut settings = Settings::new("CN=Bench CA,O=Example".parse()?);
    settings.first.key = key;
    settings.publication.ocsp = vec!["http://pki.example/ocsp".into()];
    settings.publication.ca_issuers = vec!["http://pki.example/ca".into()];
    settings.endpoints.push(Endpoint {
        id: STATIC,
        name: "static".into(),
        scope: Scope::DEFAULT,
        follows: Follows::Nothing(Kind::Static),
        additions: Additions::default(),
        source: Source::Static,
        profile: Profile::client(),
        keep: Keeping::Everything,
        policy: EndpointPolicy::default(),
        challenge: Some(CHALLENGE.into()),
    });
    let url = StoreUrl::Sqlite(folder.join("lanyard.db"));
    let ports = Ports {
        store: Store::open(&url, Options::WRITING).await?,
        keys: KeyStore::open(&folder.join("keys"), None)?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        directories: Vec::new(),
        intune: Vec::new(),
    };
    Ok(open(settings, ports).await?)
}

/// Requests of different devices, made beforehand; keys are few, because making them takes long.
async fn requests(count: usize) -> Result<Vec<Request>> {
    let keys = tokio::task::spawn_blocking(|| {
        let key = || SoftwareKey::generate(KeyAlgorithm::Rsa { bits: 2048 });
        (0..CLIENT_KEYS).map(|_| key()).collect::<Result<Vec<_>, _>>()
    })
    .await??;
    let mut requests = Vec::with_capacity(count);
    for (number, key) in keys.iter().cycle().take(count).enumerate() {
        let subject = format!("CN=device-{number},OU=Devices,O=Example").parse()?;
        let public_key = Signer::public_key(key).clone();
        let signer = public_key.fingerprint();
        let builder = RequestBuilder {
            challenge: Some(ChallengePassword::new(CHALLENGE)),
            ..RequestBuilder::new(subject, public_key)
        };
        let algorithm = key.preferred_algorithm().context("a key that signs")?;
        let unsigned = builder.build(algorithm);
        let signature = key.sign(algorithm, unsigned.tbs()).await?;
        requests.push(Request {
            endpoint: STATIC,
            csr: CertificationRequest::from_der(&unsigned.assemble(&signature))?,
            proof: Proof::Challenge,
            transaction: Some(Transaction { id: format!("{number:032x}").into(), signer }),
            actor: Actor::Client { endpoint: "static".into(), address: None },
        });
    }
    Ok(requests)
}

async fn issue_all(authority: &Authority, requests: Vec<Request>, at_a_time: usize) -> Result<()> {
    let authority = authority.clone();
    each(requests, at_a_time, move |request| {
        let authority = authority.clone();
        async move {
            match authority.issue(request).await? {
                Outcome::Issued(_) => Ok(()),
                Outcome::Pending(_) => bail!("a request waits"),
            }
        }
    })
    .await
}

/// What no authority can do without: the request's signature verified, the certificate's made.
async fn keys_alone(authority: &Authority, requests: Vec<Request>, at_a_time: usize) -> Result<()> {
    let ca = authority.cas().iter().next().context("a CA")?.clone();
    let algorithm: SignatureAlgorithm = ca.signature_algorithm;
    each(requests, at_a_time, move |request| {
        let ca = ca.clone();
        async move {
            request.csr.verify()?;
            // As long as a certificate.
            let message = request.csr.as_der();
            let signature = ca.signer.sign(algorithm, message).await?;
            std::hint::black_box(signature);
            Ok(())
        }
    })
    .await
}

/// Runs `work` on every request, so many at a time, on as many tasks.
async fn each<W>(
    requests: Vec<Request>,
    at_a_time: usize,
    work: impl Fn(Request) -> W + Clone + Send + 'static,
) -> Result<()>
where
    W: Future<Output = Result<()>> + Send + 'static,
{
    let queue = Arc::new(std::sync::Mutex::new(requests.into_iter()));
    let mut tasks = JoinSet::new();
    for _ in 0..at_a_time {
        let (queue, work) = (queue.clone(), work.clone());
        tasks.spawn(async move {
            loop {
                let next = queue.lock().map_err(|_| anyhow::anyhow!("a task failed"))?.next();
                let Some(request) = next else { return anyhow::Ok(()) };
                work(request).await?;
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

struct Measured {
    cpu_micros: f64,
    each_second: f64,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:8.1} µs of processor time each, ", self.cpu_micros)?;
        write!(f, "{:8.0} a second", self.each_second)
    }
}

async fn measure<W: Future<Output = Result<()>>>(
    count: usize,
    work: impl FnOnce() -> W,
) -> Result<Measured> {
    let (cpu, wall) = (processor_seconds()?, Instant::now());
    work().await?;
    let (cpu, wall) = (processor_seconds()? - cpu, wall.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a count of certificates")]
    let count = count as f64;
    Ok(Measured { cpu_micros: cpu * 1e6 / count, each_second: count / wall })
}

/// User and system time of this process, all threads, in seconds (proc_pid_stat(5), fields 14 and 15).
fn processor_seconds() -> Result<f64> {
    /// USER_HZ, which is 100 wherever Linux runs on x86-64 and Arm.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(") ").next().context("a name in parentheses")?;
    let mut times = fields.split(' ').skip(11).map(str::parse::<f64>);
    let user = times.next().context("user time")??;
    let system = times.next().context("system time")??;
    Ok((user + system) / TICKS)
}
