//! `lanyard doctor`: what is wrong with an installation, in words, and how to mend it.

mod brake;
mod directories;
mod files;
mod network;
mod records;
mod services;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::sources;
use crate::cli::{GlobalArgs, InstallationArgs};
use crate::config::{Config, Fault, Sources};
use crate::control::ServerDescription;
use crate::control::client::ControlClient;
use crate::control::operations::ca::ListCas;
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
    #[serde(rename = "ok")]
    Well,
    /// It works, and should be looked at.
    Warning,
    /// It does not work, or will not for long.
    Problem,
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

    fn problem(about: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about, state: State::Problem, text: text.into(), fix: Some(fix.into()) }
    }
}

/// Looks at everything; fails where there is a problem.
pub async fn run(args: DoctorArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let mut sources = sources(global);
    if let Some(data) = &args.installation.data {
        sources.flag("--data", "data", data.display().to_string());
    }
    let (loaded, mut findings) = match sources.load() {
        Ok(loaded) => (loaded, vec![configuration(&sources)]),
        Err(faults) => return conclude(&faults.0.iter().map(fault).collect::<Vec<_>>(), output),
    };
    let config = &loaded.config;
    let socket = args.installation.server.clone().unwrap_or_else(|| config.control_socket());
    let running = Running::find(&socket).await?;
    findings.push(match &running {
        Some(running) => running.finding(config),
        None => Finding::warning(
            "server",
            format!("No server answers at {}.", socket.display()),
            "Start it with `lanyard serve`, or name its data folder with --data.",
        ),
    });
    let described = running.as_ref().map(|running| &running.description);
    findings.extend(files::look(&loaded, described));
    let look = async {
        let cas = match &running {
            Some(running) => Some(running.client.run(ListCas {}).await),
            None => None,
        };
        let mut findings = records::look(config, cas.as_ref()).await;
        findings.extend(network::look(config, described).await);
        if let Some(running) = &running {
            findings.extend(directories::look(&running.client).await);
            findings.extend(brake::look(&running.client).await);
        }
        if let (Some(running), Some(Ok(cas))) = (&running, &cas) {
            findings.extend(services::look(&running.description, cas).await);
        }
        findings
    };
    findings.extend(Box::pin(output.progress("Looking at store and network", look)).await);
    conclude(&findings, output)
}

fn configuration(sources: &Sources) -> Finding {
    let text = match &sources.file {
        Some(file) => format!("{} has no faults.", file.display()),
        None => "There is no file: defaults, and the environment.".to_owned(),
    };
    Finding::well("configuration", text)
}

fn fault(fault: &Fault) -> Finding {
    let fix = "Mend it; `lanyard config example` shows every setting with its meaning.";
    Finding::problem("configuration", format!("{fault}."), fix)
}

fn conclude(findings: &[Finding], output: Output) -> Result<(), Failure> {
    output.answer(&findings, || report(findings))?;
    let problems = findings.iter().filter(|finding| finding.state == State::Problem).count();
    match problems {
        0 => Ok(()),
        1 => Err(Failure::new(ExitStatus::Refused, "there is a problem")),
        count => Err(Failure::new(ExitStatus::Refused, format!("there are {count} problems"))),
    }
}

/// The server that runs for the installation.
struct Running {
    client: ControlClient,
    description: ServerDescription,
}

impl Running {
    async fn find(socket: &Path) -> Result<Option<Self>, Failure> {
        let Some(client) = ControlClient::find(socket, &super::operator()).await? else {
            return Ok(None);
        };
        let description = client.describe().await?;
        Ok(Some(Self { client, description }))
    }

    /// Whether it runs, and by the configuration that the doctor goes by.
    fn finding(&self, config: &Config) -> Finding {
        let version = &self.description.version;
        let is_same = listens(&self.description.http, &config.listen.http)
            && listens(&self.description.https, &config.listen.https);
        if !is_same {
            return Finding::warning(
                "server",
                format!(
                    "A server runs (version {version}), by another configuration than the one looked at here."
                ),
                "Name its configuration with --config, or restart it if its configuration was changed.",
            );
        }
        if version != env!("CARGO_PKG_VERSION") {
            return Finding::warning(
                "server",
                format!(
                    "A server of version {version} runs, and this program is version {}.",
                    env!("CARGO_PKG_VERSION")
                ),
                "Restart it.",
            );
        }
        Finding::well("server", format!("A server runs (version {version})."))
    }
}

/// Whether a server that was told to listen at `wanted` may do so at `found`: a port 0 becomes one that is free, and every
/// address is every one of IPv4 where there is no IPv6.
fn listens(found: &[SocketAddr], wanted: &[SocketAddr]) -> bool {
    let fits = |(found, wanted): (&SocketAddr, &SocketAddr)| {
        let every = found.ip().is_unspecified() && wanted.ip().is_unspecified();
        (found.ip() == wanted.ip() || every)
            && (found.port() == wanted.port() || wanted.port() == 0)
    };
    found.len() == wanted.len() && found.iter().zip(wanted).all(fits)
}

fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.state {
            State::Well => "ok",
            State::Warning => "warning",
            State::Problem => "PROBLEM",
        };
        let _ = writeln!(text, "{mark:<8} {:<13} {}", finding.about, finding.text);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "{:23}{fix}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_the_system_chose_is_no_other_configuration() {
        let at = |text: &str| vec![text.parse::<SocketAddr>().unwrap()];
        assert!(listens(&at("127.0.0.1:4711"), &at("127.0.0.1:0")));
        assert!(listens(&at("0.0.0.0:80"), &at("[::]:80")));
        assert!(!listens(&at("127.0.0.1:4711"), &at("127.0.0.1:80")));
        assert!(!listens(&at("127.0.0.1:4711"), &at("127.0.0.2:0")));
        assert!(!listens(&at("127.0.0.1:4711"), &[]));
    }
}
