//! CAs with their certificates and keys, loaded once: nothing of them is parsed again for a request.
//!
//! The verbs that make and change them are in the modules below; requests without a certificate stay in the store.

mod chain;
mod create;
mod error;
mod export;
mod import;
pub(crate) mod load;
mod request;
mod rollover;
mod show;

use std::fmt;
use std::sync::Arc;

use lanyard_lifecycle::id::{OrganizationId, Scope};
use lanyard_pki::certificate::Certificate;
use lanyard_pki::profile::Issuer;
use lanyard_pki::{SerialNumber, SignatureAlgorithm, Time};
use lanyard_signer::{Decrypter, Signer};
use lanyard_store::{CaId, CaState};

use crate::settings::Publication;

pub use error::CaError;
pub use export::Form;
pub use import::Imported;
pub use load::LoadError;
pub use request::Requested;
pub use rollover::Prepared;
pub use show::Shown;

/// A CA that has its certificate.
pub struct Ca {
    /// Its number in this installation.
    pub id: CaId,
    /// Who owns it.
    pub scope: Scope,
    /// What people call it.
    pub name: String,
    /// Whether it issues, will issue, or has issued.
    pub state: CaState,
    /// Its certificate.
    pub certificate: Certificate,
    /// The certificates above it, its issuer first; empty for a root.
    pub chain: Vec<Certificate>,
    /// Its key.
    pub signer: Arc<dyn Signer>,
    /// Its key as a receiver of SCEP messages, where it can decrypt.
    pub decrypter: Option<Arc<dyn Decrypter>>,
    /// What it signs with.
    pub signature_algorithm: SignatureAlgorithm,
    /// SHA-1 of its public key (RFC 5280 section 4.2.1.2, method 1): its name in serial numbers and addresses.
    pub key_identifier: [u8; 20],
    /// The addresses that its certificates carry.
    pub publication: Publication,
    /// When it became current.
    pub activated_at: Option<Time>,
    /// The key identifier that its certificate states, which those below it refer to.
    pub(crate) stated_key_identifier: Vec<u8>,
    /// See [`crate::stand_in`].
    pub(crate) stand_in: Vec<u8>,
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ca")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Ca {
    /// Its certificate and those above it.
    pub fn path(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.certificate).chain(&self.chain)
    }

    /// Its side of the certificates that it issues.
    pub(crate) fn issuer(&self) -> Issuer<'_> {
        let key_identifier = &self.stated_key_identifier;
        Issuer { subject: self.certificate.subject(), key_identifier }
    }

    /// Whether its certificate is valid at `now`.
    pub fn is_valid_at(&self, now: Time) -> bool {
        self.certificate.is_valid_at(now)
    }
}

/// All CAs that have a certificate: a snapshot, replaced when one changes.
#[derive(Debug, Default)]
pub struct Cas(Vec<Arc<Ca>>);

impl Cas {
    pub(crate) fn new(cas: Vec<Arc<Ca>>) -> Self {
        Self(cas)
    }

    /// Every one, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Ca>> {
        self.0.iter()
    }

    /// The one that issues for an organization: its own, else the default organization's.
    pub fn current(&self, organization: OrganizationId) -> Option<&Arc<Ca>> {
        self.in_state(CaState::Current, organization)
    }

    /// The one that is announced as the next one for an organization, chosen likewise.
    pub fn next(&self, organization: OrganizationId) -> Option<&Arc<Ca>> {
        self.in_state(CaState::Next, organization)
    }

    fn in_state(&self, state: CaState, organization: OrganizationId) -> Option<&Arc<Ca>> {
        let of = |organization| {
            self.0
                .iter()
                .filter(|ca| ca.state == state && ca.scope.organization == organization)
                .max_by_key(|ca| ca.id)
        };
        of(organization).or_else(|| of(OrganizationId::DEFAULT))
    }

    /// The one of this number.
    pub fn by_id(&self, id: CaId) -> Option<&Arc<Ca>> {
        self.0.iter().find(|ca| ca.id == id)
    }

    /// The one with this key.
    pub fn by_key_identifier(&self, key_identifier: &[u8]) -> Option<&Arc<Ca>> {
        self.0.iter().find(|ca| ca.key_identifier == key_identifier)
    }

    /// The one whose own certificate has this serial number.
    pub fn by_own_serial(&self, serial: &SerialNumber) -> Option<&Arc<Ca>> {
        self.0.iter().find(|ca| ca.certificate.serial() == serial)
    }
}
