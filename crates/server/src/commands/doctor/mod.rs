//! `lanyard doctor`: what is wrong with an installation, in words, and how to mend it.

mod files;
mod network;
mod records;

use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;

use super::load_with;
use crate::cli::{GlobalArgs, InstallationArgs};
use crate::control::client::ControlClient;
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;

/// Flags of `lanyard doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    installation: InstallationArgs,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// As it should be.
    Well,
    /// It works, and should be looked at.
    Warning,
    /// It does not work, or will not for long.
    Trouble,
}

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    about: &'static str,
    /// How it is.
    state: State,
    /// What was seen.
    text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn well(about: &'static str, text: impl Into<String>) -> Self {
        Self { about, state: State::Well, text: text.into(), fix: None }
    }

    fn warning(about: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about, state: State::Warning, text: text.into(), fix: Some(fix.into()) }
    }

    fn trouble(about: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about, state: State::Trouble, text: text.into(), fix: Some(fix.into()) }
    }
}

/// Looks at everything; fails where something is in trouble.
pub async fn run(args: DoctorArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let loaded = load_with(global, &args.installation)?;
    let config = &loaded.config;
    let socket = args.installation.server.clone().unwrap_or_else(|| config.control_socket());
    let running = ControlClient::find(&socket, &super::operator()).await?;
    let mut findings = vec![match running {
        Some(_) => Finding::well("server", "A server runs for this installation."),
        None => Finding::warning(
            "server",
            format!("No server answers at {}.", socket.display()),
            "Start it with `lanyard serve`, or name its data folder with --data.",
        ),
    }];
    findings.extend(files::look(&loaded));
    let look = async {
        let mut findings = records::look(config, running.as_ref()).await;
        findings.extend(network::look(config, running.is_some()).await);
        findings
    };
    findings.extend(output.progress("Looking at store and network", look).await);
    output.answer(&findings, || report(&findings))?;
    let troubles = findings.iter().filter(|finding| finding.state == State::Trouble).count();
    match troubles {
        0 => Ok(()),
        1 => Err(Failure::new(ExitStatus::Refused, "one thing is in trouble")),
        count => Err(Failure::new(ExitStatus::Refused, format!("{count} things are in trouble"))),
    }
}

fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.state {
            State::Well => "ok      ",
            State::Warning => "warning ",
            State::Trouble => "TROUBLE ",
        };
        let _ = writeln!(text, "{mark} {:<12} {}", finding.about, finding.text);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "                      {fix}");
        }
    }
    text
}
