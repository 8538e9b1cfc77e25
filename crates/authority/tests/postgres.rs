//! Several nodes on one PostgreSQL server. Without PostgreSQL installed this is passed over, visibly, unless
//! `REQUIRE_POSTGRES=1`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use lanyard_authority::clock::SystemClock;
use lanyard_authority::entropy::SystemEntropy;
use lanyard_authority::settings::ScepIdentityChoice;
use lanyard_authority::{Ports, Settings, open};
use lanyard_pki::{KeyAlgorithm, Time};
use lanyard_signer::KeyStore;
use lanyard_store::conformance::server::{Durability, Server, postgres_is_required};
use lanyard_store::{Options, RaState, Store, StoreUrl};

/// A node with connections of its own, beside others in one folder of keys.
async fn node(url: &StoreUrl, keys: &Path) -> Ports {
    Ports {
        store: Store::open(url, Options::WRITING).await.unwrap(),
        keys: KeyStore::open(keys, None).unwrap(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        directories: Vec::new(),
        intune: Vec::new(),
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new("CN=Test CA,O=Example".parse().unwrap());
    settings.first.key = KeyAlgorithm::P256;
    settings.scep.identity = ScepIdentityChoice::Ra;
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_for_the_first_time_at_once_have_one_ca_and_announce_one_ra() {
    let Some(server) = Server::start(Durability::Memory).unwrap() else {
        assert!(!postgres_is_required(), "PostgreSQL is missing and REQUIRE_POSTGRES=1");
        eprintln!("passed over: PostgreSQL 15 or newer is not installed");
        return;
    };
    let url = server.database("first_start").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(node(&url, folder.path()).await);
    }
    let opened = join_all(nodes.iter().map(|ports| open(settings(), ports.clone()))).await;
    let mut seen = Vec::new();
    for authority in opened {
        let authority = authority.unwrap();
        let cas = authority.cas();
        seen.push(cas.iter().map(|ca| ca.certificate.as_der().to_vec()).collect::<Vec<_>>());
    }
    assert_eq!(seen[0].len(), 1);
    assert!(seen.iter().all(|cas| *cas == seen[0]), "the nodes see different CAs");
    assert_eq!(nodes[0].store.cas().await.unwrap().len(), 1);
    let ras = nodes[0].store.ra_certificates(Time::MIN).await.unwrap();
    let announced = ras.iter().filter(|ra| ra.state == RaState::Current).count();
    assert_eq!(announced, 1, "{ras:?}");
    for node in nodes {
        node.store.close().await;
    }
}
