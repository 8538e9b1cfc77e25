//! Measures what status costs beside the signature: answers kept and fresh, the store's part in them, one long CRL.
//!
//! `cargo run --release -p lanyard-authority --example status_speed -- [certificates] [revoked]`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lanyard_authority::clock::SystemClock;
use lanyard_authority::entropy::{Entropy as _, SeededEntropy};
use lanyard_authority::settings::ScepIdentityChoice;
use lanyard_authority::status::settings::{ResponderKey, ResponderSigner};
use lanyard_authority::{Authority, Ca, Clock as _, Ports, Settings};
use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::kind::{Kind, Source};
use lanyard_lifecycle::revocation::{Change, RevocationReason};
use lanyard_lifecycle::{EndpointId, OrganizationId, Scope};
use lanyard_pki::ocsp::{self, IssuerHashes, OcspRequest};
use lanyard_pki::{Digest, KeyAlgorithm, SerialNumber};
use lanyard_signer::{KeyStore, Signer, SoftwareKey};
use lanyard_store::{
    Claim, CrlPartition, Keep, Names, NewCertificate, Options, StandingChange, Store, StoreUrl,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Writes under way at once while the store is filled.
const AT_ONCE: usize = 512;

/// Answers a measurement.
const ROUNDS: usize = 200_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let certificates: usize = arguments.next().map_or(Ok(1_000), |text| text.parse())?;
    let revoked: usize = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let p256 = open(&folder, "p256", KeyAlgorithm::P256).await?;
    let rsa = open(&folder, "rsa", KeyAlgorithm::Rsa { bits: 2048 }).await?;
    let ca = p256.cas().current(OrganizationId::DEFAULT).ok_or("no CA")?.clone();

    let began = Instant::now();
    let serials = fill(&p256.store, &ca, certificates).await?;
    println!("{certificates} certificates recorded in {:.1?}; {}", began.elapsed(), memory());

    let requests: Vec<Vec<u8>> = serials.iter().map(|serial| request(&ca, serial, None)).collect();
    let nonces: Vec<Vec<u8>> =
        serials.iter().map(|serial| request(&ca, serial, Some(&[7; 32]))).collect();
    let few = &requests[..requests.len().min(1_000)];
    let few_nonces = &nonces[..nonces.len().min(1_000)];

    raw(&requests[0]).await?;
    println!("P-256 responder");
    measure(&p256, "kept answers, 1,000 certificates, signing them", few, few.len()).await?;
    measure(&p256, "kept answers, 1,000 certificates", few, ROUNDS).await?;
    measure(&p256, "nonces, 1,000 certificates", few_nonces, ROUNDS / 4).await?;
    let all = requests.len();
    measure(&p256, "nonces, every certificate, read from the store", &nonces, all).await?;
    measure(&p256, "nonces, every certificate, remembered", &nonces, all).await?;
    measure(&p256, "kept answers, every certificate, signing them", &requests, all).await?;
    measure(&p256, "kept answers, every certificate", &requests, all).await?;
    println!("{:?}; {}", p256.memory_use(), memory());

    println!("RSA-2048 responder");
    let ca = rsa.cas().current(OrganizationId::DEFAULT).ok_or("no CA")?.clone();
    let few = fill(&rsa.store, &ca, 100).await?;
    let few: Vec<Vec<u8>> = few.iter().map(|serial| request(&ca, serial, Some(&[7; 32]))).collect();
    measure(&rsa, "nonces, 100 certificates", &few, ROUNDS / 50).await?;

    if revoked > 0 {
        crl(&p256, &serials[..revoked.min(serials.len())]).await?;
    }
    Ok(())
}

/// An authority and its store.
struct Opened {
    authority: Authority,
    store: Store,
}

impl std::ops::Deref for Opened {
    type Target = Authority;

    fn deref(&self) -> &Authority {
        &self.authority
    }
}

async fn open(folder: &tempfile::TempDir, name: &str, responder: KeyAlgorithm) -> Outcome<Opened> {
    let mut settings = Settings::new("CN=Speed CA".parse()?);
    settings.first.key = KeyAlgorithm::P256;
    settings.scep.identity = ScepIdentityChoice::Ca;
    settings.status.responder.signer = ResponderSigner::Delegated(ResponderKey::Is(responder));
    let folder = folder.path().join(name);
    std::fs::create_dir(&folder)?;
    let url = StoreUrl::Sqlite(folder.join("lanyard.db"));
    let store = Store::open(&url, Options::WRITING).await?;
    let ports = Ports {
        store: store.clone(),
        keys: KeyStore::open(&folder.join("keys"), None)?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SeededEntropy::new(1)),
        directories: Vec::new(),
        intune: Vec::new(),
    };
    Ok(Opened { authority: lanyard_authority::open(settings, ports).await?, store })
}

async fn fill(store: &Store, ca: &Ca, certificates: usize) -> Outcome<Vec<SerialNumber>> {
    let entropy = SeededEntropy::new(2);
    let now = SystemClock.now();
    let mut serials = Vec::with_capacity(certificates);
    let mut octets = [0; 20];
    while serials.len() < certificates {
        let batch: Vec<NewCertificate> = (0..AT_ONCE.min(certificates - serials.len()))
            .map(|_| {
                entropy.fill(&mut octets);
                octets[0] = 0x4f;
                Ok(NewCertificate {
                    serial: SerialNumber::from_bytes(&octets)?,
                    ca: ca.id,
                    crl_partition: CrlPartition::COMPLETE,
                    scope: Scope::DEFAULT,
                    binding: Binding::untethered(Kind::Static, [7; 16]).ok_or("tethered")?,
                    source: Source::Static,
                    endpoint: EndpointId::from_bytes([1; 16]),
                    profile: "device".to_owned(),
                    names: Names { common_name: Some("device".to_owned()), ..Names::default() },
                    spki_sha256: [7; 32],
                    not_before: now,
                    not_after: now.plus(31_536_000),
                    issued_at: now,
                    der: vec![7; 900],
                    keep: Keep::Everything,
                    due: None,
                    notice: None,
                })
            })
            .collect::<Outcome<_>>()?;
        serials.extend(batch.iter().map(|new| new.serial.clone()));
        let record = async |new: NewCertificate| -> Outcome<()> {
            store.issue_certificate(new, Claim::None, None).await?;
            Ok(())
        };
        futures_util::future::try_join_all(batch.into_iter().map(record)).await?;
    }
    Ok(serials)
}

fn request(ca: &Ca, serial: &SerialNumber, nonce: Option<&[u8]>) -> Vec<u8> {
    let name = ca.certificate.subject().as_der();
    let hashes = IssuerHashes::of(name, ca.signer.public_key().key_bits());
    let id = hashes.cert_id(Digest::Sha1, serial).unwrap_or_default();
    ocsp::request(&[&id], nonce)
}

/// What the parts cost alone.
async fn raw(request: &[u8]) -> Outcome<()> {
    println!("parts");
    let began = processor_time()?;
    for _ in 0..ROUNDS {
        black_box(OcspRequest::from_der(black_box(request))?);
    }
    report("reading a request", processor_time()?.saturating_sub(began), ROUNDS);
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa { bits: 2048 }] {
        let key = SoftwareKey::generate(algorithm)?;
        let with = key.preferred_algorithm().ok_or("no algorithm")?;
        let rounds = 4_000;
        let began = processor_time()?;
        for _ in 0..rounds {
            black_box(key.sign(with, black_box(&[7; 300])).await?);
        }
        report(
            &format!("a signature with {algorithm}"),
            processor_time()?.saturating_sub(began),
            rounds,
        );
    }
    Ok(())
}

async fn measure(
    authority: &Authority,
    what: &str,
    requests: &[Vec<u8>],
    rounds: usize,
) -> Outcome<()> {
    let began = processor_time()?;
    for request in requests.iter().cycle().take(rounds) {
        black_box(authority.answer(black_box(request)).await.der());
    }
    report(what, processor_time()?.saturating_sub(began), rounds);
    Ok(())
}

async fn crl(opened: &Opened, serials: &[SerialNumber]) -> Outcome<()> {
    let now = SystemClock.now();
    let change = async |serial: &SerialNumber| {
        let change = StandingChange {
            change: Change::Revoke(RevocationReason::Superseded),
            at: now,
            by: "speed".to_owned(),
            invalidity_date: None,
        };
        opened.store.change_standing(serial.clone(), change, None).await
    };
    for batch in serials.chunks(AT_ONCE) {
        futures_util::future::try_join_all(batch.iter().map(change)).await?;
    }
    let (began, before) = (Instant::now(), processor_time()?);
    opened.refresh_crls().await;
    let (wall, processor) = (began.elapsed(), processor_time()?.saturating_sub(before));
    let ca = opened.cas().current(OrganizationId::DEFAULT).ok_or("no CA")?.id;
    let crl = opened.complete_crl(ca).ok_or("no CRL")?;
    println!(
        "a CRL of {} entries, {} octets: {processor:.1?} of processor, {wall:.1?}; {}",
        crl.entries(),
        crl.der.len(),
        memory()
    );
    Ok(())
}

fn report(what: &str, took: Duration, rounds: usize) {
    let each = took.as_secs_f64() * 1e6 / f64::from(u32::try_from(rounds).unwrap_or(u32::MAX));
    println!("  {each:9.3} us  {what} ({rounds})");
}

/// The memory that is resident.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find(|line| line.starts_with("VmRSS"));
    resident.unwrap_or("VmRSS: not told here").replace('\t', " ")
}

/// The time that all threads of this process have had a processor: others may be busy on this machine.
fn processor_time() -> Outcome<Duration> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().ok_or("no time")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
