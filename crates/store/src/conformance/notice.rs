//! Notices to directories, from issuance to their end.

use futures_util::future::try_join_all;
use lanyard_lifecycle::{DirectoryId, Scope};

use super::{Outcome, demand, equal, sample};
use crate::{
    Attempt, Claim, FailedAttempt, Issuance, NewCertificate, NewNotice, Notice, NoticeId,
    NoticeState, Store, StoreError, Within,
};

fn id(seed: u64) -> NoticeId {
    let mut id = [0; 16];
    id.iter_mut().zip(sample::bytes("notice", seed)).for_each(|(to, from)| *to = from);
    NoticeId::from_bytes(id)
}

fn notice(seed: u64) -> NewNotice {
    NewNotice {
        id: id(seed),
        endpoint: sample::ENDPOINT,
        directory: DirectoryId::from_bytes([0xD1; 16]),
        scope: Scope::DEFAULT,
        serial: Some(sample::serial(seed)),
        transaction_id: sample::bytes("transaction", seed).to_vec(),
        payload: vec![0, 1, 0xff],
        created_at: sample::NOW,
        claimed_until: None,
    }
}

async fn stored(store: &Store, seed: u64) -> Result<Notice, StoreError> {
    let found = store.notice(id(seed)).await?;
    found.ok_or_else(|| StoreError::Conflict("a notice is gone".to_owned()))
}

fn failed(attempt: u32, seconds: i64, next: Option<i64>) -> FailedAttempt {
    FailedAttempt {
        attempt: Attempt(attempt),
        at: sample::NOW.plus(seconds),
        error: format!("attempt {attempt} failed"),
        next: next.map(|seconds| sample::NOW.plus(seconds)),
    }
}

/// Where no certificate is recorded there is nothing to tell.
pub async fn a_notice_is_written_with_its_certificate(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    let with = |seed, told| {
        let notice = Some(Box::new(notice(told)));
        NewCertificate { notice, ..sample::certificate(ca, seed) }
    };
    let issued = store.issue_certificate(with(1, 1), sample::claim(1), None).await?;
    equal!(issued, Issuance::Issued);
    let NewNotice { payload, transaction_id, .. } = notice(1);
    let found = stored(store, 1).await?;
    equal!((found.serial.clone(), found.state), (Some(sample::serial(1)), NoticeState::Waiting));
    equal!((found.payload, found.transaction_id), (Some(payload), transaction_id));
    equal!((found.attempt, found.next_attempt), (Attempt(0), sample::NOW));
    let taken = store.issue_certificate(with(1, 2), sample::claim(2), None).await?;
    equal!(taken, Issuance::SerialTaken);
    let again = store.issue_certificate(with(3, 3), sample::claim(1), None).await?;
    demand!(matches!(again, Issuance::TransactionExists(_)), "claimed: {again:?}");
    equal!((store.notice(id(2)).await?, store.notice(id(3)).await?), (None, None));
    let used = store.issue_certificate(with(4, 1), sample::claim(4), None).await;
    demand!(matches!(used, Err(StoreError::Conflict(_))), "a used number: {used:?}");
    equal!(store.certificate_status(sample::serial(4)).await?, None);

    let each = (10..60).map(|n| store.issue_certificate(with(n, n), Claim::None, None));
    try_join_all(each).await?;
    equal!(store.notices(Within::Everywhere, None, None, 99).await?.items.len(), 51);
    Ok(())
}

/// Whoever claims it sees to it, for a while; several claim at once.
pub async fn a_notice_is_claimed_by_one(store: &Store) -> Outcome {
    for seed in 0..20 {
        store.record_notice(notice(seed), None).await?;
    }
    let until = sample::NOW.plus(60);
    let each = (0..8).map(|_| store.claim_notices(sample::NOW, until, 5));
    let mut claimed: Vec<Notice> = try_join_all(each).await?.into_iter().flatten().collect();
    // Whoever came second to a row got fewer than there were; the rest waits for the next claim.
    loop {
        let rest = store.claim_notices(sample::NOW, until, 5).await?;
        if rest.is_empty() {
            break;
        }
        claimed.extend(rest);
    }
    let mut ids: Vec<_> = claimed.iter().map(|notice| notice.id).collect();
    ids.sort();
    ids.dedup();
    equal!((ids.len(), claimed.len()), (20, 20));
    demand!(
        claimed.iter().all(|n| n.attempt == Attempt::FIRST && n.next_attempt == until),
        "a claim begins the first attempt: {claimed:?}"
    );
    equal!(store.claim_notices(until.plus(-1), until, 9).await?, vec![]);
    equal!(store.next_notice().await?, Some(until));
    let late = store.claim_notices(until, until.plus(60), 30).await?;
    equal!(late.len(), 20);
    demand!(late.iter().all(|n| n.attempt == Attempt(2)), "the second attempt: {late:?}");
    Ok(())
}

/// Whoever waits for one takes it, due or not, from whoever has it; one that has ended nobody gets.
pub async fn a_notice_is_claimed_by_whoever_waits_for_it(store: &Store) -> Outcome {
    let own = NewNotice { claimed_until: Some(sample::NOW.plus(30)), ..notice(1) };
    store.record_notice(own, None).await?;
    let until = sample::NOW.plus(60);
    let claimed = store.claim_notice(id(1), until).await?;
    let claimed = claimed.map(|notice| (notice.attempt, notice.next_attempt, notice.payload));
    equal!(claimed, Some((Attempt(2), until, Some(notice(1).payload))));
    equal!(store.claim_notices(until.plus(-1), until.plus(60), 9).await?, vec![]);
    let late = store.fail_notice(id(1), failed(1, 10, None), None).await?;
    demand!(!late, "the first attempt is no longer the last");
    demand!(store.deliver_notice(id(1), sample::NOW.plus(12)).await?, "it is taken");
    equal!(store.claim_notice(id(1), until).await?, None);
    equal!(store.claim_notice(id(2), until).await?, None);
    Ok(())
}

/// Whoever came too late says nothing; a delivery counts whoever made it.
pub async fn a_notice_is_tried_until_it_is_taken_or_given_up(store: &Store) -> Outcome {
    let own = NewNotice { claimed_until: Some(sample::NOW.plus(30)), ..notice(1) };
    store.record_notice(own, None).await?;
    store.record_notice(notice(2), None).await?;
    let claim = async |seconds: i64| {
        let now = sample::NOW.plus(seconds);
        let claimed = store.claim_notices(now, now.plus(30), 9).await?;
        Ok::<_, StoreError>(claimed.into_iter().map(|n| (n.id, n.attempt.0)).collect::<Vec<_>>())
    };
    equal!(claim(0).await?, vec![(id(2), 1)]);
    let audit = Some(sample::audit("notice.fail", "1"));
    demand!(
        store.fail_notice(id(1), failed(1, 10, Some(20)), audit.clone()).await?,
        "its writer made the first attempt"
    );
    let found = stored(store, 1).await?;
    equal!(found.last_error, Some("attempt 1 failed".to_owned()));
    equal!(claim(20).await?, vec![(id(1), 2)]);
    let late = store.fail_notice(id(1), failed(1, 25, None), audit.clone()).await?;
    demand!(!late, "the first attempt is no longer the last");
    demand!(store.deliver_notice(id(1), sample::NOW.plus(26)).await?, "a delivery counts");
    demand!(!store.deliver_notice(id(1), sample::NOW.plus(27)).await?, "and counts once");
    let late = store.fail_notice(id(1), failed(2, 28, Some(40)), audit.clone()).await?;
    demand!(!late, "it was taken");
    let found = stored(store, 1).await?;
    equal!((found.state, found.payload), (NoticeState::Delivered, None));
    equal!((found.ended_at, found.last_error), (Some(sample::NOW.plus(26)), None));

    demand!(store.fail_notice(id(2), failed(1, 29, None), audit).await?, "it is given up");
    let found = stored(store, 2).await?;
    equal!((found.state, found.payload), (NoticeState::GivenUp, None));
    equal!(found.last_error, Some("attempt 1 failed".to_owned()));
    equal!(claim(1000).await?, vec![]);
    equal!(store.next_notice().await?, None);
    equal!(store.audit_entries(Within::Everywhere, None, 9).await?.items.len(), 2);
    Ok(())
}

/// People see their own; what has ended is kept for a while.
pub async fn notices_are_listed_counted_and_forgotten(store: &Store) -> Outcome {
    for seed in 1..=5 {
        let scope = if seed == 5 { sample::other_scope() } else { Scope::DEFAULT };
        let created_at = sample::NOW.plus(i64::try_from(seed).unwrap_or(0));
        store.record_notice(NewNotice { scope, created_at, ..notice(seed) }, None).await?;
    }
    store.deliver_notice(id(1), sample::NOW.plus(10)).await?;
    store.deliver_notice(id(2), sample::NOW.plus(20)).await?;
    let list = async |within, state, limit| -> Result<Vec<NoticeId>, StoreError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = store.notices(within, state, after, limit).await?;
            all.extend(page.items.into_iter().map(|notice| notice.id));
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    };
    let ids = |seeds: &[u64]| seeds.iter().map(|seed| id(*seed)).collect::<Vec<_>>();
    equal!(list(Within::Everywhere, None, 2).await?, ids(&[5, 4, 3, 2, 1]));
    equal!(list(Scope::DEFAULT.into(), Some(NoticeState::Waiting), 1).await?, ids(&[4, 3]));
    equal!(list(sample::other_scope().into(), None, 9).await?, ids(&[5]));
    let counts = store.count_notices().await?;
    let told: Vec<_> = counts.iter().map(|c| (c.state, c.notices, c.oldest)).collect();
    equal!(
        told,
        vec![
            (NoticeState::Waiting, 3, sample::NOW.plus(3)),
            (NoticeState::Delivered, 2, sample::NOW.plus(1)),
        ]
    );
    equal!(store.forget_notices(sample::NOW.plus(20), 9).await?, 1);
    equal!(store.forget_notices(sample::NOW.plus(99), 9).await?, 1);
    equal!(list(Within::Everywhere, None, 9).await?, ids(&[5, 4, 3]));
    Ok(())
}
