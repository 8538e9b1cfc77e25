//! Admission: everything that has to be true of a request before a certificate is ordered for it, in the order in which
//! finding out grows dearer.
//!
//! Intune's word first where a challenge is Intune's, then the policy (static challenges and signatures of old certificates
//! are checked there), then the directories. Who proves nothing costs nobody a look-up.

use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::kind::Kind;
use lanyard_lifecycle::policy::{
    self, Approval, Challenge, Claims, Credential, Grant, OldCertificate, Period, Permit, Terms,
};
use lanyard_lifecycle::tether::Vouched;
use lanyard_pki::Time;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::csr::ChallengePassword;
use lanyard_pki::oid;
use secrecy::ExposeSecret as _;

use super::bind::Bound;
use super::{Proof, Request};
use crate::ca::Ca;
use crate::intune::Accepted;
use crate::renew::Old;
use crate::settings::{Endpoint, Follows, seconds};
use crate::{Authority, Error};

/// What was decided, and what the certificate is tethered to.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) permit: Permit,
    pub(crate) bound: Bound,
}

impl Authority {
    /// Asks Intune about a request whose challenge is Intune's. None is a request that has to stand by itself: at another
    /// endpoint, or a renewal without a challenge.
    pub(super) async fn vouched(
        &self,
        endpoint: &Endpoint,
        request: &Request,
    ) -> Result<Option<Accepted>, Error> {
        let Follows::Intune(intune) = &endpoint.follows else { return Ok(None) };
        if endpoint.policy.availability == policy::Availability::Closed {
            return Err(Refusal::NotConfigured.into());
        }
        match &request.proof {
            // Nobody but Intune speaks for requests here.
            Proof::Vouched => return Err(Refusal::Unauthenticated.into()),
            Proof::Renewal(_) | Proof::RenewalOrChallenge(_)
                if request.csr.challenge_password().is_none() =>
            {
                return Ok(None);
            }
            Proof::Challenge | Proof::Renewal(_) | Proof::RenewalOrChallenge(_) => {}
        }
        let transaction = request.transaction.as_ref();
        self.ask_intune(intune.directory, &request.csr, transaction).await.map(Some)
    }

    /// Decides whether a request gets a certificate, and which.
    pub(super) async fn admit(
        &self,
        endpoint: &Endpoint,
        ca: &Ca,
        request: &Request,
        accepted: Option<&Accepted>,
    ) -> Result<Admitted, Error> {
        let claims = Claims::from_request(&request.csr)?;
        if accepted.is_some() {
            let permit = self.decide(endpoint, ca, &claims, &Credential::Vouched)?;
            return self.tethered(endpoint, &claims, permit, None, Vouched::ByIntune).await;
        }
        let given = request.csr.challenge_password();
        let challenge = Challenge {
            given: given.as_ref().map(ChallengePassword::expose),
            expected: endpoint.challenge.as_ref().map(|secret| secret.expose_secret().as_bytes()),
        };
        let old = match request.renews() {
            Some(old) => Some((old, self.present_old(endpoint, old).await?)),
            None => None,
        };
        let renewed = old
            .as_ref()
            .map(|(certificate, old)| OldCertificate { certificate, origin: old.origin(endpoint) });
        let credential = match (&request.proof, renewed) {
            (Proof::Renewal(_), Some(old)) => Credential::Renewal(old),
            // Intune has not spoken for it, and nobody else may.
            (Proof::RenewalOrChallenge(_), Some(old)) if endpoint.follows.is_intune() => {
                Credential::Renewal(old)
            }
            (Proof::RenewalOrChallenge(_), Some(old)) => {
                Credential::RenewalOrChallenge(old, challenge)
            }
            (Proof::Vouched, _) => Credential::Vouched,
            (_, _) => Credential::Challenge(challenge),
        };
        let permit = self.decide(endpoint, ca, &claims, &credential)?;
        self.tethered(endpoint, &claims, permit, old.map(|(_, old)| old), Vouched::No).await
    }

    /// Decides about a request that a person has approved. It is bound and judged as if it came now.
    pub(crate) async fn admit_approved(
        &self,
        endpoint: &Endpoint,
        ca: &Ca,
        claims: &Claims,
    ) -> Result<Admitted, Error> {
        if endpoint.follows.is_intune() {
            return Err(Refusal::Unauthenticated.into());
        }
        let permit = self.decide(endpoint, ca, claims, &Credential::Vouched)?;
        self.tethered(endpoint, claims, permit, None, Vouched::No).await
    }

    /// Decides by the endpoint's policy.
    fn decide(
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

    /// An old certificate as it stands now. What Intune wants revoked may be that one.
    async fn present_old(&self, endpoint: &Endpoint, old: &Certificate) -> Result<Old, Error> {
        let found = self.old_certificate(old).await?;
        match (&found, &endpoint.follows) {
            (Old::Ours { .. }, Follows::Intune(intune)) => {
                self.drain_before(intune.directory).await;
                self.old_certificate(old).await
            }
            _ => Ok(found),
        }
    }

    /// Finds out what the certificate follows, whether that may have one, and what its directory adds.
    async fn tethered(
        &self,
        endpoint: &Endpoint,
        claims: &Claims,
        mut permit: Permit,
        old: Option<Old>,
        vouched: Vouched,
    ) -> Result<Admitted, Error> {
        let renewed = match permit.grant {
            Grant::Renewal(_) => old.and_then(Old::binding),
            Grant::Enrollment => None,
        };
        let bound = if let Some(binding) = renewed {
            self.examine(endpoint, binding, vouched).await?
        } else {
            let bound = self.bind(endpoint, claims, vouched).await?;
            self.carry_out_what_waits(endpoint, &bound).await?;
            bound
        };
        if let (Kind::IntuneBootstrap, Follows::Intune(intune)) =
            (bound.binding.kind, &endpoint.follows)
        {
            let validity = intune.bootstrap.unwrap_or_default().validity;
            shorten(&mut permit, self.now().plus(seconds(validity)));
        }
        let added = self.additions(&endpoint.follows, endpoint.additions, &bound).await?;
        // What the directory says comes before what a request was allowed to bring.
        permit.extensions.retain(|one| added.iter().all(|added| added.oid != one.oid));
        debug_assert!(added.iter().all(|one| one.oid != oid::BASIC_CONSTRAINTS));
        permit.extensions.extend(added);
        Ok(Admitted { permit, bound })
    }

    /// An edit of a profile makes Intune want the old certificate revoked and the device enroll anew, seconds apart.
    async fn carry_out_what_waits(&self, endpoint: &Endpoint, bound: &Bound) -> Result<(), Error> {
        let Follows::Intune(intune) = &endpoint.follows else { return Ok(()) };
        if self.has_certificates(bound).await? {
            self.drain_before(intune.directory).await;
        }
        Ok(())
    }
}

fn shorten(permit: &mut Permit, end: Time) {
    permit.validity.not_after = permit.validity.not_after.min(end);
}

/// Whether a person has to approve. Intune gives up on a request that has to wait.
pub(super) fn approval(accepted: Option<&Accepted>, permit: &Permit) -> Approval {
    match accepted {
        Some(_) => Approval::Automatic,
        None => permit.approval,
    }
}
