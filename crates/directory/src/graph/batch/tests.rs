use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::canned::{Canned, Reply};
use crate::entra::tests::tenant;

/// Asks three questions of a Graph that answers a batch with these responses, call after call.
async fn ask(rounds: Vec<Value>) -> (Vec<Result<StatusCode, Why>>, Arc<Canned>) {
    let at = AtomicUsize::new(0);
    let (tenant, wire) = tenant(move |_| {
        let at = at.fetch_add(1, Ordering::SeqCst);
        Reply::json(200, &json!({ "responses": rounds[at.min(rounds.len() - 1)] }))
    });
    let graph = tenant.graph("Microsoft Graph");
    let question = |n: u32| Question {
        url: graph.query(&["users", &n.to_string()], &[("$select", "id")]),
        permission: "Directory.Read.All",
    };
    let answers = graph.get_all("look up a user", &[1, 2, 3].map(question)).await;
    let answers = answers
        .into_iter()
        .map(|answer| answer.map(|answer| answer.status).map_err(|ignorance| ignorance.why));
    (answers.collect(), wire)
}

fn fine(id: &str) -> Value {
    json!({ "id": id, "status": 200, "headers": {}, "body": { "id": "x" } })
}

/// The addresses that each request asked for.
fn asked(wire: &Canned) -> Vec<Vec<String>> {
    let batches = wire.asked().into_iter().filter(|one| one.uri().path().ends_with("$batch"));
    batches
        .map(|request| {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            let requests = body["requests"].as_array().unwrap().clone();
            requests.iter().map(|one| one["url"].as_str().unwrap().to_owned()).collect()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn addresses_are_below_the_version() {
    let (answers, wire) = ask(vec![json!([fine("0"), fine("1"), fine("2")])]).await;
    assert_eq!(answers, [Ok(StatusCode::OK); 3]);
    assert_eq!(asked(&wire), [[1, 2, 3].map(|n| format!("/users/{n}?$select=id"))]);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_not_answered_is_asked_again_and_not_before_it_may_be() {
    let throttled = json!({ "id": "1", "status": 429, "headers": { "Retry-After": "4" },
        "body": { "error": { "code": "TooManyRequests" } } });
    let failing = json!({ "id": "2", "status": 503, "body": { "error": { "code": "Busy" } } });
    let begun = Instant::now();
    let rounds = vec![json!([failing, throttled, fine("0")]), json!([fine("1"), fine("2")])];
    let (answers, wire) = ask(rounds).await;
    assert_eq!(answers, [Ok(StatusCode::OK); 3]);
    let again = [2, 3].map(|n| format!("/users/{n}?$select=id"));
    assert_eq!(asked(&wire)[1], again);
    assert_eq!(begun.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_by_a_number_is_kept() {
    let throttled =
        json!({ "id": "1", "status": 429, "headers": { "Retry-After": 4 }, "body": {} });
    let begun = Instant::now();
    let rounds = vec![json!([fine("0"), throttled, fine("2")]), json!([fine("1")])];
    let (answers, _) = ask(rounds).await;
    assert_eq!(answers, [Ok(StatusCode::OK); 3]);
    assert_eq!(begun.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_question_without_exactly_one_answer_is_not_answered() {
    let absent = json!({ "id": "1", "status": 404,
        "body": { "error": { "code": "Request_ResourceNotFound" } } });
    // One has two answers, one none; an answer to what nobody asked is left out.
    let (answers, _) = ask(vec![json!([fine("0"), fine("1"), absent, fine("17")])]).await;
    assert_eq!(answers, [Ok(StatusCode::OK), Err(Why::Unreadable), Err(Why::Unreadable)]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_an_answer_is_none() {
    let nonsense = json!({ "id": "0", "status": 7, "body": {} });
    let header = json!({ "id": "1", "status": 200, "headers": { "a b": "c" }, "body": {} });
    let redirect = json!({ "id": "2", "status": 302, "body": {} });
    let (answers, _) = ask(vec![json!([nonsense, header, redirect])]).await;
    assert_eq!(answers, [Err(Why::Unreadable); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_lasts_is_told_for_each() {
    let lasting = |id: &str, status: u16| json!({ "id": id, "status": status, "body": {} });
    let rounds = vec![json!([lasting("0", 401), lasting("1", 403), lasting("2", 500)])];
    let (answers, wire) = ask(rounds).await;
    let permission = Some("Directory.Read.All");
    assert_eq!(
        answers,
        [
            Err(Why::Unauthorized),
            Err(Why::Forbidden { permission }),
            Err(Why::Failing { status: 500 })
        ]
    );
    let counts: Vec<usize> = asked(&wire).iter().map(Vec::len).collect();
    assert_eq!(counts, [3, 1, 1, 1]);
}
