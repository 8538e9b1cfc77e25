//! Requests that wait for a person.

use futures_util::future::try_join_all;
use lanyard_pki::Time;

use super::{Outcome, demand, equal, sample};
use crate::{
    Claim, Decline, Declined, Enrollment, EnrollmentId, EnrollmentState, Issuance, Store,
    StoreError, Submission, Within,
};

async fn submit(store: &Store, seed: u64) -> Result<EnrollmentId, StoreError> {
    match store.submit_enrollment(sample::enrollment(seed), None).await? {
        Submission::Submitted(id) => Ok(id),
        Submission::Exists(stored) => Err(StoreError::Conflict(stored.id.to_string())),
    }
}

fn no(at: Time) -> Decline {
    let (by, reason) = ("ada".to_owned(), "not ours".to_owned());
    Decline { by, at, reason, expires_at: at.plus(sample::DAY) }
}

fn approve(request: EnrollmentId) -> Claim {
    Claim::Approve { request, by: "ada".to_owned(), expires_at: sample::NOW.plus(sample::DAY) }
}

async fn by_id(store: &Store, id: EnrollmentId) -> Result<Enrollment, StoreError> {
    let found = store.enrollment_by_id(id).await?;
    found.ok_or_else(|| StoreError::Conflict("a request is gone".to_owned()))
}

/// Approval ties the certificate to the request, for one of those who approve at once.
pub async fn a_pending_request_waits_and_is_approved_once(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let id = submit(store, 1).await?;
    let stored = by_id(store, id).await?;
    equal!(stored.state, EnrollmentState::Pending);
    equal!(stored.request, sample::enrollment(1));
    let again = store.submit_enrollment(sample::enrollment(1), None).await?;
    equal!(again, Submission::Exists(Box::new(stored)));

    let each =
        (0..5).map(|n| store.issue_certificate(sample::certificate(ca, n), approve(id), None));
    let outcomes = try_join_all(each).await?;
    let winners: Vec<usize> = (0..5).filter(|n| outcomes[*n] == Issuance::Issued).collect();
    equal!(winners.len(), 1);
    let serial = sample::serial(winners[0] as u64);
    let stored = by_id(store, id).await?;
    equal!(stored.state, EnrollmentState::Issued);
    equal!(stored.serial, Some(serial));
    equal!(stored.decided_by, Some("ada".to_owned()));
    equal!((stored.request.csr, stored.request.context), (None, None));

    let unknown = approve(EnrollmentId(1));
    let outcome = store.issue_certificate(sample::certificate(ca, 9), unknown, None).await?;
    equal!(outcome, Issuance::NoSuchRequest);
    equal!(store.certificate_status(sample::serial(9)).await?, None);
    Ok(())
}

/// A declined request is told so and can no longer be approved.
pub async fn a_pending_request_is_declined_once(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let id = submit(store, 1).await?;
    let decline = |id| store.decline_enrollment(id, no(sample::NOW.plus(1)), None);
    equal!(decline(id).await?, Declined::Declined);
    equal!(decline(id).await?, Declined::NotPending(EnrollmentState::Declined));
    equal!(decline(EnrollmentId(1)).await?, Declined::NoSuchRequest);
    let stored = by_id(store, id).await?;
    equal!(stored.state, EnrollmentState::Declined);
    equal!(stored.reason, Some("not ours".to_owned()));
    equal!(stored.decided_at, Some(sample::NOW.plus(1)));
    equal!(stored.request.csr, None);
    let late = store.issue_certificate(sample::certificate(ca, 1), approve(id), None).await?;
    demand!(matches!(late, Issuance::TransactionExists(_)), "late approval: {late:?}");
    equal!(store.certificate_status(sample::serial(1)).await?, None);
    Ok(())
}

/// Once it is decided it is kept as long as whoever decides says, and not as long as it might have
/// waited.
pub async fn a_decided_request_is_forgotten_sooner_than_one_that_waits(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let (approved, declined) = (submit(store, 1).await?, submit(store, 2).await?);
    submit(store, 3).await?;
    store.issue_certificate(sample::certificate(ca, 1), approve(approved), None).await?;
    store.decline_enrollment(declined, no(sample::NOW), None).await?;
    equal!(store.forget_enrollments(sample::NOW.plus(sample::DAY - 1), 10).await?, 0);
    equal!(store.forget_enrollments(sample::NOW.plus(sample::DAY), 10).await?, 2);
    equal!(store.count_pending_enrollments().await?, 1);
    Ok(())
}

/// Oldest first; each sees what is within the own scope.
pub async fn requests_are_listed_by_owner_and_page(store: &Store) -> Outcome {
    let mut ids = Vec::new();
    for seed in 1..=5 {
        ids.push(submit(store, seed).await?);
    }
    let mut other = sample::enrollment(6);
    other.scope = sample::other_scope();
    store.submit_enrollment(other, None).await?;
    store.decline_enrollment(ids.remove(1), no(sample::NOW), None).await?;

    let default = Within::from(lanyard_lifecycle::Scope::DEFAULT);
    let first = store.pending_enrollments(default, None, 3).await?;
    let second = store.pending_enrollments(default, first.next, 3).await?;
    let listed: Vec<_> = first.items.iter().chain(&second.items).map(|e| e.id).collect();
    equal!(listed, ids);
    equal!(second.next, None);
    equal!(store.pending_enrollments(Within::Everywhere, None, 10).await?.items.len(), 5);
    equal!(store.count_pending_enrollments().await?, 5);
    let scope = sample::other_scope();
    equal!(store.pending_enrollments(scope.into(), None, 10).await?.items.len(), 1);
    let department = lanyard_lifecycle::DepartmentId::from_bytes([1; 16]);
    let elsewhere = Within::Department(scope.organization, department);
    equal!(store.pending_enrollments(elsewhere, None, 10).await?.items, vec![]);
    Ok(())
}

/// Those that wait for a person, for as long as that takes, keep no other from being forgotten.
pub async fn those_that_wait_do_not_keep_others_from_being_forgotten(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let expiry = sample::enrollment(1).expires_at;
    for seed in 1..=20 {
        let mut waiting = sample::enrollment(seed);
        waiting.expires_at = expiry.plus(if seed == 20 { -1 } else { 1 });
        store.submit_enrollment(waiting, None).await?;
    }
    for seed in 21..=22 {
        let new = sample::certificate(ca, seed);
        store.issue_certificate(new, sample::claim(seed), None).await?;
    }
    equal!(store.forget_enrollments(expiry.plus(-1), 1).await?, 1);
    equal!(store.count_pending_enrollments().await?, 19);
    for left in [1, 1, 0] {
        equal!(store.forget_enrollments(expiry, 1).await?, left);
    }
    equal!(store.count_pending_enrollments().await?, 19);
    Ok(())
}

/// Forgetting frees the transaction id, and the certificate stays.
pub async fn old_transactions_are_forgotten(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for seed in 1..=2 {
        let new = sample::certificate(ca, seed);
        store.issue_certificate(new, sample::claim(seed), None).await?;
    }
    let expiry = sample::enrollment(1).expires_at;
    equal!(store.forget_enrollments(expiry.plus(-1), 10).await?, 0);
    equal!(store.forget_enrollments(expiry, 1).await?, 1);
    equal!(store.forget_enrollments(expiry, 10).await?, 1);
    equal!(store.forget_enrollments(expiry, 10).await?, 0);
    let new = sample::certificate(ca, 4);
    let prepared = store.issue_certificate(new, sample::claim(1), None).await?;
    equal!(prepared, Issuance::Issued);
    equal!(store.certificate_der(sample::serial(1)).await?, Some(sample::der(1)));
    Ok(())
}
