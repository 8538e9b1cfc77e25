//! The commands, a file each.

pub mod bench;
pub mod completions;
pub mod config;

use crate::cli::{Cli, Command, GlobalArgs};
use crate::config::{Loaded, Sources};
use crate::exit::{ExitStatus, Failure, WithStatus as _};
use crate::output::Output;

/// Runs a command to its end.
pub async fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Config(command) => config::run(command, global, output),
        Command::Bench(command) => bench::run(command, output).await,
        Command::Completions(args) => completions::run(&args),
    }
}

/// The configuration that the flags lead to.
pub fn load(global: &GlobalArgs) -> Result<Loaded, Failure> {
    sources(global).load().or_exit(ExitStatus::Configuration)
}

/// The sources of the configuration, before flags of one command are added.
pub fn sources(global: &GlobalArgs) -> Sources {
    Sources::of_process(global.config.clone())
}
