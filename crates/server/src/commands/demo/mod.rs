//! `lanyard demo`: everything on loopback, a tour through it, then it stays up.

mod ready;
mod tour;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::serve::not_started;
use crate::config::unit::Span;
use crate::config::{Config, KeySetting, LogSection};
use crate::exit::{ExitStatus, Failure};
use crate::logging;
use crate::open::World;
use crate::output::Output;
use crate::server::Server;

use ready::Ready;

/// Where the demo answers plain HTTP.
const HTTP: &str = "127.0.0.1:7480";

/// Where the demo answers HTTPS.
const HTTPS: &str = "127.0.0.1:7443";

/// Octets of the challenge that the demo makes up.
const CHALLENGE: usize = 12;

/// Flags of `lanyard demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Answer plain HTTP here; HTTPS then finds a port by itself
    #[arg(long, value_name = "ADDRESS", default_value = HTTP)]
    listen: SocketAddr,
    /// Answer HTTPS here
    #[arg(long, value_name = "ADDRESS")]
    listen_https: Option<SocketAddr>,
    /// Keep everything in this folder; without it, a temporary one that is removed at the end
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// End after the tour: 0 when everything went as it should, else 1
    #[arg(long)]
    exit: bool,
    /// Write addresses and files, as JSON, here once everything is up
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// The authority's key
    #[arg(long, value_enum, default_value = "rsa-4096")]
    key: KeySetting,
}

/// Runs the demo.
pub async fn run(args: DemoArgs, output: Output) -> Result<(), Failure> {
    logging::start(&LogSection { level: "warn".into(), ..LogSection::default() });
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = show(&args, output) => outcome,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

/// Starts everything, takes the tour, and stays unless told to exit. Ends early when the future is dropped; the server
/// loses nothing by that.
async fn show(args: &DemoArgs, output: Output) -> Result<(), Failure> {
    let temporary = match args.data {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("lanyard-demo-").tempdir()?),
    };
    let data = match (&args.data, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => return Err(Failure::new(ExitStatus::Failed, "there is no data folder")),
    };
    std::fs::create_dir_all(&data)?;
    let challenge = challenge(&data)?;
    let config = configuration(args, &data, &challenge);
    let starting = Server::start(config, World::real());
    let server =
        output.progress("Making the authority's key", starting).await.map_err(not_started)?;
    server.app().authority.refresh_crls().await;
    let ready = Ready::new(&server, &data, challenge);
    ready.write_ca()?;
    if let Some(file) = &args.ready_file {
        ready.write(file)?;
    }
    let toured = tour::take(&ready, output).await;
    if args.exit {
        server.stop().await;
        return toured;
    }
    if let Err(failure) = &toured {
        output.failure(failure);
    }
    if output.is_json() {
        output.answer(&ready, String::new)?;
    } else {
        output.answer(&(), || ready.invitation())?;
    }
    std::future::pending().await
}

fn configuration(args: &DemoArgs, data: &Path, challenge: &str) -> Config {
    let mut config = Config::default();
    let beside = |usual: &str| match (args.listen_https, args.listen.to_string() == HTTP) {
        (Some(address), _) => address,
        (None, true) => usual.parse().unwrap_or(SocketAddr::new(args.listen.ip(), 0)),
        (None, false) => SocketAddr::new(args.listen.ip(), 0),
    };
    data.clone_into(&mut config.data);
    config.listen.http = vec![args.listen];
    config.listen.https = vec![beside(HTTPS)];
    config.listen.stop_timeout = Span::seconds(5);
    config.authority.subject = "CN=Lanyard Demo CA,O=Lanyard".into();
    config.authority.key = args.key;
    config.endpoints.r#static.challenge = Some(SecretString::from(challenge));
    config
}

/// The challenge of a folder that is used again, else a new one.
fn challenge(data: &Path) -> Result<String, Failure> {
    let file = data.join("challenge");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return Ok(text.trim().to_owned());
    }
    let octets: [u8; CHALLENGE] = lanyard_authority::entropy::random(&*World::real().entropy);
    let text = hex::encode(octets);
    crate::file::write_private(&file, text.as_bytes())?;
    Ok(text)
}
