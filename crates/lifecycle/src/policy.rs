//! The issuance policy: may this request have a certificate, and what will be in it?
//!
//! One decision for every protocol. A request brings a key and *claims*; only what a rule here lets
//! through gets into the [`Permit`], from which a profile then writes the extensions. Secrets are
//! compared here, but never kept; whether the old certificate of a renewal is good is a
//! [`Verdict`](crate::verdict::Verdict) that the caller brings.

mod challenge;
mod claims;
mod key;
mod name;
mod renewal;
mod rsa;
mod usage;
mod validity;

use std::time::Duration;

use lanyard_pki::extension::Extension;
use lanyard_pki::{Digest, GeneralName, Name, Oid, PublicKey, SignatureAlgorithm, Time, oid};

use crate::kind::Kind;
use crate::refusal::Refusal;

pub use challenge::{Challenge, ChallengeRule};
pub use claims::Claims;
pub use key::{KeyKind, KeyRules};
pub use name::{NameForm, NameRules};
pub use renewal::{IssuedAt, KeyReuse, OldCertificate, Origin, RenewalFrom, RenewalRules};
pub use usage::{RequestedUsages, UsageRules, Usages};
pub use validity::{Limits, Period};

/// Who may enroll at an endpoint, and what they get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointPolicy {
    /// Whether the endpoint is there at all.
    pub availability: Availability,
    /// Whether a challenge password is asked for.
    pub challenge: ChallengeRule,
    /// Who approves a request with the right challenge.
    pub approval: Approval,
    /// Which keys are certified.
    pub keys: KeyRules,
    /// Which names are certified.
    pub names: NameRules,
    /// What the keys may be used for.
    pub usages: UsageRules,
    /// The longest validity. The installation's own limit holds beside it: see [`Limits`].
    pub longest: Duration,
    /// What is renewed.
    pub renewal: RenewalRules,
    /// Whether a security identifier that the request asks for gets into the certificate. Whoever
    /// may choose it can pass for any account of the domain, so that the default is no.
    pub requested_sid: RequestedSid,
    /// Whether requests signed over MD5 are taken.
    pub old_digests: OldDigests,
}

impl Default for EndpointPolicy {
    /// A challenge is asked for, sound keys of all kinds are taken, certificates are for client
    /// authentication and for two years at most, nothing is renewed.
    fn default() -> Self {
        Self {
            availability: Availability::Open,
            challenge: ChallengeRule::default(),
            approval: Approval::Automatic,
            keys: KeyRules::default(),
            names: NameRules::default(),
            usages: UsageRules::default(),
            longest: Limits::default().longest,
            renewal: RenewalRules::Off,
            requested_sid: RequestedSid::LeftOut,
            old_digests: OldDigests::Refused,
        }
    }
}

/// Whether an endpoint is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// It takes requests.
    Open,
    /// It does nothing and says it is not there.
    Closed,
}

/// Who approves a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Nobody: this decision is all that is needed.
    Automatic,
    /// A person; until then the request is pending.
    Manual,
}

/// What becomes of a security identifier (1.3.6.1.4.1.311.25.2) that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedSid {
    /// It is left out.
    LeftOut,
    /// It gets into the certificate.
    Carried,
}

/// Whether MD5 is taken in signatures of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldDigests {
    /// It is refused.
    Refused,
    /// It is taken, for clients that know no other.
    Allowed,
}

/// What a decision is made by: the endpoint's policy, the installation's limits, and the issuing
/// authority.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The endpoint's policy.
    pub policy: &'a EndpointPolicy,
    /// What holds at every endpoint.
    pub limits: &'a Limits,
    /// The validity of the issuing authority's certificate.
    pub issuer: Period,
}

/// What speaks for a request.
#[derive(Debug, Clone, Copy)]
pub enum Credential<'a> {
    /// A challenge password, or the lack of one.
    Challenge(Challenge<'a>),
    /// The request is signed with a certificate that is to be renewed: RenewalReq, simplereenroll.
    Renewal(OldCertificate<'a>),
    /// The same by a message that may be a first enrollment as well: PKCSReq signed by a
    /// certificate of this authority. If it is no renewal that is granted, the challenge may still
    /// speak for it.
    RenewalOrChallenge(OldCertificate<'a>, Challenge<'a>),
    /// The door has authenticated whoever asks and authorised him to: an administrator, a validated
    /// token or challenge of a device management, a person who approves what was pending.
    Vouched,
}

/// How a request came to be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// As a first certificate.
    Enrollment,
    /// As the successor of a certificate of this kind.
    Renewal(Kind),
}

/// A claim that is not carried over, for the audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// The request asked to become an authority (basicConstraints with cA TRUE).
    Authority,
    /// The request asked for a security identifier.
    SecurityIdentifier,
    /// An extension that requests do not decide.
    Extension(Oid),
}

/// What may be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// How it came about.
    pub grant: Grant,
    /// Whether a person must still approve.
    pub approval: Approval,
    /// The key to certify.
    pub public_key: PublicKey,
    /// The subject.
    pub subject: Name,
    /// The subject alternative names.
    pub alternative_names: Vec<GeneralName>,
    /// What the key may be used for.
    pub usages: Usages,
    /// From when to when.
    pub validity: Period,
    /// Extensions taken from the request beyond names and usages.
    pub extensions: Vec<Extension>,
    /// What the request asked for and does not get.
    pub left_out: Vec<LeftOut>,
}

/// Decides whether a certificate is issued, and what will be in it.
///
/// The request's proof of possession is checked where [`Claims`] are made.
pub fn decide(
    terms: &Terms<'_>,
    claims: &Claims,
    credential: &Credential<'_>,
    now: Time,
) -> Result<Permit, Refusal> {
    let policy = terms.policy;
    if policy.availability == Availability::Closed {
        return Err(Refusal::NotConfigured);
    }
    let accepted = accept(policy, claims, credential, now)?;
    check_digest(policy.old_digests, claims.signed_with)?;
    policy.keys.check(&claims.public_key)?;
    policy.names.check(&accepted.subject, &accepted.alternative_names)?;
    let usages = policy.usages.decide(claims)?;
    let validity = terms.limits.decide(policy.longest, terms.issuer, claims.validity, now)?;
    let (extensions, left_out) = carry(policy.requested_sid, claims);
    Ok(Permit {
        grant: accepted.grant,
        approval: accepted.approval,
        public_key: claims.public_key.clone(),
        subject: accepted.subject,
        alternative_names: accepted.alternative_names,
        usages,
        validity,
        extensions,
        left_out,
    })
}

/// What a sound credential leads to: the names are the request's, or those of the certificate it
/// succeeds.
struct Accepted {
    grant: Grant,
    approval: Approval,
    subject: Name,
    alternative_names: Vec<GeneralName>,
}

fn accept(
    policy: &EndpointPolicy,
    claims: &Claims,
    credential: &Credential<'_>,
    now: Time,
) -> Result<Accepted, Refusal> {
    let enroll = |approval| Accepted {
        grant: Grant::Enrollment,
        approval,
        subject: claims.subject.clone(),
        alternative_names: claims.alternative_names.clone(),
    };
    let renew = |old: &OldCertificate<'_>| {
        let names = policy.renewal.check(old, claims, now)?;
        Ok(Accepted {
            grant: Grant::Renewal(names.kind),
            // The old certificate speaks for it: a person has approved that one.
            approval: Approval::Automatic,
            subject: names.subject,
            alternative_names: names.alternative_names,
        })
    };
    match credential {
        Credential::Vouched => Ok(enroll(Approval::Automatic)),
        Credential::Renewal(old) => renew(old),
        Credential::Challenge(challenge) => {
            policy.challenge.check(challenge).map(|()| enroll(policy.approval))
        }
        Credential::RenewalOrChallenge(old, challenge) => renew(old).or_else(|refusal| {
            match policy.challenge.check(challenge) {
                // Nobody who knows no challenge is better off for having an old certificate.
                Ok(()) if policy.challenge.is_asked() => Ok(enroll(policy.approval)),
                Ok(()) | Err(Refusal::ChallengeMissing) => Err(refusal),
                Err(wrong) => Err(wrong),
            }
        }),
    }
}

fn check_digest(rule: OldDigests, signed_with: SignatureAlgorithm) -> Result<(), Refusal> {
    match (rule, signed_with.digest()) {
        (OldDigests::Refused, Some(Digest::Md5)) => {
            Err(Refusal::AlgorithmNotAllowed { algorithm: "MD5" })
        }
        _ => Ok(()),
    }
}

/// Sorts the remaining extensions of a request into those that are carried over and those that are
/// not.
fn carry(rule: RequestedSid, claims: &Claims) -> (Vec<Extension>, Vec<LeftOut>) {
    let (mut carried, mut left_out) = (Vec::new(), Vec::new());
    for extension in &claims.other_extensions {
        match extension.oid {
            oid::MS_SID if rule == RequestedSid::Carried => carried.push(extension.clone()),
            oid::MS_SID => left_out.push(LeftOut::SecurityIdentifier),
            oid::BASIC_CONSTRAINTS if claims::asks_for_authority(extension) => {
                left_out.push(LeftOut::Authority);
            }
            // "I am no authority" is what the certificate says anyway.
            oid::BASIC_CONSTRAINTS => {}
            other => left_out.push(LeftOut::Extension(other)),
        }
    }
    (carried, left_out)
}

#[cfg(test)]
mod tests;
