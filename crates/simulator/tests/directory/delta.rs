//! Delta queries: everything first, then what changed, until a position is too old.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Bench};

/// Follows links to the end of a round.
async fn round(bench: &Bench, start: &str) -> (Vec<Value>, String) {
    let (mut link, mut items) = (start.to_owned(), Vec::new());
    loop {
        let page = bench.graph(&link).await.good();
        items.extend(page["value"].as_array().unwrap().iter().cloned());
        if let Some(done) = page["@odata.deltaLink"].as_str() {
            assert!(page.get("@odata.nextLink").is_none());
            return (items, done.to_owned());
        }
        page["@odata.nextLink"].as_str().unwrap().clone_into(&mut link);
    }
}

#[tokio::test]
async fn the_first_round_holds_everything_and_the_next_only_what_changed() {
    let bench = Bench::of_devices(1_000).await;
    let (all, link) = round(&bench, "/users/delta?$select=accountEnabled").await;
    let ids: BTreeSet<_> = all.iter().map(|user| user["id"].as_str().unwrap()).collect();
    assert_eq!((all.len(), ids.len()), (500, 500));
    let (nothing, link) = round(&bench, &link).await;
    assert_eq!(nothing, Vec::<Value>::new());

    let ((first, _), (second, _), (third, _)) = (bench.user(0), bench.user(1), bench.user(2));
    let disabled = json!({ "accountEnabled": false });
    bench.control(Method::PATCH, &format!("users/{first}"), disabled).await.good();
    bench.control(Method::DELETE, &format!("users/{second}"), Value::Null).await;
    let gone = format!("users/{third}?permanent=true");
    bench.control(Method::DELETE, &gone, Value::Null).await;
    let (changes, _) = round(&bench, &link).await;
    let expected = [
        json!({ "id": first, "accountEnabled": false }),
        json!({ "id": second, "@removed": { "reason": "changed" } }),
        json!({ "id": third, "@removed": { "reason": "deleted" } }),
    ];
    assert_eq!(changes, expected);
}

#[tokio::test]
async fn changes_during_the_first_round_are_told_after_it() {
    let bench = Bench::of_devices(1_000).await;
    let first = bench.graph("/devices/delta?$select=id,accountEnabled").await.good();
    let (id, device_id) = bench.device(0);
    let disabled = json!({ "accountEnabled": false });
    bench.control(Method::PATCH, &format!("devices/{device_id}"), disabled).await.good();
    let (_, link) = round(&bench, first["@odata.nextLink"].as_str().unwrap()).await;
    let (changes, _) = round(&bench, &link).await;
    assert_eq!(changes, [json!({ "id": id, "accountEnabled": false })]);
}

#[tokio::test]
async fn an_object_that_changes_twice_is_told_twice() {
    let bench = Bench::start().await;
    let (_, link) = round(&bench, "/users/delta?$select=id,accountEnabled").await;
    let (id, _) = bench.user(0);
    for enabled in [false, true] {
        let body = json!({ "accountEnabled": enabled });
        bench.control(Method::PATCH, &format!("users/{id}"), body).await.good();
    }
    let (changes, _) = round(&bench, &link).await;
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|change| change["accountEnabled"] == true));
}

#[tokio::test]
async fn a_client_can_begin_with_now() {
    let bench = Bench::start().await;
    let (nothing, link) = round(&bench, "/users/delta?$deltatoken=latest&$select=id").await;
    assert!(nothing.is_empty());
    let made = bench.control(Method::POST, "users", json!({})).await.good();
    let (changes, _) = round(&bench, &link).await;
    assert_eq!(changes, [json!({ "id": made["id"] })]);
}

#[tokio::test]
async fn a_page_is_as_large_as_the_client_prefers() {
    let bench = Bench::of_devices(100).await;
    let request = bench
        .http
        .get(format!("{}/graph/v1.0/devices/delta", bench.base()))
        .bearer_auth(&bench.bearer)
        .header("Prefer", "odata.maxpagesize=7");
    let page = Answer::of(request).await.good();
    assert_eq!(page["value"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn a_position_dies_after_seven_days_and_says_where_to_begin_again() {
    let mut bench = Bench::start().await;
    let (_, link) = round(&bench, "/users/delta").await;
    bench.pass(Duration::from_hours(6 * 24)).await;
    let (_, link) = round(&bench, &link).await;
    bench.pass(Duration::from_hours(7 * 24)).await;
    let gone = bench.graph(&link).await;
    assert_eq!(gone.refusal().0, 410);
    let location = gone.header("location").unwrap().to_owned();
    let (all, _) = round(&bench, &location).await;
    assert_eq!(all.len(), 6);
}

#[tokio::test]
async fn positions_can_be_made_to_expire() {
    let bench = Bench::start().await;
    let (_, link) = round(&bench, "/devices/delta").await;
    let expired = bench.control(Method::POST, "deltaTokens/expire", Value::Null).await;
    assert_eq!(expired.status, 204);
    assert_eq!(bench.graph(&link).await.refusal().0, 410);
    bench.world().advance(Duration::from_secs(1));
    let (_, link) = round(&bench, "/devices/delta").await;
    round(&bench, &link).await;
}

#[tokio::test]
async fn what_delta_queries_cannot_do_is_refused() {
    let bench = Bench::start().await;
    let (_, of_users) = round(&bench, "/users/delta").await;
    let token = of_users.split("$deltatoken=").nth(1).unwrap().to_owned();
    for path in [
        "/users/delta?$top=5".to_owned(),
        "/users/delta?$orderby=displayName".to_owned(),
        "/users/delta?$filter=displayName%20eq%20'x'".to_owned(),
        "/users/delta?$deltatoken=nonsense".to_owned(),
        format!("/devices/delta?$deltatoken={token}"),
    ] {
        assert_eq!(bench.graph(&path).await.refusal().0, 400, "{path}");
    }
    let (id, _) = bench.user(0);
    let filtered = format!("/users/delta?$filter=id%20eq%20'{id}'");
    assert_eq!(round(&bench, &filtered).await.0.len(), 1);
}

#[tokio::test]
async fn a_user_that_was_not_restored_in_thirty_days_is_told_as_gone_for_good() {
    let mut bench = Bench::start().await;
    let (id, _) = bench.user(0);
    let path = format!("users/{id}");
    bench.control(Method::DELETE, &path, Value::Null).await;
    bench.control(Method::POST, &format!("{path}/restore"), Value::Null).await.good();
    bench.world().advance(Duration::from_hours(24));
    bench.control(Method::DELETE, &path, Value::Null).await;
    bench.pass(Duration::from_hours(29 * 24 + 23)).await;
    let (_, link) = round(&bench, "/users/delta?$deltatoken=latest").await;
    bench.graph(&format!("/directory/deletedItems/{id}")).await.good();
    bench.pass(Duration::from_hours(2)).await;
    let (changes, _) = round(&bench, &link).await;
    assert_eq!(changes, [json!({ "id": id, "@removed": { "reason": "deleted" } })]);
    assert_eq!(bench.graph(&format!("/directory/deletedItems/{id}")).await.refusal().0, 404);
    let restored = bench.control(Method::POST, &format!("{path}/restore"), Value::Null).await;
    assert_eq!(restored.status, 404);
}
