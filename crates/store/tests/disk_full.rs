//! A disk that fills up under a SQLite store, and has room again.
//!
//! The test runs itself once more in a mount namespace with a small file system of its own. Where
//! the system does not allow that, it is passed over, visibly.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use lanyard_store::{
    AuditVerdict, Claim, Issuance, Options, Store, StoreError, StoreUrl, Within,
    conformance::{harness::Harness, sample},
};

type Failure = Box<dyn std::error::Error>;

const INSIDE: &str = "inside";
const NO_FILE_SYSTEM: i32 = 77;
const NAME: &str = "a_full_disk_is_told_and_overcome";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, inside, folder] = arguments.as_slice()
        && inside == INSIDE
    {
        return report(within(Path::new(folder)));
    }
    let Some(mut harness) = Harness::begin(NAME) else { return ExitCode::SUCCESS };
    match run_inside(&arguments[0]) {
        Ok(Some(0)) => harness.ended(NAME, Ok::<_, Failure>(())),
        Ok(Some(NO_FILE_SYSTEM)) => harness.pass_over(NAME, "no file system may be mounted"),
        Ok(code) => harness.ended(NAME, Err(format!("the test inside ended with {code:?}"))),
        Err(error) => harness.ended(NAME, Err(error)),
    }
    harness.end()
}

fn report(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs this program in a namespace where it may mount.
fn run_inside(program: &str) -> Result<Option<i32>, Failure> {
    let folder = tempfile::tempdir()?;
    let script = "mount -t tmpfs -o size=6m none \"$2\" 2>/dev/null || exit 77; \
                  exec \"$1\" inside \"$2\"";
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", program])
        .arg(folder.path())
        .status()?;
    Ok(status.code().map(|code| if code == 1 && !may_unshare() { NO_FILE_SYSTEM } else { code }))
}

fn may_unshare() -> bool {
    let tried = Command::new("unshare").args(["--user", "--map-root-user", "true"]).status();
    tried.is_ok_and(|status| status.success())
}

fn within(folder: &Path) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(a_full_disk_is_told_and_overcome(folder))
}

fn demand(condition: bool, complaint: impl FnOnce() -> String) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(complaint().into()) }
}

async fn issue(store: &Store, ca: lanyard_store::CaId, seed: u64) -> Result<(), StoreError> {
    let entry = Some(sample::audit("certificate.issue", "x"));
    let new = sample::certificate(ca, seed);
    match store.issue_certificate(new, sample::claim(seed), entry).await? {
        Issuance::Issued => Ok(()),
        other => Err(StoreError::Conflict(format!("{other:?}"))),
    }
}

async fn a_full_disk_is_told_and_overcome(folder: &Path) -> Result<(), Failure> {
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![0; 2 << 20])?;
    let url = StoreUrl::Sqlite(folder.join("lanyard.db"));
    let store = Store::open(&url, Options::WRITING).await?;
    let ca = sample::with_ca(&store).await?;

    // Several at a time, until there is no room.
    let mut issued = Vec::new();
    let mut failed = Vec::new();
    let mut seed = 0;
    while failed.len() < 40 && seed < 20_000 {
        let seeds: Vec<u64> = (seed..seed + 8).collect();
        let each = seeds.iter().map(|seed| issue(&store, ca, *seed));
        for (seed, outcome) in seeds.iter().zip(futures_util::future::join_all(each).await) {
            match outcome {
                Ok(()) => issued.push(*seed),
                Err(error) => failed.push((*seed, error)),
            }
        }
        seed += 8;
    }
    demand(!issued.is_empty(), || "nothing was issued".to_owned())?;
    demand(failed.len() >= 40, || format!("{} were issued on 4 MB", issued.len()))?;
    let other = failed.iter().find(|(_, error)| !matches!(error, StoreError::DiskFull(_)));
    demand(other.is_none(), || format!("not told as a full disk: {other:?}"))?;

    // Reading goes on.
    for seed in &issued {
        let der = store.certificate_der(sample::serial(*seed)).await?;
        demand(der == Some(sample::der(*seed)), || format!("{seed} is lost"))?;
    }
    check(&store, issued.len()).await?;

    // With room again, writing goes on by itself.
    fs::remove_file(&ballast)?;
    for seed in 50_000..50_020 {
        let done = issue(&store, ca, seed).await;
        demand(done.is_ok(), || format!("{seed}: {done:?}, {:?}", sizes(folder)))?;
        issued.push(seed);
    }
    check(&store, issued.len()).await?;
    store.close().await;
    let store = Store::open(&url, Options::WRITING).await?;
    check(&store, issued.len()).await?;
    let new = sample::certificate(ca, 60_000);
    demand(store.issue_certificate(new, Claim::None, None).await? == Issuance::Issued, || {
        "a reopened store does not write".to_owned()
    })?;
    store.close().await;
    Ok(())
}

/// What takes up the room.
fn sizes(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| {
            let size = entry.metadata().map_or(0, |data| data.len());
            (entry.file_name().to_string_lossy().into_owned(), size)
        })
        .collect()
}

/// Nothing is half-written: counts, certificates and audit trail tell the same.
async fn check(store: &Store, issued: usize) -> Result<(), Failure> {
    let counts = store.counts(Within::Everywhere).await?;
    let counted: u64 = counts.iter().map(|count| count.good).sum();
    demand(counted == issued as u64, || format!("{issued} issued, {counted} counted"))?;
    let verdict = store.verify_audit().await?;
    demand(matches!(verdict, AuditVerdict::Intact { .. }), || format!("{verdict:?}"))
}
