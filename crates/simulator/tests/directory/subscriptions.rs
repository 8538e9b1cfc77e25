//! Subscriptions: the handshake, what is delivered, renewal, and what their owners are told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::post;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::support::Bench;

/// A client that keeps what it is told.
struct Listener {
    url: String,
    told: mpsc::UnboundedReceiver<(String, Value)>,
    refusals: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Ear {
    tell: mpsc::UnboundedSender<(String, Value)>,
    refusals: Arc<AtomicUsize>,
}

impl Listener {
    async fn start() -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let refusals = Arc::new(AtomicUsize::new(0));
        let ear = Ear { tell, refusals: Arc::clone(&refusals) };
        let app = Router::new().route("/{kind}", post(hear)).with_state(ear);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, told, refusals }
    }

    async fn next(&mut self) -> (String, Value) {
        self.told.recv().await.unwrap()
    }
}

async fn hear(
    State(ear): State<Ear>,
    Path(kind): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    body: String,
) -> (StatusCode, String) {
    if let Some(token) = query.get("validationToken") {
        return match kind.as_str() {
            "deaf" => (StatusCode::NOT_FOUND, String::new()),
            "wrong" => (StatusCode::OK, "something else".to_owned()),
            _ => (StatusCode::OK, token.clone()),
        };
    }
    let refuse =
        ear.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if refuse.is_ok() {
        return (StatusCode::INTERNAL_SERVER_ERROR, String::new());
    }
    ear.tell.send((kind, serde_json::from_str(&body).unwrap())).unwrap();
    (StatusCode::ACCEPTED, String::new())
}

fn order(url: &str, minutes: u64, bench: &Bench) -> Value {
    json!({
        "changeType": "updated,deleted",
        "notificationUrl": format!("{url}/notify"),
        "lifecycleNotificationUrl": format!("{url}/lifecycle"),
        "resource": "users",
        "expirationDateTime": bench.world().now().plus(Duration::from_secs(minutes * 60)),
        "clientState": "secret",
    })
}

async fn subscribe(bench: &Bench, url: &str) -> String {
    let made = bench.call(Method::POST, "/subscriptions", order(url, 60, bench)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn disable(bench: &Bench, n: usize) -> uuid::Uuid {
    let (id, _) = bench.user(n);
    let body = json!({ "accountEnabled": false });
    bench.control(Method::PATCH, &format!("users/{id}"), body).await.good();
    id
}

#[tokio::test]
async fn a_subscriber_is_told_of_changes_with_its_own_secret() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    let id = subscribe(&bench, &listener.url).await;
    let user = disable(&bench, 0).await;
    let (kind, body) = listener.next().await;
    assert_eq!(kind, "notify");
    let told = &body["value"][0];
    assert_eq!(told["subscriptionId"], json!(id));
    assert_eq!((&told["clientState"], &told["changeType"]), (&json!("secret"), &json!("updated")));
    assert_eq!(
        (&told["resource"], &told["tenantId"]),
        (&json!(format!("Users/{user}")), &json!(bench.tenant))
    );
    assert_eq!(told["resourceData"]["id"], json!(user));
    assert_eq!(told["resourceData"]["@odata.type"], "#Microsoft.Graph.User");
    assert!(told["id"].is_string() && told["subscriptionExpirationDateTime"].is_string());
}

#[tokio::test]
async fn a_user_that_can_be_restored_is_told_as_updated_and_a_purged_one_as_deleted() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    subscribe(&bench, &listener.url).await;
    let (id, _) = bench.user(1);
    for (path, expected) in
        [(format!("users/{id}"), "updated"), (format!("users/{id}?permanent=true"), "deleted")]
    {
        assert_eq!(bench.control(Method::DELETE, &path, Value::Null).await.status, 204);
        assert_eq!(listener.next().await.1["value"][0]["changeType"], expected);
    }
}

#[tokio::test]
async fn a_notification_that_is_not_received_comes_again() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    subscribe(&bench, &listener.url).await;
    listener.refusals.store(1, Ordering::SeqCst);
    let user = disable(&bench, 0).await;
    assert_eq!(listener.next().await.1["value"][0]["resourceData"]["id"], json!(user));
}

#[tokio::test]
async fn who_does_not_answer_the_handshake_gets_no_subscription() {
    let (bench, listener) = (Bench::start().await, Listener::start().await);
    for place in ["deaf", "wrong"] {
        let mut body = order(&listener.url, 60, &bench);
        body["notificationUrl"] = json!(format!("{}/{place}", listener.url));
        let refused = bench.call(Method::POST, "/subscriptions", body).await;
        assert_eq!(refused.refusal(), (400, "ValidationError".to_owned()));
    }
    assert_eq!(bench.graph("/subscriptions").await.good()["value"], json!([]));
}

#[tokio::test]
async fn orders_that_the_service_does_not_take_are_refused() {
    let (bench, listener) = (Bench::start().await, Listener::start().await);
    let with = |name: &str, value: Value| {
        let mut body = order(&listener.url, 60, &bench);
        body[name] = value;
        body
    };
    for body in [
        with("resource", json!("devices")),
        with("changeType", json!("renamed")),
        with("expirationDateTime", json!("2026-11-21T08:59:59Z")),
        with("notificationUrl", json!("http://192.0.2.1/notify")),
        order(&listener.url, 41_761, &bench),
    ] {
        let refused = bench.call(Method::POST, "/subscriptions", body).await.refusal();
        assert_eq!(refused.0, 400);
    }
    let longest = order(&listener.url, 41_760, &bench);
    assert_eq!(bench.call(Method::POST, "/subscriptions", longest).await.status, 201);
}

#[tokio::test]
async fn a_subscription_is_renewed_and_deleted_by_its_owner() {
    let (bench, listener) = (Bench::start().await, Listener::start().await);
    let path = format!("/subscriptions/{}", subscribe(&bench, &listener.url).await);
    let later = json!({ "expirationDateTime": "2026-12-01T00:00:00Z" });
    let renewed = bench.call(Method::PATCH, &path, later).await.good();
    assert_eq!(renewed["expirationDateTime"], "2026-12-01T00:00:00Z");
    assert_eq!(bench.call(Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!(bench.graph(&path).await.refusal().0, 404);
}

#[tokio::test]
async fn a_subscription_that_is_not_renewed_ends_and_its_owner_is_told() {
    let (mut bench, mut listener) = (Bench::start().await, Listener::start().await);
    let id = subscribe(&bench, &listener.url).await;
    bench.pass(Duration::from_hours(1)).await;
    let (kind, body) = listener.next().await;
    assert_eq!(
        (kind.as_str(), &body["value"][0]["lifecycleEvent"]),
        ("lifecycle", &json!("subscriptionRemoved"))
    );
    assert_eq!(body["value"][0]["subscriptionId"], json!(id));
    assert_eq!(bench.graph(&format!("/subscriptions/{id}")).await.refusal().0, 404);
}

#[tokio::test]
async fn nothing_is_delivered_until_the_subscription_is_authorized_again() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    let id = subscribe(&bench, &listener.url).await;
    let path = format!("subscriptions/{id}/reauthorizationRequired");
    assert_eq!(bench.control(Method::POST, &path, Value::Null).await.status, 202);
    let (_, body) = listener.next().await;
    assert_eq!(body["value"][0]["lifecycleEvent"], "reauthorizationRequired");
    let user = disable(&bench, 0).await;
    let missed = format!("subscriptions/{id}/missed");
    bench.control(Method::POST, &missed, Value::Null).await;
    let (kind, body) = listener.next().await;
    assert_eq!(
        (kind.as_str(), &body["value"][0]["lifecycleEvent"]),
        ("lifecycle", &json!("missed"))
    );
    let path = format!("/subscriptions/{id}/reauthorize");
    assert_eq!(bench.call(Method::POST, &path, Value::Null).await.status, 200);
    let (kind, body) = listener.next().await;
    assert_eq!((kind.as_str(), &body["value"][0]["resourceData"]["id"]), ("notify", &json!(user)));
}

#[tokio::test]
async fn an_application_has_a_quota_of_subscriptions() {
    let (bench, listener) = (Bench::start().await, Listener::start().await);
    for _ in 0..100 {
        subscribe(&bench, &listener.url).await;
    }
    let refused =
        bench.call(Method::POST, "/subscriptions", order(&listener.url, 60, &bench)).await;
    assert_eq!(refused.refusal().0, 403);
}
