//! Intune's SCEP validation: whether a request may be answered, and what became of it.
//!
//! The order is fixed: validate, issue, [`ScepValidation::issued`], deliver. When validation or the
//! notice of success fails, the client must not get the certificate.
//! [`ScepValidation::failed`] is for faults on our side alone: what Intune itself has refused it
//! knows.

mod code;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use lanyard_pki::{SerialNumber, Time};
use uuid::Uuid;

use super::discovery::{Discovery, IntuneService};
use super::door::{Answered, CALLER, Door};
use super::revocation::serial_text;
use crate::http::Service;
use crate::ignorance::Ignorance;
use crate::token::Tokens;
use wire::{
    ActionResult, Failure, FailureBody, Success, SuccessBody, Validate, ValidateBody, description,
};

pub use code::{Code, Group};

const API_VERSION: &str = "2018-02-20";
const ACTIONS: &str = "ScepActions";
/// As much of Intune's own explanation as is kept.
const EXPLANATION_CHARS: usize = 300;

/// Intune's SCEP validation for one tenant.
#[derive(Debug)]
pub struct ScepValidation {
    door: Door,
    ca_configuration: Option<String>,
}

/// A request as it came by SCEP.
#[derive(Debug, Clone, Copy)]
pub struct Enrollment<'a> {
    /// The transactionID (RFC 8894, section 3.2.1.1).
    pub transaction_id: &'a str,
    /// The PKCS#10, DER, with its challenge.
    pub request: &'a [u8],
}

/// The certificate that answers a request.
#[derive(Debug, Clone, Copy)]
pub struct IssuedCertificate<'a> {
    /// Its DER.
    pub der: &'a [u8],
    /// Its serial number.
    pub serial: &'a SerialNumber,
    /// Its end.
    pub not_after: Time,
    /// Its issuer, as text.
    pub issuer: &'a str,
}

/// An HRESULT (MS-ERREF): shown to Intune's administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HResult(pub i32);

impl HResult {
    /// `E_UNEXPECTED`, 0x8000FFFF: a fault of ours.
    pub const UNEXPECTED: Self = Self(-2_147_418_113);
    /// `E_ACCESSDENIED`, 0x80070005: our own rules forbid it.
    pub const ACCESS_DENIED: Self = Self(-2_147_024_891);
}

/// Why there is no success.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// Intune says no, and would say so again.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Nobody knows: the client may try again.
    #[error(transparent)]
    Unanswered(#[from] Ignorance),
}

/// A decision of Intune's against the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Intune refuses the request: {} ({code}){}{explanation}", .code.meaning(), separator(.explanation))]
pub struct Rejection {
    /// Which one.
    pub code: Code,
    /// In Intune's words, bounded and printable; may be empty.
    pub explanation: String,
    /// What Microsoft's support finds the call by.
    pub request_id: Uuid,
}

fn separator(explanation: &str) -> &'static str {
    if explanation.is_empty() { "" } else { ": " }
}

impl ScepValidation {
    /// `ca_configuration` is a name for this authority that Intune keeps with each certificate and
    /// gives back with requests to revoke; it must never change.
    pub fn new(
        discovery: Arc<Discovery>,
        service: Arc<Service>,
        tokens: Arc<Tokens>,
        ca_configuration: Option<String>,
    ) -> Self {
        let which = IntuneService::ScepRequestValidation;
        let door = Door { discovery, service, tokens, which, api_version: API_VERSION };
        Self { door, ca_configuration }
    }

    /// The name of this authority that Intune keeps with each certificate.
    pub fn ca_configuration(&self) -> Option<&str> {
        self.ca_configuration.as_deref()
    }

    /// Asks whether the request may be answered with a certificate.
    ///
    /// # Errors
    /// [`ValidationError::Rejected`] is final, everything else is ignorance. In neither case may a
    /// certificate be issued.
    pub async fn validate(&self, enrollment: Enrollment<'_>) -> Result<(), ValidationError> {
        let request = Validate {
            transaction_id: enrollment.transaction_id,
            certificate_request: enrollment.request,
            caller_info: CALLER,
        };
        self.act("validate a request", "validateRequest", &ValidateBody { request }).await
    }

    /// Tells that the certificate was issued. It may be delivered once this has succeeded.
    ///
    /// # Errors
    /// As [`ScepValidation::validate`]. In neither case may the certificate be delivered.
    pub async fn issued(
        &self,
        enrollment: Enrollment<'_>,
        certificate: IssuedCertificate<'_>,
    ) -> Result<(), ValidationError> {
        let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der);
        let notification = Success {
            transaction_id: enrollment.transaction_id,
            certificate_request: enrollment.request,
            certificate_thumbprint: &hex::encode_upper(thumbprint),
            certificate_serial_number: &serial_text(certificate.serial),
            certificate_expiration_date_utc: certificate.not_after.to_string(),
            issuing_certificate_authority: certificate.issuer,
            caller_info: CALLER,
            ca_configuration: self.ca_configuration.as_deref(),
            certificate_authority: None,
        };
        self.act("notify of success", "successNotification", &SuccessBody { notification }).await
    }

    /// Tells that a request which Intune had accepted was not answered, for a reason on our side.
    /// Of the reason at most 255 characters are sent.
    ///
    /// # Errors
    /// As [`ScepValidation::validate`]. Nothing hangs on it.
    pub async fn failed(
        &self,
        enrollment: Enrollment<'_>,
        result: HResult,
        reason: &str,
    ) -> Result<(), ValidationError> {
        let notification = Failure {
            transaction_id: enrollment.transaction_id,
            certificate_request: enrollment.request,
            h_result: result.0,
            error_description: description(reason),
            caller_info: CALLER,
        };
        self.act("notify of failure", "failureNotification", &FailureBody { notification }).await
    }

    async fn act(
        &self,
        operation: &'static str,
        action: &str,
        body: &impl serde::Serialize,
    ) -> Result<(), ValidationError> {
        let answered: Answered<ActionResult> =
            self.door.post(operation, [ACTIONS, action], body).await?;
        let ActionResult { code, error_description } = answered.body;
        if code == Code::Success {
            return Ok(());
        }
        let group = code.group().map_or("", Group::name);
        let labels = [("operation", operation), ("group", group)];
        metrics::counter!("lanyard_intune_rejections_total", &labels).increment(1);
        let explanation = error_description
            .unwrap_or_default()
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(EXPLANATION_CHARS)
            .collect();
        let request_id = answered.request_id;
        Err(Rejection { code, explanation, request_id }.into())
    }
}
