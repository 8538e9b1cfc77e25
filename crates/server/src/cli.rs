//! The command line: every command and its flags. What they do is in `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::exit::EXIT_STATUSES;

/// A certificate authority for devices and the people who use them.
#[derive(Debug, Parser)]
#[command(name = "lanyard", version, after_help = EXIT_STATUSES, propagate_version = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct GlobalArgs {
    /// The configuration file [environment: LANYARD_CONFIG; default: /etc/lanyard/lanyard.toml where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Answer with one JSON value
    #[arg(long, global = true)]
    pub json: bool,
}

/// Which installation a command acts on.
#[derive(Debug, Clone, Default, Args)]
pub struct InstallationArgs {
    /// The data folder. When a server runs for it, the command speaks to that server
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The control socket of a running server, which must answer
    #[arg(long, value_name = "SOCKET", conflicts_with = "data")]
    pub server: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(commands::serve::ServeArgs),
    /// Start everything on loopback and take a tour: enroll, ask for status, revoke, ask again
    Demo(commands::demo::DemoArgs),
    /// Run tenants in a box on loopback: Entra ID, Graph, Intune and Jamf Pro to rehearse with
    Simulate(commands::simulate::SimulateArgs),
    /// Look after the certificate authority
    #[command(subcommand)]
    Ca(commands::ca::CaCommand),
    /// Find, show, revoke and export certificates
    #[command(subcommand)]
    Certificate(commands::certificate::CertificateCommand),
    /// Look at the brake on mass revocation, and decide on what it holds back
    #[command(subcommand)]
    Brake(commands::brake::BrakeCommand),
    /// Show the directories that certificates follow, and ask them
    #[command(subcommand)]
    Directory(commands::directory::DirectoryCommand),
    /// Decide on requests that wait for approval
    #[command(subcommand)]
    Request(commands::request::RequestCommand),
    /// Put load on any SCEP server or OCSP responder and report rate and latency
    #[command(subcommand)]
    Bench(commands::bench::BenchCommand),
    /// Say what is wrong with an installation and how to mend it
    Doctor(commands::doctor::DoctorArgs),
    /// Get a certificate from any SCEP server
    Enroll(Box<commands::enroll::EnrollArgs>),
    /// Renew a certificate at any SCEP server, when it is due
    Renew(Box<commands::renew::RenewArgs>),
    /// Check, show and explain the configuration
    #[command(subcommand)]
    Config(commands::config::ConfigCommand),
    /// Print a completion script for a shell
    Completions(commands::completions::CompletionsArgs),
}
