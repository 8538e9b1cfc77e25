//! The program: configuration, listeners, one folder of routes a protocol, commands.
//!
//! Decisions are `lanyard-lifecycle`'s, verbs `lanyard-authority`'s; here bytes come in, a verb is asked, bytes go out.

pub mod address;
pub mod app;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod control;
pub mod detached;
pub mod directories;
pub mod doors;
pub mod exit;
pub mod extract;
pub mod file;
mod gauges;
pub mod health;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod observe;
pub mod open;
pub mod output;
pub mod own_certificate;
pub mod problem;
pub mod routes;
pub mod server;
pub mod settings;
mod subscriptions;
pub mod systemd;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the command that the command line names.
pub fn run() -> ExitCode {
    install_tls_provider();
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("lanyard: cannot start: {error}");
            return exit::ExitStatus::Failed.into();
        }
    };
    let output = output::Output::new(cli.global.json);
    let outcome = runtime.block_on(commands::run(cli, output));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.status().into()
        }
    }
}

/// Makes aws-lc the TLS provider of the process. Needed before any TLS client or server is built.
pub fn install_tls_provider() {
    // A second call finds the provider installed: the one that is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
