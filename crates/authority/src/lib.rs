//! The verbs of the authority: open, issue, renew, approve, revoke, answer for a certificate, keep the CA.
//!
//! It knows no protocol: a door turns bytes into a request, asks a verb, and renders what comes back. Decisions are
//! `lanyard_lifecycle`'s; here facts are fetched for them, and what was decided is carried out and recorded.

pub mod answer;
pub mod audit;
pub mod ca;
mod certify;
pub mod clock;
pub mod crl;
pub mod detached;
pub mod entropy;
mod error;
pub mod intune;
pub mod issue;
pub mod jobs;
mod keys;
mod linted;
mod lookup;
pub mod mirror;
mod open;
mod pending;
mod refusals;
mod renew;
mod responder;
pub mod revoke;
pub mod scep;
mod seal;
pub mod search;
pub mod settings;
mod stand_in;
pub mod status;
mod steps;
#[cfg(test)]
mod tests;
pub mod tether;

use std::sync::Arc;

use arc_swap::ArcSwap;
use lanyard_directory::Connector;
use lanyard_lifecycle::serial_codec::SerialCodec;
use lanyard_pki::Time;
use lanyard_signer::KeyStore;
use lanyard_store::Store;

pub use audit::Actor;
pub use ca::{Ca, Cas};
pub use certify::Issued;
pub use clock::Clock;
pub use entropy::Entropy;
pub use error::{Error, Fault, Persistence};
pub use intune::IntuneServices;
pub use issue::{Outcome, Proof, Request, Transaction};
pub use open::{OpenError, open};
pub use settings::Settings;

/// What the authority stands on.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Where everything is recorded.
    pub store: Store,
    /// Where private keys are.
    pub keys: KeyStore,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Who asks the directories that certificates follow.
    pub directories: Vec<Arc<dyn Connector>>,
    /// Who asks Intune's services for certification authorities, one for each tenant that has them.
    pub intune: Vec<Arc<dyn IntuneServices>>,
}

/// An open authority: a handle that is cheap to clone. Each verb is a method, in a file of its name.
#[derive(Debug, Clone)]
pub struct Authority {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    ports: Ports,
    serials: SerialCodec,
    cas: ArcSwap<Cas>,
    scep: ArcSwap<scep::Identities>,
    ra_keys: scep::ra::Keys,
    wake: tokio::sync::Notify,
    intune: intune::State,
    memory: status::Memory,
    mirror: mirror::Mirror,
    tethers: tether::Tethers,
    /// What stands for the store, in a responder that has none.
    detached: Option<detached::Knowledge>,
    refusals: refusals::Refusals,
    /// Of requests that wait for a person.
    requests: seal::Seal,
    #[cfg(test)]
    steps: Arc<dyn steps::Steps>,
}

impl Authority {
    /// What the installation decided.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// All CAs that have a certificate, as of now.
    pub fn cas(&self) -> Arc<Cas> {
        self.inner.cas.load_full()
    }

    /// The store, for verbs.
    pub(crate) fn store(&self) -> &Store {
        &self.inner.ports.store
    }

    /// What it stands on, for another process of a test.
    #[cfg(test)]
    pub(crate) fn ports(&self) -> Ports {
        self.inner.ports.clone()
    }

    /// The clock, for verbs.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.ports.clock
    }

    /// What the status side remembers.
    pub(crate) fn memory(&self) -> &status::Memory {
        &self.inner.memory
    }

    /// Seals requests that wait for a person.
    pub(crate) fn requests(&self) -> &seal::Seal {
        &self.inner.requests
    }

    /// How many refusals the audit trail takes.
    pub(crate) fn refusals(&self) -> &refusals::Refusals {
        &self.inner.refusals
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.inner.ports.clock.now()
    }

    /// So many random octets.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        entropy::random(&*self.inner.ports.entropy)
    }

    /// The codec of serial numbers.
    pub(crate) fn serials(&self) -> &SerialCodec {
        &self.inner.serials
    }

    /// Lets the background jobs look at what is due again: something has changed.
    pub(crate) fn wake(&self) {
        self.inner.wake.notify_one();
    }

    /// Lets a test stop the program here.
    #[cfg(test)]
    pub(crate) async fn reached(&self, step: steps::Step) -> Result<(), Fault> {
        self.inner.steps.at(step).await
    }

    /// Nothing, in the product.
    #[cfg(not(test))]
    #[expect(clippy::unused_async, reason = "a test stops the program here")]
    pub(crate) async fn reached(&self, _: steps::Step) -> Result<(), Fault> {
        Ok(())
    }
}
