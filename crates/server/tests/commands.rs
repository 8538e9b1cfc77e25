//! Commands as processes: their exit statuses, what they print, the files they leave, and what systemd is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const CHALLENGE: &str = "a challenge of the tests";

/// An installation in a temporary folder, on ports that the system chooses.
struct Site {
    folder: tempfile::TempDir,
    notified: UnixDatagram,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("challenge"), CHALLENGE).unwrap();
        fs::set_permissions(path("challenge"), fs::Permissions::from_mode(0o600)).unwrap();
        let text = format!(
            "data = '{}'\nlisten.http = ['127.0.0.1:0']\nlisten.https = []\nauthority.key = 'p-256'\n\
             endpoints.static.challenge_file = '{}'\n",
            path("data").display(),
            path("challenge").display(),
        );
        fs::write(path("lanyard.toml"), text).unwrap();
        let notified = UnixDatagram::bind(path("notify")).unwrap();
        notified.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        Self { folder, notified }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn lanyard(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command.args(arguments).env("LANYARD_CONFIG", self.file("lanyard.toml"));
        command
            .env("LANYARD_LOG_LEVEL", "warn")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.lanyard(arguments).output().unwrap()
    }

    /// A server that has said that it is ready, and where it answers.
    fn serve(&self) -> (Running, String) {
        let mut command = self.lanyard(&["serve"]);
        let child = command
            .env("NOTIFY_SOCKET", self.file("notify"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = Running(child);
        let said = self.told("READY=1");
        let base = said
            .lines()
            .find_map(|line| line.strip_prefix("STATUS=Answering at "))
            .unwrap()
            .to_owned();
        (running, base)
    }

    /// What systemd was told, up to a message that has this line.
    fn told(&self, line: &str) -> String {
        loop {
            let mut octets = [0; 512];
            let length = self.notified.recv(&mut octets).unwrap();
            let text = String::from_utf8_lossy(&octets[..length]).into_owned();
            if text.lines().any(|one| one == line) {
                return text;
            }
        }
    }
}

/// A server that is killed when a test fails.
struct Running(Child);

impl Running {
    fn stop(mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn systemd_is_told_that_the_server_is_ready_and_that_it_stops() {
    let site = Site::new();
    let (server, _) = site.serve();
    assert_eq!(server.stop(), Some(0));
    site.told("STOPPING=1");
    assert!(!site.file("data/control.sock").exists());
}

#[test]
fn a_server_that_waits_for_its_own_certificate_is_ready_and_feeds_the_watchdog() {
    let site = Site::new();
    let child = site
        .lanyard(&["serve"])
        .env("LANYARD_AUTHORITY_CERTIFIED_BY", "another")
        .env("NOTIFY_SOCKET", site.file("notify"))
        .env("WATCHDOG_USEC", "100000")
        .stderr(Stdio::null())
        .spawn();
    let server = Running(child.unwrap());
    site.told("READY=1");
    site.told("WATCHDOG=1");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_second_server_for_the_same_data_is_told_that_the_first_one_holds_it() {
    let site = Site::new();
    let (_first, _) = site.serve();
    let second = site.run(&["serve"]);
    assert_eq!(second.status.code(), Some(8), "{}", text(&second.stderr));
}

#[test]
fn a_device_enrolls_renews_and_is_revoked_by_commands() {
    let site = Site::new();
    let (_server, base) = site.serve();
    let ca = json(&site.run(&["ca", "show", "--json"]));
    let fingerprint = ca[0]["fingerprint_sha256"].as_str().unwrap();
    let url = format!("{base}/static");
    let server = ["--url", &url, "--ca-fingerprint", fingerprint, "--challenge-file", "challenge"];
    let command = |name, more: &[&'static str]| {
        let mut arguments = vec![name];
        arguments.extend(server);
        arguments.extend(more);
        site.run(&arguments)
    };

    let names = [
        "--subject",
        "CN=device-1",
        "--dns",
        "device-1.example.com",
        "--key-type",
        "p-256",
        "--json",
    ];
    let first = json(&command("enroll", &names));
    assert_eq!(fs::metadata(site.file("key.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    let old_key = fs::read(site.file("key.pem")).unwrap();

    let not_due = json(&command("renew", &["--json"]));
    assert_eq!(not_due["renewed"], false);
    let second = json(&command("renew", &["--force", "--json"]));
    assert_ne!(first["serial"], second["serial"]);
    assert_ne!(fs::read(site.file("key.pem")).unwrap(), old_key, "a renewal has a key of its own");
    assert_eq!(left_over(site.folder.path()), Vec::<PathBuf>::new());

    let serial = second["serial"].as_str().unwrap();
    let shown = text(&site.run(&["certificate", "show", serial]).stdout);
    assert!(shown.starts_with("good") && shown.contains("device-1.example.com"), "{shown}");
    let revoked = site.run(&["certificate", "revoke", serial, "--reason", "superseded"]);
    assert!(text(&revoked.stdout).contains("is revoked since"), "{}", text(&revoked.stderr));
    let again = site.run(&["certificate", "revoke", serial]);
    assert_eq!(again.status.code(), Some(4), "{}", text(&again.stderr));
    let refused = command("renew", &["--force"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
}

/// Files of an unfinished renewal.
fn left_over(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_new = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "new");
    files.filter(is_new).collect()
}

#[test]
fn another_authority_than_the_expected_one_is_refused_before_anything_is_sent() {
    let site = Site::new();
    let (_server, base) = site.serve();
    let url = format!("{base}/static");
    let wrong = "00".repeat(32);
    let refused =
        site.run(&["enroll", "--url", &url, "--ca-fingerprint", &wrong, "--subject", "CN=x"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
    assert!(!site.file("key.pem").exists());
    let nothing = site.run(&["enroll", "--url", &url, "--subject", "CN=x"]);
    assert_eq!(nothing.status.code(), Some(2), "the authority has to be known by something");
}

#[test]
fn a_server_that_does_not_answer_has_its_own_exit_status() {
    let site = Site::new();
    // A port that was free a moment ago, and that nobody listens at.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/static");
    let enroll = site.run(&["enroll", "--url", &url, "--accept-any-ca", "--subject", "CN=x"]);
    assert_eq!(enroll.status.code(), Some(7), "{}", text(&enroll.stderr));
    let socket = site.file("no.sock");
    let show = site.run(&["ca", "show", "--server", socket.to_str().unwrap()]);
    assert_eq!(show.status.code(), Some(7), "{}", text(&show.stderr));
}

/// A server that answers each request with the next of these, and everything after with the last.
fn overloaded(retry_after: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/static", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Up to the end of the header: these requests have no body.
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let number = count.fetch_add(1, Ordering::SeqCst).min(retry_after.len() - 1);
            let head = "HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 0";
            write!(stream, "{head}\r\nretry-after: {}\r\n\r\n", retry_after[number]).unwrap();
        }
    });
    (url, asked)
}

#[test]
fn a_server_that_is_overloaded_is_asked_again_when_it_says_and_not_for_ever() {
    let site = Site::new();
    let enroll = |url: &str, more: &[&str]| {
        let mut arguments = vec!["enroll", "--url", url, "--accept-any-ca", "--subject", "CN=x"];
        arguments.extend(more);
        let output = site.run(&arguments);
        assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let (url, asked) = overloaded(&["0", "Sat, 01 Jan 2000 00:00:00 GMT", "86400"]);
    let said = enroll(&url, &[]);
    assert_eq!(asked.load(Ordering::SeqCst), 3, "{said}");
    let again = "The server answers 429 Too Many Requests; coming again in 0 s.\n";
    assert_eq!(said.matches(again).count(), 2, "{said}");
    let given_up = "GetCACaps was answered 429 Too Many Requests every time (3 in 0 s); \
                    it wants to be asked again in 86400 s";
    assert!(said.contains(given_up), "{said}");

    let (url, asked) = overloaded(&["0"]);
    enroll(&url, &["--patience", "1h"]);
    assert_eq!(asked.load(Ordering::SeqCst), 10);
}

#[test]
fn every_fault_of_a_configuration_is_named_and_ends_every_command_with_3() {
    let site = Site::new();
    fs::write(site.file("lanyard.toml"), "colour = 1\n[listen]\nhttp = ['x']\n").unwrap();
    // The doctor has faults for findings, and another status: see tests/doctor.rs.
    for arguments in [&["config", "check"][..], &["serve"], &["ca", "show"]] {
        let output = site.run(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(
            said.contains("colour") && said.contains("listen.http[0]"),
            "{arguments:?}: {said}"
        );
    }
    let checked = site.run(&["config", "check", "--json"]);
    let list: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(list["faults"].as_array().unwrap().len(), 2);
}

#[test]
fn completions_know_the_commands() {
    let site = Site::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&site.run(&["completions", shell]).stdout);
        assert!(script.contains("certificate") && script.contains("enroll"), "{shell}");
    }
}
