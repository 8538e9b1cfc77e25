//! Killed while issuing: whatever a caller was told is there, once, with all that belongs to it.
//!
//! A child process (this program again) issues with many callers at once and writes a line for
//! every answer it gets from the store. It is killed after some number of lines, without any
//! warning, again and again on the same store. How many lines is drawn from a fixed seed; where in
//! its work the child is then is up to the machine.
//!
//! `cargo test -p lanyard-store --test crash -- 1000` kills a thousand times.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, ExitCode, Stdio},
    str::FromStr,
};

use futures_util::future::join_all;
use lanyard_store::{
    AuditVerdict, CaId, Issuance, Options, Store, StoreError, StoreUrl, Within,
    conformance::{
        harness::Harness,
        sample,
        server::{Durability, Server, postgres_is_required},
    },
};

type Failure = Box<dyn std::error::Error>;

const CHILD: &str = "child";
const CALLERS: u64 = 32;
/// Seeds that one round may use.
const ROUND: u64 = 1_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, child, url, first] = arguments.as_slice()
        && child == CHILD
    {
        return end(issue_until_killed(url, first));
    }
    let Some(mut harness) = Harness::begin("crash") else { return ExitCode::SUCCESS };
    let rounds = harness.number().unwrap_or(12);
    on_both(&mut harness, &arguments[0], rounds);
    harness.end()
}

fn end(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demand(condition: bool, complaint: impl FnOnce() -> String) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(complaint().into()) }
}

#[tokio::main]
async fn issue_until_killed(url: &str, first: &str) -> Result<(), Failure> {
    let store = Store::open(&StoreUrl::from_str(url)?, Options::WRITING).await?;
    let ca = current_ca(&store).await?;
    let first: u64 = first.parse()?;
    let callers = (0..CALLERS).map(async |caller| {
        for n in 0.. {
            issue(&store, ca, first + n * CALLERS + caller).await?;
        }
        Ok::<_, Failure>(())
    });
    for ended in join_all(callers).await {
        ended?;
    }
    Ok(())
}

async fn current_ca(store: &Store) -> Result<CaId, StoreError> {
    match store.cas().await?.first() {
        Some(ca) => Ok(ca.id),
        None => sample::with_ca(store).await,
    }
}

async fn issue(store: &Store, ca: CaId, seed: u64) -> Result<(), Failure> {
    let entry = Some(sample::audit("certificate.issue", &seed.to_string()));
    let new = sample::certificate(ca, seed);
    let issued = store.issue_certificate(new, sample::claim(seed), entry).await?;
    demand(issued == Issuance::Issued, || format!("{seed}: {issued:?}"))?;
    tell(seed)
}

/// Writes a line as a whole.
fn tell(seed: u64) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{seed}\n").as_bytes())?;
    Ok(out.flush()?)
}

#[tokio::main]
async fn on_both(harness: &mut Harness, program: &str, rounds: u64) {
    harness.ended("killed_on_sqlite", on_sqlite(program, rounds).await);
    match Server::start(Durability::Memory) {
        Ok(Some(server)) => {
            harness.ended("killed_on_postgres", on_postgres(program, rounds, server).await);
        }
        Ok(None) if !postgres_is_required() => {
            harness.pass_over("killed_on_postgres", "PostgreSQL 15 or newer is not installed");
        }
        other => harness.ended("killed_on_postgres", Err(format!("no PostgreSQL: {other:?}"))),
    }
}

async fn on_sqlite(program: &str, rounds: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("lanyard.db").display());
    let issued = on_one(program, &url, rounds, None).await?;
    let sound = rusqlite::Connection::open(folder.path().join("lanyard.db"))?.query_row(
        "PRAGMA integrity_check",
        (),
        |row| row.get::<_, String>(0),
    )?;
    println!("{issued} issued, killed {rounds} times");
    demand(sound == "ok", || format!("SQLite finds: {sound}"))
}

/// The client is killed, then the server under it.
async fn on_postgres(program: &str, rounds: u64, mut server: Server) -> Result<(), Failure> {
    let StoreUrl::Postgres(url) = server.database("killed").await? else {
        return Err("no PostgreSQL".into());
    };
    let issued = on_one(program, &url, rounds, None).await?;
    println!("{issued} issued, killed {rounds} times");
    let issued = on_one(program, &url, 3, Some(&mut server)).await?;
    println!("{issued} issued, the server killed 3 times");
    Ok(())
}

/// What callers were told to be issued.
#[derive(Default)]
struct Told(HashSet<u64>);

impl Told {
    fn hear(&mut self, line: &str) -> Result<(), Failure> {
        let seed = line.parse().map_err(|_| format!("the child says {line:?}"))?;
        self.0.insert(seed);
        Ok(())
    }
}

/// Kills the child, or the server under it, and looks at what is left; `rounds` times.
async fn on_one(
    program: &str,
    url: &str,
    rounds: u64,
    mut server: Option<&mut Server>,
) -> Result<u64, Failure> {
    let mut told = Told::default();
    let base = if server.is_some() { 1 << 40 } else { 0 };
    for round in 0..rounds {
        let draw = sample::bytes(url.split(':').next().unwrap_or_default(), round);
        let lines = 1 + u32::from(u16::from_be_bytes([draw[0], draw[1]])) % 700;
        let mut child = start(program, url, base + round * ROUND)?;
        let out = child.stdout.take().ok_or("the child has no output")?;
        let mut out = BufReader::new(out).lines();
        for line in out.by_ref().take(lines as usize) {
            told.hear(&line?)?;
        }
        if let Some(server) = &mut server {
            server.kill()?;
            // The child ends by itself: what it waits for fails.
            for line in out {
                told.hear_or_end(&line?)?;
            }
            child.wait()?;
            server.go_on()?;
        } else {
            child.kill()?;
            child.wait()?;
            // What was told before the end is still in the pipe.
            for line in out {
                told.hear(&line?)?;
            }
        }
        look(url, &told).await.map_err(|error| format!("round {round}: {error}"))?;
    }
    Ok(told.0.len() as u64)
}

impl Told {
    /// Like `hear`, and passes over the child's last words.
    fn hear_or_end(&mut self, line: &str) -> Result<(), Failure> {
        if line.starts_with("FAILED") { Ok(()) } else { self.hear(line) }
    }
}

fn start(program: &str, url: &str, first: u64) -> Result<Child, Failure> {
    let arguments = [CHILD.to_owned(), url.to_owned(), first.to_string()];
    Ok(Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?)
}

/// Everything that was told is there; what was not told is there as a whole or not at all.
async fn look(url: &str, told: &Told) -> Result<(), Failure> {
    let store = Store::open(&StoreUrl::from_str(url)?, Options::WRITING).await?;
    for seed in &told.0 {
        let der = store.certificate_der(sample::serial(*seed)).await?;
        demand(der == Some(sample::der(*seed)), || format!("certificate {seed} is lost"))?;
        let request = sample::enrollment(*seed);
        let stored = store.enrollment(request.endpoint, &request.transaction_id).await?;
        let claimed = stored.and_then(|stored| stored.serial);
        demand(claimed == Some(sample::serial(*seed)), || {
            format!("transaction {seed} has {claimed:?}")
        })?;
    }
    let counts = store.counts(Within::Everywhere).await?;
    let counted: u64 = counts.iter().map(|count| count.good).sum();
    demand(counted >= told.0.len() as u64, || format!("{counted} are counted"))?;
    let verdict = store.verify_audit().await?;
    demand(
        matches!(verdict, AuditVerdict::Intact { entries: n, .. } if n.unsigned_abs() == counted),
        || format!("{counted} were issued, and the audit trail is {verdict:?}"),
    )?;
    store.close().await;
    Ok(())
}
