//! When a certificate may be succeeded by another without a challenge.
//!
//! Whether the old certificate is good is decided elsewhere, see [`crate::verdict`]; whether it was
//! issued here, and that the request is signed with its key, the caller has checked.

use lanyard_pki::certificate::Certificate;
use lanyard_pki::{GeneralName, Name, Time};

use super::Claims;
use crate::kind::Kind;
use crate::refusal::{NamePart, NotGood, Refusal};
use crate::verdict::Verdict;

/// What an endpoint renews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewalRules {
    /// Nothing.
    Off,
    /// Certificates of these kinds.
    On {
        /// The kinds.
        kinds: Vec<Kind>,
        /// Whether the new certificate may have the old one's key.
        key: KeyReuse,
        /// Where they may have been issued.
        from: RenewalFrom,
    },
}

/// Where a certificate may have been issued that an endpoint renews. That of another organization
/// or department never is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RenewalFrom {
    /// At the endpoint that renews it.
    #[default]
    ThisEndpoint,
    /// At any endpoint of the same organization and department: for endpoints that exist to renew
    /// what others have issued.
    AnyEndpoint,
}

/// Whether a renewal may keep the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReuse {
    /// It may: RFC 8894 leaves it open, and some devices cannot make another.
    Allowed,
    /// It needs a new one.
    Refused,
}

/// A certificate that is to be renewed.
#[derive(Debug, Clone, Copy)]
pub struct OldCertificate<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// Where it is from.
    pub origin: Origin<'a>,
}

/// Where an old certificate is from.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// It was not issued by an authority of this installation.
    Foreign,
    /// It was: the signature of one of its authorities was checked.
    Ours {
        /// Its kind.
        kind: Kind,
        /// Where it was issued, seen from the endpoint that is to renew it.
        issued_at: IssuedAt,
        /// Whether it is good now.
        verdict: &'a Verdict,
    },
}

/// Where an old certificate was issued, seen from the endpoint that is to renew it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuedAt {
    /// At this endpoint, for those who own it now.
    ThisEndpoint,
    /// At another endpoint of the same organization and department.
    OtherEndpoint,
    /// For another organization or department, at whatever endpoint.
    OtherScope,
}

/// Whom a granted renewal is for.
pub(super) struct Renewed {
    pub(super) kind: Kind,
    pub(super) subject: Name,
    pub(super) alternative_names: Vec<GeneralName>,
}

impl RenewalRules {
    /// The names of the new certificate are the old one's. A request may repeat them or leave them
    /// out.
    pub(super) fn check(
        &self,
        old: &OldCertificate<'_>,
        claims: &Claims,
        now: Time,
    ) -> Result<Renewed, Refusal> {
        let Self::On { kinds, key, from } = self else { return Err(Refusal::RenewalNotAllowed) };
        let Origin::Ours { kind, issued_at, verdict } = old.origin else {
            return Err(Refusal::ForeignCertificate);
        };
        match (issued_at, from) {
            (IssuedAt::OtherScope, _) => return Err(Refusal::RenewalOfOtherScope),
            (IssuedAt::OtherEndpoint, RenewalFrom::ThisEndpoint) => {
                return Err(Refusal::RenewalOfOtherEndpoint);
            }
            (IssuedAt::OtherEndpoint, RenewalFrom::AnyEndpoint) | (IssuedAt::ThisEndpoint, _) => {}
        }
        if !kinds.contains(&kind) {
            return Err(Refusal::RenewalKindNotAllowed { kind });
        }
        verdict.good().map_err(Refusal::NotGoodAnymore)?;
        check_time(old.certificate, now)?;
        if *key == KeyReuse::Refused && old.certificate.spki_der() == claims.public_key.spki_der() {
            return Err(Refusal::KeyReused);
        }
        let alternative_names = check_names(old.certificate, claims)?;
        Ok(Renewed { kind, subject: old.certificate.subject().clone(), alternative_names })
    }
}

fn check_time(old: &Certificate, now: Time) -> Result<(), Refusal> {
    let fault = if now > old.not_after() {
        NotGood::Expired { at: old.not_after() }
    } else if now < old.not_before() {
        NotGood::NotYetValid { from: old.not_before() }
    } else {
        return Ok(());
    };
    Err(Refusal::NotGoodAnymore(fault))
}

fn check_names(old: &Certificate, claims: &Claims) -> Result<Vec<GeneralName>, Refusal> {
    if !claims.subject.is_empty() && !claims.subject.matches(old.subject()) {
        return Err(Refusal::NameChanged { part: NamePart::Subject });
    }
    let names = old
        .subject_alt_names()
        .map_err(|_| Refusal::Malformed("the old certificate's names cannot be read"))?;
    let kept = |asked: &GeneralName| names.iter().any(|name| same(name, asked));
    if !claims.alternative_names.iter().all(kept) {
        return Err(Refusal::NameChanged { part: NamePart::AlternativeNames });
    }
    Ok(names)
}

/// The same name; the letter case of host names does not matter (RFC 5280 section 7.2).
fn same(one: &GeneralName, other: &GeneralName) -> bool {
    match (one, other) {
        (GeneralName::Dns(one), GeneralName::Dns(other)) => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}
