//! What a judgement changes in what is recorded by rule.

use lanyard_lifecycle::revocation::Standing;
use lanyard_lifecycle::verdict::{ByRule, Lasting, Opinion, Recording, to_record};
use lanyard_pki::Time;

/// What a judgement changes in what is recorded.
///
/// A revocation that may pass, which is an absence that is not confirmed yet, is recorded as a hold: only that is ever
/// taken off a CRL.
pub(super) fn wanted(live: &[Opinion], by_rule: Option<&ByRule>, now: Time) -> Recording {
    match to_record(live, by_rule, now) {
        Recording::Set(Some(decided)) if decided.lasting == Lasting::Passing => {
            let standing = match decided.standing {
                Standing::Revoked { since, .. } => Standing::OnHold { since },
                other => other,
            };
            let is_on_hold = |by_rule: &ByRule| {
                matches!(by_rule.standing, Standing::OnHold { .. }) && by_rule.rule == decided.rule
            };
            if by_rule.is_some_and(is_on_hold) {
                Recording::Keep
            } else {
                Recording::Set(Some(ByRule { standing, ..decided }))
            }
        }
        other => other,
    }
}
