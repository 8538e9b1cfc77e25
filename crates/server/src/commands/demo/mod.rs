//! `lanyard demo`: everything on loopback, a tour through it, then it stays up until it is told to stop.
//!
//! What the tour shows is `tour`'s, how it is told `story`'s, where files go `place`'s.

mod place;
mod ready;
mod story;
mod tenant;
mod tethered;
mod tour;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use lanyard_simulator::tenant::{MOST_DEVICES, Pace};
use lanyard_simulator::{Introduction, Running as Simulator};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{serve, simulate};
use crate::cli::GlobalArgs;
use crate::config::{Config, KeySetting, LogFormat, LogSection};
use crate::exit::{ExitStatus, Failure};
use crate::logging;
use crate::open::World;
use crate::output::Output;
use crate::server::{Server, StartError};

use place::Place;
use ready::Ready;
use story::Story;
use tenant::Following;

/// Where the demo answers plain HTTP.
const HTTP: &str = "127.0.0.1:7480";

/// Where the demo answers HTTPS.
const HTTPS: &str = "127.0.0.1:7443";

/// Flags of `lanyard demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Answer plain HTTP here, and HTTPS at a free port beside it; port 0 finds a free one
    #[arg(long, value_name = "ADDRESS", default_value = HTTP)]
    listen: SocketAddr,
    /// Answer HTTPS here [default: 127.0.0.1:7443]
    #[arg(long, value_name = "ADDRESS")]
    listen_https: Option<SocketAddr>,
    /// Keep everything in this folder; without it, a temporary one that is removed at the end
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The authority's key [default: as the configuration has it, rsa-4096]
    #[arg(long, value_enum, value_name = "KEY")]
    ca_key: Option<KeySetting>,
    /// Answer as the simulated tenant here, on loopback [default: 127.0.0.1:7490, or a free port where --listen is given]
    #[arg(long, value_name = "ADDRESS")]
    simulator: Option<SocketAddr>,
    /// The devices of the simulated tenant, 1 to 1,000,000
    #[arg(long, value_name = "NUMBER", default_value_t = 100,
        value_parser = clap::value_parser!(u64).range(1..=MOST_DEVICES))]
    devices: u64,
    /// End after the tour: with 0 when everything was as it should be, else 1
    #[arg(long)]
    exit: bool,
    /// After the tour, write addresses and files as JSON here, for scripts
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Runs the demo.
pub async fn run(args: DemoArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let mut stop = Stop::listen()?;
    if let Some(file) = &args.ready_file {
        forget(file)?;
    }
    let place = Place::open(args.data.as_deref(), global.config.as_deref())?;
    let outcome = Box::pin(show(&args, &place, output, &mut stop)).await;
    let removed = place.leave();
    if let (Err(_), Err(also)) = (&outcome, &removed) {
        output.failure(also);
    }
    outcome.and(removed)
}

/// Starts everything, takes the tour and stays; nothing of it is left when this returns.
async fn show(
    args: &DemoArgs,
    place: &Place,
    output: Output,
    stop: &mut Stop,
) -> Result<(), Failure> {
    logging::start(&LogSection { level: "warn".into(), format: LogFormat::Human });
    let simulator = simulated(args).await?;
    let outcome = authority(args, place, &simulator, output, stop).await;
    simulator.stop().await;
    outcome
}

/// The tenant to rehearse with.
async fn simulated(args: &DemoArgs) -> Result<Simulator, Failure> {
    let address = match args.simulator {
        Some(address) => address,
        None if args.listen.to_string() == HTTP => simulate::ADDRESS.parse()?,
        None => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    };
    let started = simulate::start(address, 1, args.devices, None, Pace::Running).await;
    started.map_err(|failure| {
        let hint = "let the demo find a free port for its tenant with `--simulator 127.0.0.1:0`";
        Failure::new(failure.status(), format!("{failure}: {hint}"))
    })
}

/// The tenant that the demo is about.
fn first_tenant(simulator: &Simulator) -> Result<Introduction, Failure> {
    let none = || Failure::new(ExitStatus::Failed, "the simulator has no tenant");
    simulator.introductions().into_iter().next().ok_or_else(none)
}

/// Starts the authority, takes the tour and stays; nothing of the server is left when this returns.
async fn authority(
    args: &DemoArgs,
    place: &Place,
    simulator: &Simulator,
    output: Output,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let mut config = place.configuration(args)?;
    let tenant = first_tenant(simulator)?;
    let following = tenant::follow(&mut config, place, &tenant)?;
    let story = Story::new(output);
    let doing = format!("Making the authority's key ({})", config_key(&config));
    let began = Instant::now();
    let mut starting = Box::pin(output.progress(&doing, Server::start(config, World::real())));
    let server = tokio::select! {
        server = &mut starting => server.map_err(not_started)?,
        () = stop.asked() => {
            // Files that are being made would outlive their folder. A second signal does not wait for them.
            tokio::select! {
                started = &mut starting => if let Ok(server) = started { server.stop().await },
                () = stop.asked() => {}
            }
            return Err(interrupted());
        }
    };
    let outcome =
        present(args, place, (&server, tenant, following), began.elapsed(), story, stop).await;
    server.stop().await;
    outcome
}

/// The tour, and what comes after it.
async fn present(
    args: &DemoArgs,
    place: &Place,
    (server, tenant, following): (&Server, Introduction, Following),
    start: Duration,
    mut story: Story,
    stop: &mut Stop,
) -> Result<(), Failure> {
    story.opening(place);
    let mut ready = Ready::new(server, tenant, following, place);
    place.settle(server, &ready)?;
    let toured = tokio::select! {
        toured = tour::take(&ready, place, start, &mut story) => toured,
        () = stop.asked() => return Err(interrupted()),
    };
    if let Ok(Some(examples)) = toured.as_ref().map(|toured| &toured.examples) {
        ready.add_examples(examples);
    }
    let good_device = story.close(toured, &ready)?.good;
    if let Some(file) = &args.ready_file {
        ready.write(file)?;
    }
    if !args.exit {
        story.invite(&ready, place, &good_device);
        stop.asked().await;
    }
    Ok(())
}

fn config_key(config: &Config) -> lanyard_pki::KeyAlgorithm {
    config.authority.key.into()
}

/// A script must not take an earlier demo's file for this one's.
pub(super) fn forget(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::new(ExitStatus::Failed, format!("{}: {error}", file.display())))
        }
        _ => Ok(()),
    }
}

fn interrupted() -> Failure {
    Failure::new(ExitStatus::Failed, "stopped before the end of the tour")
}

fn not_started(error: StartError) -> Failure {
    match &error {
        StartError::Listen { address, cause } if cause.kind() == io::ErrorKind::AddrInUse => {
            let text = format!(
                "port {} of {} is taken by another program, perhaps another demo: end that one, or let this one find \
                 free ports with `--listen {}`",
                address.port(),
                address.ip(),
                SocketAddr::new(address.ip(), 0)
            );
            Failure::new(ExitStatus::Failed, text)
        }
        _ => serve::not_started(error),
    }
}

/// Every signal that ends a demo: Ctrl-C, a service manager, a terminal that is closed.
struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    fn listen() -> io::Result<Self> {
        let signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        Ok(Self { signals })
    }

    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
