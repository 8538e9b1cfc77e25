//! Jamf Pro, end to end.

use http::Method;
use lanyard_directory::{
    By, Change, ChangesError, Connector, Cursor, Found, Outcome, Query, RoundEnd, jamf,
};
use lanyard_lifecycle::{ObjectId, ObjectKind, Presence, Properties};
use serde_json::{Value, json};

use super::bench::Bench;

const KINDS: [(ObjectKind, &str); 3] = [
    (ObjectKind::JamfComputer, "computers"),
    (ObjectKind::JamfMobileDevice, "mobileDevices"),
    (ObjectKind::JamfUser, "users"),
];

fn object(kind: ObjectKind, id: u64) -> ObjectId {
    match kind {
        ObjectKind::JamfUser => ObjectId::jamf_user(0, id),
        _ => ObjectId::jamf_device(id),
    }
}

async fn presence(jamf: &dyn Connector, kind: ObjectKind, id: u64) -> Presence {
    let found = jamf.look_up(&Query::id(kind, object(kind, id))).await.unwrap();
    found.state().unwrap().presence
}

/// The objects that a complete round names.
async fn round(jamf: &dyn Connector, kind: ObjectKind) -> Vec<ObjectId> {
    let mut cursor: Option<Cursor> = None;
    let mut named = Vec::new();
    loop {
        let batch = jamf.changes(kind, cursor.as_ref()).await.unwrap();
        named.extend(batch.changes.iter().map(|change| match change {
            Change::State(state) => state.key.object,
            Change::Seen { key, .. } => key.object,
            Change::RemovedByGraphId { .. } => panic!("Jamf Pro has no Graph ids"),
        }));
        if batch.end == RoundEnd::RoundComplete {
            assert_eq!(batch.total, Some(named.len() as u64));
            return named;
        }
        cursor = Some(batch.next);
    }
}

#[tokio::test]
async fn objects_are_looked_up_and_swept_until_they_are_deleted() {
    let bench = Bench::start().await;
    for jamf in [bench.jamf().await, bench.jamf_account().await] {
        for (kind, path) in KINDS {
            let properties = json!({"name": "of-this-test"});
            let made = bench.control(Method::POST, &format!("jamf/{path}"), properties).await;
            let id = made["id"].as_u64().unwrap();
            let Presence::Present(properties) = presence(&jamf, kind, id).await else {
                panic!("{path} {id} is absent")
            };
            assert_eq!(properties.display_name(), Some("of-this-test"));
            let before = round(&jamf, kind).await;
            assert!(before.contains(&object(kind, id)), "{path}: {before:?}");
            bench.control(Method::DELETE, &format!("jamf/{path}/{id}"), Value::Null).await;
            assert_eq!(presence(&jamf, kind, id).await, Presence::Absent, "{path} {id}");
            if kind != ObjectKind::JamfUser {
                // The list of users may be a minute old.
                let after = round(&jamf, kind).await;
                assert_eq!(after.len() + 1, before.len());
            }
        }
    }
}

#[tokio::test]
async fn a_user_is_found_by_mail_address_and_by_name() {
    let bench = Bench::start().await;
    let jamf = bench.jamf().await;
    let person = json!({"name": "ada/l", "fullName": "Ada L", "email": "ada+x@contoso.example"});
    let made = bench.control(Method::POST, "jamf/users", person).await;
    let expected = object(ObjectKind::JamfUser, made["id"].as_u64().unwrap());
    for by in [By::Email("ADA+x@contoso.example".into()), By::Username("ada/l".into())] {
        let query = Query { kind: ObjectKind::JamfUser, by };
        let Ok(Found::State(state)) = jamf.look_up(&query).await else { panic!("{query:?}") };
        assert_eq!(state.key.object, expected);
        let Some(Properties::JamfUser(user)) = state.properties() else { panic!("{state:?}") };
        assert_eq!(user.full_name.as_deref(), Some("Ada L"));
    }
    for by in [By::Email("nobody@contoso.example".into()), By::Username("nobody".into())] {
        let query = Query { kind: ObjectKind::JamfUser, by };
        assert_eq!(jamf.look_up(&query).await, Ok(Found::NoSuch));
    }
}

#[tokio::test]
async fn a_cluster_is_no_trouble_because_the_node_is_kept() {
    let bench = Bench::start().await;
    let cluster = json!({"nodes": 5, "replicationSeconds": 3600});
    bench.control(Method::PUT, "jamf/cluster", cluster).await;
    let jamf = bench.jamf().await;
    for _ in 0..4 {
        assert!(matches!(presence(&jamf, ObjectKind::JamfComputer, 1).await, Presence::Present(_)));
    }
}

#[tokio::test]
async fn tokens_that_ended_early_are_replaced() {
    let bench = Bench::start().await;
    let about = bench.look("jamf").await;
    let (id, client) = about["clients"].as_object().unwrap().iter().next().unwrap();
    let mut lasting = client.clone();
    lasting["tokenLifeSeconds"] = json!(1800);
    bench.control(Method::PUT, &format!("jamf/clients/{id}"), lasting).await;
    for jamf in [bench.jamf().await, bench.jamf_account().await] {
        presence(&jamf, ObjectKind::JamfComputer, 1).await;
        bench.control(Method::DELETE, "jamf/tokens", Value::Null).await;
        // A token that is new would not be replaced.
        tokio::time::pause();
        tokio::time::advance(std::time::Duration::from_mins(1)).await;
        tokio::time::resume();
        presence(&jamf, ObjectKind::JamfComputer, 1).await;
    }
}

#[tokio::test]
async fn a_missing_privilege_makes_nothing_absent_and_is_named_by_the_check() {
    let bench = Bench::start().await;
    let about = bench.look("jamf").await;
    let (id, client) = about["clients"].as_object().unwrap().iter().next().unwrap();
    let jamf = bench.jamf().await;
    let checks = jamf.check().await;
    assert!(checks.iter().all(|check| check.outcome == Outcome::Ok), "{checks:?}");
    let less = json!({"secret": client["secret"], "privileges": ["Read Computers"]});
    bench.control(Method::PUT, &format!("jamf/clients/{id}"), less).await;
    let jamf = bench.jamf().await;
    for (kind, lost) in [(ObjectKind::JamfMobileDevice, 999), (ObjectKind::JamfUser, 999)] {
        jamf.look_up(&Query::id(kind, object(kind, lost))).await.unwrap_err();
        let error = jamf.changes(kind, None).await.unwrap_err();
        assert!(matches!(error, ChangesError::Unanswered(_)));
    }
    let problems: Vec<String> = jamf
        .check()
        .await
        .into_iter()
        .filter(|check| check.outcome == Outcome::Problem)
        .map(|check| check.what)
        .collect();
    assert_eq!(problems, ["Privilege Read Mobile Devices", "Privilege Read Users"]);
}

#[tokio::test]
async fn a_webhook_names_what_to_look_up() {
    let bench = Bench::start().await;
    let secret = "Bearer hook".into();
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = sender.send(one_request(stream).await);
        }
    });
    let hook = json!({
        "name": "Lanyard", "url": format!("http://{address}/"), "event": "ComputerAdded",
        "authentication": {"type": "header", "name": "Authorization", "value": "Bearer hook"},
    });
    bench.control(Method::POST, "jamf/webhooks", hook).await;
    let made = bench.control(Method::POST, "jamf/computers", json!({})).await;
    let (authorization, body) = received.recv().await.unwrap();
    let hints = jamf::webhook::hints(&body, Some(authorization.as_bytes()), &secret).unwrap();
    let object = Some(ObjectId::jamf_device(made["id"].as_u64().unwrap()));
    assert_eq!(hints, [jamf::webhook::Hint { kind: ObjectKind::JamfComputer, object }]);
}

/// The authorization and the body of the one request on a connection.
async fn one_request(mut stream: tokio::net::TcpStream) -> (String, Vec<u8>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut received = Vec::new();
    loop {
        let end = received.windows(4).position(|octets| octets == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(received[..end].to_vec()).unwrap();
            let header = |name: &str| {
                head.lines().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
                })
            };
            let length: usize = header("content-length").unwrap().parse().unwrap();
            let body = &received[end + 4..];
            if body.len() >= length {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                return (header("authorization").unwrap_or_default(), body.to_vec());
            }
        }
        assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0, "the request ended early");
    }
}
