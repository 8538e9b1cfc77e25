//! What a directory asks to be revoked.

use lanyard_lifecycle::{DirectoryId, verdict::Lasting};

use super::{
    Outcome, equal,
    rule::{change, revoke},
    sample,
};
use crate::{Fence, HeldLease, NewQueueRequest, QueueAnswer, RuleBatch, Ruled, Store, StoreError};

const HERE: DirectoryId = DirectoryId::from_bytes([0xD1; 16]);
const ELSEWHERE: DirectoryId = DirectoryId::from_bytes([0xD2; 16]);

fn request(directory: DirectoryId, context: &str, seconds: i64) -> NewQueueRequest {
    let serial = format!("0x{context}");
    let taken_at = sample::NOW.plus(seconds);
    NewQueueRequest { directory, context: context.to_owned(), serial, taken_at }
}

fn answer(context: &str, outcome: &str) -> QueueAnswer {
    let (context, outcome) = (context.to_owned(), outcome.to_owned());
    QueueAnswer { directory: HERE, context, outcome }
}

/// What is known of each request: its context and outcome.
async fn known(
    store: &Store,
    directory: DirectoryId,
) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let requests = store.queue_requests(directory, 9).await?;
    Ok(requests.into_iter().map(|one| (one.request.context, one.outcome)).collect())
}

/// The answer is recorded with the revocation, so that whoever comes after a crash gives it.
pub async fn a_request_is_kept_until_its_outcome_is_told(store: &Store) -> Outcome {
    let ca = sample::with_ca(store).await?;
    sample::issue(store, sample::certificate(ca, 1)).await?;
    let requests = vec![request(HERE, "b", 1), request(HERE, "a", 2), request(ELSEWHERE, "a", 3)];
    store.take_queue_requests(requests).await?;
    let first = store.queue_requests(HERE, 1).await?;
    equal!(first.first().map(|one| one.request.clone()), Some(request(HERE, "b", 1)));

    let lost = HeldLease { name: "queue".to_owned(), fence: Fence(9) };
    let batch = |lease| RuleBatch {
        changes: vec![change(1, Some(revoke(Lasting::Permanent, sample::NOW)))],
        answers: vec![answer("a", "revoked"), answer("unknown", "revoked")],
        lease,
        ..RuleBatch::new(sample::NOW)
    };
    equal!(store.record_rules(batch(Some(lost))).await?, Ruled::LeaseLost);
    let open =
        |context: &str, outcome: Option<&str>| (context.to_owned(), outcome.map(str::to_owned));
    equal!(known(store, HERE).await?, vec![open("b", None), open("a", None)]);
    store.record_rules(batch(None)).await?;
    store.answer_queue_requests(vec![answer("b", "not ours")]).await?;
    // Handed out again meanwhile.
    store.take_queue_requests(vec![request(HERE, "a", 50)]).await?;
    let answered = vec![open("b", Some("not ours")), open("a", Some("revoked"))];
    equal!(known(store, HERE).await?, answered);
    equal!(known(store, ELSEWHERE).await?, vec![open("a", None)]);

    store.forget_queue_requests(HERE, vec!["a".to_owned(), "unknown".to_owned()]).await?;
    equal!(known(store, HERE).await?, vec![open("b", Some("not ours"))]);
    equal!(known(store, ELSEWHERE).await?, vec![open("a", None)]);
    Ok(())
}
