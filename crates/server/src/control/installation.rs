//! The installation that a command acts on: a running server, or its files opened here.

use lanyard_authority::Actor;
use lanyard_store::{StoreError, StoreUrl};

use super::client::ControlClient;
use super::operation::{Operation, OperationFailure};
use super::operator::of_this_process;
use crate::address::Addresses;
use crate::cli::{GlobalArgs, InstallationArgs};
use crate::commands::{load_with, operator};
use crate::exit::{ExitStatus, Failure};
use crate::open::{self, InstallationError, Opened, World};

/// The installation that a command acts on.
#[derive(Debug)]
pub enum Installation {
    /// A server runs for it: it is asked to act.
    Running(ControlClient),
    /// No server runs: it is open in this process.
    Opened {
        /// The installation.
        opened: Box<Opened>,
        /// Who runs the command.
        operator: String,
    },
}

impl Installation {
    /// The server that flags or the data folder lead to, else the installation itself.
    pub async fn find(args: &InstallationArgs, global: &GlobalArgs) -> Result<Self, Failure> {
        if let Some(socket) = &args.server {
            return match ControlClient::find(socket, &operator()).await? {
                Some(client) => Ok(Self::Running(client)),
                None => Err(Failure::new(
                    ExitStatus::Unreachable,
                    format!("no server answers at {}", socket.display()),
                )),
            };
        }
        let config = load_with(global, args)?.config;
        if let Some(client) = ControlClient::find(&config.control_socket(), &operator()).await? {
            return Ok(Self::Running(client));
        }
        // A folder that was named by mistake must not become an installation.
        if matches!(open::store_url(&config), StoreUrl::Sqlite(file) if !file.exists()) {
            let text = format!(
                "there is no installation at {}: start one with `lanyard serve`, or name another with --data",
                config.data.display()
            );
            return Err(Failure::new(ExitStatus::NotFound, text));
        }
        let opened = open::open(&config, Addresses::new(&config), World::real()).await;
        let opened = Box::new(opened.map_err(not_opened)?);
        Ok(Self::Opened { opened, operator: of_this_process(&operator()) })
    }

    /// Carries an operation out, and lets go of the installation.
    pub async fn run<O: Operation>(self, operation: O) -> Result<O::Answer, Failure> {
        match self {
            Self::Running(client) => client.run(operation).await,
            Self::Opened { opened, operator } => {
                let actor = Actor::Operator(operator);
                let outcome = operation.run(&opened.authority, &actor).await;
                opened.store.close().await;
                outcome.map_err(|error| {
                    let failure = OperationFailure::from(error);
                    Failure::new(failure.kind.into(), failure.text)
                })
            }
        }
    }
}

fn not_opened(error: InstallationError) -> Failure {
    let status = match &error {
        InstallationError::Store(StoreError::Locked(_)) => ExitStatus::Busy,
        InstallationError::Name(_) | InstallationError::Passphrase(_) => ExitStatus::Configuration,
        _ => ExitStatus::Failed,
    };
    Failure::new(status, error)
}
