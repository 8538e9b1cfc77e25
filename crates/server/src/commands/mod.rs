//! The commands, a file each.

pub mod bench;
pub mod brake;
pub mod ca;
pub mod certificate;
pub mod completions;
pub mod config;
pub mod demo;
pub mod directory;
pub mod doctor;
pub mod enroll;
pub mod reference;
pub mod renew;
pub mod request;
pub mod serve;
pub mod simulate;
pub mod why;

use std::path::Path;

use serde::Serialize;

use crate::cli::{Cli, Command, GlobalArgs, InstallationArgs};
use crate::config::{Loaded, Sources};
use crate::exit::{ExitStatus, Failure, WithStatus as _};
use crate::output::Output;

/// Runs a command to its end.
pub async fn run(cli: Cli, output: Output) -> Result<(), Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Serve(args) => Box::pin(serve::run(args, global)).await,
        Command::Simulate(args) => simulate::run(args, output).await,
        Command::Demo(args) => demo::run(args, global, output).await,
        Command::Doctor(args) => doctor::run(args, global, output).await,
        Command::Ca(command) => ca::run(command, global, output).await,
        Command::Certificate(command) => Box::pin(certificate::run(command, global, output)).await,
        Command::Brake(command) => brake::run(command, global, output).await,
        Command::Directory(command) => directory::run(command, global, output).await,
        Command::Request(command) => request::run(command, global, output).await,
        Command::Enroll(args) => enroll::run(*args, output).await,
        Command::Renew(args) => renew::run(*args, output).await,
        Command::Config(command) => config::run(command, global, output),
        Command::Bench(command) => bench::run(command, output).await,
        Command::Completions(args) => completions::run(&args),
    }
}

/// The configuration that the flags lead to.
pub fn load(global: &GlobalArgs) -> Result<Loaded, Failure> {
    sources(global).load().or_exit(ExitStatus::Configuration)
}

/// The configuration of the installation that the flags lead to.
pub fn load_with(global: &GlobalArgs, args: &InstallationArgs) -> Result<Loaded, Failure> {
    let mut sources = sources(global);
    if let Some(data) = &args.data {
        sources.flag("--data", "data", data.display().to_string());
    }
    sources.load().or_exit(ExitStatus::Configuration)
}

/// What whoever runs the command calls himself: the person behind sudo, where there is one. A remark in the audit trail.
pub fn operator() -> String {
    let environment = Sources::of_process(None).environment;
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| environment.get(*name));
    named
        .filter(|name| !name.is_empty())
        .cloned()
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// The content of a file that a flag names.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::new(ExitStatus::Failed, format!("{}: {error}", path.display())))
}

/// Writes what a command made into a file, or to standard output.
pub fn write_out(
    file: Option<&Path>,
    content: &[u8],
    json: &impl Serialize,
    output: Output,
) -> Result<(), Failure> {
    let Some(file) = file else {
        if output.is_json() {
            return output.answer(json, String::new);
        }
        std::io::Write::write_all(&mut std::io::stdout().lock(), content)?;
        return Ok(());
    };
    crate::file::write_public(file, content).map_err(|error| {
        Failure::new(ExitStatus::Failed, format!("{}: {error}", file.display()))
    })?;
    output.answer(json, || format!("Written to {}.", file.display()))
}

/// The sources of the configuration, before flags of one command are added.
pub fn sources(global: &GlobalArgs) -> Sources {
    Sources::of_process(global.config.clone())
}
