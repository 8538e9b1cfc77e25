//! OCSP: a request's octets in, a signed answer out (RFC 6960, RFC 5019, nonces of RFC 9654).
//!
//! An answer without a nonce is signed once and given to everyone who asks the same while it is true. Codecs are
//! `lanyard_pki::ocsp`, the decision is a verdict ([`crate::status`]), HTTP is the door's affair.

mod cache;
mod issuers;
mod signed;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use lanyard_lifecycle::verdict::State;
use lanyard_pki::Time;
use lanyard_pki::ocsp::{
    self, CertId, CertStatus, CrlReason, OcspRequest, ResponseStatus, SingleRequest,
};

pub use signed::Caching;

use crate::error::Doing as _;
use crate::responder::NoResponder;
use crate::status::Stamps;
use crate::status::generations::Stamp;
use crate::{Authority, Fault};
pub(crate) use cache::Answers;
pub(crate) use issuers::{Issuer, Issuers};
use signed::Signed;

/// certificateHold (RFC 5280 section 5.3.1).
const CERTIFICATE_HOLD: u8 = 6;

/// The answer to an OCSP request: always one, whatever was asked.
#[derive(Debug, Clone)]
pub struct Answer(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Kept(Arc<Signed>),
    Fresh(Bytes),
    Failed(Failure),
}

/// Where an answer's signature comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there, or made for another who asked the same.
    Kept,
    /// It was made for this request alone, which had a nonce.
    Fresh,
}

/// A response that is not signed, and what led to it.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: ResponseStatus,
    cause: Cause,
}

#[derive(Debug, Clone)]
enum Cause {
    /// What was asked, or what is known of it.
    Question,
    /// As many answers are being made as may be.
    Crowd,
    /// A fault of ours.
    Fault(Arc<Fault>),
}

impl Failure {
    const UNAUTHORIZED: Self = Self::question(ResponseStatus::Unauthorized);
    const MALFORMED: Self = Self::question(ResponseStatus::MalformedRequest);
    const TRY_LATER: Self = Self::question(ResponseStatus::TryLater);
    const CROWDED: Self = Self { status: ResponseStatus::TryLater, cause: Cause::Crowd };

    const fn question(status: ResponseStatus) -> Self {
        Self { status, cause: Cause::Question }
    }

    /// Whatever is wrong with us, the client's best move is to come back.
    fn later(fault: impl Into<Arc<Fault>>) -> Self {
        Self { status: ResponseStatus::TryLater, cause: Cause::Fault(fault.into()) }
    }
}

impl Answer {
    /// The OCSPResponse.
    pub fn der(&self) -> Bytes {
        match &self.0 {
            Inner::Kept(answer) => answer.der.clone(),
            Inner::Fresh(der) => der.clone(),
            Inner::Failed(failure) => Bytes::from_static(match failure.status {
                ResponseStatus::MalformedRequest => &MALFORMED_REQUEST,
                ResponseStatus::Unauthorized => &UNAUTHORIZED,
                _ => &TRY_LATER,
            }),
        }
    }

    /// The response's status.
    pub fn status(&self) -> ResponseStatus {
        match &self.0 {
            Inner::Kept(_) | Inner::Fresh(_) => ResponseStatus::Successful,
            Inner::Failed(failure) => failure.status,
        }
    }

    /// What HTTP caches may know of it; none for what is for this client alone or is no answer.
    pub fn caching(&self) -> Option<&Caching> {
        match &self.0 {
            Inner::Kept(answer) => Some(&answer.caching),
            Inner::Fresh(_) | Inner::Failed(_) => None,
        }
    }

    /// Where its signature comes from; none when it has none.
    pub fn origin(&self) -> Option<Origin> {
        match &self.0 {
            Inner::Kept(_) => Some(Origin::Kept),
            Inner::Fresh(_) => Some(Origin::Fresh),
            Inner::Failed(_) => None,
        }
    }

    /// What failed of ours, to be logged once.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.0 {
            Inner::Failed(Failure { cause: Cause::Fault(fault), .. }) => Some(fault),
            _ => None,
        }
    }

    /// Whether it was not made because as many were being made as may be ([`StatusSettings::answers_under_way`]).
    ///
    /// [`StatusSettings::answers_under_way`]: crate::status::settings::StatusSettings::answers_under_way
    pub fn is_crowded_out(&self) -> bool {
        matches!(&self.0, Inner::Failed(Failure { cause: Cause::Crowd, .. }))
    }
}

static MALFORMED_REQUEST: [u8; 5] = ResponseStatus::MalformedRequest.response();
static TRY_LATER: [u8; 5] = ResponseStatus::TryLater.response();
static UNAUTHORIZED: [u8; 5] = ResponseStatus::Unauthorized.response();

/// An answer as it was signed.
struct Made {
    der: Vec<u8>,
    this_update: Time,
    next_update: Time,
    /// The generation of each of its certificates, and of the objects behind them, before anything was read of it.
    stamps: Vec<Stamp>,
}

/// One certificate's part of an answer.
struct Part<'r> {
    id: &'r [u8],
    status: CertStatus,
    until: Time,
}

impl Authority {
    /// The answer to an OCSP request.
    ///
    /// `malformedRequest` for what cannot be read, `unauthorized` when every certificate is of issuers that are not ours
    /// (or of a CA whose time is over), `tryLater` when the store or a key cannot be asked, the verdict on one of the
    /// certificates is open, or the answer would have to be made while as many are being made as may be.
    pub async fn answer(&self, request: &[u8]) -> Answer {
        let Ok(request) = OcspRequest::from_der(request) else {
            return Answer(Inner::Failed(Failure::MALFORMED));
        };
        if request.nonce().is_some() {
            return Answer(match self.sign_answer(&request).await {
                Ok(made) => Inner::Fresh(made.der.into()),
                Err(failure) => Inner::Failed(failure),
            });
        }
        let question = question(&request);
        let (answers, generations) = (&self.memory().answers, &self.memory().generations);
        if let Some(answer) = answers.current(&question, generations, self.clock()) {
            return Answer(Inner::Kept(answer));
        }
        let make = async || {
            let Made { der, this_update, next_update, stamps } = self.sign_answer(&request).await?;
            Ok(Arc::new(Signed::new(der, this_update, next_update, stamps.into())))
        };
        let attempt = answers.current_or(&question, generations, self.clock(), make).await;
        Answer(attempt.map_or_else(Inner::Failed, Inner::Kept))
    }

    async fn sign_answer(&self, request: &OcspRequest<'_>) -> Result<Made, Failure> {
        let now = self.now();
        let issuers = self.issuers();
        let mut asked = Vec::with_capacity(request.len());
        let mut first = None;
        for SingleRequest { id } in request.requests() {
            let issuer = issuers.named_by(&id);
            first = first.or(issuer);
            asked.push((id, issuer));
        }
        // Only the issuer's delegate is believed. Where a request mixes issuers of ours, the answer is true for all and
        // signed for the first; clients that trust this responder by configuration believe the rest too.
        let issuer = first.ok_or(Failure::UNAUTHORIZED)?;
        // From here on it costs reads and a signature. Nobody waits for a place: who waits takes memory too.
        let _place = self.memory().under_way.try_acquire().map_err(|_| Failure::CROWDED)?;
        let responder = self.responder(issuer).await.map_err(|none| match none {
            NoResponder::CaNotValid => Failure::UNAUTHORIZED,
            NoResponder::Fault(fault) => Failure::later(fault),
        })?;
        let mut parts = Vec::with_capacity(asked.len());
        let mut stamps = Vec::with_capacity(asked.len());
        for (id, issuer) in asked {
            let (mut part, of) = self.part(&issuers, id, issuer, now).await?;
            part.until = part.until.min(responder.not_after);
            parts.push(part);
            stamps.extend(of.iter().flat_map(Stamps::iter));
        }
        let until = parts.iter().map(|part| part.until).min().unwrap_or(now);
        let answers: Vec<_> = parts
            .iter()
            .map(|part| ocsp::Answer {
                id: part.id,
                status: part.status,
                this_update: now,
                next_update: Some(part.until),
            })
            .collect();
        let unsigned = responder.frame.response(now, &answers, request.nonce());
        let signature = responder.signer.sign(unsigned.algorithm(), unsigned.tbs()).await;
        let signature = signature.doing("sign an OCSP answer").map_err(Failure::later)?;
        let der = unsigned.assemble(&signature);
        Ok(Made { der, this_update: now, next_update: until, stamps })
    }

    async fn part<'r>(
        &self,
        issuers: &Issuers,
        id: CertId<'r>,
        issuer: Option<&Issuer>,
        now: Time,
    ) -> Result<(Part<'r>, Option<Stamps>), Failure> {
        let freshness = &self.settings().status.freshness;
        let (verdict, not_after, stamps) = match issuer {
            None => (crate::status::foreign(now), None, None),
            Some(issuer) => {
                let serial = id.serial().map_err(|_| Failure::MALFORMED)?;
                let seen = self.verdict_on(issuers, issuer, &serial, now).await;
                let seen = seen.map_err(Failure::later)?;
                (seen.verdict, seen.not_after, Some(seen.stamps))
            }
        };
        let status = match verdict.state {
            State::Good => CertStatus::Good,
            State::OnHold { since } => {
                CertStatus::Revoked { at: since, reason: CrlReason::from_number(CERTIFICATE_HOLD) }
            }
            State::Revoked { since, reason } => {
                CertStatus::Revoked { at: since, reason: CrlReason::from_number(reason.code()) }
            }
            State::Unknown => CertStatus::Unknown,
            State::Undecided => return Err(Failure::TRY_LATER),
        };
        let until = freshness.until(&verdict, not_after, now).ok_or(Failure::TRY_LATER)?;
        Ok((Part { id: id.der, status, until }, stamps))
    }
}

/// What makes two requests without a nonce the same: the CertIDs, as they were written.
fn question<'r>(request: &OcspRequest<'r>) -> Cow<'r, [u8]> {
    let mut ids = request.requests().map(|single| single.id.der);
    match (ids.next(), request.len()) {
        (Some(only), 1) => Cow::Borrowed(only),
        (first, _) => Cow::Owned(first.into_iter().chain(ids).flatten().copied().collect()),
    }
}

#[cfg(test)]
mod tests;
