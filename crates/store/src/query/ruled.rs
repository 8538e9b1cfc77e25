//! How what rules say lies in columns, both ways.

use lanyard_lifecycle::{
    fact::Fact,
    revocation::Standing,
    verdict::{ByRule, Lasting, Rule},
};

use super::brake;
use crate::{
    StoreError,
    record::{BatchId, HeldBack},
    sql::Columns,
};

pub(super) fn lasting_code(lasting: Lasting) -> i64 {
    match lasting {
        Lasting::Passing => 0,
        Lasting::Permanent => 1,
    }
}

/// Facts as one column: JSON.
pub(super) fn facts_column(facts: &[Fact]) -> Result<String, StoreError> {
    serde_json::to_string(facts).map_err(|error| StoreError::Conflict(format!("facts: {error}")))
}

/// The columns of what a rule holds against a certificate, as [`Columns::by_rule`] reads them.
macro_rules! by_rule_columns {
    () => {
        "r.standing, r.reason, r.since, r.rule, r.lasting, r.recorded_at, r.facts, \
         r.hand_standing, r.hand_reason, r.hand_since"
    };
}
pub(super) use by_rule_columns;

/// Those that [`Columns::held_back`] reads.
macro_rules! held_back_columns {
    () => {
        "h.batch, b.state, h.standing, h.reason, h.since, h.rule, h.lasting, h.held_at, h.facts"
    };
}
pub(super) use held_back_columns;

/// What a certificate row `c` is joined with for both.
macro_rules! with_rules {
    () => {
        "LEFT JOIN certificate_rule r ON r.id = c.id LEFT JOIN held_back h ON h.id = c.id \
         LEFT JOIN brake_batch b ON b.id = h.batch"
    };
}
pub(super) use with_rules;

impl Columns<'_> {
    pub(super) fn rule(&mut self) -> Result<Option<Rule>, StoreError> {
        let Some(name) = self.optional_text()? else { return Ok(None) };
        Rule::from_name(name).map(Some).ok_or_else(|| StoreError::unreadable("rule"))
    }

    /// Standing, rule, lasting, time and facts.
    fn ruled(&mut self) -> Result<Option<ByRule>, StoreError> {
        let standing = self.optional_standing()?;
        let rule = self.rule()?;
        let lasting = self.optional_int()?;
        let recorded_at = self.optional_time()?;
        let facts = self.optional_text()?;
        let Some(standing) = standing else { return Ok(None) };
        let unreadable = || StoreError::unreadable("rule of a certificate");
        Ok(Some(ByRule {
            standing,
            rule: rule.ok_or_else(unreadable)?,
            lasting: match lasting {
                Some(0) => Lasting::Passing,
                Some(1) => Lasting::Permanent,
                _ => return Err(unreadable()),
            },
            recorded_at: recorded_at.ok_or_else(unreadable)?,
            facts: facts
                .and_then(|facts| serde_json::from_str(facts).ok())
                .ok_or_else(unreadable)?,
        }))
    }

    /// What a rule holds against a certificate, and what stands by hand beside it: both or none.
    pub(super) fn by_rule(&mut self) -> Result<Option<(ByRule, Standing)>, StoreError> {
        let by_rule = self.ruled()?;
        let by_hand = self.optional_standing()?;
        Ok(by_rule.zip(by_hand))
    }

    /// What is held back of a certificate.
    pub(super) fn held_back(&mut self) -> Result<Option<HeldBack>, StoreError> {
        let batch = self.optional_int()?;
        let state = self.optional_int()?;
        let ruled = self.ruled()?;
        let Some(((batch, state), ruled)) = batch.zip(state).zip(ruled) else { return Ok(None) };
        Ok(Some(HeldBack {
            batch: BatchId(batch),
            state: brake::state(state)?,
            held_at: ruled.recorded_at,
            ruled,
        }))
    }
}
