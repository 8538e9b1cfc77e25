//! A certificate with its transaction, decided once.

use futures_util::future::{join_all, try_join_all};

use super::{Outcome, demand, equal, sample};
use crate::{CaId, Claim, EnrollmentState, Issuance, Keep, Names, Store, StoreError, Within};

/// By serial number, fingerprint and transaction, with all that was recorded.
pub async fn an_issued_certificate_is_found_in_every_way(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let new = sample::certificate(ca, 1);
    let issued = store.issue_certificate(new.clone(), sample::claim(1), None).await?;
    equal!(issued, Issuance::Issued);
    let der = sample::der(1);

    let found = store.certificate(new.serial.clone()).await?;
    let Some(found) = found else {
        demand!(false, "an issued certificate is not found");
        return Ok(());
    };
    equal!(found.der, Some(der.clone()));
    equal!(found.spki_sha256, Some(new.spki_sha256));
    equal!(found.summary.names, new.names);
    equal!(found.summary.binding, new.binding);
    equal!(found.summary.profile, new.profile);
    equal!(found.summary.issued_at, sample::NOW);
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

/// One installation, one set of serial numbers.
pub async fn a_serial_number_is_taken_whatever_the_ca(store: &Store) -> Outcome {
    let first = sample::with_ca(store).await?;
    let second = store.add_ca(sample::ca(crate::CaState::Next, 1), None).await?;
    demand!(first != second, "two CAs have one number");
    sample::issue(store, sample::certificate(first, 1)).await?;
    let new = sample::certificate(second, 1);
    let taken = store.issue_certificate(new, Claim::None, None).await?;
    equal!(taken, Issuance::SerialTaken);
    Ok(())
}

/// A transaction that was claimed for a serial number that is taken stays free.
pub async fn a_refused_issuance_leaves_nothing(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let new = sample::certificate(ca, 1);
    let taken = store.issue_certificate(new, sample::claim(1), None).await?;
    equal!(taken, Issuance::SerialTaken);
    let request = sample::enrollment(1);
    equal!(store.enrollment(request.endpoint, &request.transaction_id).await?, None);
    equal!(store.certificate_der(sample::serial(1)).await?, Some(sample::der(1)));
    let new = sample::certificate(ca, 2);
    let issued = store.issue_certificate(new, sample::claim(1), None).await?;
    equal!(issued, Issuance::Issued);
    Ok(())
}

/// Who comes again is told of the first, and no second certificate is issued.
pub async fn a_transaction_is_claimed_once(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    store.issue_certificate(sample::certificate(ca, 1), sample::claim(1), None).await?;
    let new = sample::certificate(ca, 2);
    let second = store.issue_certificate(new, sample::claim(1), None).await?;
    let Issuance::TransactionExists(stored) = second else {
        demand!(false, "a second certificate was issued: {second:?}");
        return Ok(());
    };
    equal!(stored.serial, Some(sample::serial(1)));
    equal!(stored.state, EnrollmentState::Issued);
    equal!(stored.request.csr_sha256, sample::enrollment(1).csr_sha256);
    equal!(stored.request.signer_sha256, sample::enrollment(1).signer_sha256);
    equal!(store.certificate_status(sample::serial(2)).await?, None);
    // The same id at another endpoint is another transaction.
    let mut elsewhere = sample::enrollment(1);
    elsewhere.endpoint = lanyard_lifecycle::EndpointId::from_bytes([0xE2; 16]);
    let claim = Claim::New(Box::new(elsewhere));
    let third = store.issue_certificate(sample::certificate(ca, 3), claim, None).await?;
    equal!(third, Issuance::Issued);
    Ok(())
}

/// The same, at the same time.
pub async fn one_of_many_claims_at_once_wins(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let each = (0..20)
        .map(|n| store.issue_certificate(sample::certificate(ca, n), sample::claim(1), None));
    let outcomes = try_join_all(each).await?;
    equal!(outcomes.iter().filter(|o| **o == Issuance::Issued).count(), 1);
    let counts = store.counts(Within::Everywhere).await?;
    equal!(counts.iter().map(|c| c.good).sum::<u64>(), 1);
    Ok(())
}

/// Names never reach the store, the certificate goes after a while, revocation goes on.
pub async fn names_are_not_kept_where_only_revocation_data_is(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let mut new = sample::certificate(ca, 1);
    new.keep = Keep::RevocationOnly { certificate_until: sample::NOW.plus(60) };
    sample::issue(store, new).await?;
    sample::issue(store, sample::certificate(ca, 2)).await?;
    let found = store.certificate(sample::serial(1)).await?;
    let kept = found.as_ref().map(|c| (&c.summary.names, c.spki_sha256));
    equal!(kept, Some((&Names::default(), None)));
    equal!(found.and_then(|c| c.der), Some(sample::der(1)));

    equal!(store.forget_certificates(sample::NOW.plus(59), 10).await?, 0);
    equal!(store.forget_certificates(sample::NOW.plus(60), 10).await?, 1);
    equal!(store.certificate_der(sample::serial(1)).await?, None);
    equal!(store.certificate_der(sample::serial(2)).await?, Some(sample::der(2)));
    equal!(store.certificate_status(sample::serial(1)).await?.map(|s| s.ca), Some(ca));
    Ok(())
}

/// What a thousand callers are told at once is what is there.
pub async fn a_thousand_enrollments_at_once_all_last(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let each = (0..1000).map(async |n| {
        let new = sample::certificate(ca, n);
        let audit = sample::audit("certificate.issue", &new.serial.to_string());
        store.issue_certificate(new, sample::claim(n), Some(audit)).await
    });
    for outcome in join_all(each).await {
        equal!(outcome?, Issuance::Issued);
    }
    for n in [0, 1, 499, 999] {
        equal!(store.certificate_der(sample::serial(n)).await?, Some(sample::der(n)));
    }
    let counts = store.counts(Within::Everywhere).await?;
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
        store.issue_certificate(sample::certificate(ca, n), Claim::None, None)
    });
    for (n, outcome) in join_all(each).await.into_iter().enumerate() {
        if n == 5 {
            demand!(
                matches!(outcome, Err(StoreError::Conflict(_))),
                "an unknown CA is no conflict: {outcome:?}"
            );
        } else {
            equal!(outcome?, Issuance::Issued);
        }
    }
    let counts = store.counts(Within::Everywhere).await?;
    equal!(counts.iter().map(|c| c.good).sum::<u64>(), 9);
    Ok(())
}
