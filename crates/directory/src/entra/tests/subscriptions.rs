use super::*;
use crate::{Listed, Renewed, SubscriptionRequest, Subscriptions};

pub(super) fn request() -> SubscriptionRequest {
    SubscriptionRequest {
        kind: ObjectKind::EntraUser,
        notification_url: Url::parse("https://ca.example/notify").unwrap(),
        lifecycle_url: Url::parse("https://ca.example/lifecycle").unwrap(),
        until: ambient().now().plus(90 * 86_400),
        client_state: "s3cret".to_owned().into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_made_for_as_long_as_graph_allows() {
    let (entra, wire) = connect(|_| {
        let end = "2027-02-13T07:59:00.0000000Z";
        Reply::json(201, &json!({ "id": "sub-1", "expirationDateTime": end }))
    });
    assert!(!format!("{:?}", request()).contains("s3cret"));
    let subscription = entra.subscribe(&request()).await.unwrap();
    assert_eq!(subscription.id, "sub-1");
    assert_eq!(subscription.until().to_string(), "2027-02-13T07:59:00Z");
    let asked = wire.asked();
    let sent: Value = serde_json::from_slice(asked.last().unwrap().body()).unwrap();
    assert_eq!(sent["resource"], "users");
    assert_eq!(sent["clientState"], "s3cret");
    assert_eq!(sent["lifecycleNotificationUrl"], "https://ca.example/lifecycle");
    assert_eq!(sent["expirationDateTime"], "2027-02-13T07:59:00Z");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_never_asked_for_twice_when_it_may_have_been_made() {
    let (entra, wire) = connect(|_| Reply::Reset);
    assert_eq!(entra.subscribe(&request()).await.unwrap_err().why, Why::Unreachable);
    assert_eq!(graph_lines(&wire), ["POST /v1.0/subscriptions"]);
    let devices = SubscriptionRequest { kind: ObjectKind::EntraDevice, ..request() };
    assert_eq!(entra.subscribe(&devices).await.unwrap_err().why, Why::NotAskable);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_renewed_authorised_anew_and_ended() {
    let (entra, wire) = connect(|request| match request.method().as_str() {
        "POST" => Reply::text(200, "application/json", ""),
        "DELETE" => Reply::text(204, "application/json", ""),
        _ => Reply::json(
            200,
            &json!({ "id": "sub-1", "expirationDateTime": "2027-01-20T00:00:00Z" }),
        ),
    });
    let until = ambient().now().plus(86_400);
    let Renewed::Until(end) = entra.renew("sub-1", until).await.unwrap() else { panic!() };
    assert_eq!(end.to_string(), "2027-01-20T00:00:00Z");
    assert_eq!(entra.reauthorize("sub-1").await.unwrap(), Renewed::Until(end));
    entra.unsubscribe("sub-1").await.unwrap();
    assert_eq!(
        graph_lines(&wire),
        [
            "PATCH /v1.0/subscriptions/sub-1",
            "POST /v1.0/subscriptions/sub-1/reauthorize",
            "GET /v1.0/subscriptions/sub-1",
            "DELETE /v1.0/subscriptions/sub-1"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_gone_is_told_from_a_service_that_is_not_there() {
    let until = ambient().now().plus(86_400);
    let (entra, _) = connect(|_| not_found());
    assert_eq!(entra.renew("sub-1", until).await.unwrap(), Renewed::Gone);
    assert_eq!(entra.reauthorize("sub-1").await.unwrap(), Renewed::Gone);
    assert!(entra.unsubscribe("sub-1").await.is_ok());
    let (entra, _) = connect(|_| Reply::html(404));
    assert!(entra.renew("sub-1", until).await.is_err());
    assert!(entra.unsubscribe("sub-1").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn both_addresses_have_their_ten_seconds_to_answer() {
    let (entra, wire) = connect(|_| {
        let end = "2027-02-13T07:59:00Z";
        let made = Reply::json(201, &json!({ "id": "sub-1", "expirationDateTime": end }));
        Reply::Later(Duration::from_secs(20), Box::new(made))
    });
    assert_eq!(entra.subscribe(&request()).await.unwrap().id, "sub-1");
    assert_eq!(graph_lines(&wire), ["POST /v1.0/subscriptions"]);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_listed_to_the_last_page() {
    let base = "https://graph.microsoft.com/v1.0/subscriptions";
    let one = |id: &str| json!({ "id": id, "notificationUrl": format!("https://ca.example/{id}") });
    let (entra, _) = connect(move |request| match request.uri().query() {
        None => Reply::json(
            200,
            &json!({ "value": [one("a")], "@odata.nextLink": format!("{base}?$skiptoken=2") }),
        ),
        Some(_) => Reply::json(200, &json!({ "value": [one("b")] })),
    });
    let expected = ["a", "b"].map(|id| Listed {
        id: id.to_owned(),
        notification_url: format!("https://ca.example/{id}"),
    });
    assert_eq!(entra.listed().await.unwrap(), expected);
    let (entra, _) = connect(|_| Reply::html(200));
    assert!(entra.listed().await.is_err());
}
