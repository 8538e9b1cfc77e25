//! `lanyard bench mirror`: how fast, and in how much memory, a server of ours reads a whole tenant, also while it is killed
//! on the way.
//!
//! Simulator and server are processes of their own, made from this program: what is measured is the server's alone, by the
//! way that a real tenant takes: sign-in, Graph, connectors, mirror, SQLite. The simulator has the same processors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use lanyard_lifecycle::object::ObjectKind;
use lanyard_simulator::tenant::MOST_DEVICES;
use serde::Serialize;
use serde_json::Value;

use super::cpu;
use crate::commands::operator;
use crate::control::client::ControlClient;
use crate::control::operations::directory::{FeedView, ListDirectories};
use crate::exit::{ExitStatus, Failure};
use crate::output::{Output, table};

/// How often the server is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How often progress is told where nobody looks at a terminal.
const TELL: Duration = Duration::from_secs(5);

/// How long simulator and server may take until they answer.
const PATIENCE: Duration = Duration::from_mins(5);

/// The directory's name, which is in the environment variable of its secret.
const DIRECTORY: &str = "bench";

/// Flags of `lanyard bench mirror`.
#[derive(Debug, Args)]
pub struct MirrorArgs {
    /// Devices of the simulated tenant, in Entra ID and in Intune
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000,
        value_parser = clap::value_parser!(u64).range(1..=MOST_DEVICES))]
    devices: u64,
    /// Its people [default: one for two devices]
    #[arg(long, value_name = "NUMBER",
        value_parser = clap::value_parser!(u64).range(0..=MOST_DEVICES))]
    users: Option<u64>,
    /// What the tenant is generated from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Kill the server so often on the way (SIGKILL) and start it again
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    kills: u32,
    /// A folder for the server's data, kept afterwards [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    /// Objects by kind that are known in the end.
    objects: BTreeMap<&'static str, u64>,
    /// All of them.
    rows: u64,
    /// From the server's start to the end of the first round of all, restarts included.
    seconds: f64,
    rows_per_second: f64,
    /// How often the server was killed.
    kills: u32,
    /// The most memory that a process of the server held, in bytes.
    peak_resident_bytes: Option<u64>,
    /// Processor time of the server's processes, in seconds, as far as it was seen.
    processor_seconds: f64,
    /// The store in the end, in bytes.
    store_bytes: u64,
}

/// Runs the bench.
pub(super) async fn run(args: MirrorArgs, output: Output) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("lanyard-bench-").tempdir()?;
    let users = args.users.unwrap_or_else(|| args.devices.div_ceil(2));
    let ready = folder.path().join("ready.json");
    let simulator = Process::simulator(&args, users, &ready)?;
    let making = simulator.ready(&ready);
    let tenant = output.progress("making the tenant", making).await?;
    let data = args.data.clone().unwrap_or_else(|| folder.path().join("data"));
    let settings = folder.path().join("lanyard.toml");
    std::fs::write(&settings, configuration(&data, &tenant)?)?;
    let expected = expected(users, args.devices);
    let mut run = Run {
        settings: &settings,
        data: &data,
        secret: text(&tenant, "client_secret")?,
        expected: &expected,
        peak: None,
        processor: Duration::ZERO,
        output,
    };
    let begun = Instant::now();
    let total: u64 = expected.iter().map(|(_, count)| count).sum();
    for kill in 1..=args.kills {
        // Evenly over the way.
        let until = total * u64::from(kill) / (u64::from(args.kills) + 1);
        run.read(Some(until)).await?;
    }
    let feeds = run.read(None).await?;
    let report = run.report(&feeds, args.kills, begun.elapsed());
    output.answer(&report, || report.text())?;
    check(&report, &expected)
}

/// What there is to be read, by kind: as many of either kind of device.
fn expected(users: u64, devices: u64) -> [(ObjectKind, u64); 3] {
    [
        (ObjectKind::EntraUser, users),
        (ObjectKind::EntraDevice, devices),
        (ObjectKind::IntuneDevice, devices),
    ]
}

fn check(report: &Report, expected: &[(ObjectKind, u64)]) -> Result<(), Failure> {
    for (kind, expected) in expected {
        let known = report.objects.get(kind.name()).copied().unwrap_or(0);
        if known != *expected {
            let text = format!("{known} of {expected} objects are known: {}", kind.name());
            return Err(Failure::new(ExitStatus::Failed, text));
        }
    }
    Ok(())
}

fn text(tenant: &Value, name: &str) -> Result<String, Failure> {
    let found = tenant.get(name).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Failure::new(ExitStatus::Failed, format!("the simulator tells no {name}")))
}

fn configuration(data: &Path, tenant: &Value) -> Result<String, Failure> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    Ok(format!(
        "data = {}\n[listen]\nhttp = [\"127.0.0.1:0\"]\nhttps = []\n[log]\nlevel = \"warn\"\n\
         [[directory]]\nname = {}\ntenant_id = {}\nurl = {}\nclient_id = {}\n\
         follow = [\"entra\", \"intune\"]\n",
        quoted(&data.display().to_string()),
        quoted(DIRECTORY),
        quoted(&text(tenant, "tenant_id")?),
        quoted(&text(tenant, "simulator_url")?),
        quoted(&text(tenant, "client_id")?),
    ))
}

/// A process of this program, which ends with its owner.
struct Process(Child);

impl Process {
    fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        Ok(Self(child))
    }

    fn simulator(args: &MirrorArgs, users: u64, ready: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["simulate", "--listen", "127.0.0.1:0"]);
        command.args(["--devices", &args.devices.to_string(), "--users", &users.to_string()]);
        command.args(["--seed", &args.seed.to_string(), "--ready-file"]).arg(ready);
        Self::spawn(&mut command)
    }

    /// What the simulator says once it answers.
    async fn ready(&self, file: &Path) -> Result<Value, Failure> {
        let begun = Instant::now();
        while !file.exists() {
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new(ExitStatus::Unreachable, "the simulator does not start"));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(serde_json::from_slice(&std::fs::read(file)?)?)
    }

    fn has_ended(&mut self) -> Result<bool, Failure> {
        Ok(self.0.try_wait()?.is_some())
    }
}

impl Drop for Process {
    /// As a crash does it.
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server, which may be started several times.
struct Run<'a> {
    settings: &'a Path,
    data: &'a Path,
    secret: String,
    expected: &'a [(ObjectKind, u64)],
    peak: Option<u64>,
    processor: Duration,
    output: Output,
}

impl Run<'_> {
    /// Has a server read until so many objects are known, else until everything is, and kills it.
    async fn read(&mut self, until: Option<u64>) -> Result<Vec<FeedView>, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--config").arg(self.settings).arg("serve");
        command.env(format!("LANYARD_DIRECTORY_{}_SECRET", DIRECTORY.to_uppercase()), &self.secret);
        let mut server = Process::spawn(&mut command)?;
        let client = self.connect(&mut server).await?;
        let (mut told, mut processor) = (Instant::now(), Duration::ZERO);
        let mut troubles = 0;
        loop {
            if server.has_ended()? {
                return Err(Failure::new(ExitStatus::Failed, "the server has ended by itself"));
            }
            let directories = client.run(ListDirectories {}).await?;
            let feeds: Vec<FeedView> = directories.into_iter().flat_map(|one| one.feeds).collect();
            let pid = server.0.id();
            self.peak = self.peak.max(cpu::peak_resident_bytes(pid));
            processor = cpu::of_process(pid).unwrap_or(processor);
            let known: u64 = feeds.iter().map(|feed| feed.present).sum();
            if told.elapsed() > TELL && !self.output.is_json() {
                self.output.remark(&self.progress(&feeds, pid));
                told = Instant::now();
            }
            let is_read = |feed: &FeedView| {
                feed.how == "on-demand"
                    || feed.as_of.is_some() && feed.phase == "resting" && !feed.proving
            };
            let is_done = !feeds.is_empty() && feeds.iter().all(is_read);
            if is_done || until.is_some_and(|until| known >= until) {
                self.processor += processor;
                return Ok(feeds);
            }
            // What a killed server held of leases passes within a minute; what stays is a fault of its own.
            let trouble = feeds.iter().find_map(|feed| feed.trouble.clone());
            troubles = if trouble.is_some() { troubles + 1 } else { 0 };
            if let Some(trouble) = trouble.filter(|_| LOOK * troubles > PATIENCE) {
                return Err(Failure::new(ExitStatus::Failed, trouble));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn connect(&self, server: &mut Process) -> Result<ControlClient, Failure> {
        let begun = Instant::now();
        let socket = self.data.join("control.sock");
        loop {
            if let Some(client) = ControlClient::find(&socket, &operator()).await? {
                return Ok(client);
            }
            if server.has_ended()? || begun.elapsed() > PATIENCE {
                return Err(Failure::new(ExitStatus::Unreachable, "the server does not start"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn progress(&self, feeds: &[FeedView], pid: u32) -> String {
        let of = |feed: &FeedView| {
            let total = self.expected.iter().find(|(kind, _)| *kind == feed.kind);
            let total = feed.total.or(total.map(|(_, total)| *total));
            let total = total.map_or_else(String::new, |total| format!(" of {total}"));
            format!("{} {}{total}", feed.kind.name(), feed.present)
        };
        let told: Vec<String> = feeds.iter().map(of).collect();
        let memory = cpu::resident_bytes(pid).unwrap_or(0) >> 20;
        format!("{}; {memory} MiB", told.join(", "))
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn report(&self, feeds: &[FeedView], kills: u32, took: Duration) -> Report {
        let objects: BTreeMap<_, _> =
            feeds.iter().map(|feed| (feed.kind.name(), feed.present)).collect();
        let rows = objects.values().sum();
        let seconds = took.as_secs_f64();
        let files = ["lanyard.db", "lanyard.db-wal"].map(|file| self.data.join(file));
        let sizes = files.iter().filter_map(|file| std::fs::metadata(file).ok());
        Report {
            objects,
            rows,
            seconds,
            rows_per_second: rows as f64 / seconds,
            kills,
            peak_resident_bytes: self.peak,
            processor_seconds: self.processor.as_secs_f64(),
            store_bytes: sizes.map(|file| file.len()).sum(),
        }
    }
}

impl Report {
    fn text(&self) -> String {
        let mut rows: Vec<Vec<String>> = self
            .objects
            .iter()
            .map(|(kind, count)| vec![(*kind).to_owned(), count.to_string()])
            .collect();
        let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
        let peak = self.peak_resident_bytes.map_or_else(|| "unknown".to_owned(), mebibytes);
        rows.extend(
            [
                ("seconds", format!("{:.1}", self.seconds)),
                ("rows a second", format!("{:.0}", self.rows_per_second)),
                ("processor seconds", format!("{:.1}", self.processor_seconds)),
                ("peak memory", peak),
                ("store", mebibytes(self.store_bytes)),
                ("kills", self.kills.to_string()),
            ]
            .map(|(name, value)| vec![name.to_owned(), value]),
        );
        table(&["mirror", ""], &rows)
    }
}
