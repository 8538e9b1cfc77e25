//! Faults: each as a client sees it, and only where it is to be.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Bench};

#[tokio::test]
async fn each_service_fails_in_its_own_words() {
    let bench = Bench::start().await;
    for (kind, status, code) in [
        ("unauthorized", 401, "InvalidAuthenticationToken"),
        ("forbidden", 403, "Authorization_RequestDenied"),
        ("notFound", 404, "Request_ResourceNotFound"),
        ("throttled", 429, "TooManyRequests"),
        ("serverError", 500, "InternalError"),
    ] {
        bench.faults(json!([{ "kind": kind }])).await;
        let refused = bench.graph("/users").await;
        assert_eq!(refused.refusal(), (status, code.to_owned()));
        let token = bench.ask_token(&[("grant_type", "client_credentials")]).await;
        assert_eq!(token.status.as_u16(), status);
        let field = if kind == "serverError" { "error" } else { "error_codes" };
        assert!(!token.json()[field].is_null(), "{}", token.text);
        let jamf =
            Answer::of(bench.http.get(format!("{}/jamf/contoso/api/v1/x", bench.base()))).await;
        assert_eq!(jamf.status.as_u16(), status);
        if kind != "serverError" {
            assert_eq!(jamf.json()["httpStatus"], status);
        }
        let url = format!("{}/jamf/contoso/JSSResource/users/id/1", bench.base());
        let classic = Answer::of(bench.http.get(url)).await;
        assert_eq!(classic.status.as_u16(), status);
        assert!(classic.text.starts_with("<html>"), "{}", classic.text);
    }
}

#[tokio::test]
async fn a_server_error_hides_json_in_a_string() {
    let bench = Bench::start().await;
    bench.faults(json!([{ "kind": "serverError", "status": 503 }])).await;
    let answer = bench.graph("/users").await;
    assert_eq!(answer.status, 503);
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    let inner: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(inner["_version"], 3);
    assert!(message.starts_with("{\r\n"));
}

#[tokio::test]
async fn retry_after_is_given_only_where_the_rule_says_so() {
    let bench = Bench::start().await;
    bench.faults(json!([{ "kind": "throttled", "retryAfter": 2.5 }])).await;
    assert_eq!(bench.graph("/users").await.header("retry-after"), Some("2.5"));
    bench.faults(json!([{ "kind": "throttled" }])).await;
    assert_eq!(bench.graph("/users").await.header("retry-after"), None);
}

#[tokio::test]
async fn a_page_of_html_comes_where_json_is_due() {
    let bench = Bench::start().await;
    bench.faults(json!([{ "kind": "html" }])).await;
    let answer = bench.graph("/users").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.starts_with("<!DOCTYPE html>"));
    assert!(answer.header("content-type").unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn connections_are_reset_and_answers_cut_in_half() {
    let bench = Bench::start().await;
    let url = format!("{}/graph/v1.0/users", bench.base());
    for kind in ["reset", "outage"] {
        bench.faults(json!([{ "kind": kind, "service": "graph" }])).await;
        let error = bench.http.get(&url).bearer_auth(&bench.bearer).send().await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
    }
    bench.faults(json!([{ "kind": "truncated", "service": "graph" }])).await;
    let response = bench.http.get(&url).bearer_auth(&bench.bearer).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap_err().is_decode());
}

#[tokio::test]
async fn a_service_that_never_answers_holds_up_nobody_else() {
    let bench = Bench::start().await;
    bench.faults(json!([{ "kind": "hang", "path": "/v1.0/users" }])).await;
    let mut hanging = Box::pin(bench.graph("/users"));
    tokio::select! {
        _ = &mut hanging => panic!("it answers"),
        devices = bench.graph("/devices") => drop(devices.good()),
    }
}

#[tokio::test]
async fn latency_delays_and_then_answers() {
    let bench = Bench::start().await;
    bench.faults(json!([{ "kind": "latency", "milliseconds": 40 }])).await;
    let before = std::time::Instant::now();
    bench.graph("/users").await.good();
    assert!(before.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn rules_pick_by_service_method_path_and_number() {
    let bench = Bench::start().await;
    let rule = json!([{ "kind": "notFound", "service": "graph", "method": "GET",
        "path": "*/users*", "skip": 1, "times": 2 }]);
    bench.faults(rule).await;
    bench.graph("/devices").await.good();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(bench.graph("/users").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 404, 404, 200, 200]);
    let shown = bench.control(Method::GET, "faults", Value::Null).await.good();
    assert_eq!(shown["picked"], json!([5]));
    assert_eq!(shown["faults"][0]["kind"], "notFound");
    assert_eq!(bench.control(Method::DELETE, "faults", Value::Null).await.status, 204);
    bench.graph("/users").await.good();
}

#[tokio::test]
async fn a_replica_that_lags_shows_what_was() {
    let bench = Bench::start().await;
    let (id, _) = bench.user(0);
    let (gone, _) = bench.user(1);
    let disabled = json!({ "accountEnabled": false });
    bench.control(Method::PATCH, &format!("users/{id}"), disabled).await.good();
    bench.control(Method::DELETE, &format!("users/{gone}"), Value::Null).await;
    let made = bench.control(Method::POST, "users", json!({})).await.good();
    let made = format!("/users/{}", made["id"].as_str().unwrap());
    bench.faults(json!([{ "kind": "stale", "seconds": 30 }])).await;
    let path = format!("/users/{id}?$select=accountEnabled");
    assert_eq!(bench.graph(&path).await.good()["accountEnabled"], true);
    bench.graph(&format!("/users/{gone}")).await.good();
    assert_eq!(bench.graph(&made).await.refusal().0, 404);
    bench.world().advance(Duration::from_secs(30));
    assert_eq!(bench.graph(&path).await.good()["accountEnabled"], false);
    assert_eq!(bench.graph(&format!("/users/{gone}")).await.refusal().0, 404);
    bench.graph(&made).await.good();
}

#[tokio::test]
async fn new_objects_come_and_go_and_old_ones_stay() {
    let bench = Bench::start().await;
    let made = bench.control(Method::POST, "devices", json!({})).await.good();
    let new = format!("/devices(deviceId='{}')", made["deviceId"].as_str().unwrap());
    let old = format!("/devices/{}", bench.device(0).0);
    bench.faults(json!([{ "kind": "flicker", "seconds": 60, "service": "graph" }])).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(bench.graph(&new).await.status.as_u16());
    }
    assert_eq!(statuses, [404, 200, 404, 200]);
    for _ in 0..4 {
        bench.graph(&old).await.good();
    }
    bench.world().advance(Duration::from_mins(1));
    for _ in 0..4 {
        bench.graph(&new).await.good();
    }
}

#[tokio::test]
async fn the_control_interface_never_fails_on_purpose() {
    let bench = Bench::start().await;
    bench.faults(json!([{ "kind": "outage" }])).await;
    bench.control(Method::GET, "tenants", Value::Null).await.good();
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_and_change_nothing() {
    let bench = Bench::start().await;
    bench.faults(json!([{ "kind": "html" }])).await;
    for rules in [
        json!({ "faults": [{ "kind": "explode" }] }),
        json!({ "faults": [{ "kind": "reset", "tims": 2 }] }),
        json!({ "faults": [{ "kind": "reset", "probability": 2 }] }),
        json!({ "rules": [] }),
        json!({}),
    ] {
        let refused = bench.control(Method::PUT, "faults", rules).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.json()["error"].is_string());
    }
    assert!(bench.graph("/users").await.text.starts_with("<!DOCTYPE html>"));
}
