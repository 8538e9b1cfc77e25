//! `lanyard simulate`: tenants in a box, on loopback, until it is told to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use lanyard_simulator::{Introduction, Options, Running, Simulator, tenant};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{LogFormat, LogSection};
use crate::exit::{ExitStatus, Failure};
use crate::logging;
use crate::output::Output;

/// Where the simulator answers, here and in a demo.
pub const ADDRESS: &str = "127.0.0.1:7490";

/// Flags of `lanyard simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Answer here; a loopback address, port 0 finds a free one
    #[arg(long, value_name = "ADDRESS", default_value = ADDRESS)]
    listen: SocketAddr,
    /// The devices of the first tenant, 1 to 1,000,000
    #[arg(long, value_name = "NUMBER", default_value_t = 100,
        value_parser = clap::value_parser!(u64).range(1..=tenant::MOST_DEVICES))]
    devices: u64,
    /// Its people [default: one for two devices]
    #[arg(long, value_name = "NUMBER",
        value_parser = clap::value_parser!(u64).range(0..=tenant::MOST_DEVICES))]
    users: Option<u64>,
    /// What the tenants are generated from: the same seed makes the same tenants
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Stand still in time but for POST /_control/time: start at this date, as in 2026-11-21T09:00:00Z
    #[arg(long, value_name = "DATE", value_parser = date)]
    standstill: Option<tenant::Time>,
    /// Once it answers, write addresses, credentials and example objects as JSON here, for scripts
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

fn date(text: &str) -> Result<tenant::Time, String> {
    tenant::Time::parse(text).ok_or_else(|| "no date and time as in 2026-11-21T09:00:00Z".into())
}

/// What the ready file and `--json` hold: the first tenant, and all of them.
#[derive(Debug, Serialize)]
struct Ready {
    #[serde(flatten)]
    first: Introduction,
    tenants: Vec<Introduction>,
}

/// Runs the simulator.
pub async fn run(args: SimulateArgs, output: Output) -> Result<(), Failure> {
    logging::start(&LogSection { level: "warn".into(), format: LogFormat::Human });
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    if let Some(file) = &args.ready_file {
        super::demo::forget(file)?;
    }
    let pace = args.standstill.map_or(tenant::Pace::Running, tenant::Pace::Manual);
    let running = start(args.listen, args.seed, args.devices, args.users, pace).await?;
    let tenants = running.introductions();
    let first = tenants
        .first()
        .cloned()
        .ok_or_else(|| Failure::new(ExitStatus::Failed, "the simulator has no tenant"))?;
    let ready = Ready { first, tenants };
    output.answer(&ready, || describe(&ready.tenants))?;
    if let Some(file) = &args.ready_file {
        write(file, &ready)?;
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(())
}

/// Starts a simulator: a tenant of this size, and a small one beside it.
pub async fn start(
    listen: SocketAddr,
    seed: u64,
    devices: u64,
    users: Option<u64>,
    pace: tenant::Pace,
) -> Result<Running, Failure> {
    let mut first = tenant::TenantSpec::named("Contoso", devices);
    first.users = users.unwrap_or(first.users);
    let tenants = vec![first, tenant::TenantSpec::named("Fabrikam", 10)];
    Ok(Simulator::start(Options { listen, seed, tenants, pace }).await?)
}

/// Whole or not at all, so that a script that sees the file can read it.
fn write(file: &Path, ready: &Ready) -> Result<(), Failure> {
    crate::file::write_private(file, &serde_json::to_vec_pretty(ready)?)
        .map_err(|error| Failure::new(ExitStatus::Failed, format!("{}: {error}", file.display())))
}

fn describe(tenants: &[Introduction]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for tenant in tenants {
        let client = tenant.client_id.map(|id| id.to_string()).unwrap_or_default();
        let rows = [
            ("tenant", tenant.tenant_id.to_string()),
            ("sign-in", tenant.login_url.clone()),
            ("Graph", tenant.graph_url.clone()),
            ("client", format!("{client}, secret {}", tenant.client_secret)),
            ("managed identity", tenant.managed_identity_url.clone()),
            ("Jamf Pro", tenant.jamf_url.clone()),
            (
                "its client",
                format!("{}, secret {}", tenant.jamf_client_id, tenant.jamf_client_secret),
            ),
        ];
        let _ = writeln!(text, "{} ({})", tenant.tenant_name, tenant.domain);
        for (name, value) in rows {
            let _ = writeln!(text, "  {name:18}{value}");
        }
    }
    if let Some(first) = tenants.first() {
        let _ = write!(
            text,
            "\nWhat happens there is decided at {}\nIt stays up until you press Ctrl-C.",
            first.control_url
        );
    }
    text
}
