//! What every route of a running server shares.

use std::sync::Arc;

use lanyard_authority::Authority;
use lanyard_authority::detached::DetachedResponder;
use lanyard_pki::Time;
use lanyard_signer::{KeyStore, Pool};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;

use crate::address::Addresses;
use crate::config::Config;
use crate::directories::Caller;
use crate::health::StoreHealth;
use crate::limits::{ChallengeGuard, Turnstile};
use crate::observe;
use crate::open::{Opened, World};
use crate::routes::ocsp;

/// What every route of a running server shares.
#[derive(Debug)]
pub struct App {
    /// The configuration that the server was started with.
    pub config: Config,
    /// The verbs.
    pub authority: Authority,
    /// What time it is, and chance.
    pub world: World,
    /// Where clients reach the server.
    pub addresses: Addresses,
    /// The token in the CRL's address.
    pub crl_token: SecretString,
    /// The threads on which private keys are used.
    pub keys: Arc<Pool>,
    /// The key files.
    pub key_files: KeyStore,
    /// Whether the store answered when it was asked last.
    pub store_health: StoreHealth,
    /// Who may send webhooks.
    pub callers: Vec<Caller>,
    /// Who answers, where this is a responder without the store: it answers OCSP and nothing else.
    pub responder: Option<DetachedResponder>,
    /// The queue for SCEP.
    pub turnstile: Turnstile,
    /// The rate of wrong challenges.
    pub challenges: ChallengeGuard,
    /// What is counted about OCSP.
    pub ocsp: ocsp::Counters,
    /// What was counted, as text.
    pub metrics: Option<&'static PrometheusHandle>,
}

impl App {
    /// The routes' share of a server.
    pub fn new(config: Config, opened: Opened, world: World) -> Self {
        let metrics = observe::recorder();
        Self {
            keys: Pool::shared(),
            turnstile: Turnstile::new(&config.limits),
            challenges: ChallengeGuard::new(&config.limits),
            ocsp: ocsp::Counters::default(),
            metrics,
            config,
            authority: opened.authority,
            addresses: opened.addresses,
            crl_token: opened.crl_token,
            callers: opened.callers,
            responder: opened.responder,
            key_files: opened.key_files,
            store_health: StoreHealth::default(),
            world,
        }
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.world.clock.now()
    }
}
