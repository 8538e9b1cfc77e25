//! Enrollments: a client's transaction, from its first message to a certificate or a refusal.

use std::fmt;

use lanyard_lifecycle::id::{EndpointId, Scope};
use lanyard_pki::{SerialNumber, Time};

/// The number that people name a request by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrollmentId(pub i64);

impl fmt::Display for EnrollmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for EnrollmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrollmentId({})", self.0)
    }
}

/// A client's transaction. `(endpoint, transaction_id)` is claimed once; who comes again gets what
/// is stored, and compares signer and request before believing that it is the same client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnrollment {
    /// The endpoint that it came in at.
    pub endpoint: EndpointId,
    /// The transaction id, as sent (RFC 8894 3.2.1.1).
    pub transaction_id: Vec<u8>,
    /// Who owns it.
    pub scope: Scope,
    /// SHA-256 of the key that signed the message.
    pub signer_sha256: [u8; 32],
    /// SHA-256 of what the PKCS#10 signs: its signature may differ when the client asks again.
    pub csr_sha256: [u8; 32],
    /// The PKCS#10, where it is decided on later.
    pub csr: Option<Vec<u8>>,
    /// What a person who decides is shown, and whatever else the caller needs then: JSON.
    pub context: Option<String>,
    /// The requested subject, for lists.
    pub subject: Option<String>,
    /// The certificate that is renewed.
    pub renews: Option<SerialNumber>,
    /// The requester's network address.
    pub address: Option<String>,
    /// Now, by the caller's clock.
    pub received_at: Time,
    /// When `forget_enrollments` may drop it.
    pub expires_at: Time,
}

/// How a certificate is tied to a transaction when it is issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// No transaction: the protocol has none.
    None,
    /// The transaction is new and is claimed together with the certificate.
    New(Box<NewEnrollment>),
    /// A person approved a pending request.
    Approve {
        /// The request.
        request: EnrollmentId,
        /// Who approved.
        by: String,
        /// When `forget_enrollments` may drop it, now that it is decided.
        expires_at: Time,
    },
}

/// How a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnrollmentState {
    /// Waits for a decision.
    Pending,
    /// The certificate is issued.
    Issued,
    /// Refused by a person, or given up.
    Declined,
}

/// A transaction, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// What people name it by.
    pub id: EnrollmentId,
    /// What was received. `csr` and `context` are dropped once a decision is made.
    pub request: NewEnrollment,
    /// How it stands.
    pub state: EnrollmentState,
    /// The certificate, once it is issued.
    pub serial: Option<SerialNumber>,
    /// Who decided, where a person did.
    pub decided_by: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Time>,
    /// Why it was declined.
    pub reason: Option<String>,
}

/// What came of [`submit_enrollment`](crate::Store::submit_enrollment).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// Recorded as pending.
    Submitted(EnrollmentId),
    /// The transaction was claimed before. Nothing was recorded.
    Exists(Box<Enrollment>),
}

/// A person's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// Who declined.
    pub by: String,
    /// When.
    pub at: Time,
    /// Why.
    pub reason: String,
    /// When `forget_enrollments` may drop the request, now that it is decided.
    pub expires_at: Time,
}

/// What came of [`decline_enrollment`](crate::Store::decline_enrollment).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declined {
    /// Recorded.
    Declined,
    /// It does not wait for a decision (any more). Nothing was recorded.
    NotPending(EnrollmentState),
    /// There is no such request.
    NoSuchRequest,
}
