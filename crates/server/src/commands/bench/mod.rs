//! `lanyard bench`: how fast a SCEP server or an OCSP responder is, ours or another, and what the limit is.
//!
//! Messages are made before the clock starts, with keys made before that, so that the generator takes as little as it
//! can of a machine that it shares with the server.

mod cpu;
mod keys;
mod load;
mod mirror;
mod ocsp;
mod random;
mod report;
mod scep;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use http::Uri;
use lanyard_pki::pem;

use self::load::{Target, Traffic, Until};
use self::report::Report;
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;

/// Measure a SCEP server, an OCSP responder, or the key operations that both consist of
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Enroll certificates by SCEP as fast as the server can
    Scep(Box<scep::ScepArgs>),
    /// Ask an OCSP responder as fast as it answers
    Ocsp(Box<ocsp::OcspArgs>),
    /// Read a simulated tenant of any size, and tell how fast and in how much memory the server did
    Mirror(mirror::MirrorArgs),
    /// Measure raw key operations on one core: the limit for the other two
    Keys(KeysArgs),
}

/// Flags of `lanyard bench keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// Seconds for each operation
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    each: f64,
}

/// How a load is made.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Connections
    #[arg(long, short = 'c', value_name = "N", default_value_t = 16)]
    concurrency: usize,
    /// How many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, conflicts_with = "count")]
    seconds: f64,
    /// How many requests, instead of how many seconds
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// The server's process on this machine, to report the processor time and memory that it takes
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Certificates to trust for https (PEM)
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,
}

impl LoadArgs {
    fn until(&self) -> Result<Until> {
        Ok(match self.count {
            Some(count) => Until::Sent(count),
            None => Until::Elapsed(seconds(self.seconds)?),
        })
    }

    fn http(&self) -> Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder().no_proxy();
        if let Some(file) = &self.cafile {
            builder = builder.tls_backend_preconfigured((*trusting(file)?).clone());
        }
        Ok(builder.build()?)
    }

    fn target(&self, url: &Uri) -> Result<Target> {
        let tls = match (&self.cafile, url.scheme_str()) {
            (Some(file), Some("https")) => Some(trusting(file)?),
            (None, Some("https")) => {
                bail!("name the certificates to trust for https with --cafile")
            }
            _ => None,
        };
        Target::new(url, tls)
    }
}

/// Runs the bench.
pub async fn run(command: BenchCommand, output: Output) -> Result<(), Failure> {
    match command {
        BenchCommand::Keys(args) => {
            let each = seconds(args.each)?;
            let costs = tokio::task::spawn_blocking(move || {
                keys::measure(each, |name| tracing::debug!(name, "measuring"))
            });
            let costs = output.progress("measuring key operations", costs).await??;
            output.answer(&costs, || costs.text())
        }
        BenchCommand::Mirror(args) => mirror::run(args, output).await,
        BenchCommand::Ocsp(args) => {
            let traffic = args.traffic()?;
            drive(traffic, args.url(), args.what(), &args.load, output).await
        }
        BenchCommand::Scep(args) => {
            let traffic = output.progress("making keys and requests", args.traffic()).await?;
            drive(traffic, args.url(), args.what(), &args.load, output).await
        }
    }
}

async fn drive(
    traffic: Arc<dyn Traffic>,
    url: &Uri,
    what: String,
    args: &LoadArgs,
    output: Output,
) -> Result<(), Failure> {
    let target = args.target(url)?;
    let cpu_before = args.pid.map(|pid| {
        cpu::of_process(pid).with_context(|| format!("the process {pid} cannot be measured"))
    });
    let cpu_before = cpu_before.transpose()?;
    let load = load::run(&target, traffic, args.concurrency, args.until()?);
    let outcome = output.progress(&format!("loading {url}"), load).await?;
    let server = match (args.pid, cpu_before) {
        (Some(pid), Some(before)) => cpu::of_process(pid)
            .map(|after| (after.saturating_sub(before), cpu::resident_bytes(pid))),
        _ => None,
    };
    let report = Report::new(what, url.to_string(), args.concurrency, outcome, server);
    output.answer(&report, || report.text())?;
    if report.good == 0 {
        return Err(Failure::new(ExitStatus::Refused, "no answer was good"));
    }
    Ok(())
}

fn seconds(seconds: f64) -> Result<Duration> {
    let duration = Duration::try_from_secs_f64(seconds).context("is no stretch of time")?;
    if duration.is_zero() {
        bail!("a load takes more than no time");
    }
    Ok(duration)
}

fn trusting(file: &PathBuf) -> Result<Arc<rustls::ClientConfig>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut roots = rustls::RootCertStore::empty();
    for block in pem::decode_all(&text)? {
        if block.label == "CERTIFICATE" {
            roots.add(block.der.into())?;
        }
    }
    if roots.is_empty() {
        bail!("{} holds no certificate", file.display());
    }
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}
