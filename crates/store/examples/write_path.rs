//! What an enrollment costs in the store: certificate, transaction and audit entry.
//!
//! `cargo run --release -p lanyard-store --example write_path -- [sqlite|postgres] [rows]
//! [enrollments]`: `rows` certificates are there beforehand (0), `enrollments` are measured a
//! line (20000). The folder for SQLite is the current one. PostgreSQL is started for the purpose;
//! its processor time is told apart. Then: status reads, a CRL's entries, and opening the store.

use std::{
    error::Error,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use lanyard_lifecycle::{Change, RevocationReason};
use lanyard_store::{
    CaId, CrlPartition, Issuance, Options, StandingChange, Store, StoreError, StoreUrl,
    conformance::{
        sample,
        server::{Durability, Server, processor_time},
    },
};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, or: u64| -> Outcome<u64> {
        Ok(arguments.get(index).map_or(Ok(or), |text| text.parse())?)
    };
    let (rows, enrollments) = (number(1, 0)?, number(2, 20_000)?);
    match arguments.first().map_or("sqlite", String::as_str) {
        "sqlite" => {
            let folder = tempfile::tempdir_in(".")?;
            let url = StoreUrl::Sqlite(folder.path().join("lanyard.db"));
            measure(&url, None, rows, enrollments).await
        }
        "postgres" => {
            let server = Server::start(Durability::Disk)?.ok_or("PostgreSQL is not installed")?;
            let url = server.database("bench").await?;
            measure(&url, Some(&server), rows, enrollments).await
        }
        other => Err(format!("{other:?} is neither sqlite nor postgres").into()),
    }
}

async fn measure(
    url: &StoreUrl,
    server: Option<&Server>,
    rows: u64,
    enrollments: u64,
) -> Outcome<()> {
    let store = Store::open(url, Options::WRITING).await?;
    let ca = sample::with_ca(&store).await?;
    fill(&store, ca, rows).await?;
    println!("{rows} certificates are there");
    println!("clients  enrollments/s  CPU us each  database CPU us each  p50 ms  p99 ms");
    let mut first = rows;
    for clients in [1, 16, 64] {
        let some = if clients == 1 { enrollments / 10 } else { enrollments };
        let line = enroll(&store, server, ca, first, some, clients).await?;
        println!("{clients:>7}  {line}");
        first += some;
    }
    read_statuses(&store, first).await?;
    revoke_and_list(&store, ca, first.min(rows / 10)).await?;
    store.close().await;
    drop(store);
    let start = Instant::now();
    let store = Store::open(url, Options::WRITING).await?;
    println!("opening it takes {:.1} ms; memory {}", milliseconds(start.elapsed()), memory());
    store.close().await;
    Ok(())
}

/// Issues certificates without measuring.
async fn fill(store: &Store, ca: CaId, rows: u64) -> Result<(), StoreError> {
    let next = AtomicU64::new(0);
    let each = (0..128).map(async |_| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= rows {
                return Ok::<_, StoreError>(());
            }
            sample::issue(store, sample::certificate(ca, seed)).await?;
        }
    });
    try_join_all(each).await.map(|_| ())
}

/// `count` enrollments by `clients` at a time.
async fn enroll(
    store: &Store,
    server: Option<&Server>,
    ca: CaId,
    first: u64,
    count: u64,
    clients: u64,
) -> Outcome<String> {
    // Made beforehand: making them is not the store's work.
    let work: Vec<_> = (first..first + count)
        .map(|seed| {
            let mut certificate = sample::certificate(ca, seed);
            certificate.names.upn = None;
            let audit = sample::audit("certificate.issue", &certificate.serial.to_string());
            (certificate, sample::claim(seed), audit)
        })
        .collect();
    let work = Arc::new(std::sync::Mutex::new(work));
    let database = || server.map_or(0, Server::processor_time);
    let (own_before, database_before) = (processor_time("self"), database());
    let start = Instant::now();
    let tasks = (0..clients).map(|_| {
        let (store, work) = (store.clone(), Arc::clone(&work));
        tokio::spawn(async move {
            let mut times = Vec::new();
            loop {
                let next = work.lock().ok().and_then(|mut work| work.pop());
                let Some((certificate, claim, audit)) = next else {
                    return Ok::<_, StoreError>(times);
                };
                let start = Instant::now();
                let issued = store.issue_certificate(certificate, claim, Some(audit)).await?;
                assert_eq!(issued, Issuance::Issued);
                times.push(start.elapsed());
            }
        })
    });
    let mut times = Vec::new();
    for task in try_join_all(tasks).await? {
        times.extend(task?);
    }
    let took = start.elapsed();
    times.sort_unstable();
    let share = |per_cent: usize| times.get(times.len() * per_cent / 100).copied();
    let mut line = String::new();
    write!(
        line,
        "{:>13.0}  {:>11.1}  {:>20.1}  {:>6.2}  {:>6.2}",
        each(count, 1.0 / took.as_secs_f64()),
        each(processor_time("self") - own_before, 1.0) / each(count, 1.0),
        each(database() - database_before, 1.0) / each(count, 1.0),
        milliseconds(share(50).unwrap_or_default()),
        milliseconds(share(99).unwrap_or_default()),
    )?;
    Ok(line)
}

async fn read_statuses(store: &Store, certificates: u64) -> Outcome<()> {
    const READS: u64 = 50_000;
    let serials: Vec<_> = (0..READS).map(|n| sample::serial(n * 7919 % certificates)).collect();
    let (before, start) = (processor_time("self"), Instant::now());
    for serial in serials {
        let status = store.certificate_status(serial).await?;
        assert!(status.is_some());
    }
    println!(
        "a status read takes {:.2} us, {:.2} us CPU",
        start.elapsed().as_secs_f64() * 1e6 / each(READS, 1.0),
        each(processor_time("self") - before, 1.0) / each(READS, 1.0),
    );
    Ok(())
}

async fn revoke_and_list(store: &Store, ca: CaId, count: u64) -> Outcome<()> {
    let next = AtomicU64::new(0);
    let revokers = (0..128).map(async |_| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return Ok::<_, StoreError>(());
            }
            let change = StandingChange {
                change: Change::Revoke(RevocationReason::Superseded),
                at: sample::NOW,
                by: "bench".to_owned(),
                invalidity_date: None,
            };
            store.change_standing(sample::serial(seed), change, None).await?;
        }
    });
    let (before, start) = (processor_time("self"), Instant::now());
    try_join_all(revokers).await?;
    let cost = each(processor_time("self") - before, 1.0) / each(count.max(1), 1.0);
    println!(
        "{count} revocations took {:.0} ms, {cost:.1} us CPU each",
        milliseconds(start.elapsed())
    );
    let (before, start) = (processor_time("self"), Instant::now());
    let entries = store.revoked(ca, CrlPartition::COMPLETE, sample::NOW).await?.collect().await?;
    println!(
        "{} entries of a CRL took {:.0} ms, {:.0} ms CPU; memory {}",
        entries.len(),
        milliseconds(start.elapsed()),
        each(processor_time("self") - before, 1e-3),
        memory()
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn each(count: u64, factor: f64) -> f64 {
    count as f64 * factor
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Resident memory of this process.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
