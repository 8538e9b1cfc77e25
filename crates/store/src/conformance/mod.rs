//! What both databases must do, as one suite: each behaviour is a sentence, gets an empty store of
//! its own, and tells what it found.
//!
//! Crashes, full disks and locked folders are not here: they depend on the database and are tested
//! with it.

mod audit;
mod authority;
mod brake;
mod crl;
mod enrollment;
pub mod harness;
mod issuance;
mod notice;
mod object;
pub mod old;
pub mod plans;
mod queue;
mod rule;
pub mod sample;
mod search;
pub mod server;
mod small;
mod standing;
mod tether;

pub use self::{
    audit::*, authority::*, brake::*, crl::*, enrollment::*, issuance::*, notice::*, object::*,
    queue::*, rule::*, search::*, small::*, standing::*, tether::*,
};
use crate::StoreError;

/// A store does not do what this crate says.
#[derive(Debug, thiserror::Error)]
pub enum Nonconformance {
    /// An operation failed that must not.
    #[error("an operation failed: {0}")]
    Failed(#[from] StoreError),
    /// An operation did something else.
    #[error("{0}")]
    Differs(String),
}

/// The end of a behaviour's check.
pub type Outcome = Result<(), Nonconformance>;

/// Calls a macro with the names of all behaviours.
#[macro_export]
macro_rules! for_every_behaviour {
    ($call:ident) => {
        $call! {
            an_issued_certificate_is_found_in_every_way,
            a_serial_number_is_taken_whatever_the_ca,
            a_refused_issuance_leaves_nothing,
            a_transaction_is_claimed_once,
            one_of_many_claims_at_once_wins,
            names_are_not_kept_where_only_revocation_data_is,
            a_thousand_enrollments_at_once_all_last,
            an_unknown_ca_is_refused,
            revoking_is_for_good,
            a_hold_is_lifted_or_becomes_a_revocation,
            only_issued_certificates_change_their_standing,
            changes_are_numbered_without_gaps_and_latest_counts,
            changes_at_once_are_all_numbered,
            counts_follow_every_change,
            what_a_rule_revokes_for_good_stays,
            what_may_pass_comes_and_goes,
            hands_and_rules_are_kept_apart,
            what_goes_on_keeps_its_beginning,
            rules_are_recorded_together_or_not_at_all,
            rules_and_hands_at_once_are_all_numbered,
            an_object_leads_to_its_certificates,
            devices_and_users_in_jamf_lead_to_their_certificates,
            certificates_are_due_in_their_order,
            what_is_held_back_waits_for_a_person,
            what_is_discarded_stays_so_and_the_next_batch_is_another,
            what_is_said_again_stays_with_its_batch,
            what_is_held_back_is_forgotten_with_its_cause,
            a_notice_is_written_with_its_certificate,
            a_notice_is_claimed_by_one,
            a_notice_is_claimed_by_whoever_waits_for_it,
            a_notice_is_tried_until_it_is_taken_or_given_up,
            notices_are_listed_counted_and_forgotten,
            a_request_is_kept_until_its_outcome_is_told,
            a_pending_request_waits_and_is_approved_once,
            a_pending_request_is_declined_once,
            a_decided_request_is_forgotten_sooner_than_one_that_waits,
            requests_are_listed_by_owner_and_page,
            those_that_wait_do_not_keep_others_from_being_forgotten,
            old_transactions_are_forgotten,
            a_ca_goes_from_request_to_retirement,
            a_key_makes_one_ca,
            a_new_ra_certificate_retires_the_one_before,
            crl_numbers_rise_per_ca_and_partition,
            a_crl_number_is_used_once_and_old_crls_go,
            revoked_entries_are_those_of_the_ca_that_have_not_ended,
            revoked_entries_are_of_one_moment,
            thousands_of_revoked_entries_come_in_order,
            a_search_pages_through_everything_once,
            a_search_finds_by_text_kind_object_and_standing,
            a_search_stays_within_its_scope,
            signs_with_a_meaning_are_searched_as_they_are,
            expiring_certificates_come_in_order_of_their_end,
            the_audit_trail_is_chained_with_the_acts,
            a_refused_act_leaves_no_audit_entry,
            audit_entries_at_once_are_all_chained,
            audit_entries_are_listed_by_owner_and_page,
            a_setting_is_set_and_the_first_of_several_wins,
            a_lease_is_held_by_one_and_fenced,
            one_of_many_takers_gets_a_lease,
            texts_and_bytes_come_back_as_they_were,
            an_object_comes_goes_and_comes_back,
            absence_of_what_was_never_seen_is_told_from_a_removal,
            objects_are_found_by_name,
            a_device_is_removed_by_its_graph_id,
            what_a_look_up_found_otherwise_is_not_vouched_for,
            older_news_never_replaces_newer,
            a_sweep_finds_what_it_did_not_see,
            what_was_only_seen_is_there_and_no_better_known,
            changes_of_objects_are_told_in_their_order,
            a_feed_s_progress_is_recorded_with_its_changes,
            a_demand_lasts_until_it_is_served,
            a_lost_lease_records_nothing,
            a_directory_keeps_its_beginning,
        }
    };
}

/// Ends a check unless a condition holds.
macro_rules! demand {
    ($condition:expr, $($complaint:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Nonconformance::Differs(format!($($complaint)+)));
        }
    };
}
pub(crate) use demand;

/// Ends a check unless two values are equal.
macro_rules! equal {
    ($left:expr, $right:expr) => {{
        let (left, right) = (&$left, &$right);
        if left != right {
            return Err($crate::conformance::Nonconformance::Differs(format!(
                "{} is\n  {left:?}\nand not\n  {right:?}",
                stringify!($left)
            )));
        }
    }};
}
pub(crate) use equal;
