//! Limits: how much may be asked for, and what is answered beyond that.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Bench};

#[tokio::test]
async fn risky_users_are_answered_once_a_second_without_saying_when_to_come_again() {
    let bench = Bench::of_devices(200).await;
    let risky = bench.graph("/identityProtection/riskyUsers").await.good();
    let user = &risky["value"][0];
    for field in ["riskLevel", "riskState", "riskDetail", "riskLastUpdatedDateTime"] {
        assert!(user[field].is_string(), "{user}");
    }
    let refused = bench.graph("/identityProtection/riskyUsers").await;
    assert_eq!(refused.refusal(), (429, "TooManyRequests".to_owned()));
    assert_eq!(refused.header("retry-after"), None);
    bench.world().advance(Duration::from_secs(1));
    let id = user["id"].as_str().unwrap();
    let one = bench.graph(&format!("/identityProtection/riskyUsers/{id}")).await.good();
    assert_eq!(one["riskLevel"], user["riskLevel"]);
}

#[tokio::test]
async fn the_directory_counts_resource_units_and_says_when_to_come_again() {
    let bench = Bench::start().await;
    let (id, _) = bench.user(0);
    let path = format!("/users/{id}?$select=id");
    let first = bench.graph(&path).await;
    assert_eq!(first.header("x-ms-resource-unit"), Some("1"));
    assert_eq!(bench.graph("/users").await.header("x-ms-resource-unit"), Some("2"));
    assert_eq!(first.header("x-ms-throttle-limit-percentage"), None);
    let batch: Vec<Value> =
        (0..20).map(|n| json!({ "id": n.to_string(), "method": "GET", "url": path })).collect();
    let batch = json!({ "requests": batch });
    // 3 of the 3,500 units of a small tenant are used; 139 batches of 20 leave 717.
    for _ in 0..139 {
        bench.call(Method::POST, "/$batch", batch.clone()).await.good();
    }
    bench.world().advance(Duration::from_secs(4));
    for _ in 0..35 {
        bench.call(Method::POST, "/$batch", batch.clone()).await.good();
    }
    let near = bench.graph(&path).await;
    assert_eq!(near.header("x-ms-throttle-limit-percentage"), Some("1.00"));
    for _ in 0..16 {
        bench.graph(&path).await.good();
    }
    let refused = bench.graph(&path).await;
    assert_eq!(refused.refusal(), (429, "TooManyRequests".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("6"));
    bench.world().advance(Duration::from_secs(6));
    bench.graph(&path).await.good();
}

#[tokio::test]
async fn limits_can_be_lifted() {
    let bench = Bench::start().await;
    let lifted = bench.control(Method::PUT, "limits", json!({ "lifted": true })).await;
    assert_eq!(lifted.status, 204);
    for _ in 0..3 {
        let answer: Answer = bench.graph("/identityProtection/riskyUsers").await;
        answer.good();
    }
}
