use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::canned::{self, Canned, Reply, line};
use crate::graph::Graph;
use crate::http::Limits;

fn queue(
    settings: QueueSettings,
    answer: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static,
) -> (Arc<Canned>, RevocationQueue) {
    let wire = Canned::new(move |request| {
        if request.uri().host() == Some("graph.example.org") {
            let place = "https://fef.example.org/StatelessPkiConnectorService";
            let name = "PkiConnectorFEService";
            return Reply::json(200, &json!({"value": [{"providerName": name, "uri": place}]}));
        }
        assert_eq!(request.headers()["api-version"], "5019-05-05");
        let asked = line(request);
        let verb = asked
            .strip_prefix("POST /StatelessPkiConnectorService/CertificateAuthorityRequests/")
            .unwrap();
        answer(verb, &serde_json::from_slice(request.body()).unwrap())
    });
    let graph = Graph::new(
        wire.service("Microsoft Graph", Limits::default()),
        canned::tokens(),
        "https://graph.example.org/".parse().unwrap(),
    );
    let queue = RevocationQueue::new(
        Arc::new(Discovery::new(graph)),
        wire.service("Intune revocation requests", Limits::default()),
        canned::tokens(),
        settings,
    );
    (wire, queue)
}

fn page(contexts: &[&str]) -> Reply {
    let requests: Vec<Value> = contexts
        .iter()
        .map(|context| {
            json!({"requestContext": context, "serialNumber": "5A", "issuerName": null,
                   "caConfiguration": null})
        })
        .collect();
    Reply::json(200, &json!({"value": requests}))
}

fn taken() -> Reply {
    Reply::json(200, &json!({"value": true}))
}

async fn revoke_all(requests: Vec<RevocationRequest>) -> Vec<RevocationResult> {
    let revoked = |request: RevocationRequest| RevocationResult {
        context: request.context,
        outcome: Outcome::Revoked,
    };
    requests.into_iter().map(revoked).collect()
}

fn verbs(wire: &Canned) -> Vec<String> {
    let last = |line: String| line.rsplit_once('/').unwrap().1.to_owned();
    wire.lines().into_iter().skip(1).map(last).collect()
}

#[tokio::test]
async fn the_queue_is_read_until_it_is_empty_and_each_page_answered_first() {
    let pages = Mutex::new(VecDeque::from([vec!["a", "b"], vec!["c"]]));
    let (wire, queue) = queue(QueueSettings::default(), move |verb, body| {
        if verb == "uploadRevocationResults" {
            return taken();
        }
        assert_eq!(body["downloadParameters"], json!({"maxRequests": 100, "issuerName": null}));
        page(&pages.lock().unwrap().pop_front().unwrap_or_default())
    });
    let drained = queue.drain(revoke_all).await.unwrap();
    assert_eq!(drained, Drained { requests: 3, results: 3, end: QueueEnd::Empty });
    let (down, up) = ("downloadRevocationRequests", "uploadRevocationResults");
    assert_eq!(verbs(&wire), [down, up, down, up, down]);
}

#[tokio::test]
async fn requests_of_other_authorities_stay_and_do_not_loop() {
    let (wire, queue) = queue(QueueSettings::default(), |_, _| page(&["theirs"]));
    let mut given = 0;
    let drained = queue
        .drain(|requests| {
            given += requests.len();
            async { Vec::new() }
        })
        .await
        .unwrap();
    assert_eq!(drained, Drained { requests: 1, results: 0, end: QueueEnd::Blocked });
    assert_eq!(given, 1);
    assert!(!verbs(&wire).contains(&"uploadRevocationResults".to_owned()));
}

#[tokio::test]
async fn results_are_uploaded_in_pages_with_the_spelling_that_is_set() {
    let settings = QueueSettings { page: 2, error_codes: ErrorCodeSpelling::Number };
    let (wire, queue) = queue(settings, |_, _| Reply::json(200, &json!({"value": "true"})));
    let results: Vec<RevocationResult> = ["a", "b", "c"]
        .map(|context| RevocationResult {
            context: RequestContext::new(context),
            outcome: Outcome::Failed {
                code: FailureCode::CertificateNotFound,
                message: "no such certificate".into(),
            },
        })
        .into();
    queue.upload(&results).await.unwrap();
    let bodies: Vec<Value> = wire.asked()[1..]
        .iter()
        .map(|request| serde_json::from_slice(request.body()).unwrap())
        .collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["results"].as_array().unwrap().len(), 2);
    assert_eq!(bodies[1]["results"][0]["errorCode"], "4004");
    queue.upload(&[]).await.unwrap();
    assert_eq!(wire.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn results_that_are_not_taken_end_the_round() {
    for answer in [
        (|| Reply::json(200, &json!({"value": false}))) as fn() -> Reply,
        || Reply::json(200, &json!({"value": "false"})),
        || Reply::json(200, &json!({})),
        || Reply::html(200),
        || Reply::json(500, &json!({})),
        || Reply::html(404),
        || Reply::Reset,
        || Reply::Silence,
    ] {
        let (wire, queue) = queue(QueueSettings::default(), move |verb, _| match verb {
            "downloadRevocationRequests" => page(&["a"]),
            _ => answer(),
        });
        queue.drain(revoke_all).await.unwrap_err();
        let downloads = verbs(&wire).iter().filter(|verb| verb.starts_with("download")).count();
        assert_eq!(downloads, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_cannot_be_read_is_not_an_empty_queue() {
    for answer in [
        (|| Reply::json(200, &json!({}))) as fn() -> Reply,
        || Reply::json(200, &json!({"value": null})),
        || Reply::json(200, &json!({"value": [{"serialNumber": "5A"}]})),
        || Reply::html(200),
        || Reply::json(401, &json!({})),
        || Reply::Refused,
    ] {
        let (_, queue) = queue(QueueSettings::default(), move |_, _| answer());
        queue.drain(revoke_all).await.unwrap_err();
    }
}

#[test]
fn a_page_is_never_larger_than_the_service_takes() {
    for (set, used) in [(0, 1), (1, 1), (500, 500), (501, 500)] {
        let settings = QueueSettings { page: set, ..QueueSettings::default() };
        assert_eq!(queue(settings, |_, _| taken()).1.settings.page, used);
    }
}
