//! How a tour is told: a line a step as it happens, for people; all at once with `--json`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::place::Place;
use super::ready::Ready;
use super::tour::{Device, Toured};
use crate::config::Sources;
use crate::exit::Failure;
use crate::output::Output;

/// The width of a step's name.
const NAME: usize = 12;

/// One step of the tour, done and checked.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// What it is about.
    pub(super) name: &'static str,
    /// What came of it.
    pub(super) text: String,
    /// How long it took, where that says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) milliseconds: Option<u64>,
    /// The same by hand.
    pub(super) commands: Vec<String>,
}

impl Step {
    /// A step that took a time worth telling.
    pub(super) fn timed(name: &'static str, text: String, took: Duration) -> Self {
        let milliseconds = u64::try_from(took.as_millis()).ok();
        Self { name, text, milliseconds, commands: Vec::new() }
    }

    /// A step.
    pub(super) fn new(name: &'static str, text: String) -> Self {
        Self { name, text, milliseconds: None, commands: Vec::new() }
    }

    /// The same by hand.
    pub(super) fn by_hand(mut self, command: String) -> Self {
        self.commands.push(command);
        self
    }
}

/// The whole tour, as `--json` has it.
#[derive(Debug, Serialize)]
struct Account<'a> {
    ok: bool,
    steps: &'a [Step],
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(flatten)]
    ready: &'a Ready,
}

/// A tour that is being told.
pub(super) struct Story {
    output: Output,
    style: Style,
    steps: Vec<Step>,
}

impl Story {
    /// A tour of which nothing is told yet.
    pub(super) fn new(output: Output) -> Self {
        Self { output, style: Style::of_process(), steps: Vec::new() }
    }

    /// What is about to happen.
    pub(super) fn opening(&self, place: &Place) {
        let fate = if place.is_temporary() { ", removed at the end" } else { "" };
        self.say("A certificate authority of its own, and a device that enrolls with it and loses its certificate. Then a device and");
        self.say("its user whose certificates follow what happens to them in Intune and Entra ID, simulated.");
        self.say(&format!("Files: {}{fate}\n", place.folder().display()));
    }

    /// Tells a step.
    pub(super) fn tell(&mut self, step: Step) {
        let took = step.milliseconds.map(|took| format!(" ({took} ms)")).unwrap_or_default();
        let name = format!("{:NAME$}", step.name);
        self.say(&format!("{}{}{took}", self.style.done(&name), step.text));
        for command in &step.commands {
            self.say(&format!("{:NAME$}{}", "", self.style.aside(&format!("$ {command}"))));
        }
        self.steps.push(step);
    }

    /// The end of the tour, good or not.
    pub(super) fn close(
        &self,
        toured: Result<Toured, Failure>,
        ready: &Ready,
    ) -> Result<Toured, Failure> {
        if self.output.is_json() {
            let failure = toured.as_ref().err().map(ToString::to_string);
            let account = Account { ok: failure.is_none(), steps: &self.steps, failure, ready };
            self.output.answer(&account, String::new)?;
        } else if toured.is_ok() {
            self.say("\nEverything is as it should be.");
        }
        toured
    }

    /// What can be tried now.
    pub(super) fn invite(&self, ready: &Ready, place: &Place, good: &Device) {
        let program = program();
        let data = quoted(&ready.data_dir);
        let ca = quoted(&ready.ca_file);
        let device = quoted(&good.certificate_file);
        let fate = if place.is_temporary() { "; then its files are removed" } else { "" };
        self.say(&format!("It stays up until you press Ctrl-C{fate}. What to try now:\n"));
        self.say(&format!("  Look at it: {}", self.style.done(&ready.console_url)));
        self.say(&format!("  A tenant to rehearse with: {}/_control/", ready.simulator_url));
        self.say(&format!(
            "  SCEP clients enroll at {} with the challenge {}",
            ready.static_url, ready.static_challenge
        ));
        let tries = [
            (
                "Enroll a device of your own",
                format!(
                    "{program} enroll --url {} --ca {ca} --challenge-file {} --subject CN=my-device",
                    ready.static_url,
                    quoted(&place.challenge_file())
                ),
            ),
            (
                "Take the good certificate back, and ask again",
                format!("{program} certificate revoke {} --data {data}", good.certificate.serial()),
            ),
            (
                "",
                format!(
                    "openssl ocsp -issuer {ca} -CAfile {ca} -url {} -cert {device}",
                    ready.ocsp_url
                ),
            ),
            (
                "Wipe a device of the tenant, and see what becomes of its certificate",
                format!(
                    "curl -X POST {}/_control/managedDevices/{}/wipe",
                    ready.simulator_url,
                    ready.example_device().unwrap_or_default()
                ),
            ),
            (
                "",
                format!(
                    "{program} certificate why {} --data {data}",
                    ready.device_serial().unwrap_or_default()
                ),
            ),
            ("List what was issued", format!("{program} certificate search --data {data}")),
            (
                "Have it examined",
                format!("{program} doctor --config {}", quoted(&place.settings_file())),
            ),
            (
                "See what it costs",
                format!(
                    "{program} bench scep --url {} --challenge-file {} --requests 500",
                    ready.static_url,
                    quoted(&place.challenge_file())
                ),
            ),
        ];
        for (what, command) in tries {
            if !what.is_empty() {
                self.say(&format!("  {what}"));
            }
            self.say(&format!("    {}", self.style.aside(&format!("$ {command}"))));
        }
        if !place.is_temporary() {
            let command = format!("{program} serve --config {}", quoted(&place.settings_file()));
            self.say("  Go on later with the same authority");
            self.say(&format!("    {}", self.style.aside(&format!("$ {command}"))));
        }
    }

    fn say(&self, text: &str) {
        if !self.output.is_json() {
            self.output.line(text);
        }
    }
}

/// How lines look: plain, unless a person at a terminal reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Coloured,
}

impl Style {
    fn of_process() -> Self {
        let environment = Sources::of_process(None).environment;
        let unwanted = environment.get("NO_COLOR").is_some_and(|value| !value.is_empty())
            || environment.get("TERM").is_some_and(|term| term == "dumb");
        if std::io::stdout().is_terminal() && !unwanted { Self::Coloured } else { Self::Plain }
    }

    fn done(self, text: &str) -> String {
        self.painted("1", text)
    }

    fn aside(self, text: &str) -> String {
        self.painted("2", text)
    }

    fn painted(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// How this program was called, so that a command can be pasted.
pub(super) fn program() -> String {
    let called = std::env::args_os().next();
    called.map_or_else(|| "lanyard".to_owned(), |called| quoted(Path::new(&called)))
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(Path::new("/tmp/lanyard-demo-Ab/ca.pem")), "/tmp/lanyard-demo-Ab/ca.pem");
        assert_eq!(quoted(Path::new("/tmp/it's here")), r"'/tmp/it'\''s here'");
    }

    #[test]
    fn only_a_terminal_sees_colours() {
        assert_eq!(Style::Plain.done("good"), "good");
        assert_eq!(Style::Coloured.done("good"), "\x1b[1mgood\x1b[0m");
    }
}
