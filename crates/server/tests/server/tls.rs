//! HTTPS: our own certificate, an operator's, and its replacement.

use std::net::SocketAddr;

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::profile::{CertificateInput, Issuer, Profile};
use lanyard_pki::{Digest, GeneralName, KeyAlgorithm, Name, SerialNumber, SignatureAlgorithm, pem};
use lanyard_server::config::Config;
use lanyard_server::config::unit::Span;
use lanyard_signer::{Signer as _, SoftwareKey};

use crate::site::Site;

fn https(config: &mut Config) {
    config.listen.https = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
}

fn trusting(root_pem: &str) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(root_pem.as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap()
}

async fn probe(
    client: &reqwest::Client,
    site: &Site,
) -> Result<reqwest::StatusCode, reqwest::Error> {
    let url = format!("https://localhost:{}/probe", site.server.https()[0].port());
    client.get(url).send().await.map(|answer| answer.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_is_certified_by_the_authority_itself() {
    let site = Site::with(https).await;
    let ca = pem::encode(pem::CERTIFICATE, site.ca().await.as_der());
    assert_eq!(probe(&trusting(&ca), &site).await.unwrap(), 200);
    assert!(site.data().join("listener.pem").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_key_is_encrypted_where_a_passphrase_is_set_and_serves_the_next_start_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let change = |config: &mut Config| {
        https(config);
        config.data.clone_from(&data);
        config.keys.passphrase = Some("open sesame".to_owned().into());
    };
    let certificate = || std::fs::read_to_string(data.join("listener.pem")).unwrap();
    let site = Site::with(change).await;
    let first = certificate();
    assert!(!first.contains("PRIVATE KEY"), "{first}");
    let key = std::fs::read_to_string(data.join("keys/listener.key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{key}");
    site.server.stop().await;

    let site = Site::with(change).await;
    let ca = pem::encode(pem::CERTIFICATE, site.ca().await.as_der());
    assert_eq!(probe(&trusting(&ca), &site).await.unwrap(), 200);
    assert_eq!(certificate(), first, "it still serves");
    site.server.stop().await;

    // As it was once written: with its key, for all who may read the file.
    std::fs::write(data.join("listener.pem"), format!("{}{first}", self_signed("old").await.1))
        .unwrap();
    let _site = Site::with(change).await;
    assert!(!certificate().contains("PRIVATE KEY"));
    assert_ne!(certificate(), first, "a key that lay open is used no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_certificate_is_reloaded_when_its_files_change() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let write = |pair: &(String, String)| {
        std::fs::write(&certificate, &pair.0).unwrap();
        std::fs::write(&key, &pair.1).unwrap();
    };
    let (first, second) = (self_signed("first").await, self_signed("the second one").await);
    write(&first);
    let files = (certificate.clone(), key.clone());
    let site = Site::with(|config| {
        https(config);
        config.tls.certificate_file = Some(files.0);
        config.tls.key_file = Some(files.1);
        config.tls.reload_interval = Span::seconds(1);
    })
    .await;
    assert_eq!(probe(&trusting(&first.0), &site).await.unwrap(), 200);
    write(&second);
    let client = trusting(&second.0);
    // Asks until the listener shows the new one; the test runner's own limit ends a listener that never does.
    while probe(&client, &site).await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// A certificate for localhost that vouches for itself, and its key.
async fn self_signed(name: &str) -> (String, String) {
    let pkcs8 = SoftwareKey::generate_pkcs8(KeyAlgorithm::P256).unwrap();
    let key = SoftwareKey::from_pkcs8(&pkcs8).unwrap();
    let subject: Name = format!("CN={name}").parse().unwrap();
    let identifier = key.public_key().key_identifier();
    let issuer = Issuer { subject: &subject, key_identifier: &identifier };
    let now = SystemClock.now();
    let input = CertificateInput {
        subject_alt_names: vec![GeneralName::Dns("localhost".into())],
        ..CertificateInput::new(
            issuer,
            SerialNumber::from_bytes(&[0x40, 1]).unwrap(),
            (now.plus(-60), now.plus(86_400)),
            subject.clone(),
            key.public_key(),
            SignatureAlgorithm::Ecdsa(Digest::Sha256),
        )
    };
    let unsigned = Profile::tls_server().certificate(&input).unwrap();
    let signature = key.sign(unsigned.algorithm(), unsigned.tbs()).await.unwrap();
    let certificate = pem::encode(pem::CERTIFICATE, &unsigned.assemble(&signature));
    (certificate, pem::encode(pem::PRIVATE_KEY, &pkcs8))
}
