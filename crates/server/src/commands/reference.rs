//! The reference page of the command line, made from the commands themselves.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::cli::Cli;
use crate::exit::EXIT_STATUSES;

/// The page.
pub fn page() -> String {
    let mut text = String::from(
        "# Commands\n\nMade from the commands by `lanyard config documents docs/reference`; do not edit.\n\n\
         Every command takes `--config FILE` (else `LANYARD_CONFIG`, else `/etc/lanyard/lanyard.toml`) and `--json`, which\n\
         makes the answer one JSON value. What goes wrong is said on standard error.\n\n\
         Commands that act on an installation take `--data FOLDER` or `--server SOCKET`. When a server runs for the data\n\
         folder they speak to it through its control socket; else they open the installation themselves.\n\n",
    );
    for line in EXIT_STATUSES.lines() {
        match line.strip_prefix("  ") {
            None => {
                let _ = writeln!(
                    text,
                    "## {}\n\n| status | meaning |\n|---|---|",
                    line.trim_end_matches(':')
                );
            }
            Some(status) => {
                let (number, meaning) = status.split_once("  ").unwrap_or((status, ""));
                let _ = writeln!(text, "| {number} | {meaning} |");
            }
        }
    }
    let mut root = Cli::command();
    root.build();
    for command in root.get_subcommands().filter(|command| shown(command)) {
        describe(&mut text, "lanyard", command);
    }
    text
}

fn shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn describe(text: &mut String, before: &str, command: &Command) {
    let name = format!("{before} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let level = if before == "lanyard" { "##" } else { "###" };
    let _ = write!(text, "\n{level} {name}\n\n{about}.\n");
    let own = |argument: &&Arg| {
        !argument.is_global_set() && !argument.is_hide_set() && !is_common(argument)
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(own).collect();
    if !arguments.is_empty() {
        text.push('\n');
    }
    for argument in arguments {
        let _ = writeln!(text, "- `{}`: {}", written(argument), meaning(argument));
    }
    for inner in command.get_subcommands().filter(|command| shown(command)) {
        describe(text, &name, inner);
    }
}

/// What the page says once for all commands.
fn is_common(argument: &Arg) -> bool {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    matches!(argument.get_id().as_str(), "help" | "version" | "json" | "config")
        || help.starts_with("The data folder. When a server runs")
        || help.starts_with("The control socket of a running server")
}

fn written(argument: &Arg) -> String {
    let takes = argument.get_action().takes_values();
    let names = argument.get_value_names().unwrap_or_default();
    let value = names
        .first()
        .map_or_else(|| argument.get_id().as_str().to_uppercase(), ToString::to_string);
    match argument.get_long() {
        Some(long) if takes => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    }
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    if !argument.get_action().takes_values() {
        return text;
    }
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !choices.is_empty() {
        let _ = write!(text, "; one of {}", choices.join(", "));
    }
    let defaults: Vec<_> =
        argument.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    if let Some(default) = defaults.first().filter(|default| !default.is_empty()) {
        let _ = write!(text, "; default `{default}`");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/reference/commands.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == page(), "run `lanyard config documents docs/reference`");
    }

    #[test]
    fn every_command_and_flag_is_described() {
        fn look(command: &Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(look);
        }
        let mut root = Cli::command();
        root.build();
        look(&root);
    }
}
