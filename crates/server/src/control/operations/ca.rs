//! Operations on the authority's own certificates.

use std::time::Duration;

use lanyard_authority::ca::{CaError, Imported, Prepared, Shown};
use lanyard_authority::settings::{CertifiedBy, NewCa};
use lanyard_authority::{Actor, Authority, Error};
use lanyard_lifecycle::id::Scope;
use lanyard_pki::{Certificate, KeyAlgorithm, Name, pem};
use lanyard_store::{CaId, CaState};
use serde::{Deserialize, Serialize};

use crate::config::unit::Span;
use crate::config::{CertifiedBySetting, KeySetting};
use crate::control::{Operation, OperationError};
use crate::routes::ca::state_name;

/// An authority, as commands show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaView {
    /// Its number.
    pub id: i64,
    /// Its subject.
    pub name: String,
    /// `requested`, `next`, `current` or `retired`.
    pub state: String,
    /// Its key, where it has a certificate.
    pub key: Option<String>,
    /// Its key identifier, hexadecimal: the `{ca}` of addresses.
    pub key_identifier: String,
    /// The name of its key in the key store.
    pub key_name: String,
    /// When its certificate begins.
    pub not_before: Option<String>,
    /// When its certificate ends.
    pub not_after: Option<String>,
    /// SHA-256 of its certificate, hexadecimal.
    pub fingerprint_sha256: Option<String>,
    /// SHA-1 of its certificate, hexadecimal: the thumbprint that device management asks for.
    pub fingerprint_sha1: Option<String>,
    /// When the certificate of its registration authority ends, where one receives its SCEP messages.
    pub ra_not_after: Option<String>,
    /// When it will begin to issue, where that is planned.
    pub activates_at: Option<String>,
    /// Its certificate and those above it, PEM.
    pub chain: String,
    /// Its request to another CA, PEM, where it waits for an answer.
    pub request: Option<String>,
}

impl From<Shown> for CaView {
    fn from(shown: Shown) -> Self {
        let certificate = shown.path.first().and_then(|der| Certificate::from_der(der).ok());
        let key = certificate.as_ref().and_then(|certificate| certificate.public_key().ok());
        Self {
            id: shown.id.0,
            name: shown.name,
            state: state_name(shown.state).to_owned(),
            key: key.map(|key| key.algorithm().to_string()),
            key_identifier: hex::encode(shown.key_identifier),
            key_name: shown.key_reference,
            not_before: shown.validity.map(|(from, _)| from.to_string()),
            not_after: shown.validity.map(|(_, to)| to.to_string()),
            fingerprint_sha256: certificate.as_ref().map(|ca| hex::encode(ca.fingerprint_sha256())),
            fingerprint_sha1: certificate.as_ref().map(|ca| hex::encode(ca.fingerprint_sha1())),
            ra_not_after: None,
            activates_at: shown.activates_at.map(|at| at.to_string()),
            chain: shown.path.iter().map(|der| pem::encode(pem::CERTIFICATE, der)).collect(),
            request: shown
                .request
                .filter(|_| shown.state == CaState::Requested)
                .map(|der| pem::encode(pem::CERTIFICATE_REQUEST, &der)),
        }
    }
}

impl From<CaError> for OperationError {
    fn from(error: CaError) -> Self {
        match error {
            CaError::Fault(fault) => Self::Authority(Error::Fault(fault)),
            CaError::Unknown(_) => Self::NotFound(error.to_string()),
            refused => Self::Conflict(refused.to_string()),
        }
    }
}

/// Every authority of the installation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListCas {}

impl Operation for ListCas {
    const NAME: &'static str = "ca-list";
    type Answer = Vec<CaView>;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let shown = authority.show_cas().await.map_err(Error::Fault)?;
        let ra = |shown: &Shown| {
            let identity = authority.scep_identity(&shown.scope)?;
            let apart = identity.ca.id == shown.id && !identity.is_ca_itself();
            apart.then(|| identity.certificate.not_after().to_string())
        };
        let view = |shown: Shown| CaView { ra_not_after: ra(&shown), ..CaView::from(shown) };
        Ok(shown.into_iter().map(view).collect())
    }
}

/// What a new authority is to be; what is left out is as configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// Its subject.
    pub subject: Option<String>,
    /// Its key.
    pub key: Option<KeySetting>,
    /// Who certifies it.
    pub certified_by: Option<CertifiedBySetting>,
    /// How long it is valid when it certifies itself.
    pub validity: Option<Span>,
}

impl Wanted {
    fn fill(self, configured: &NewCa) -> Result<NewCa, OperationError> {
        let name = match self.subject {
            None => configured.name.clone(),
            Some(subject) => subject.parse::<Name>().map_err(|error| {
                OperationError::Invalid(format!("the subject {subject:?}: {error}"))
            })?,
        };
        Ok(NewCa {
            name,
            key: self.key.map_or(configured.key, KeyAlgorithm::from),
            certified_by: match self.certified_by {
                None => configured.certified_by,
                Some(CertifiedBySetting::Itself) => CertifiedBy::Itself,
                Some(CertifiedBySetting::Another) => CertifiedBy::Another,
            },
            validity: self.validity.map_or(configured.validity, Duration::from),
            path_length: configured.path_length,
        })
    }
}

/// A request that goes to another CA.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestView {
    /// The number of the authority that waits for its certificate.
    pub id: i64,
    /// The request, PEM.
    pub request: String,
}

/// Makes a key and the request for another CA to certify it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestCa {
    /// What it is to be.
    pub wanted: Wanted,
}

impl Operation for RequestCa {
    const NAME: &'static str = "ca-request";
    type Answer = RequestView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        let new = self.wanted.fill(&authority.settings().first)?;
        let requested = authority.request_ca(&new, actor).await?;
        Ok(RequestView {
            id: requested.id.0,
            request: pem::encode(pem::CERTIFICATE_REQUEST, &requested.request),
        })
    }
}

/// Takes the answer to a request: the certificate and those above it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportCa {
    /// Which authority; none is the only one that waits.
    pub id: Option<i64>,
    /// The certificates, DER, in any order.
    pub certificates: Vec<Vec<u8>>,
}

/// What an authority is after an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateView {
    /// Its number.
    pub id: i64,
    /// Its state.
    pub state: String,
}

impl Operation for ImportCa {
    const NAME: &'static str = "ca-import";
    type Answer = StateView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        let id = chosen(authority, self.id, CaState::Requested, "waits for a certificate").await?;
        let imported = authority.import_ca(id, &self.certificates, actor).await?;
        let state = match imported {
            Imported::Current => CaState::Current,
            Imported::Next => CaState::Next,
        };
        Ok(StateView { id: id.0, state: state_name(state).to_owned() })
    }
}

/// Makes the authority that is to follow the current one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrepareNextCa {
    /// What it is to be.
    pub wanted: Wanted,
}

/// What was prepared.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum PreparedView {
    /// It is complete and announced.
    Next {
        /// Its number.
        id: i64,
    },
    /// Another CA has to certify it.
    Requested(RequestView),
}

impl Operation for PrepareNextCa {
    const NAME: &'static str = "ca-prepare-next";
    type Answer = PreparedView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        let new = self.wanted.fill(&authority.settings().first)?;
        Ok(match authority.prepare_next_ca(&new, actor).await? {
            Prepared::Next(id) => PreparedView::Next { id: id.0 },
            Prepared::Requested(requested) => PreparedView::Requested(RequestView {
                id: requested.id.0,
                request: pem::encode(pem::CERTIFICATE_REQUEST, &requested.request),
            }),
        })
    }
}

/// Makes an authority the one that issues, now or at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActivateCa {
    /// Which; none is the only next one.
    pub id: Option<i64>,
    /// When, RFC 3339; none is now.
    pub at: Option<String>,
}

impl Operation for ActivateCa {
    const NAME: &'static str = "ca-activate";
    type Answer = StateView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        let id = chosen(authority, self.id, CaState::Next, "is prepared as the next one").await?;
        let at = self.at.as_deref().map(super::certificate::time).transpose()?;
        authority.activate_ca(id, at, actor).await?;
        let state = if at.is_some() { CaState::Next } else { CaState::Current };
        Ok(StateView { id: id.0, state: state_name(state).to_owned() })
    }
}

/// The authority that was named, else the only one in this state.
async fn chosen(
    authority: &Authority,
    id: Option<i64>,
    state: CaState,
    what: &str,
) -> Result<CaId, OperationError> {
    if let Some(id) = id {
        return Ok(CaId(id));
    }
    let shown = authority.show_cas().await.map_err(Error::Fault)?;
    let found: Vec<_> =
        shown.iter().filter(|ca| ca.state == state && ca.scope == Scope::DEFAULT).collect();
    match found.as_slice() {
        [only] => Ok(only.id),
        [] => Err(OperationError::NotFound(format!("no authority {what}"))),
        several => Err(OperationError::Invalid(format!(
            "{} authorities: say which one with --id; `lanyard ca show` lists them",
            several.len()
        ))),
    }
}

/// Makes what a responder without the store signs with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MakeResponder {
    /// How long its certificates are valid.
    pub validity: Span,
}

/// What a responder without the store signs with: secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct MadeResponder {
    /// The content of its file.
    pub material: String,
}

impl std::fmt::Debug for MadeResponder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MadeResponder(redacted)")
    }
}

impl Operation for MakeResponder {
    const NAME: &'static str = "ca-responder";
    type Answer = MadeResponder;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let made = authority.make_responder_material(self.validity.into()).await;
        let made = made.map_err(Error::Fault)?;
        Ok(MadeResponder { material: made.to_pem().to_string() })
    }
}
