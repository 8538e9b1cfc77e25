//! The audit trail.

use futures_util::future::{try_join_all, try_join3};
use lanyard_lifecycle::Scope;

use super::{Outcome, demand, equal, sample};
use crate::{AuditOutcome, AuditVerdict, Claim, Store, Within};

/// Every act's entry, in the order of the commits, each following from the one before.
pub async fn the_audit_trail_is_chained_with_the_acts(store: &Store) -> Outcome {
    equal!(store.verify_audit().await?, AuditVerdict::Intact { entries: 0, head: [0; 32] });
    let ca = store
        .add_ca(sample::ca(crate::CaState::Current, 1), Some(sample::audit("ca.create", "CA 1")))
        .await?;
    let new = sample::certificate(ca, 1);
    let serial = new.serial.to_string();
    let entry = sample::audit("certificate.issue", &serial);
    store.issue_certificate(new, Claim::None, Some(entry)).await?;
    let mut refused = sample::audit("sign-in", "console");
    refused.outcome = AuditOutcome::Refused;
    refused.detail = None;
    refused.scope = sample::other_scope();
    store.audit(refused.clone()).await?;

    let page = store.audit_entries(Within::Everywhere, None, 10).await?;
    let told: Vec<_> = page.items.iter().map(|r| (r.number, r.entry.action.as_str())).collect();
    let expected = vec![(3, "sign-in"), (2, "certificate.issue"), (1, "ca.create")];
    equal!(told, expected);
    equal!(page.items[0].entry, refused);
    equal!(page.items[1].entry, sample::audit("certificate.issue", &serial));
    let head = page.items[0].hash;
    equal!(store.verify_audit().await?, AuditVerdict::Intact { entries: 3, head });
    Ok(())
}

/// What did not happen is not remembered as done.
pub async fn a_refused_act_leaves_no_audit_entry(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    for (serial, transaction) in [(1, 1), (2, 1), (1, 2)] {
        let entry = Some(sample::audit("certificate.issue", "1"));
        let new = sample::certificate(ca, serial);
        store.issue_certificate(new, sample::claim(transaction), entry).await?;
    }
    let verdict = store.verify_audit().await?;
    demand!(matches!(verdict, AuditVerdict::Intact { entries: 1, .. }), "{verdict:?}");
    Ok(())
}

/// Writers wait for each other at the head.
pub async fn audit_entries_at_once_are_all_chained(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let entries = (0..100).map(|n| store.audit(sample::audit("sign-in", &n.to_string())));
    let issues = (0..100).map(async |n| {
        let entry = Some(sample::audit("certificate.issue", "x"));
        let new = sample::certificate(ca, n);
        store.issue_certificate(new, sample::claim(n), entry).await.map(|_| ())
    });
    let settings = (0..20).map(async |n| {
        let setting = crate::StoredSetting {
            value: n.to_string(),
            updated_at: sample::NOW,
            updated_by: "ada".to_owned(),
        };
        let organization = Scope::DEFAULT.organization;
        let entry = Some(sample::audit("setting", "a"));
        store.set_setting(organization, "a", setting, entry).await
    });
    try_join3(try_join_all(entries), try_join_all(issues), try_join_all(settings)).await?;
    let verdict = store.verify_audit().await?;
    demand!(matches!(verdict, AuditVerdict::Intact { entries: 220, .. }), "{verdict:?}");
    Ok(())
}

/// Newest first, within a scope.
pub async fn audit_entries_are_listed_by_owner_and_page(store: &Store) -> Outcome {
    for n in 1..=6 {
        let mut entry = sample::audit("sign-in", &n.to_string());
        if n % 2 == 0 {
            entry.scope = sample::other_scope();
        }
        store.audit(entry).await?;
    }
    let mine = Within::from(sample::other_scope());
    let first = store.audit_entries(mine, None, 2).await?;
    let second = store.audit_entries(mine, first.next, 2).await?;
    let numbers: Vec<i64> =
        first.items.iter().chain(&second.items).map(|record| record.number).collect();
    equal!(numbers, vec![6, 4, 2]);
    equal!(second.next, None);
    let organization = Within::Organization(sample::other_scope().organization);
    equal!(store.audit_entries(organization, None, 9).await?.items.len(), 3);
    Ok(())
}
