//! `lanyard demo` as a script or a person runs it: a process of its own, with its output, its files and its end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Where a demo's temporary folder and other files go.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A demo on free ports, with a key that is made in no time.
    fn demo(&self) -> Command {
        let mut command = self.lanyard();
        command.args(["demo", "--ca-key", "p-256", "--listen", "127.0.0.1:0"]);
        command
    }

    fn lanyard(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command.env("TMPDIR", self.file("tmp")).stdin(Stdio::null());
        command
    }

    fn left_behind(&self) -> Vec<PathBuf> {
        fs::read_dir(self.file("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// A demo that stays up; killed when dropped.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads its output up to a line that has `text` in it.
    fn await_line(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(
                self.lines.read_line(&mut line).unwrap() > 0,
                "it ended before it said {text:?}"
            );
        }
    }

    /// Has it end, and waits until it did.
    fn end(&mut self, signal: Signal) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(octets: &[u8]) -> Value {
    serde_json::from_slice(octets).unwrap()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The status line that an address answers to a GET.
fn status_line(base_url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(base_url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn the_tour_goes_from_good_to_revoked_and_leaves_nothing_behind() {
    let scene = Scene::new();
    let output = scene.demo().args(["--exit", "--json"]).output().unwrap();
    succeeded(&output);
    let told = json(&output.stdout);
    assert_eq!(told["ok"], true);
    let steps: Vec<_> = told["steps"].as_array().unwrap().iter().map(|s| text(s, "name")).collect();
    let usual = [
        "authority",
        "HTTPS",
        "enrollment",
        "OCSP",
        "revocation",
        "OCSP",
        "CRL",
        "enrollment",
        "OCSP",
        "Intune",
        "Intune",
        "Wi-Fi",
        "wipe",
        "disable",
        "enable",
        "outage",
        "Intune",
        "Intune",
    ];
    assert_eq!(steps, usual);
    let said = |at: usize| text(&told["steps"][at], "text");
    assert!(said(3).starts_with("good"), "{}", said(3));
    assert!(said(5).starts_with("revoked") && said(5).contains("keyCompromise"), "{}", said(5));
    for (at, expected) in [
        (11, ": good"),
        (12, "is revoked since"),
        (13, "is on hold since"),
        (14, "is good"),
        (15, ": good, as known at"),
    ] {
        assert!(said(at).contains(expected), "{}", said(at));
    }
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(scene.left_behind(), [] as [PathBuf; 0]);
}

#[test]
fn a_pipe_gets_plain_text_and_commands_to_paste() {
    let scene = Scene::new();
    let output = scene.demo().arg("--exit").output().unwrap();
    succeeded(&output);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(!told.contains('\x1b'), "{told}");
    assert!(told.contains("$ openssl ocsp -issuer "), "{told}");
    assert!(told.ends_with("Everything is as it should be.\n"), "{told}");
}

#[test]
fn it_stays_up_as_its_ready_file_says_until_it_is_told_to_stop() {
    let scene = Scene::new();
    let ready_file = scene.file("ready.json");
    let mut command = scene.demo();
    command.arg("--ready-file").arg(&ready_file);
    let mut demo = Running::start(command);
    demo.await_line("It stays up");

    assert_eq!(fs::metadata(&ready_file).unwrap().permissions().mode() & 0o777, 0o600);
    let ready = json(&fs::read(&ready_file).unwrap());
    let keys = "base_url tls_url ca_url ca_file data_dir static_url static_challenge crl_url ocsp_url console_url";
    for key in keys.split(' ') {
        assert!(!text(&ready, key).is_empty(), "{key}");
    }
    let base = text(&ready, "base_url");
    for url in ["ca_url", "crl_url", "console_url"] {
        let url = text(&ready, url);
        let path = url.strip_prefix(&base).unwrap();
        assert!(status_line(&base, path).contains("200"), "{url}");
    }
    let simulator = text(&ready, "simulator_url");
    let examples = &ready["examples"];
    assert!(!text(&ready, "tenant_id").is_empty());
    for (path, id) in [
        ("managedDevices", "intune_device_id"),
        ("devices", "entra_device_id"),
        ("users", "user_id"),
        ("users", "upn"),
        ("jamf/computers", "jamf_computer_id"),
    ] {
        let path = format!("/_control/{path}/{}", text(examples, id));
        assert!(status_line(&simulator, &path).contains("200"), "{path}");
    }
    let data = text(&ready, "data_dir");
    assert!(fs::read_to_string(text(&ready, "ca_file")).unwrap().contains("BEGIN CERTIFICATE"));
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);

    let device = text(examples, "intune_device_id");
    let ask = ["directory", "look-up", "intune-device", &device, "--json", "--data", &data];
    let output = scene.lanyard().args(ask).output().unwrap();
    succeeded(&output);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(&device) && said.contains("managed"), "{said}");

    for example in ["device_serial", "user_serial"] {
        let serial = text(examples, example);
        let why = ["certificate", "why", &serial, "--json", "--data", &data];
        let output = scene.lanyard().args(why).output().unwrap();
        succeeded(&output);
        let why = json(&output.stdout);
        assert_eq!((text(&why, "serial"), text(&why, "state")), (serial, "good".to_owned()));
        assert_eq!(why["reason"], Value::Null);
        assert_eq!(why["ocsp"]["status"], "good");
        assert!(why["ocsp"]["nextUpdate"].is_string(), "{why}");
        let fact = &why["facts"][0];
        for key in ["source", "object", "name", "value", "learnt"] {
            assert!(!text(fact, key).is_empty(), "{key}");
        }
    }

    let search = ["certificate", "search", "device-", "--json", "--data", &data];
    let output = scene.lanyard().args(search).output().unwrap();
    succeeded(&output);
    let found = json(&output.stdout);
    let mut standings: Vec<_> =
        found["certificates"].as_array().unwrap().iter().map(|c| text(c, "standing")).collect();
    standings.sort();
    assert_eq!(standings, ["good", "revoked"], "{found}");

    assert_eq!(demo.end(Signal::TERM), Some(0));
    assert_eq!(scene.left_behind(), [] as [PathBuf; 0]);
    assert!(TcpStream::connect(base.strip_prefix("http://").unwrap()).is_err());
}

#[test]
fn control_c_removes_the_temporary_folder_too() {
    let scene = Scene::new();
    let mut demo = Running::start(scene.demo());
    demo.await_line("It stays up");
    assert_eq!(scene.left_behind().len(), 1);
    assert_eq!(demo.end(Signal::INT), Some(0));
    assert_eq!(scene.left_behind(), [] as [PathBuf; 0]);
}

#[test]
fn a_demo_that_is_stopped_while_it_starts_leaves_nothing_behind() {
    let scene = Scene::new();
    let mut command = scene.lanyard();
    command.args(["demo", "--ca-key", "rsa-4096", "--listen", "127.0.0.1:0"]);
    let mut demo = Running::start(command);
    while scene.left_behind().is_empty() {
        assert!(demo.child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    assert_ne!(demo.end(Signal::TERM), None, "it ends by itself, not by the signal");
    assert_eq!(scene.left_behind(), [] as [PathBuf; 0]);
}

#[test]
fn a_port_that_is_taken_is_named_and_an_old_ready_file_does_not_stay() {
    let scene = Scene::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ready_file = scene.file("ready.json");
    fs::write(&ready_file, "{}").unwrap();
    let mut command = scene.lanyard();
    command.args(["demo", "--ca-key", "p-256", "--exit", "--listen", &address.to_string()]);
    let output = command.arg("--ready-file").arg(&ready_file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("port {} ", address.port())), "{said}");
    assert!(said.contains("--listen 127.0.0.1:0"), "{said}");
    assert!(!ready_file.exists());
    assert_eq!(scene.left_behind(), [] as [PathBuf; 0]);
}

#[test]
fn a_kept_folder_goes_on_with_the_same_authority_and_the_server_can_take_over() {
    let scene = Scene::new();
    let data = scene.file("kept");
    let tour = || {
        succeeded(&scene.demo().arg("--exit").arg("--data").arg(&data).output().unwrap());
        fs::read_to_string(data.join("ca.pem")).unwrap()
    };
    assert_eq!(tour(), tour());
    let check = |file: &Path| {
        scene.lanyard().args(["config", "check", "--config"]).arg(file).output().unwrap()
    };
    succeeded(&check(&data.join("demo.toml")));
}

#[test]
fn the_machines_own_installation_does_not_count() {
    let scene = Scene::new();
    let mut command = scene.demo();
    command.env("LANYARD_STORAGE_URL", "postgres://nobody@127.0.0.1:1/none");
    command.env("LANYARD_CONFIG", scene.file("not-there.toml"));
    succeeded(&command.arg("--exit").output().unwrap());
}

#[test]
fn a_step_that_turns_out_otherwise_ends_the_tour_with_1() {
    let scene = Scene::new();
    let settings = scene.file("lanyard.toml");
    fs::write(&settings, "endpoints.static.approval = 'manual'\n").unwrap();
    let mut command = scene.demo();
    command.args(["--exit", "--json", "--config"]).arg(&settings);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = json(&output.stdout);
    assert_eq!(told["ok"], false);
    assert!(text(&told, "failure").contains("waits for approval"), "{told}");
    assert_eq!(scene.left_behind(), [] as [PathBuf; 0]);
}
