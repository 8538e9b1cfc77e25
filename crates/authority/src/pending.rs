//! Requests that wait for a person, and transactions that are asked about again.

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::id::EndpointId;
use lanyard_lifecycle::policy::Claims;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::csr::CertificationRequest;
use lanyard_store::{
    Claim, Cursor, Decline, Declined, Enrollment, EnrollmentId, EnrollmentState, Page, Within,
};

use crate::audit::{Act, Actor};
use crate::certify::{Certified, Issued};
use crate::error::Doing as _;
use crate::issue::{Outcome, REMEMBERED, Transaction};
use crate::{Authority, Error, Fault};

impl Authority {
    /// How a transaction stands (CertPoll, RFC 8894 section 3.3.3). Only the key that signed the request may ask.
    ///
    /// `holds` is the certificate that the poll is signed with, where the client did not make it itself: what it asked for
    /// by that certificate comes before what it asked for under the same id without.
    pub async fn poll(
        &self,
        endpoint: EndpointId,
        transaction: &Transaction,
        holds: Option<&Certificate>,
    ) -> Result<Outcome, Error> {
        let keys = holds.map(|old| transaction.key(Some(old))).into_iter();
        let mut known = None;
        for key in keys.chain([transaction.key(None)]) {
            let found = self.store().enrollment(endpoint, &key).await;
            known = known.or(found.doing("look up a transaction")?);
        }
        let known = known.ok_or(Refusal::UnknownTransaction)?;
        if known.request.signer_sha256 != transaction.signer {
            return Err(Refusal::TransactionReused.into());
        }
        self.stand_of(&known).await
    }

    /// The requests that wait for a decision, oldest first.
    pub async fn pending_requests(
        &self,
        within: Within,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Enrollment>, Fault> {
        let page = self.store().pending_enrollments(within, after, limit).await;
        page.doing("list pending requests")
    }

    /// How many requests wait for a decision, of everybody's.
    pub async fn count_pending_requests(&self) -> Result<u64, Fault> {
        self.store().count_pending_enrollments().await.doing("count pending requests")
    }

    /// Approves a pending request and issues its certificate. The policy is asked once more: what has changed since the
    /// request came in counts. Approving twice gets the same certificate.
    pub async fn approve(&self, id: EnrollmentId, actor: &Actor) -> Result<Issued, Error> {
        let known = self.request(id).await?;
        match known.state {
            EnrollmentState::Pending => {}
            EnrollmentState::Declined => return Err(Refusal::Declined.into()),
            EnrollmentState::Issued => return self.resume(&known).await,
        }
        let endpoint = self.settings().endpoint(known.request.endpoint);
        let endpoint = endpoint.ok_or(Refusal::NotConfigured)?;
        let csr = known.request.csr.as_deref().ok_or(Refusal::UnknownTransaction)?;
        let csr = self.requests().open(csr, &known.request.transaction_id);
        let csr = csr.map_err(|fault| Fault::lasting("open a pending request", fault))?;
        let csr = CertificationRequest::from_der(&csr)
            .map_err(|fault| Fault::lasting("read a pending request", fault))?;
        let ca = self.issuing_ca(endpoint)?;
        let claims = Claims::from_request(&csr)?;
        let admitted = self.admit_approved(endpoint, &ca, &claims).await?;
        let order = self.order(endpoint, ca, admitted, actor.clone(), None)?;
        let expires_at = self.now().plus(REMEMBERED);
        let claim = Claim::Approve { request: id, by: actor.to_string(), expires_at };
        match self.certify(order, claim).await? {
            Certified::Issued(issued) => Ok(issued),
            Certified::NoSuchRequest => Err(Refusal::UnknownTransaction.into()),
            Certified::Refused(refusal) => Err(refusal.into()),
            // Somebody else decided meanwhile.
            Certified::Claimed(known) => match self.stand_of(&known).await? {
                Outcome::Issued(issued) => Ok(issued),
                Outcome::Pending(_) => Err(Refusal::UnknownTransaction.into()),
            },
        }
    }

    /// Declines a pending request. The client is told when it asks again.
    pub async fn decline(
        &self,
        id: EnrollmentId,
        reason: &str,
        actor: &Actor,
    ) -> Result<(), Error> {
        let known = self.request(id).await?;
        let now = self.now();
        let audit = Act::DeclineRequest.by(actor, now).scope(known.request.scope).target(&id);
        let audit = audit.detail(&serde_json::json!({ "reason": reason })).done();
        let decline = Decline {
            by: actor.to_string(),
            at: now,
            reason: reason.to_owned(),
            expires_at: now.plus(REMEMBERED),
        };
        let declined = self.store().decline_enrollment(id, decline, Some(audit)).await;
        let declined = declined.doing("decline a request")?;
        match declined {
            Declined::Declined | Declined::NotPending(EnrollmentState::Declined) => Ok(()),
            Declined::NotPending(_) => Err(Refusal::TransactionReused.into()),
            Declined::NoSuchRequest => Err(Refusal::UnknownTransaction.into()),
        }
    }

    async fn request(&self, id: EnrollmentId) -> Result<Enrollment, Error> {
        let known = self.store().enrollment_by_id(id).await.doing("look up a request")?;
        Ok(known.ok_or(Refusal::UnknownTransaction)?)
    }

    /// The certificate of a transaction that was accepted.
    pub(crate) async fn resume(&self, known: &Enrollment) -> Result<Issued, Error> {
        let serial = known.serial.clone().ok_or(Refusal::UnknownTransaction)?;
        self.issued(&serial).await
    }
}
