//! `lanyard doctor` on installations that are well, and on such that are not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// An installation that a demo made and left.
struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    fn new() -> Self {
        let installation = Self { folder: tempfile::tempdir().unwrap() };
        let demo = installation.demo().arg("--exit").output().unwrap();
        assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
        installation
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn demo(&self) -> Command {
        let mut demo = lanyard();
        demo.args(["demo", "--ca-key", "p-256", "--listen", "127.0.0.1:0", "--data"]);
        demo.arg(self.data());
        demo
    }

    fn doctor(&self) -> Examined {
        examined(
            lanyard().args(["doctor", "--json", "--config"]).arg(self.data().join("demo.toml")),
        )
    }
}

/// What the doctor found: the worst state about each thing, and how it ended.
struct Examined {
    states: BTreeMap<String, String>,
    texts: Vec<(String, String)>,
    status: Option<i32>,
}

impl Examined {
    /// The state of the finding whose text has this in it.
    fn said(&self, part: &str) -> &str {
        let found = self.texts.iter().find(|(text, _)| text.contains(part));
        found.map_or("not said", |(_, state)| state)
    }

    fn state(&self, about: &str) -> &str {
        self.states.get(about).map_or("not looked at", String::as_str)
    }
}

fn lanyard() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command.stdin(Stdio::null());
    command
}

fn examined(command: &mut Command) -> Examined {
    let output = command.output().unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let (mut states, mut texts) = (BTreeMap::new(), Vec::new());
    for finding in &findings {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        assert_eq!(finding["fix"].is_string(), text("state") != "ok", "{finding}");
        texts.push((text("text"), text("state")));
        let worst = states.entry(text("about")).or_insert_with(|| text("state"));
        if text("state") == "problem" || (text("state") == "warning" && worst == "ok") {
            *worst = text("state");
        }
    }
    Examined { states, texts, status: output.status.code() }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_running_server_is_asked_what_its_clients_ask() {
    let installation = Installation::new();
    let mut demo = Running(installation.demo().stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("It stays up")));
    let examined = installation.doctor();
    assert_eq!(examined.status, Some(0), "{:?}", examined.states);
    let well = [
        "configuration",
        "server",
        "OCSP",
        "CRL",
        "SCEP",
        "TLS",
        "listener",
        "store",
        "audit",
        "clock",
    ];
    for about in well {
        assert_eq!(examined.state(about), "ok", "{about}: {:?}", examined.states);
    }
    for part in [
        "Service ScepRequestValidationFEService",
        "Service PkiConnectorFEService",
        "Permission scep_challenge_provider",
        "/certsrv/mscep/mscep.dll takes requests with a challenge of Intune",
        "/certsrv/mscep/mscep.dll answers",
        "/jamf answers",
        "nothing is held back",
    ] {
        assert_eq!(examined.said(part), "ok", "{part}: {:?}", examined.texts);
    }
    assert_eq!(examined.state("address"), "warning", "nobody chose the address");
    assert_eq!(examined.state("keys"), "warning", "there is no passphrase");
}

#[test]
fn a_server_that_does_not_run_is_a_warning() {
    let installation = Installation::new();
    let examined = installation.doctor();
    assert_eq!(examined.status, Some(0), "{:?}", examined.states);
    assert_eq!(examined.state("server"), "warning");
    assert_eq!(examined.state("authority"), "ok");
    assert_eq!(examined.state("CRL"), "ok", "the store has the last one");
    assert_eq!(examined.state("SCEP"), "ok", "and the RA of a P-256 CA");
    assert_eq!(examined.state("OCSP"), "not looked at");
}

#[test]
fn a_port_that_another_program_has_ends_it_with_4() {
    let installation = Installation::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = installation.data().join("demo.toml");
    let text = format!(
        "data = {:?}\nlisten.http = [\"{}\"]\n",
        installation.data(),
        taken.local_addr().unwrap()
    );
    fs::write(settings, text).unwrap();
    let examined = installation.doctor();
    assert_eq!(examined.status, Some(4), "{:?}", examined.states);
    assert_eq!(examined.state("listener"), "problem");
}

#[test]
fn a_folder_that_is_open_to_others_is_a_warning() {
    let installation = Installation::new();
    assert_eq!(installation.doctor().state("data folder"), "ok");
    fs::set_permissions(installation.data(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(installation.doctor().state("data folder"), "warning");
}

#[test]
fn a_store_that_cannot_be_read_is_a_problem() {
    let installation = Installation::new();
    for entry in fs::read_dir(installation.data()).unwrap() {
        let file = entry.unwrap().path();
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lanyard.db-")) {
            fs::remove_file(file).unwrap();
        }
    }
    let store = installation.data().join("lanyard.db");
    fs::write(store, "not a database, and long enough to be taken for one".repeat(100)).unwrap();
    let examined = installation.doctor();
    assert_eq!(examined.status, Some(4), "{:?}", examined.states);
    assert_eq!(examined.state("store"), "problem");
}

#[test]
fn a_data_folder_that_is_not_there_is_a_problem() {
    let nowhere = Path::new("/nonexistent/lanyard");
    let examined = examined(lanyard().args(["doctor", "--json", "--data"]).arg(nowhere));
    assert_eq!(examined.status, Some(4));
    assert_eq!(examined.state("data folder"), "problem");
}

#[test]
fn every_fault_of_the_configuration_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("lanyard.toml");
    fs::write(&settings, "listne.http = []\nlisten.connections = 0\n").unwrap();
    let examined = examined(lanyard().args(["doctor", "--json", "--config"]).arg(&settings));
    assert_eq!(examined.status, Some(4));
    assert_eq!(examined.state("configuration"), "problem");
}
