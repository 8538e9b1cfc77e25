//! What an operation is, and how one fails.

use std::future::Future;

use lanyard_authority::{Actor, Authority, Error, Persistence};
use lanyard_lifecycle::Refusal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::exit::ExitStatus;

/// An administrative operation: its arguments are the type's fields.
pub trait Operation: Serialize + DeserializeOwned + Send + 'static {
    /// Its name in the control socket's paths: `certificate-revoke`.
    const NAME: &'static str;

    /// What it answers.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Carries it out.
    fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> impl Future<Output = Result<Self::Answer, OperationError>> + Send;
}

/// Why an operation did not do what it was asked, before it is told to anybody.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The authority refused, or failed.
    #[error(transparent)]
    Authority(#[from] Error),
    /// What the operation was given makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done as things stand.
    #[error("{0}")]
    Conflict(String),
}

/// Why an operation did not do what it was asked, as it is told to the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct OperationFailure {
    /// How the command is to end.
    pub kind: FailureKind,
    /// What went wrong, for people.
    pub text: String,
}

/// How an operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The arguments make no sense.
    Invalid,
    /// The authority refused.
    Refused,
    /// There is no such thing.
    NotFound,
    /// Something of the installation failed for the moment.
    Passing,
    /// Something of the installation failed.
    Fault,
}

impl From<FailureKind> for ExitStatus {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Invalid => Self::Usage,
            FailureKind::Refused => Self::Refused,
            FailureKind::NotFound => Self::NotFound,
            FailureKind::Passing | FailureKind::Fault => Self::Failed,
        }
    }
}

impl From<OperationError> for OperationFailure {
    /// Logs a fault: this is the edge.
    fn from(error: OperationError) -> Self {
        let text = error.to_string();
        let kind = match &error {
            OperationError::Invalid(_) => FailureKind::Invalid,
            OperationError::NotFound(_)
            | OperationError::Authority(Error::Refused(
                Refusal::UnknownCertificate | Refusal::UnknownTransaction,
            )) => FailureKind::NotFound,
            OperationError::Conflict(_) | OperationError::Authority(Error::Refused(_)) => {
                FailureKind::Refused
            }
            OperationError::Authority(Error::Fault(fault)) => {
                crate::observe::fault("control");
                tracing::error!(fault.id = %fault.id(), "An operation failed: {}", fault.report());
                // The operator owns the installation: he is told the cause itself.
                let kind = match fault.persistence() {
                    Persistence::Passing => FailureKind::Passing,
                    Persistence::Lasting => FailureKind::Fault,
                };
                return Self { kind, text: fault.report() };
            }
        };
        Self { kind, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_from_what_is_refused() {
        let kind = |refusal: Refusal| {
            OperationFailure::from(OperationError::Authority(Error::Refused(refusal))).kind
        };
        assert_eq!(kind(Refusal::UnknownCertificate), FailureKind::NotFound);
        assert_eq!(kind(Refusal::UnknownTransaction), FailureKind::NotFound);
        assert_eq!(kind(Refusal::RevokedForGood), FailureKind::Refused);
    }
}
