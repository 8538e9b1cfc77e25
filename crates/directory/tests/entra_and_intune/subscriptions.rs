//! Change notifications, end to end: a door that Graph calls, and what it makes of the calls.

use lanyard_directory::entra::notification::{Happened, Notice, read, validation_token};
use lanyard_directory::{Renewed, Subscription, SubscriptionRequest, Subscriptions};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;

/// A door for notifications: answers Graph's question whether it is ours, and hands on the bodies
/// of all other requests.
struct Door {
    url: Url,
    bodies: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Door {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify", listener.local_addr().unwrap());
        let (send, bodies) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, send.clone()));
            }
        });
        Self { url: Url::parse(&url).unwrap(), bodies }
    }

    /// The next notices that are verified by the secret.
    async fn notices(&mut self, secret: &SecretString) -> Vec<Notice> {
        let body = self.bodies.recv().await.unwrap();
        let delivery = read(&body, |_| Some(secret)).unwrap();
        assert_eq!(delivery.rejected, 0);
        delivery.notices
    }
}

async fn answer(mut stream: TcpStream, bodies: mpsc::UnboundedSender<Vec<u8>>) {
    let mut received = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap_or(0);
        if count == 0 {
            return;
        }
        received.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&received).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = head.to_lowercase();
        let length = header.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if body.len() >= length {
            break (head.to_owned(), length);
        }
    };
    let target = head.split(' ').nth(1).unwrap_or_default();
    let token = target.split_once('?').and_then(|(_, query)| validation_token(query));
    if token.is_none() {
        bodies.send(received[received.len() - length..].to_vec()).ok();
    }
    let token = token.unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{token}",
        token.len()
    );
    stream.write_all(answer.as_bytes()).await.ok();
}

async fn subscribed(rehearsal: &Rehearsal, secret: &SecretString) -> (Subscription, Door, Door) {
    let (door, lifecycle) = (Door::open().await, Door::open().await);
    let request = SubscriptionRequest {
        kind: ObjectKind::EntraUser,
        notification_url: door.url.clone(),
        lifecycle_url: lifecycle.url.clone(),
        until: Time::from_unix(rehearsal.simulator.world().now().unix_seconds()).plus(3 * 86_400),
        client_state: secret.clone(),
    };
    (rehearsal.entra.subscribe(&request).await.unwrap(), door, lifecycle)
}

#[tokio::test]
async fn a_change_is_told_to_who_subscribed() {
    let rehearsal = Rehearsal::start().await;
    let secret = SecretString::from("s3cret".to_owned());
    let (subscription, mut door, _lifecycle) = subscribed(&rehearsal, &secret).await;
    let Examples { user, .. } = rehearsal.examples();
    let path = format!("users/{user}");
    rehearsal.control("PATCH", &path, &json!({ "accountEnabled": false })).await;
    let what = Happened::Changed(Some(user));
    let notice = Notice { subscription: subscription.id.clone(), what };
    assert!(door.notices(&secret).await.contains(&notice));

    let until = subscription.until().plus(86_400);
    assert_eq!(rehearsal.entra.renew(&subscription.id, until).await, Ok(Renewed::Until(until)));
    let renewed = rehearsal.entra.reauthorize(&subscription.id).await.unwrap();
    assert!(matches!(renewed, Renewed::Until(end) if end >= subscription.until()), "{renewed:?}");
    rehearsal.entra.unsubscribe(&subscription.id).await.unwrap();
    rehearsal.entra.unsubscribe(&subscription.id).await.unwrap();
    assert_eq!(rehearsal.entra.renew(&subscription.id, until).await, Ok(Renewed::Gone));
}

#[tokio::test]
async fn what_befalls_the_subscription_itself_is_told_at_its_own_door() {
    let rehearsal = Rehearsal::start().await;
    let secret = SecretString::from("s3cret".to_owned());
    let (subscription, _door, mut lifecycle) = subscribed(&rehearsal, &secret).await;
    let events = [
        ("missed", Happened::Missed),
        ("reauthorizationRequired", Happened::ReauthorizationRequired),
        ("subscriptionRemoved", Happened::SubscriptionRemoved),
    ];
    for (event, what) in events {
        let path = format!("subscriptions/{}/{event}", subscription.id);
        rehearsal.control("POST", &path, &json!({})).await;
        let notice = Notice { subscription: subscription.id.clone(), what };
        assert_eq!(lifecycle.notices(&secret).await, [notice]);
    }
}

#[tokio::test]
async fn a_door_that_does_not_answer_gets_no_subscription() {
    let rehearsal = Rehearsal::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    drop(listener);
    let request = SubscriptionRequest {
        kind: ObjectKind::EntraUser,
        notification_url: Url::parse(&url).unwrap(),
        lifecycle_url: Url::parse(&url).unwrap(),
        until: Time::from_unix(rehearsal.simulator.world().now().unix_seconds()).plus(86_400),
        client_state: "s3cret".to_owned().into(),
    };
    let missed = rehearsal.entra.subscribe(&request).await.unwrap_err();
    assert_eq!(missed.why, lanyard_directory::Why::Refused { status: 400 });
    assert!(missed.detail.starts_with("ValidationError"), "{missed}");
}
