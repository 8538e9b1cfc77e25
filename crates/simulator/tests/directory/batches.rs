//! Batches: up to twenty requests in one.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Bench;

fn by_id(body: &Value) -> BTreeMap<&str, &Value> {
    let all = body["responses"].as_array().unwrap().iter();
    all.map(|response| (response["id"].as_str().unwrap(), response)).collect()
}

#[tokio::test]
async fn each_request_of_a_batch_has_its_own_answer_in_no_order() {
    let bench = Bench::start().await;
    let (id, _) = bench.user(0);
    let (_, device_id) = bench.device(0);
    let requests = json!({ "requests": [
        { "id": "1", "method": "GET", "url": format!("/users/{id}?$select=id,accountEnabled") },
        { "id": "2", "method": "GET", "url": format!("/devices(deviceId='{device_id}')?$select=deviceId") },
        { "id": "3", "method": "GET", "url": format!("/users/{}", uuid::Uuid::from_u128(1)) },
    ]});
    let body = bench.call(Method::POST, "/$batch", requests).await.good();
    assert_ne!(body["responses"][0]["id"], "1", "clients may not rely on an order");
    let responses = by_id(&body);
    assert_eq!(
        (&responses["1"]["status"], &responses["1"]["body"]["id"]),
        (&json!(200), &json!(id))
    );
    assert_eq!(responses["2"]["body"]["deviceId"], json!(device_id));
    assert_eq!(responses["3"]["status"], 404);
    assert_eq!(responses["3"]["body"]["error"]["code"], "Request_ResourceNotFound");
    assert!(responses["1"]["headers"]["request-id"].is_string());
}

#[tokio::test]
async fn what_depends_on_a_failure_fails() {
    let bench = Bench::start().await;
    let nobody = uuid::Uuid::from_u128(1);
    let requests = json!({ "requests": [
        { "id": "a", "method": "GET", "url": format!("/users/{nobody}") },
        { "id": "b", "method": "GET", "url": "/users", "dependsOn": ["a"] },
        { "id": "c", "method": "GET", "url": "/users" },
    ]});
    let body = bench.call(Method::POST, "/$batch", requests).await.good();
    let statuses: Vec<_> = by_id(&body).values().map(|answer| answer["status"].clone()).collect();
    assert_eq!(statuses, [json!(404), json!(424), json!(200)]);
}

#[tokio::test]
async fn one_request_of_a_batch_can_be_throttled_alone() {
    let bench = Bench::start().await;
    let (id, _) = bench.user(0);
    let fault = json!([{ "kind": "throttled", "service": "graph", "path": format!("/v1.0/users/{id}"), "retryAfter": 1.5 }]);
    bench.faults(fault).await;
    let requests = json!({ "requests": [
        { "id": "1", "method": "GET", "url": format!("/users/{id}?$select=id") },
        { "id": "2", "method": "GET", "url": "/users" },
    ]});
    let body = bench.call(Method::POST, "/$batch", requests).await.good();
    let responses = by_id(&body);
    assert_eq!(responses["1"]["status"], 429);
    assert_eq!(responses["1"]["headers"]["retry-after"], "1.5");
    assert_eq!(responses["2"]["status"], 200);
}

#[tokio::test]
async fn more_than_twenty_and_nonsense_are_refused() {
    let bench = Bench::start().await;
    let item = |id: usize| json!({ "id": id.to_string(), "method": "GET", "url": "/users" });
    let many: Vec<Value> = (0..21).map(item).collect();
    for requests in [
        json!(many),
        json!([item(1), item(1)]),
        json!([{ "id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"] }]),
        json!("nonsense"),
    ] {
        let body = json!({ "requests": requests });
        assert_eq!(bench.call(Method::POST, "/$batch", body).await.refusal().0, 400);
    }
}
