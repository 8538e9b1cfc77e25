//! The queue of revocations: downloads with their oddities, uploads, and the cool-down.

use crate::support::{Answer, Bench};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

async fn download(bench: &Bench, most: u32, issuer: Value) -> Vec<Value> {
    let body = json!({ "downloadParameters": { "maxRequests": most, "issuerName": issuer } });
    let answer = bench.connector("downloadRevocationRequests", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let body = answer.json();
    let context = body["@odata.context"].as_str().unwrap();
    assert!(
        context.ends_with("#Collection(microsoft.management.services.api.caRevocationRequest)")
    );
    body["value"].as_array().unwrap().clone()
}

async fn upload(bench: &Bench, context: &Value, succeeded: bool, code: &str) -> Answer {
    let message = if succeeded { Value::Null } else { "it did not work".into() };
    let body = json!({ "results": [{
        "requestContext": context, "succeeded": succeeded, "errorCode": code, "errorMessage": message,
    }]});
    bench.connector("uploadRevocationResults", body).await
}

async fn ask(bench: &Bench, serial: &str, configuration: Value) {
    let body = json!({ "serialNumber": serial, "caConfiguration": configuration });
    bench.post("revocations", body).await;
}

fn serials(handed: &[Value]) -> Vec<&str> {
    handed.iter().map(|item| item["serialNumber"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_request_has_the_serial_number_as_it_was_notified_and_no_issuer() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    bench.issue(device, None, "5a4dbd24970cfb424c69099d27643287").await;
    assert!(download(&bench, 500, Value::Null).await.is_empty());
    bench.post(&format!("managedDevices/{device}/unenroll"), Value::Null).await;
    let handed = download(&bench, 500, Value::Null).await;
    assert_eq!(serials(&handed), ["5a4dbd24970cfb424c69099d27643287"]);
    assert_eq!(handed[0]["issuerName"], Value::Null);
    assert_eq!(handed[0]["caConfiguration"], "lanyard");
    assert!(handed[0]["requestContext"].as_str().unwrap().len() > 20);
}

#[tokio::test]
async fn what_is_not_answered_comes_back_after_the_cool_down() {
    let mut bench = Bench::start().await;
    ask(&bench, "01", Value::Null).await;
    ask(&bench, "02", Value::Null).await;
    let handed = download(&bench, 500, Value::Null).await;
    assert_eq!(serials(&handed), ["01", "02"]);
    assert!(download(&bench, 500, Value::Null).await.is_empty());
    let answer = upload(&bench, &handed[0]["requestContext"], true, "None").await;
    assert_eq!(answer.json()["value"], true);
    bench.pass(Duration::from_mins(59)).await;
    assert!(download(&bench, 500, Value::Null).await.is_empty());
    bench.pass(Duration::from_mins(1)).await;
    let again = download(&bench, 500, Value::Null).await;
    assert_eq!(serials(&again), ["02"]);
    assert_eq!(again[0]["requestContext"], handed[1]["requestContext"]);
}

#[tokio::test]
async fn a_retryable_error_brings_the_request_back_and_a_final_one_does_not() {
    let mut bench = Bench::start().await;
    let codes = [
        ("NonRetryableServiceException", false),
        ("4001", false),
        ("4002", false),
        ("CryptographyError", false),
        ("4004", false),
        ("ConflictError", false),
        ("4006", false),
        ("PayloadTooLargeError", false),
        ("RetryableServiceException", true),
        ("4101", true),
        ("ServiceTooBusyException", true),
        ("4103", true),
        ("0", false),
    ];
    for (code, _) in codes {
        ask(&bench, code, Value::Null).await;
    }
    for item in download(&bench, 500, Value::Null).await {
        let code = item["serialNumber"].as_str().unwrap();
        let answer = upload(&bench, &item["requestContext"], code == "0", code).await;
        assert_eq!(answer.json()["value"], true, "{code}: {}", answer.text);
    }
    bench.pass(Duration::from_hours(1)).await;
    let expected: Vec<_> =
        codes.iter().filter(|(_, again)| *again).map(|(code, _)| *code).collect();
    assert_eq!(serials(&download(&bench, 500, Value::Null).await), expected);
    let books = bench.look("revocations").await;
    let standing = |at: usize| books["value"][at]["standing"].as_str().unwrap();
    assert_eq!((standing(0), standing(8), standing(12)), ("failed", "handedOut", "revoked"));
    assert_eq!(books["value"][3]["error"], "CryptographyError");
}

#[tokio::test]
async fn the_filter_is_the_configuration_and_comes_after_the_cut() {
    let bench = Bench::start().await;
    for serial in ["01", "02", "03"] {
        ask(&bench, serial, "another".into()).await;
    }
    ask(&bench, "04", "lanyard".into()).await;
    assert!(download(&bench, 500, "CN=Lanyard Issuing".into()).await.is_empty());
    let cut = download(&bench, 3, "lanyard".into()).await;
    assert!(cut.is_empty(), "there is one, but it is behind the first three");
    let handed = download(&bench, 4, "lanyard".into()).await;
    assert_eq!(serials(&handed), ["04"]);
    assert_eq!(serials(&download(&bench, 500, Value::Null).await), ["01", "02", "03"]);
}

#[tokio::test]
async fn one_to_five_hundred_can_be_asked_for_and_come_until_there_are_none() {
    let bench = Bench::start().await;
    for n in 0..7 {
        ask(&bench, &format!("{n}"), Value::Null).await;
    }
    let mut seen = Vec::new();
    loop {
        let handed = download(&bench, 3, Value::Null).await;
        if handed.is_empty() {
            break;
        }
        seen.extend(serials(&handed).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6"]);
    for most in [0, 501] {
        let body = json!({ "downloadParameters": { "maxRequests": most, "issuerName": null } });
        let answer = bench.connector("downloadRevocationRequests", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn an_upload_answers_true_also_as_text_or_else_it_failed() {
    let bench = Bench::start().await;
    let unknown = upload(&bench, &"nobody's".into(), true, "None").await;
    assert_eq!((unknown.status, &unknown.json()["value"]), (StatusCode::OK, &Value::from(false)));

    ask(&bench, "01", Value::Null).await;
    let handed = download(&bench, 500, Value::Null).await;
    let context = &handed[0]["requestContext"];
    bench.put("intune/oddities", json!({ "uploadAnswer": "refusal" })).await;
    assert_eq!(upload(&bench, context, true, "None").await.json()["value"], false);
    assert_eq!(bench.look("revocations").await["value"][0]["standing"], "handedOut");
    bench.put("intune/oddities", json!({ "uploadAnswer": "text" })).await;
    assert_eq!(upload(&bench, context, true, "0").await.json()["value"], "true");
    assert_eq!(bench.look("revocations").await["value"][0]["standing"], "revoked");
}

#[tokio::test]
async fn results_that_contradict_themselves_are_refused_whole() {
    let bench = Bench::start().await;
    ask(&bench, "01", Value::Null).await;
    let handed = download(&bench, 500, Value::Null).await;
    let context = &handed[0]["requestContext"];
    for (succeeded, code) in [(true, "4004"), (false, "None"), (false, "0"), (false, "Weather")] {
        let answer = upload(&bench, context, succeeded, code).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{succeeded} {code}");
    }
    assert_eq!(bench.look("revocations").await["value"][0]["standing"], "handedOut");
}
