//! The operation that says why a certificate stands as it does.

use lanyard_authority::tether::{OcspNow, Why};
use lanyard_authority::{Actor, Authority};
use lanyard_lifecycle::fact::Fact;
use lanyard_lifecycle::verdict::State;
use lanyard_pki::Time;
use lanyard_pki::ocsp::ResponseStatus;
use lanyard_store::Within;
use serde::{Deserialize, Serialize};

use super::certificate::{CERTIFICATE_HOLD, serial};
use crate::control::{Operation, OperationError};

/// Why a certificate stands as it does. Programs rely on these names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyView {
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// `good`, `onHold`, `revoked` or `unknown`. Unknown too is what nobody can decide now.
    pub state: String,
    /// Why it is not good (RFC 5280).
    pub reason: Option<String>,
    /// Since when it is not good.
    pub since: Option<String>,
    /// Everything that is known, good things included: what decided comes first.
    pub facts: Vec<FactView>,
    /// The name of the rule that decided.
    pub rule: String,
    /// What a client is told that asks now.
    pub ocsp: OcspView,
}

/// Something that a source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactView {
    /// Who said it.
    pub source: String,
    /// The object it is about; none when it is about the certificate itself.
    pub object: Option<String>,
    /// What was said, as the source spells it.
    pub name: String,
    /// Its value, as the source spells it.
    pub value: String,
    /// When it was learnt.
    pub learnt: String,
}

/// What a client is told that asks now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OcspView {
    /// `good`, `revoked` or `unknown`; else why there is no answer: `tryLater`.
    pub status: String,
    /// Until when it may be relied on.
    pub next_update: Option<String>,
}

/// Says why a certificate stands as it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainCertificate {
    /// Its serial number.
    pub serial: String,
}

impl Operation for ExplainCertificate {
    const NAME: &'static str = "certificate-why";
    type Answer = WhyView;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let why = authority.why(&serial(&self.serial)?, Within::Everywhere).await?;
        Ok(why.into())
    }
}

impl From<Why> for WhyView {
    fn from(why: Why) -> Self {
        let (state, since, reason) = match why.verdict.state {
            State::Good => ("good", None, None),
            State::OnHold { since } => ("onHold", Some(since), Some(CERTIFICATE_HOLD)),
            State::Revoked { since, reason } => ("revoked", Some(since), Some(reason.name())),
            State::Unknown | State::Undecided => ("unknown", None, None),
        };
        Self {
            serial: why.serial.to_string(),
            state: state.to_owned(),
            reason: reason.map(str::to_owned),
            since: since.as_ref().map(Time::to_string),
            facts: why.facts.iter().map(FactView::from).collect(),
            rule: why.verdict.rule.name().to_owned(),
            ocsp: OcspView::of(why.ocsp, why.verdict.state),
        }
    }
}

impl From<&Fact> for FactView {
    fn from(fact: &Fact) -> Self {
        Self {
            source: fact.source.to_string(),
            object: fact.object.map(|object| object.to_string()),
            name: fact.name.clone().into_owned(),
            value: fact.value.clone().into_owned(),
            learnt: fact.learnt.to_string(),
        }
    }
}

impl OcspView {
    fn of(now: OcspNow, state: State) -> Self {
        let status = match (now.status, state) {
            (ResponseStatus::Successful, State::Good) => "good",
            (ResponseStatus::Successful, State::OnHold { .. } | State::Revoked { .. }) => "revoked",
            (ResponseStatus::Successful, State::Unknown | State::Undecided) => "unknown",
            (ResponseStatus::TryLater, _) => "tryLater",
            (ResponseStatus::Unauthorized, _) => "unauthorized",
            (ResponseStatus::MalformedRequest, _) => "malformedRequest",
            (ResponseStatus::SigRequired, _) => "sigRequired",
            (ResponseStatus::InternalError, _) => "internalError",
        };
        let next_update = now.next_update.as_ref().map(Time::to_string);
        Self { status: status.to_owned(), next_update }
    }
}
