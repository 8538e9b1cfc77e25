//! A responder without the store beside the authority: given its keys by command, the CRL over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use lanyard_authority::Clock as _;
use lanyard_authority::entropy::SystemEntropy;
use lanyard_pki::ocsp::CertStatus;
use lanyard_server::client::ocsp::ask;
use lanyard_server::config::Config;
use lanyard_server::config::unit::Span;
use lanyard_server::control::operations::ca::MakeResponder;
use lanyard_server::detached::{Given, GivenError};
use lanyard_server::open::{InstallationError, World};
use lanyard_server::server::{Server, StartError};
use secrecy::ExposeSecret as _;

use crate::site::Site;

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
