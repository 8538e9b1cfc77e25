//! Whether Intune stands behind a request: asked before anything else, because a challenge of Intune's nobody else can read.
//!
//! What follows from Intune's yes is decided in [`crate::issue`].

use std::sync::Arc;

use lanyard_directory::intune::validation::{Enrollment, ValidationError};
use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::id::DirectoryId;
use lanyard_pki::csr::CertificationRequest;
use zeroize::Zeroizing;

use super::IntuneServices;
use crate::issue::Transaction;
use crate::{Authority, Error, Fault};

/// A request that Intune has accepted for a tenant. It can only be had from [`Authority::ask_intune`], so that whoever
/// holds one may issue at that tenant's endpoint, and owes Intune word of what became of it.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The tenant.
    pub(crate) directory: DirectoryId,
    /// The client's transaction, as Intune knows it.
    pub(crate) transaction: String,
    /// The PKCS#10 with its challenge.
    pub(crate) request: Zeroizing<Vec<u8>>,
}

impl Authority {
    /// Asks a tenant's Intune whether it stands behind a request.
    ///
    /// Refused in two ways: for good by Intune's own word, or for the moment because Intune does not answer.
    pub(crate) async fn ask_intune(
        &self,
        directory: DirectoryId,
        csr: &CertificationRequest,
        transaction: Option<&Transaction>,
    ) -> Result<Accepted, Error> {
        // Without one Intune need not be asked.
        let challenge = csr.challenge_password().ok_or(Refusal::ChallengeMissing)?;
        if challenge.expose().is_empty() {
            return Err(Refusal::ChallengeMissing.into());
        }
        let nameless = Refusal::Malformed("Intune's requests have a transaction id");
        let transaction = transaction.ok_or_else(|| nameless.clone())?;
        let transaction = str::from_utf8(&transaction.id).map_err(|_| nameless)?;
        let services = self.intune(directory)?;
        let enrollment = Enrollment { transaction_id: transaction, request: csr.as_der() };
        let answer = services.validate(enrollment).await;
        let outcome = match &answer {
            Ok(()) => "accepted",
            Err(ValidationError::Rejected(_)) => "refused",
            Err(ValidationError::Unanswered(_)) => "unanswered",
        };
        metrics::counter!("lanyard_intune_validations_total", "outcome" => outcome).increment(1);
        match answer {
            Ok(()) => Ok(Accepted {
                directory,
                transaction: transaction.to_owned(),
                request: Zeroizing::new(csr.as_der().to_vec()),
            }),
            Err(ValidationError::Rejected(rejection)) => {
                tracing::info!(
                    scep.transaction_id = transaction, intune.request_id = %rejection.request_id,
                    "{rejection}"
                );
                Err(Refusal::NotValidated(rejection.to_string()).into())
            }
            Err(ValidationError::Unanswered(ignorance)) => {
                tracing::warn!(scep.transaction_id = transaction, "{ignorance}");
                Err(Refusal::ValidationSilent.into())
            }
        }
    }

    /// The services of a tenant's Intune.
    pub(crate) fn intune(&self, directory: DirectoryId) -> Result<&Arc<dyn IntuneServices>, Fault> {
        let services = &self.inner.ports.intune;
        services.iter().find(|one| one.directory() == directory).ok_or_else(|| {
            let why = format!("no Intune of the directory {directory} is connected");
            Fault::lasting("ask Intune", why)
        })
    }
}
