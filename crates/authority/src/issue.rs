//! Issuing: one verb for every protocol, from a request to a certificate, a wait for a person, or a refusal.
//!
//! Who may have what is [`lanyard_lifecycle::policy`]'s to decide; how the certificate comes about is in `certify`.

mod request;

use std::sync::Arc;

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::policy::{
    self, Approval, Challenge, Claims, Credential, OldCertificate, Period, Permit, Terms,
};
use lanyard_lifecycle::refusal::NamePart;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::profile::{Profile, SubjectRule};
use lanyard_store::{Claim, Enrollment, EnrollmentState, Keep, NewEnrollment};
use secrecy::ExposeSecret as _;

use crate::audit::{Act, Actor};
use crate::ca::Ca;
use crate::certify::{Certified, Order, Origin};
use crate::error::Doing as _;
use crate::settings::{DAY, Endpoint, Follows, Keeping};
use crate::{Authority, Error, Fault};
pub use request::{Outcome, Proof, Request, Transaction};

/// How long a finished transaction is remembered, in seconds. A client that lost the answer asks again within minutes;
/// many derive the id from their key, and must be able to enroll anew with the same key some day.
pub(crate) const REMEMBERED: i64 = DAY;

/// How long a request waits for a person, in seconds.
const WAITS: i64 = 30 * DAY;

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
        match self.issue_anew(endpoint, request).await {
            // Whether it is a repeated transaction the store finds out when the certificate is recorded, which spares all
            // others a question. What is refused by now may have been granted when it came first.
            Err(Error::Refused(refusal)) => match self.known_transaction(request).await? {
                Some(known) => self.repeated(request, &known).await,
                None => Err(refusal.into()),
            },
            outcome => outcome,
        }
    }

    async fn known_transaction(&self, request: &Request) -> Result<Option<Enrollment>, Fault> {
        let Some(key) = request.transaction_key() else { return Ok(None) };
        self.store().enrollment(request.endpoint, &key).await.doing("look up a transaction")
    }

    async fn issue_anew(&self, endpoint: &Endpoint, request: &Request) -> Result<Outcome, Error> {
        let ca = self.issuing_ca(endpoint)?;
        let admitted = self.admit(endpoint, &ca, request).await?;
        let enrollment =
            request.transaction_key().map(|key| self.enrollment(endpoint, request, &admitted, key));
        match admitted.permit.approval {
            Approval::Manual => self.submit(endpoint, request, &admitted, enrollment).await,
            Approval::Automatic => {
                let claim = enrollment.map_or(Claim::None, |new| Claim::New(Box::new(new)));
                let order = self.order(endpoint, ca, admitted, request.actor.clone())?;
                match self.certify(order, claim).await? {
                    Certified::Issued(issued) => Ok(Outcome::Issued(issued)),
                    Certified::Claimed(known) => self.repeated(request, &known).await,
                    Certified::NoSuchRequest => Err(Refusal::UnknownTransaction.into()),
                    Certified::Refused(refusal) => Err(refusal.into()),
                }
            }
        }
    }

    /// The CA that issues at an endpoint.
    pub(crate) fn issuing_ca(&self, endpoint: &Endpoint) -> Result<Arc<Ca>, Refusal> {
        let cas = self.cas();
        cas.current(endpoint.scope.organization).cloned().ok_or(Refusal::AuthorityNotValid)
    }

    /// Decides.
    async fn admit(
        &self,
        endpoint: &Endpoint,
        ca: &Ca,
        request: &Request,
    ) -> Result<Admitted, Error> {
        let claims = Claims::from_request(&request.csr)?;
        let given = request.csr.challenge_password();
        let challenge = Challenge {
            given: given.as_ref().map(ChallengePassword::expose),
            expected: endpoint.challenge.as_ref().map(|secret| secret.expose_secret().as_bytes()),
        };
        let old = match &request.proof {
            Proof::Challenge | Proof::Vouched => None,
            Proof::Renewal(old) | Proof::RenewalOrChallenge(old) => {
                Some((old, self.old_certificate(old).await?))
            }
        };
        let old_certificate = old
            .as_ref()
            .map(|(certificate, old)| OldCertificate { certificate, origin: old.origin(endpoint) });
        let credential = match (&request.proof, old_certificate) {
            (Proof::Renewal(_), Some(old)) => Credential::Renewal(old),
            (Proof::RenewalOrChallenge(_), Some(old)) => {
                Credential::RenewalOrChallenge(old, challenge)
            }
            (Proof::Vouched, _) => Credential::Vouched,
            (_, _) => Credential::Challenge(challenge),
        };
        let permit = self.decide(endpoint, ca, &claims, &credential)?;
        let renewed = old.and_then(|(_, old)| old.binding_if(permit.grant));
        Ok(Admitted { permit, renewed })
    }

    /// Decides by the endpoint's policy.
    pub(crate) fn decide(
        &self,
        endpoint: &Endpoint,
        ca: &Ca,
        claims: &Claims,
        credential: &Credential<'_>,
    ) -> Result<Permit, Refusal> {
        let issuer = Period {
            not_before: ca.certificate.not_before(),
            not_after: ca.certificate.not_after(),
        };
        let limits = &self.settings().limits;
        let terms = Terms { policy: &endpoint.policy, limits, issuer };
        policy::decide(&terms, claims, credential, self.now())
    }

    /// What is ordered for a permit. The endpoint's profile may leave out what its policy lets through.
    pub(crate) fn order(
        &self,
        endpoint: &Endpoint,
        ca: Arc<Ca>,
        admitted: Admitted,
        actor: Actor,
    ) -> Result<Order, Error> {
        let Admitted { permit, renewed } = admitted;
        check_profile(&endpoint.profile, &permit)?;
        let binding = match renewed {
            Some(binding) => binding,
            None => untethered(&endpoint.follows, self.random()).ok_or_else(|| {
                Fault::lasting("bind a certificate", "the endpoint's directory is not connected")
            })?,
        };
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
            binding,
            subject: permit.subject,
            alternative_names: permit.alternative_names,
            public_key: permit.public_key,
            not_before: permit.validity.not_before,
            not_after: permit.validity.not_after,
            key_usages: Some(permit.usages.key),
            extended_key_usages: Some(permit.usages.extended),
            extensions: permit.extensions,
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
                Ok(Outcome::Issued(issued))
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
            lanyard_store::Submission::Submitted(id) => {
                metrics::counter!("lanyard_requests_submitted_total").increment(1);
                Ok(Outcome::Pending(id))
            }
            lanyard_store::Submission::Exists(known) => self.repeated(request, &known).await,
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

/// The binding of a certificate that follows nothing.
fn untethered(follows: &Follows, random: [u8; 16]) -> Option<Binding> {
    match follows {
        Follows::Nothing(kind) => Binding::untethered(*kind, random),
        Follows::Intune(_) | Follows::Entra(_) | Follows::Jamf(_) => None,
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

/// What was decided, and the binding that a renewal takes over.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) permit: Permit,
    pub(crate) renewed: Option<Binding>,
}
