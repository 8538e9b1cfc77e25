//! Two durable steps, decided once.

use futures_util::future::{join_all, try_join_all};

use super::{Outcome, demand, equal, sample};
use crate::{
    CaId, CertificateState, Claim, Completion, EnrollmentState, Keep, Names, Preparation, Store,
    StoreError,
};

/// What is prepared comes back with the same bytes until it is complete.
pub async fn a_prepared_certificate_is_unfinished_until_it_is_complete(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let new = sample::certificate(ca, 1);
    let prepared = store.prepare_certificate(new.clone(), sample::claim(1), None).await?;
    equal!(prepared, Preparation::Prepared);
    let unfinished = store.unfinished(10).await?;
    demand!(unfinished.len() == 1, "one is unfinished, not {}", unfinished.len());
    equal!(unfinished[0].serial, new.serial);
    equal!(unfinished[0].tbs, new.tbs);
    equal!(unfinished[0].ca, ca);
    equal!(unfinished[0].prepared_at, sample::NOW);
    let by_serial = store.unfinished_by_serial(new.serial.clone()).await?;
    equal!(by_serial.as_ref(), unfinished.first());
    equal!(store.count_unfinished().await?, 1);
    let same = store.unfinished_by_serial(new.serial.clone()).await?;
    equal!(same.as_ref(), unfinished.first());
    let status = store.certificate_status(new.serial.clone()).await?;
    equal!(status.map(|status| status.state), Some(CertificateState::Prepared));
    equal!(store.certificate_der(new.serial.clone()).await?, None);

    store.complete_certificate(new.serial.clone(), sample::der(1), sample::NOW, None).await?;
    equal!(store.unfinished(10).await?, vec![]);
    equal!(store.unfinished_by_serial(new.serial.clone()).await?, None);
    let status = store.certificate_status(new.serial).await?;
    equal!(status.map(|status| status.state), Some(CertificateState::Issued));
    Ok(())
}

/// By serial number, fingerprint and transaction, with all that was recorded.
pub async fn a_completed_certificate_is_found_in_every_way(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let new = sample::certificate(ca, 1);
    store.prepare_certificate(new.clone(), sample::claim(1), None).await?;
    let der = sample::der(1);
    let issued_at = sample::NOW.plus(3);
    store.complete_certificate(new.serial.clone(), der.clone(), issued_at, None).await?;

    let found = store.certificate(new.serial.clone()).await?;
    let Some(found) = found else {
        demand!(false, "a completed certificate is not found");
        return Ok(());
    };
    equal!(found.der, Some(der.clone()));
    equal!(found.spki_sha256, Some(new.spki_sha256));
    equal!(found.summary.names, new.names);
    equal!(found.summary.binding, new.binding);
    equal!(found.summary.profile, new.profile);
    equal!(found.summary.issued_at, Some(issued_at));
    equal!((found.summary.not_before, found.summary.not_after), (new.not_before, new.not_after));
    let fingerprint = found.fingerprint.unwrap_or_default();
    equal!(store.certificate_by_fingerprint(fingerprint).await?, Some(found));
    equal!(store.certificate_by_fingerprint([9; 32]).await?, None);
    equal!(store.certificate_der(new.serial.clone()).await?, Some(der));

    let status = store.certificate_status(new.serial.clone()).await?;
    equal!(status.map(|s| (s.binding, s.ca)), Some((new.binding, ca)));
    equal!(store.certificate_status(sample::serial(2)).await?, None);

    let request = sample::enrollment(1);
    let enrollment = store.enrollment(request.endpoint, &request.transaction_id).await?;
    let state = enrollment.as_ref().map(|e| (e.state, e.serial.clone()));
    equal!(state, Some((EnrollmentState::Issued, Some(new.serial))));
    equal!(enrollment.and_then(|e| e.request.csr), None);
    equal!(store.enrollment(request.endpoint, b"another").await?, None);
    Ok(())
}

/// Whoever is killed and begins again must hand out what was handed out.
pub async fn the_first_completion_wins_and_later_ones_are_given_it(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    store.prepare_certificate(sample::certificate(ca, 1), Claim::None, None).await?;
    let complete = |der| store.complete_certificate(sample::serial(1), der, sample::NOW, None);
    equal!(complete(sample::der(1)).await?, Completion::Completed);
    let again = complete(sample::der(2)).await?;
    equal!(again, Completion::AlreadyComplete(Some(sample::der(1))));
    equal!(store.certificate_der(sample::serial(1)).await?, Some(sample::der(1)));
    Ok(())
}

/// The same, at the same time.
pub async fn many_completions_at_once_agree_on_one(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    store.prepare_certificate(sample::certificate(ca, 1), Claim::None, None).await?;
    let each = (0..20)
        .map(|n| store.complete_certificate(sample::serial(1), sample::der(n), sample::NOW, None));
    let outcomes = try_join_all(each).await?;
    let winners = outcomes.iter().filter(|o| **o == Completion::Completed).count();
    equal!(winners, 1);
    let stored = store.certificate_der(sample::serial(1)).await?;
    for outcome in outcomes {
        demand!(
            matches!(&outcome, Completion::Completed)
                || outcome == Completion::AlreadyComplete(stored.clone()),
            "{outcome:?} is not what is stored"
        );
    }
    Ok(())
}

/// One installation, one set of serial numbers.
pub async fn a_serial_number_is_taken_whatever_the_ca(store: &Store) -> Outcome {
    let first = sample::with_ca(store).await?;
    let second = store.add_ca(sample::ca(crate::CaState::Next, 1), None).await?;
    demand!(first != second, "two CAs have one number");
    sample::issue(store, sample::certificate(first, 1), 1).await?;
    let new = sample::certificate(second, 1);
    let taken = store.prepare_certificate(new, Claim::None, None).await?;
    equal!(taken, Preparation::SerialTaken);
    Ok(())
}

/// A transaction that was claimed for a serial number that is taken stays free.
pub async fn a_refused_preparation_leaves_nothing(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1), 1).await?;
    let new = sample::certificate(ca, 1);
    let taken = store.prepare_certificate(new, sample::claim(1), None).await?;
    equal!(taken, Preparation::SerialTaken);
    let request = sample::enrollment(1);
    equal!(store.enrollment(request.endpoint, &request.transaction_id).await?, None);
    equal!(store.unfinished(10).await?, vec![]);
    let new = sample::certificate(ca, 2);
    let prepared = store.prepare_certificate(new, sample::claim(1), None).await?;
    equal!(prepared, Preparation::Prepared);
    Ok(())
}

/// Who comes again is told of the first, and no second certificate is prepared.
pub async fn a_transaction_is_claimed_once(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    store.prepare_certificate(sample::certificate(ca, 1), sample::claim(1), None).await?;
    let new = sample::certificate(ca, 2);
    let second = store.prepare_certificate(new, sample::claim(1), None).await?;
    let Preparation::TransactionExists(stored) = second else {
        demand!(false, "a second certificate was prepared: {second:?}");
        return Ok(());
    };
    equal!(stored.serial, Some(sample::serial(1)));
    equal!(stored.state, EnrollmentState::Issuing);
    equal!(stored.request.csr_sha256, sample::enrollment(1).csr_sha256);
    equal!(stored.request.signer_sha256, sample::enrollment(1).signer_sha256);
    equal!(store.certificate_status(sample::serial(2)).await?, None);
    // The same id at another endpoint is another transaction.
    let mut elsewhere = sample::enrollment(1);
    elsewhere.endpoint = lanyard_lifecycle::EndpointId::from_bytes([0xE2; 16]);
    let claim = Claim::New(Box::new(elsewhere));
    let third = store.prepare_certificate(sample::certificate(ca, 3), claim, None).await?;
    equal!(third, Preparation::Prepared);
    Ok(())
}

/// The same, at the same time.
pub async fn one_of_many_claims_at_once_wins(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let each = (0..20)
        .map(|n| store.prepare_certificate(sample::certificate(ca, n), sample::claim(1), None));
    let outcomes = try_join_all(each).await?;
    equal!(outcomes.iter().filter(|o| **o == Preparation::Prepared).count(), 1);
    equal!(store.unfinished(100).await?.len(), 1);
    Ok(())
}

/// There is nothing to complete.
pub async fn a_certificate_that_was_never_prepared_is_not_completed(store: &Store) -> Outcome {
    sample::with_ca(store).await?;
    let outcome =
        store.complete_certificate(sample::serial(1), sample::der(1), sample::NOW, None).await?;
    equal!(outcome, Completion::NotPrepared);
    equal!(store.certificate_status(sample::serial(1)).await?, None);
    Ok(())
}

/// Abandoned is neither issued nor unfinished, and its client is told no.
pub async fn an_abandoned_certificate_stays_so_and_ends_its_transaction(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    store.prepare_certificate(sample::certificate(ca, 1), sample::claim(1), None).await?;
    let abandon = || {
        let reason = "the CA's key is gone".to_owned();
        store.abandon_certificate(sample::serial(1), reason, sample::NOW, None)
    };
    equal!(abandon().await?, true);
    equal!(abandon().await?, false);
    equal!(store.unfinished(10).await?, vec![]);
    let late =
        store.complete_certificate(sample::serial(1), sample::der(1), sample::NOW, None).await?;
    equal!(late, Completion::NotPrepared);
    let request = sample::enrollment(1);
    let enrollment = store.enrollment(request.endpoint, &request.transaction_id).await?;
    let ended = enrollment.map(|e| (e.state, e.reason));
    equal!(ended, Some((EnrollmentState::Declined, Some("the CA's key is gone".to_owned()))));
    // The serial number stays taken.
    let again = store.prepare_certificate(sample::certificate(ca, 1), Claim::None, None).await?;
    equal!(again, Preparation::SerialTaken);
    Ok(())
}

/// Names never reach the store, the certificate goes after a while, revocation goes on.
pub async fn names_are_not_kept_where_only_revocation_data_is(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let mut new = sample::certificate(ca, 1);
    new.keep = Keep::RevocationOnly { certificate_until: sample::NOW.plus(60) };
    sample::issue(store, new, 1).await?;
    sample::issue(store, sample::certificate(ca, 2), 2).await?;
    let found = store.certificate(sample::serial(1)).await?;
    let kept = found.as_ref().map(|c| (&c.summary.names, c.spki_sha256));
    equal!(kept, Some((&Names::default(), None)));
    equal!(found.and_then(|c| c.der), Some(sample::der(1)));

    equal!(store.forget_certificates(sample::NOW.plus(59), 10).await?, 0);
    equal!(store.forget_certificates(sample::NOW.plus(60), 10).await?, 1);
    equal!(store.certificate_der(sample::serial(1)).await?, None);
    equal!(store.certificate_der(sample::serial(2)).await?, Some(sample::der(2)));
    let again =
        store.complete_certificate(sample::serial(1), sample::der(3), sample::NOW, None).await?;
    equal!(again, Completion::AlreadyComplete(None));
    let status = store.certificate_status(sample::serial(1)).await?;
    equal!(status.map(|s| s.state), Some(CertificateState::Issued));
    Ok(())
}

/// What a thousand callers are told at once is what is there.
pub async fn a_thousand_enrollments_at_once_all_last(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let each = (0..1000).map(async |n| {
        let new = sample::certificate(ca, n);
        let audit = sample::audit("certificate.issue", &new.serial.to_string());
        let prepared = store.prepare_certificate(new.clone(), sample::claim(n), None).await?;
        let complete =
            store.complete_certificate(new.serial, sample::der(n), sample::NOW, Some(audit));
        Ok::<_, StoreError>((prepared, complete.await?))
    });
    for outcome in join_all(each).await {
        equal!(outcome?, (Preparation::Prepared, Completion::Completed));
    }
    for n in [0, 1, 499, 999] {
        equal!(store.certificate_der(sample::serial(n)).await?, Some(sample::der(n)));
    }
    let counts = store.counts(crate::Within::Everywhere).await?;
    equal!(counts.iter().map(|c| c.good).sum::<u64>(), 1000);
    let verdict = store.verify_audit().await?;
    demand!(
        matches!(verdict, crate::AuditVerdict::Intact { entries: 1000, .. }),
        "the audit trail is {verdict:?}"
    );
    Ok(())
}

/// A certificate belongs to a CA of this installation, and a mistake fails nobody beside it.
pub async fn an_unknown_ca_is_refused(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let each = (0..10).map(|n| {
        let ca = if n == 5 { CaId(77) } else { ca };
        store.prepare_certificate(sample::certificate(ca, n), Claim::None, None)
    });
    for (n, outcome) in join_all(each).await.into_iter().enumerate() {
        if n == 5 {
            demand!(
                matches!(outcome, Err(StoreError::Conflict(_))),
                "an unknown CA is no conflict: {outcome:?}"
            );
        } else {
            equal!(outcome?, Preparation::Prepared);
        }
    }
    equal!(store.unfinished(100).await?.len(), 9);
    Ok(())
}
