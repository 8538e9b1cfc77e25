//! Operations on the brake that holds back mass revocation.

use lanyard_authority::{Actor, Authority};
use lanyard_lifecycle::verdict::Rule;
use lanyard_store::{BatchId, BatchState, BrakeBatch, Cursor, Decided, HeldBackCertificate};
use serde::{Deserialize, Serialize};

use crate::control::{Operation, OperationError};

/// Certificates of a batch that are shown.
const SHOWN: u32 = 20;

/// How the brake stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakeView {
    /// Certificates in force that follow an object.
    pub tethered: u64,
    /// How many of them rules that the brake covers have revoked within its window.
    pub revoked: u64,
    /// How many wait for a person.
    pub waiting: u64,
    /// How many more may be revoked now.
    pub lets_pass: u64,
    /// What was held back, newest first.
    pub batches: Vec<BatchView>,
}

/// What is decided on together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchView {
    /// Its number.
    pub id: i64,
    /// `held`, `confirmed` or `discarded`.
    pub state: String,
    /// When the brake began to hold back.
    pub opened_at: String,
    /// Certificates that are still held back.
    pub certificates: u64,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<String>,
    /// The first of its certificates, while it waits.
    pub examples: Vec<HeldBackView>,
}

/// A certificate that is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBackView {
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// What it is tethered to.
    pub kind: String,
    /// The name of the rule that would revoke it.
    pub rule: String,
    /// Since when it is held back.
    pub held_at: String,
}

/// How the brake stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShowBrake {}

impl Operation for ShowBrake {
    const NAME: &'static str = "brake-show";
    type Answer = BrakeView;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let report = authority.brake().await.map_err(lanyard_authority::Error::from)?;
        let mut batches = Vec::with_capacity(report.batches.len());
        for batch in report.batches {
            let examples = match batch.state {
                BatchState::Held => {
                    let page = authority.held_back(batch.id, None::<Cursor>, SHOWN).await;
                    page.map_err(lanyard_authority::Error::from)?.items
                }
                BatchState::Confirmed | BatchState::Discarded => Vec::new(),
            };
            batches.push(BatchView::of(batch, &examples));
        }
        Ok(BrakeView {
            tethered: report.traffic.tethered,
            revoked: report.traffic.revoked,
            waiting: report.traffic.waiting,
            lets_pass: report.lets_pass,
            batches,
        })
    }
}

/// What a person decides about a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionView {
    /// Its certificates are revoked.
    Confirm,
    /// They stay as they are.
    Discard,
}

/// Decides about a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DecideHeldBack {
    /// Its number.
    pub id: i64,
    /// What is decided.
    pub decision: DecisionView,
}

impl Operation for DecideHeldBack {
    const NAME: &'static str = "brake-decide";
    type Answer = DecidedView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        let batch = BatchId(self.id);
        let decided = match self.decision {
            DecisionView::Confirm => authority.confirm_held_back(batch, actor).await,
            DecisionView::Discard => authority.discard_held_back(batch, actor).await,
        };
        match decided.map_err(lanyard_authority::Error::from)? {
            Decided::Recorded => Ok(DecidedView { id: self.id, decision: self.decision }),
            Decided::Before(state) => Err(OperationError::Conflict(format!(
                "batch {} was {} already",
                self.id,
                state_name(state)
            ))),
            Decided::NoSuchBatch => {
                Err(OperationError::NotFound(format!("there is no batch {}", self.id)))
            }
        }
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedView {
    /// The batch.
    pub id: i64,
    /// What was decided.
    pub decision: DecisionView,
}

impl BatchView {
    fn of(batch: BrakeBatch, examples: &[HeldBackCertificate]) -> Self {
        Self {
            id: batch.id.0,
            state: state_name(batch.state).to_owned(),
            opened_at: batch.opened_at.to_string(),
            certificates: batch.certificates,
            decided_by: batch.decided_by,
            decided_at: batch.decided_at.map(|at| at.to_string()),
            examples: examples.iter().map(HeldBackView::from).collect(),
        }
    }
}

impl From<&HeldBackCertificate> for HeldBackView {
    fn from(one: &HeldBackCertificate) -> Self {
        let rule: Rule = one.held_back.ruled.rule;
        Self {
            serial: one.serial.to_string(),
            kind: one.binding.kind.name().to_owned(),
            rule: rule.name().to_owned(),
            held_at: one.held_back.held_at.to_string(),
        }
    }
}

const fn state_name(state: BatchState) -> &'static str {
    match state {
        BatchState::Held => "held",
        BatchState::Confirmed => "confirmed",
        BatchState::Discarded => "discarded",
    }
}
