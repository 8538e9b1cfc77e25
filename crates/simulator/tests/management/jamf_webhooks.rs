//! Webhooks: which events are sent for what, in what form, from whom.

use crate::{
    jamf_pro::Jamf,
    support::{Answer, Bench},
};
use axum::{Router, extract::State, routing::post};
use http::HeaderMap;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Event = (HeaderMap, String);

/// Somebody who listens.
struct Listener {
    url: String,
    events: UnboundedReceiver<Event>,
}

impl Listener {
    async fn start() -> Self {
        let (sender, events) = unbounded_channel();
        let app = Router::new().route("/hook", post(took)).with_state(sender);
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(socket, app).await });
        Self { url, events }
    }

    async fn next(&mut self) -> Event {
        self.events.recv().await.unwrap()
    }

    async fn next_json(&mut self) -> Value {
        serde_json::from_str(&self.next().await.1).unwrap()
    }
}

async fn took(State(sender): State<UnboundedSender<Event>>, headers: HeaderMap, body: String) {
    sender.send((headers, body)).unwrap();
}

async fn hook(bench: &Bench, listener: &Listener, event: &str, more: Value) {
    let mut hook = json!({ "name": event, "url": listener.url, "event": event });
    hook.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    bench.post("jamf/webhooks", hook).await;
}

#[tokio::test]
async fn a_new_computer_is_told_of_with_the_header_that_was_agreed_on() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    let agreed = json!({ "type": "header", "name": "x-lanyard", "value": "s3cret" });
    hook(&bench, &listener, "ComputerAdded", json!({ "authentication": agreed })).await;
    let made =
        json!({ "name": "Mac", "location": { "username": "ada", "email": "ada@x.example" } });
    let made = bench.post("jamf/computers", made).await;
    let (headers, body) = listener.next().await;
    assert_eq!(headers["x-lanyard"], "s3cret");
    assert_eq!(headers["content-type"], "application/json");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["webhook"]["webhookEvent"], "ComputerAdded");
    assert_eq!(body["webhook"]["id"], 1);
    assert_eq!(body["webhook"]["eventTimestamp"], 1_795_251_600_000_i64);
    assert_eq!(body["event"]["jssID"], made["id"]);
    assert_eq!(body["event"]["deviceName"], "Mac");
    assert_eq!(body["event"]["username"], "ada");
    assert_eq!(body["event"]["emailAddress"], "ada@x.example");
    for name in ["udid", "serialNumber", "managementId"] {
        assert!(body["event"][name].is_string(), "{name}");
    }
}

#[tokio::test]
async fn a_webhook_gets_its_own_event_only_in_the_form_it_wants() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    let basic = json!({ "type": "basic", "username": "jamf", "password": "pw" });
    let more = json!({ "content": "xml", "authentication": basic });
    hook(&bench, &listener, "MobileDeviceUnEnrolled", more).await;
    bench.control(Method::PATCH, "jamf/mobileDevices/1", json!({ "name": "other" })).await;
    bench.control(Method::PATCH, "jamf/mobileDevices/1", json!({ "managed": false })).await;
    let (headers, body) = listener.next().await;
    assert_eq!(headers["content-type"], "text/xml");
    assert_eq!(headers["authorization"], "Basic amFtZjpwdw==");
    assert!(body.contains("<webhookEvent>MobileDeviceUnEnrolled</webhookEvent>"), "{body}");
    assert!(body.contains("<deviceName>other</deviceName>"), "{body}");
}

#[tokio::test]
async fn inventory_and_reach_are_told_of_and_any_event_can_be_had() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    let none = || Value::Null;
    hook(&bench, &listener, "ComputerInventoryCompleted", none()).await;
    bench.control(Method::PATCH, "jamf/computers/1", json!({ "name": "other" })).await;
    assert_eq!(listener.next_json().await["webhook"]["webhookEvent"], "ComputerInventoryCompleted");
    hook(&bench, &listener, "ComputerPushCapabilityChanged", none()).await;
    hook(&bench, &listener, "SmartGroupComputerMembershipChange", none()).await;
    bench.control(Method::PATCH, "jamf/computers/1", json!({ "managed": false })).await;
    let mut two = [listener.next_json().await, listener.next_json().await]
        .map(|event| event["webhook"]["webhookEvent"].as_str().unwrap().to_owned());
    two.sort();
    assert_eq!(two, ["ComputerInventoryCompleted", "ComputerPushCapabilityChanged"]);
    let event = json!({ "event": "SmartGroupComputerMembershipChange" });
    let answer = bench.control(Method::POST, "jamf/computers/1/events", event).await;
    assert_eq!(answer.status.as_u16(), 202);
    assert_eq!(listener.next_json().await["event"]["jssID"], 1);
}

#[tokio::test]
async fn a_deletion_is_told_of_only_when_it_was_made_by_the_api() {
    let (bench, mut listener) = (Bench::start().await, Listener::start().await);
    for event in [
        "ComputerAdded",
        "ComputerInventoryCompleted",
        "ComputerPushCapabilityChanged",
        "MobileDeviceEnrolled",
        "MobileDeviceUnEnrolled",
        "RestAPIOperation",
    ] {
        hook(&bench, &listener, event, Value::Null).await;
    }
    bench.control(Method::DELETE, "jamf/computers/1", Value::Null).await;
    bench.control(Method::DELETE, "jamf/mobileDevices/1", Value::Null).await;
    let may = json!({ "secret": "s", "privileges": ["Delete Computers"] });
    bench.put("jamf/accounts/cleaner", may).await;
    let pair = bench.http.post(format!("{}/jamf/contoso/api/v1/auth/token", bench.base()));
    let granted = Answer::of(pair.basic_auth("cleaner", Some("s"))).await.json();
    let cleaner = Jamf { bench: &bench, token: granted["token"].as_str().unwrap().to_owned() };
    Answer::of(cleaner.call(Method::DELETE, "api/v3/computers-inventory/2")).await;
    let event = listener.next_json().await;
    assert_eq!(event["webhook"]["webhookEvent"], "RestAPIOperation", "nothing came before it");
    assert_eq!(event["event"]["objectID"], 2);
    assert_eq!(event["event"]["objectTypeName"], "Computer");
    assert_eq!(event["event"]["restAPIOperationType"], "DELETE");
    assert_eq!(event["event"]["authorizedUsername"], "cleaner");
}
