//! `lanyard simulate` as a script runs it: a process of its own, with its ready file and its end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn lanyard() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command.stdin(Stdio::null());
    command
}

/// The answer to one request, whole.
fn ask(base: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_answers_as_its_ready_file_says_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ready.json");
    fs::write(&file, "of an earlier one").unwrap();
    let mut child = lanyard()
        .args(["simulate", "--listen", "127.0.0.1:0", "--devices", "40", "--users", "7"])
        .args(["--standstill", "2026-11-21T09:00:00Z", "--ready-file"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("It stays up")));
    // What is told comes before the file.
    while fs::read(&file).is_ok_and(|content| content.starts_with(b"of")) || !file.exists() {
        std::thread::yield_now();
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let ready: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(ready["tenants"].as_array().unwrap().len(), 2);
    let base = ready["simulator_url"].as_str().unwrap();
    let host = base.strip_prefix("http://").unwrap();
    let get = |path: &str| {
        ask(base, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    };
    assert!(get("/_control/time").contains(r#"{"now":"2026-11-21T09:00:00Z"}"#));
    let tenants = get("/_control/tenants");
    assert!(tenants.contains(r#""managedDevices":40"#), "{tenants}");
    assert!(tenants.contains(r#""users":7"#), "{tenants}");
    let tenant = ready["tenant_id"].as_str().unwrap();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}\
         &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
        ready["client_id"].as_str().unwrap(),
        ready["client_secret"].as_str().unwrap(),
    );
    let token = ask(
        base,
        &format!(
            "POST /login/{tenant}/oauth2/v2.0/token HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    );
    assert!(token.contains("access_token"), "{token}");

    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(host).is_err());
}

#[test]
fn it_listens_to_this_machine_only() {
    let output = lanyard().args(["simulate", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("loopback"), "{said}");
}

#[test]
fn sizes_and_dates_that_make_no_sense_are_refused() {
    for flags in [["--devices", "0"], ["--devices", "1000001"], ["--standstill", "tomorrow"]] {
        let output = lanyard().arg("simulate").args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
}
