//! Administration: through the running server, and without one.

use std::os::unix::fs::PermissionsExt as _;

use lanyard_authority::Clock as _;
use lanyard_pki::ocsp::CertStatus;
use lanyard_server::cli::{GlobalArgs, InstallationArgs};
use lanyard_server::control::Installation;
use lanyard_server::control::client::ControlClient;
use lanyard_server::control::operations::ca::{ActivateCa, ListCas, PrepareNextCa, Wanted};
use lanyard_server::control::operations::certificate::{
    ExportCertificate, SearchCertificates, ShowCertificate,
};
use lanyard_server::control::operator::of_user;
use lanyard_server::exit::ExitStatus;
use lanyard_store::Within;

use crate::enrollment::revocation;
use crate::site::Site;

fn named(begins: &str) -> SearchCertificates {
    SearchCertificates {
        begins: Some(begins.to_owned()),
        limit: 10,
        ..SearchCertificates::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone_and_goes_with_the_server() {
    let site = Site::start().await;
    let socket = site.data().join("control.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(site.data()).unwrap().permissions().mode() & 0o777, 0o700);
    let Site { server, folder: _folder, .. } = site;
    server.stop().await;
    assert!(!socket.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_names_the_user_that_the_kernel_names_whatever_a_command_says() {
    let site = Site::start().await;
    let (device, _) = site.device("CN=device-1").await;
    let socket = site.data().join("control.sock");
    let liar = ControlClient::find(&socket, "the chairman").await.unwrap().unwrap();
    liar.run(revocation(&device, "superseded")).await.unwrap();
    let authority = &site.server.app().authority;
    let shown = authority.show(device.serial(), Within::Everywhere).await.unwrap();
    let user = of_user(rustix::process::getuid().as_raw(), None);
    let expected = format!("operator {user} (says the chairman)");
    assert_eq!(shown.certificate.summary.revoked_by, Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_found_shown_and_exported() {
    let site = Site::start().await;
    let (device, _) = site.device("CN=device-7,O=Example").await;
    let control = site.control().await;
    let found = control.run(named("device-7")).await.unwrap();
    assert_eq!(found.certificates.len(), 1);
    assert_eq!(found.certificates[0].serial, device.serial().to_string());
    let serial = device.serial().to_string();
    let shown = control.run(ShowCertificate { serial: serial.clone() }).await.unwrap();
    assert_eq!(shown.verdict.state, "good");
    assert!(shown.text.unwrap().contains("device-7"));
    let exported = control.run(ExportCertificate { serial }).await.unwrap();
    assert_eq!(exported.certificate, device.as_der());
    assert_eq!(exported.chain, [site.ca().await.as_der()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_and_what_makes_no_sense_end_with_their_own_exit_status() {
    let site = Site::start().await;
    let control = site.control().await;
    let show = |serial: &str| control.run(ShowCertificate { serial: serial.to_owned() });
    assert_eq!(show("xyz").await.unwrap_err().status(), ExitStatus::Usage);
    assert_eq!(show("40AA").await.unwrap_err().status(), ExitStatus::NotFound);
    let activate = ActivateCa { id: Some(99), at: None };
    assert_eq!(control.run(activate).await.unwrap_err().status(), ExitStatus::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_authority_takes_over_and_the_old_one_still_answers_for_its_own() {
    let site = Site::start().await;
    let (old, _) = site.device("CN=before").await;
    let control = site.control().await;
    assert_eq!(site.get("/static?operation=GetNextCACert").await.status(), 404);
    control.run(PrepareNextCa { wanted: Wanted::default() }).await.unwrap();
    assert_eq!(site.get("/static?operation=GetNextCACert").await.status(), 200);
    let before = site.ca().await;
    let activated = control.run(ActivateCa { id: None, at: None }).await.unwrap();
    assert_eq!(activated.state, "current");
    let after = site.ca().await;
    assert_ne!(before, after);
    let (new, _) = site.device("CN=after").await;
    new.verify_signed_by(after.public_key().unwrap()).unwrap();
    assert_eq!(site.status(&new).await.status, CertStatus::Good);
    let url = site.url("/ocsp").parse().unwrap();
    let now = site.clock.now();
    let said =
        lanyard_server::client::ocsp::ask(&site.http, url, &old, &before, [1; 32], now).await;
    assert_eq!(said.unwrap().status, CertStatus::Good);
    let cas = control.run(ListCas {}).await.unwrap();
    let states: Vec<_> = cas.iter().map(|ca| ca.state.as_str()).collect();
    assert_eq!(states, ["retired", "current"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_acts_on_the_files_when_no_server_runs_and_the_next_server_knows() {
    let site = Site::start().await;
    let (device, _) = site.device("CN=device-1").await;
    let folder = site.data();
    let file = folder.parent().unwrap().join("lanyard.toml");
    let text = format!("data = {:?}\nauthority.key = \"rsa-2048\"\n", folder.to_str().unwrap());
    std::fs::write(&file, text).unwrap();
    let global = GlobalArgs { config: Some(file), json: false };
    let args = InstallationArgs::default();

    let running = Installation::find(&args, &global).await.unwrap();
    assert!(matches!(running, Installation::Running(_)));
    let Site { server, folder: _folder, .. } = site;
    server.stop().await;

    let opened = Installation::find(&args, &global).await.unwrap();
    assert!(matches!(opened, Installation::Opened { .. }));
    let now = opened.run(revocation(&device, "superseded")).await.unwrap();
    assert_eq!(now.standing, "revoked");
    let again = Installation::find(&args, &global).await.unwrap();
    let shown = again.run(ShowCertificate { serial: device.serial().to_string() }).await.unwrap();
    assert_eq!(shown.verdict.state, "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_named_must_answer() {
    let site = Site::start().await;
    let global = GlobalArgs { config: None, json: false };
    let named = |socket| InstallationArgs { data: None, server: Some(socket) };
    let found =
        Installation::find(&named(site.data().join("control.sock")), &global).await.unwrap();
    assert!(matches!(found, Installation::Running(_)));
    let missing = Installation::find(&named(site.data().join("other.sock")), &global).await;
    assert_eq!(missing.unwrap_err().status(), ExitStatus::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_named_by_mistake_does_not_become_an_installation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lanyard.toml");
    std::fs::write(&file, "").unwrap();
    let global = GlobalArgs { config: Some(file), json: false };
    let args = InstallationArgs { data: Some(folder.path().to_owned()), server: None };
    let failure = Installation::find(&args, &global).await.unwrap_err();
    assert_eq!(failure.status(), ExitStatus::NotFound);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
}
