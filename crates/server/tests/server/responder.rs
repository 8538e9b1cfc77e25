//! A responder without the store beside the authority: given its keys by command, the CRL over HTTP.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use lanyard_authority::Clock as _;
use lanyard_authority::entropy::SystemEntropy;
use lanyard_pki::ocsp::CertStatus;
use lanyard_pki::{Certificate, pem};
use lanyard_server::client::ocsp::ask;
use lanyard_server::config::Config;
use lanyard_server::config::unit::Span;
use lanyard_server::control::client::ControlClient;
use lanyard_server::control::operations::ca::{ListCas, MakeResponder};
use lanyard_server::control::operations::directory::ListDirectories;
use lanyard_server::detached::{Given, GivenError};
use lanyard_server::open::{InstallationError, World};
use lanyard_server::server::{Server, StartError};
use secrecy::ExposeSecret as _;

use crate::directories::Tenancy;
use crate::enrollment::revocation;
use crate::site::Site;
use crate::tether::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_responder_signs_with_what_the_authority_made_and_reads_its_crl() {
    let site = Site::start().await;
    let (certificate, _) = site.device("CN=one").await;
    let made = site.control().await.run(MakeResponder { validity: Span::days(90) }).await.unwrap();
    let material = site.folder.path().join("responder.pem");
    std::fs::write(&material, made.material).unwrap();
    site.server.app().authority.refresh_crls().await;
    let token = site.server.app().crl_token.expose_secret().to_owned();
    let crl = site.url(&format!("/crl/{token}"));
    let start = async |crls: Vec<String>| {
        let mut config = Config { data: site.folder.path().join("outpost"), ..Config::default() };
        config.listen.http = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        let world = World { clock: site.clock.clone(), entropy: Arc::new(SystemEntropy) };
        let given = Given { material: material.clone(), crls };
        Server::start_responder(config, given, world).await
    };
    let ca = site.ca().await;
    let says = async |server: &Server| {
        let url = format!("http://{}/ocsp", server.http()[0]).parse().unwrap();
        ask(&site.http, url, &certificate, &ca, [7; 32], site.clock.now()).await.unwrap().status
    };
    let server = start(vec![crl]).await.unwrap();
    assert_eq!(says(&server).await, CertStatus::Unknown, "it follows no object");
    let asked = async |server: &Server, path: &str| {
        let url = format!("http://{}{path}", server.http()[0]);
        site.http.get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(asked(&server, "/probe").await, 200);
    for path in ["/", "/static", "/ca", "/crl"] {
        assert_eq!(asked(&server, path).await, 404, "{path}");
    }
    assert!(server.https().is_empty(), "nobody could certify it");
    let socket = server.app().config.control_socket();
    let control = ControlClient::find(&socket, "tester").await.unwrap().unwrap();
    let refused = control.run(ListCas {}).await.unwrap_err();
    assert!(refused.to_string().contains("without the installation's store"), "{refused}");
    assert!(control.run(ListDirectories {}).await.unwrap().is_empty());
    let copy = site.folder.path().join("outpost/responder/crl-0.der");
    assert!(copy.exists(), "the CRL was taken up, and is kept for a start without the authority");
    server.stop().await;

    // It starts and answers while the authority is away.
    let server = start(vec!["http://127.0.0.1:9/crl".to_owned()]).await.unwrap();
    assert_eq!(says(&server).await, CertStatus::Unknown);
    site.clock.advance(7 * 86_400 + 1);
    assert_eq!(asked(&server, "/probe").await, 503, "its CRL has ended");
    server.stop().await;

    std::fs::write(&material, "no keys").unwrap();
    let refused = start(Vec::new()).await.unwrap_err();
    let expected = matches!(
        refused,
        StartError::Installation(InstallationError::Responder(GivenError::Material { .. }))
    );
    assert!(expected, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_reaches_it_through_the_directory_and_a_hand_through_the_crl_and_the_store_is_not_missed()
 {
    let stage = Stage::start().await;
    let wiped = stage.managed(0).id;
    let (one, two) = (stage.device(wiped).await, stage.device(stage.managed(1).id).await);
    let three = stage.device(stage.managed(2).id).await;
    let made = stage.control.run(MakeResponder { validity: Span::days(90) }).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let material = elsewhere.path().join("responder.pem");
    std::fs::write(&material, made.material).unwrap();
    let token = stage.site.server.app().crl_token.expose_secret().to_owned();
    let crls = vec![stage.site.url(&format!("/crl/{token}"))];
    let (clock, http, ca) =
        (stage.site.clock.clone(), stage.site.http.clone(), stage.site.ca().await);
    let start = async |tenancy: &Tenancy| {
        let mut config = Config { data: elsewhere.path().join("data"), ..Config::default() };
        config.listen.http = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        tenancy.configure(&mut config);
        let world = World { clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let given = Given { material: material.clone(), crls: crls.clone() };
        Server::start_responder(config, given, world).await.unwrap()
    };
    let says = async |server: &Server, certificate: &Certificate| {
        let url = format!("http://{}/ocsp", server.http()[0]).parse().unwrap();
        match ask(&http, url, certificate, &ca, [7; 32], clock.now()).await {
            Ok(said) => match said.status {
                CertStatus::Revoked { reason, .. } => reason.unwrap().to_string(),
                other => format!("{other:?}"),
            },
            Err(error) => error.to_string(),
        }
    };
    stage.site.server.app().authority.refresh_crls().await;
    let server = start(&stage.tenancy).await;
    assert_eq!(says(&server, &one).await, "Good");
    assert_eq!(says(&server, &two).await, "Good");
    let file = |name: &str, certificate: &Certificate| {
        let file = elsewhere.path().join(name);
        std::fs::write(&file, pem::encode(pem::CERTIFICATE, certificate.as_der())).unwrap();
        file
    };
    let (issuer, about) = (file("ca.pem", &ca), file("one.pem", &one));
    let url = format!("http://{}/ocsp", server.http()[0]);
    let mut openssl = Command::new("openssl");
    openssl.args(["ocsp", "-url", &url, "-issuer"]).arg(&issuer).arg("-CAfile").arg(&issuer);
    openssl.arg("-cert").arg(&about);
    let said = tokio::task::spawn_blocking(move || openssl.output().unwrap()).await.unwrap();
    let said = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
    assert!(said.contains("Response verify OK") && said.contains(": good"), "{said}");

    // The installation is not told to look: the responder has the directory's word for itself.
    let wipe = format!("managedDevices/{wiped}/wipe");
    stage.tenancy.control("POST", &wipe, &serde_json::json!({})).await;
    clock.advance(61);
    assert_eq!(says(&server, &one).await, "cessationOfOperation");
    server.stop().await;

    // What a person does comes with the next CRL.
    stage.control.run(revocation(&two, "keyCompromise")).await.unwrap();
    let server = start(&stage.tenancy).await;
    assert_eq!(says(&server, &two).await, "keyCompromise");
    server.stop().await;

    // The installation goes, and its store with it.
    let Stage { site, tenancy, .. } = stage;
    site.server.stop().await;
    drop(site.folder);
    let server = start(&tenancy).await;
    assert_eq!(says(&server, &one).await, "cessationOfOperation");
    assert_eq!(says(&server, &two).await, "keyCompromise");
    assert_eq!(says(&server, &three).await, "Good");
    clock.advance(7 * 86_400 + 1);
    let said = says(&server, &three).await;
    assert!(said.contains("tryLater"), "{said}");
    server.stop().await;
    tenancy.simulator.stop().await;
}
