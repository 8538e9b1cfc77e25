//! `lanyard config`: check, show, explain.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::sources;
use crate::cli::GlobalArgs;
use crate::config::document;
use crate::exit::{ExitStatus, Failure};
use crate::output::{Output, table};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Name every fault of the configuration at once
    Check,
    /// Show every value in use and where it comes from, secrets redacted
    Show,
    /// Print the JSON schema of the configuration file
    Schema,
    /// Print a configuration file with every setting, its meaning and its default
    Example,
    /// Print the reference page
    Reference,
    /// Write example, schema and reference pages into a folder
    #[command(hide = true)]
    Documents {
        /// The folder
        folder: PathBuf,
    },
}

/// Runs `lanyard config`.
pub fn run(command: ConfigCommand, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check => check(global, output),
        ConfigCommand::Show => show(global, output),
        ConfigCommand::Schema => {
            let schema = document::schema();
            output.answer(&schema, || serde_json::to_string_pretty(&schema).unwrap_or_default())
        }
        ConfigCommand::Example => output.answer(&document::example(), document::example),
        ConfigCommand::Reference => output.answer(&document::reference(), document::reference),
        ConfigCommand::Documents { folder } => {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join("lanyard.example.toml"), document::example())?;
            let schema = serde_json::to_string_pretty(&document::schema())? + "\n";
            std::fs::write(folder.join("configuration.schema.json"), schema)?;
            std::fs::write(folder.join("configuration.md"), document::reference())?;
            std::fs::write(folder.join("commands.md"), super::reference::page())?;
            Ok(())
        }
    }
}

fn check(global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let sources = sources(global);
    let file = sources.file.as_ref().map(|file| file.display().to_string());
    match sources.load() {
        Ok(_) => output.answer(&json!({ "file": file, "faults": [] }), || {
            let file = file.clone().unwrap_or_else(|| "no file: defaults and environment".into());
            format!("The configuration is in order ({file}).")
        }),
        Err(faults) => {
            if output.is_json() {
                let list: Vec<_> = faults
                    .0
                    .iter()
                    .map(|fault| json!({ "path": fault.path, "origin": fault.origin.to_string(), "text": fault.text }))
                    .collect();
                output.answer(&json!({ "file": file, "faults": list }), String::new)?;
            }
            Err(Failure::new(ExitStatus::Configuration, faults))
        }
    }
}

fn show(global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let loaded = super::load(global)?;
    let rows = document::shown(&loaded);
    let list: Vec<_> = rows
        .iter()
        .map(|(path, value, origin)| json!({ "path": path, "value": value, "origin": origin.to_string() }))
        .collect();
    output.answer(&list, || {
        let rows: Vec<_> = rows
            .iter()
            .map(|(path, value, origin)| vec![path.clone(), value.clone(), origin.to_string()])
            .collect();
        table(&["setting", "value", "from"], &rows)
    })
}
