//! Operations on requests that wait for a person.

use lanyard_authority::{Actor, Authority, Error};
use lanyard_pki::pem;
use lanyard_store::{Cursor, Enrollment, EnrollmentId, Within};
use serde::{Deserialize, Serialize};

use crate::control::{Operation, OperationError};

/// How many requests are fetched at a time.
const PAGE: u32 = 500;

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingView {
    /// Its number.
    pub id: i64,
    /// The subject that it asks for.
    pub subject: Option<String>,
    /// The client's transaction id.
    pub transaction_id: String,
    /// Where it came from.
    pub address: Option<String>,
    /// When it came.
    pub received_at: String,
    /// Until when it waits.
    pub expires_at: String,
}

impl From<Enrollment> for PendingView {
    fn from(enrollment: Enrollment) -> Self {
        Self {
            id: enrollment.id.0,
            subject: enrollment.request.subject,
            transaction_id: String::from_utf8_lossy(&enrollment.request.transaction_id)
                .into_owned(),
            address: enrollment.request.address,
            received_at: enrollment.request.received_at.to_string(),
            expires_at: enrollment.request.expires_at.to_string(),
        }
    }
}

/// The requests that wait, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListRequests {}

impl Operation for ListRequests {
    const NAME: &'static str = "request-list";
    type Answer = Vec<PendingView>;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let mut found = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = authority.pending_requests(Within::Everywhere, after, PAGE).await;
            let page = page.map_err(Error::Fault)?;
            found.extend(page.items.into_iter().map(PendingView::from));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }
}

/// Grants a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApproveRequest {
    /// Its number.
    pub id: i64,
}

/// What was issued for a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApprovedView {
    /// The request's number.
    pub id: i64,
    /// The certificate's serial number.
    pub serial: String,
    /// The certificate, PEM.
    pub certificate: String,
}

impl Operation for ApproveRequest {
    const NAME: &'static str = "request-approve";
    type Answer = ApprovedView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        let issued = authority.approve(EnrollmentId(self.id), actor).await?;
        Ok(ApprovedView {
            id: self.id,
            serial: issued.serial.to_string(),
            certificate: pem::encode(pem::CERTIFICATE, &issued.certificate),
        })
    }
}

/// Refuses a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeclineRequest {
    /// Its number.
    pub id: i64,
    /// Why, for the audit trail.
    pub reason: String,
}

/// What was declined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeclinedView {
    /// The request's number.
    pub id: i64,
}

impl Operation for DeclineRequest {
    const NAME: &'static str = "request-decline";
    type Answer = DeclinedView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        authority.decline(EnrollmentId(self.id), &self.reason, actor).await?;
        Ok(DeclinedView { id: self.id })
    }
}
