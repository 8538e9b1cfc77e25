//! Issuing: one verb for every protocol, from a request to a certificate, a wait for a person, or a refusal.
//!
//! Who may have what is [`lanyard_lifecycle::policy`]'s to decide; what is found out for that is in `admit`, which object a
//! certificate follows in `bind`, and how the certificate comes about in `certify`.

mod additions;
mod admit;
mod bind;
mod request;

use std::sync::Arc;

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::policy::{Approval, Permit};
use lanyard_lifecycle::refusal::NamePart;
use lanyard_pki::profile::{Profile, SubjectRule};
use lanyard_store::{
    Claim, Enrollment, EnrollmentState, Keep, NewEnrollment, NewNotice, Submission,
};

use crate::audit::{Act, Actor};
use crate::ca::Ca;
use crate::certify::{Certified, Order, Origin};
use crate::error::Doing as _;
use crate::intune::Accepted;
use crate::settings::{DAY, Endpoint, Follows, Keeping, NoticeOrder};
use crate::{Authority, Error, Fault, Issued};
pub(crate) use admit::Admitted;
pub use request::{Outcome, Proof, Request, Transaction};

/// How long a finished transaction is remembered, in seconds. A client that lost the answer asks again within minutes;
/// many derive the id from their key, and must be able to enroll anew with the same key some day.
pub(crate) const REMEMBERED: i64 = DAY;

/// How long a request waits for a person, in seconds.
const WAITS: i64 = 30 * DAY;

/// What came of a request that was not refused, before the client is given anything.
enum Made {
    /// A certificate, recorded with its notice if one is owed.
    Issued(Issued),
    /// Its transaction was claimed before.
    Known(Box<Enrollment>),
    /// It waits for a person, or waited before.
    Waits(Outcome),
}

impl Authority {
    /// Issues a certificate, or says that a person has to decide.
    ///
    /// A repeated transaction gets what the first one got, once signer and CSR are the same; with others it is refused.
    /// What is returned is durable.
    pub async fn issue(&self, request: Request) -> Result<Outcome, Error> {
        let outcome = self.issue_unless_refused(&request).await;
        if let Err(Error::Refused(refusal)) = &outcome {
            self.note_refusal(&request, refusal).await?;
        }
        outcome
    }

    async fn issue_unless_refused(&self, request: &Request) -> Result<Outcome, Error> {
        let endpoint = self.settings().endpoint(request.endpoint).ok_or(Refusal::NotConfigured)?;
        // Intune is asked about a transaction once, and told of it once.
        if endpoint.follows.is_intune()
            && let Some(known) = self.known_transaction(request).await?
        {
            return self.repeated(request, &known).await;
        }
        match self.issue_anew(endpoint, request).await {
            // Whether it is a repeated transaction the store finds out when the certificate is recorded, which spares all
            // others a question. What is refused by now may have been granted when it came first.
            Err(Error::Refused(refusal)) if !endpoint.follows.is_intune() => {
                match self.known_transaction(request).await? {
                    Some(known) => self.repeated(request, &known).await,
                    None => Err(refusal.into()),
                }
            }
            outcome => outcome,
        }
    }

    async fn known_transaction(&self, request: &Request) -> Result<Option<Enrollment>, Fault> {
        let Some(key) = request.transaction_key() else { return Ok(None) };
        self.store().enrollment(request.endpoint, &key).await.doing("look up a transaction")
    }

    async fn issue_anew(&self, endpoint: &Endpoint, request: &Request) -> Result<Outcome, Error> {
        let accepted = self.vouched(endpoint, request).await?;
        let made = self.make(endpoint, request, accepted.as_ref()).await;
        if let (Some(accepted), Err(error)) = (&accepted, &made) {
            self.tell_failure(endpoint, accepted, error).await;
        }
        match (made?, accepted) {
            (Made::Issued(issued), Some(accepted)) => {
                let order = notice_order(endpoint);
                let issued = self.hand_over(endpoint, &accepted, order, issued).await?;
                Ok(Outcome::Issued(issued))
            }
            (Made::Issued(issued), None) => Ok(Outcome::Issued(issued)),
            (Made::Known(known), _) => self.repeated(request, &known).await,
            (Made::Waits(outcome), _) => Ok(outcome),
        }
    }

    /// Makes and records a certificate, or puts the request before a person.
    async fn make(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        accepted: Option<&Accepted>,
    ) -> Result<Made, Error> {
        let ca = self.issuing_ca(endpoint)?;
        let admitted = self.admit(endpoint, &ca, request, accepted).await?;
        let enrollment =
            request.transaction_key().map(|key| self.enrollment(endpoint, request, &admitted, key));
        if admit::approval(accepted, &admitted.permit) == Approval::Manual {
            let submitted = self.submit(endpoint, request, &admitted, enrollment).await?;
            return Ok(Made::Waits(submitted));
        }
        let claim = enrollment.map_or(Claim::None, |new| Claim::New(Box::new(new)));
        let notice = match accepted {
            None => None,
            Some(accepted) => {
                Some(self.notice_of_success(endpoint, accepted, notice_order(endpoint))?)
            }
        };
        let order = self.order(endpoint, ca, admitted, request.actor.clone(), notice)?;
        match self.certify(order, claim).await? {
            Certified::Issued(issued) => Ok(Made::Issued(issued)),
            Certified::Claimed(known) => Ok(Made::Known(known)),
            Certified::NoSuchRequest => Err(Refusal::UnknownTransaction.into()),
            Certified::Refused(refusal) => Err(refusal.into()),
        }
    }

    /// The CA that issues at an endpoint.
    pub(crate) fn issuing_ca(&self, endpoint: &Endpoint) -> Result<Arc<Ca>, Refusal> {
        let cas = self.cas();
        cas.current(endpoint.scope.organization).cloned().ok_or(Refusal::AuthorityNotValid)
    }

    /// What is ordered for a permit. The endpoint's profile may leave out what its policy lets through.
    pub(crate) fn order(
        &self,
        endpoint: &Endpoint,
        ca: Arc<Ca>,
        admitted: Admitted,
        actor: Actor,
        notice: Option<NewNotice>,
    ) -> Result<Order, Error> {
        let Admitted { permit, bound } = admitted;
        check_profile(&endpoint.profile, &permit)?;
        let keep = match endpoint.keep {
            Keeping::Everything => Keep::Everything,
            Keeping::RevocationOnly => {
                Keep::RevocationOnly { certificate_until: self.now().plus(REMEMBERED) }
            }
        };
        let origin = Origin {
            endpoint: endpoint.id,
            at: endpoint.name.clone(),
            source: endpoint.source,
            scope: endpoint.scope,
            keep,
            requester: actor.requester(),
            actor,
        };
        Ok(Order {
            ca,
            profile: endpoint.profile.clone(),
            binding: bound.binding,
            subject: permit.subject,
            alternative_names: permit.alternative_names,
            public_key: permit.public_key,
            not_before: permit.validity.not_before,
            not_after: permit.validity.not_after,
            key_usages: Some(permit.usages.key),
            extended_key_usages: Some(permit.usages.extended),
            extensions: permit.extensions,
            notice,
            origin,
        })
    }

    /// What a repeated transaction gets: what the first one got, if it is the same client with the same request.
    async fn repeated(&self, request: &Request, known: &Enrollment) -> Result<Outcome, Error> {
        let signer = request.transaction.as_ref().map(|transaction| transaction.signer);
        let same = signer == Some(known.request.signer_sha256)
            && request.digest() == known.request.csr_sha256;
        if !same {
            return Err(Refusal::TransactionReused.into());
        }
        self.stand_of(known).await
    }

    /// How a transaction stands. A certificate that is not good any more is not handed out again.
    pub(crate) async fn stand_of(&self, known: &Enrollment) -> Result<Outcome, Error> {
        match known.state {
            EnrollmentState::Pending => Ok(Outcome::Pending(known.id)),
            EnrollmentState::Declined => Err(Refusal::Declined.into()),
            EnrollmentState::Issued => {
                let issued = self.resume(known).await?;
                let verdict = self.status(&issued.serial).await?.verdict;
                verdict.good().map_err(Refusal::IssuedNotGood)?;
                self.hand_over_again(issued).await.map(Outcome::Issued)
            }
        }
    }

    async fn submit(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        admitted: &Admitted,
        enrollment: Option<NewEnrollment>,
    ) -> Result<Outcome, Error> {
        let new = enrollment.unwrap_or_else(|| {
            // Without a transaction of the protocol the request is one of its own.
            self.enrollment(endpoint, request, admitted, self.random::<16>().to_vec())
        });
        let now = self.now();
        let csr = self.requests().seal(request.csr.as_der(), &new.transaction_id, self.random());
        let csr = csr.map_err(|fault| Fault::lasting("seal a request", fault))?;
        let new = NewEnrollment { csr: Some(csr), expires_at: now.plus(WAITS), ..new };
        let audit = Act::SubmitRequest.by(&request.actor, now).scope(endpoint.scope);
        let audit = audit.target(&request.csr.subject()).done();
        let submission = self.store().submit_enrollment(new, Some(audit)).await;
        match submission.doing("record a request")? {
            Submission::Submitted(id) => {
                metrics::counter!("lanyard_requests_submitted_total").increment(1);
                Ok(Outcome::Pending(id))
            }
            Submission::Exists(known) => self.repeated(request, &known).await,
        }
    }

    fn enrollment(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        admitted: &Admitted,
        transaction_id: Vec<u8>,
    ) -> NewEnrollment {
        let now = self.now();
        let signer = request.transaction.as_ref().map(|transaction| transaction.signer);
        NewEnrollment {
            endpoint: endpoint.id,
            transaction_id,
            scope: endpoint.scope,
            signer_sha256: signer.unwrap_or_else(|| request.csr.public_key().fingerprint()),
            csr_sha256: request.digest(),
            csr: None,
            context: None,
            subject: match endpoint.keep {
                Keeping::Everything => Some(admitted.permit.subject.to_string()),
                Keeping::RevocationOnly => None,
            },
            renews: request.renews().map(|old| old.serial().clone()),
            address: request.actor.address().map(|address| address.to_string()),
            received_at: now,
            expires_at: now.plus(REMEMBERED),
        }
    }

    async fn note_refusal(&self, request: &Request, refusal: &Refusal) -> Result<(), Fault> {
        let endpoint = self.settings().endpoint(request.endpoint);
        let scope = endpoint.map(|endpoint| endpoint.scope).unwrap_or_default();
        metrics::counter!("lanyard_requests_refused_total").increment(1);
        let Some(unrecorded) = self.refusals().record(self.now()) else {
            metrics::counter!("lanyard_requests_refused_unrecorded_total").increment(1);
            return Ok(());
        };
        let detail = serde_json::json!({
            "refusal": refusal.to_string(),
            "endpoint": endpoint.map(|endpoint| endpoint.name.as_str()),
            "unrecorded_before": unrecorded,
        });
        let audit = Act::IssueCertificate.by(&request.actor, self.now()).scope(scope);
        let audit = audit.target(&request.csr.subject()).detail(&detail).refused();
        self.store().audit(audit).await.doing("record a refusal")
    }
}

/// When Intune is told of certificates of an endpoint.
fn notice_order(endpoint: &Endpoint) -> NoticeOrder {
    match &endpoint.follows {
        Follows::Intune(intune) => intune.notice,
        Follows::Nothing(_) | Follows::Entra(_) | Follows::Jamf(_) => NoticeOrder::default(),
    }
}

/// Whether a certificate of this profile can say what is permitted.
fn check_profile(profile: &Profile, permit: &Permit) -> Result<(), Refusal> {
    if !permit.alternative_names.iter().all(|name| profile.carries(name)) {
        return Err(Refusal::NameNotAllowed { part: NamePart::AlternativeNames });
    }
    if permit.subject.is_empty()
        && (profile.subject == SubjectRule::Required || permit.alternative_names.is_empty())
    {
        return Err(Refusal::NoName);
    }
    if Profile::usages_for(permit.usages.key, &permit.public_key).is_empty() {
        return Err(Refusal::NoUsage);
    }
    Ok(())
}
