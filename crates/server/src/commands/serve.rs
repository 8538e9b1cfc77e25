//! `lanyard serve`: runs the server until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::sources;
use crate::cli::GlobalArgs;
use crate::config::Config;
use crate::detached::Given;
use crate::exit::{ExitStatus, Failure, WithStatus as _};
use crate::health::troubles;
use crate::open::{InstallationError, World};
use crate::server::{Server, StartError};
use crate::{logging, systemd};

/// Flags of `lanyard serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The data folder
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Listen for plain HTTP at this address; repeat for more
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// Listen for HTTPS at this address; repeat for more
    #[arg(long, value_name = "ADDRESS")]
    listen_https: Vec<SocketAddr>,
    /// Answer OCSP and nothing else, without the installation's store: with the keys in this file, as `lanyard ca
    /// responder` writes it, the directories of the configuration, and the CRLs named by --crl
    #[arg(long, value_name = "FILE", requires = "crl")]
    responder: Option<PathBuf>,
    /// Where the installation's complete CRL is, a URL or a file; repeat for further CAs
    #[arg(long, value_name = "URL or FILE", requires = "responder")]
    crl: Vec<String>,
}

/// Runs the server.
pub async fn run(args: ServeArgs, global: &GlobalArgs) -> Result<(), Failure> {
    let mut sources = sources(global);
    if let Some(data) = &args.data {
        sources.flag("--data", "data", data.display().to_string());
    }
    let texts =
        |addresses: &[SocketAddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
    if !args.listen.is_empty() {
        sources.flag("--listen", "listen.http", texts(&args.listen));
    }
    if !args.listen_https.is_empty() {
        sources.flag("--listen-https", "listen.https", texts(&args.listen_https));
    }
    let config = sources.load().or_exit(ExitStatus::Configuration)?.config;
    logging::start(&config.log);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let server = tokio::select! {
        server = start(config, args.responder, args.crl) => server.map_err(not_started)?,
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    let base = server.app().addresses.base().to_owned();
    tracing::info!(http = ?server.http(), https = ?server.https(), base_url = %base, "Lanyard answers requests");
    systemd::ready(&format!("Answering at {base}"));
    let stop = CancellationToken::new();
    let app = std::sync::Arc::clone(server.app());
    let watchdog = tokio::spawn({
        let stop = stop.clone();
        async move { systemd::watchdog(stop, || async { drop(troubles(&app).await) }).await }
    });
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("Lanyard stops");
    systemd::stopping();
    stop.cancel();
    server.stop().await;
    watchdog.await?;
    Ok(())
}

async fn start(
    config: Config,
    responder: Option<PathBuf>,
    crls: Vec<String>,
) -> Result<Server, StartError> {
    match responder {
        None => Server::start(config, World::real()).await,
        Some(material) => {
            Server::start_responder(config, Given { material, crls }, World::real()).await
        }
    }
}

/// A start that failed, with the exit status that it deserves.
pub(super) fn not_started(error: StartError) -> Failure {
    let status = match &error {
        StartError::Installation(InstallationError::Store(lanyard_store::StoreError::Locked(
            _,
        ))) => ExitStatus::Busy,
        StartError::Installation(InstallationError::Name(_) | InstallationError::Passphrase(_))
        | StartError::Tls(_) => ExitStatus::Configuration,
        _ => ExitStatus::Failed,
    };
    Failure::new(status, error)
}
