//! Objects that a page names in part: what is looked up, and what becomes of the rest of the page.

use super::*;
use crate::{Batch, Change, ChangesError};

const OTHER: Uuid = Uuid::from_u128(0xb1);

/// What reading one page of a round says, when these are its items and look-ups are answered so.
async fn read(
    kind: ObjectKind,
    round: &str,
    items: Vec<Value>,
    looked_up: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static,
) -> (Result<Vec<Change>, ChangesError>, Vec<String>) {
    let (batch, lines) = read_page(kind, round, items, looked_up).await;
    (batch.map(|batch| batch.changes), lines)
}

/// The whole page.
async fn read_page(
    kind: ObjectKind,
    round: &str,
    items: Vec<Value>,
    looked_up: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static,
) -> (Result<Batch, ChangesError>, Vec<String>) {
    let base = match kind {
        ObjectKind::EntraDevice => "https://graph.microsoft.com/v1.0/devices/delta",
        _ => "https://graph.microsoft.com/v1.0/users/delta",
    };
    let (entra, wire) = connect(move |request| {
        let path = request.uri().path();
        if path.ends_with("/delta") {
            let next = format!("{base}?$deltatoken=2");
            return Reply::json(200, &json!({ "value": items, "@odata.deltaLink": next }));
        }
        if !path.ends_with("/$batch") {
            let (status, body) = looked_up(path);
            return Reply::json(status, &body);
        }
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let answer = |one: &Value| {
            let (status, body) = looked_up(one["url"].as_str().unwrap());
            json!({ "id": one["id"], "status": status, "body": body })
        };
        let responses: Vec<Value> =
            asked["requests"].as_array().unwrap().iter().map(answer).collect();
        Reply::json(200, &json!({ "responses": responses }))
    });
    let cursor = Cursor::new(format!("{kind} {round} {base}?$deltatoken=1"));
    let batch = entra.changes(kind, Some(&cursor)).await;
    (batch, graph_lines(&wire))
}

fn missing() -> (u16, Value) {
    (404, json!({ "error": { "code": "Request_ResourceNotFound", "message": "gone" } }))
}

fn refused() -> (u16, Value) {
    (400, json!({ "error": { "code": "Request_BadRequest", "message": "not this one" } }))
}

/// The objects whose whole state was told.
fn states(changes: &[Change]) -> Vec<ObjectId> {
    let state = |change: &Change| match change {
        Change::State(state) => Some(state.key.object),
        _ => None,
    };
    changes.iter().filter_map(state).collect()
}

#[tokio::test(start_paused = true)]
async fn a_device_that_no_certificate_can_name_holds_up_no_other_and_is_not_removed() {
    let nameless = json!({ "id": OTHER, "deviceId": null, "accountEnabled": true });
    for others in [vec![], vec![json!({ "id": OBJECT, "accountEnabled": false })]] {
        let mut items = vec![json!({ "id": OTHER, "displayName": "new" })];
        let expected: Vec<ObjectId> = others.iter().map(|_| LAPTOP.into()).collect();
        items.extend(others);
        let nameless = nameless.clone();
        let (read, _) = read(ObjectKind::EntraDevice, "further", items, move |path| {
            (200, if path.contains(&OTHER.to_string()) { nameless.clone() } else { laptop() })
        })
        .await;
        let changes = read.unwrap();
        assert_eq!((states(&changes), changes.len()), (expected.clone(), expected.len()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_graph_never_tells_of_holds_up_no_other() {
    let items = vec![
        json!({ "id": OTHER, "accountEnabled": false }),
        json!({ "id": ADA, "accountEnabled": false }),
    ];
    let answer = |path: &str| {
        if path.contains(&ADA.to_string()) { (200, ada()) } else { refused() }
    };
    let (changes, _) = read(ObjectKind::EntraUser, "further", items, answer).await;
    let changes = changes.unwrap();
    assert_eq!(states(&changes), [ADA.into()]);
    // It was named all the same: what is known of it stays as old as it is.
    let [Change::Seen { key, .. }, _] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(key.object, OTHER.into());
    // A device is told of by its directory object alone, which is not what it is known by.
    let items = vec![json!({ "id": OBJECT, "accountEnabled": false })];
    let (changes, _) = read(ObjectKind::EntraDevice, "further", items, |_| refused()).await;
    assert_eq!(changes.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_and_is_not_found_is_no_word_of_the_log() {
    for round in ["first", "further"] {
        let items = vec![json!({ "id": ADA, "accountEnabled": false })];
        let (page, _) = read_page(ObjectKind::EntraUser, round, items, |_| missing()).await;
        let page = page.unwrap();
        assert_eq!(page.changes, [], "{round}");
        let [Change::State(state)] = &page.looked_up[..] else { panic!("{page:?}") };
        assert_eq!((state.key.object, &state.presence), (ADA.into(), &Presence::Absent));
        let items = vec![json!({ "id": OBJECT, "accountEnabled": false })];
        let (page, _) = read_page(ObjectKind::EntraDevice, round, items, |_| missing()).await;
        let page = page.unwrap();
        assert_eq!(page.changes, [], "{round}");
        let removed = |one: &Change| matches!(one, Change::RemovedByGraphId { graph_id, .. } if *graph_id == OBJECT);
        assert!(page.looked_up.len() == 1 && page.looked_up.iter().all(removed), "{page:?}");
    }
    // The notice of a removal is.
    let items = vec![json!({ "id": ADA, "@removed": { "reason": "changed" } })];
    let (page, lines) = read_page(ObjectKind::EntraUser, "further", items, |_| missing()).await;
    let page = page.unwrap();
    assert_eq!((states(&page.changes), page.looked_up, lines.len()), (vec![ADA.into()], vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_trouble_that_passes_or_that_a_person_mends_is_waited_for() {
    let troubles = [
        (503, json!({ "error": { "code": "Busy" } })),
        (429, json!({ "error": { "code": "TooManyRequests" } })),
        (403, json!({ "error": { "code": "Authorization_RequestDenied" } })),
        (404, json!({ "message": "no route" })),
        (200, json!({ "id": LAPTOP })),
    ];
    for (status, body) in troubles {
        let items = vec![json!({ "id": ADA, "accountEnabled": false })];
        let answer = body.clone();
        let answer = move |_: &str| (status, answer.clone());
        let (changes, _) = read(ObjectKind::EntraUser, "further", items, answer).await;
        let missed = changes.unwrap_err();
        assert!(matches!(missed, ChangesError::Unanswered(_)), "{status} {body}: {missed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_first_round_names_again_in_part_is_looked_up() {
    let kind = ObjectKind::EntraUser;
    let whole =
        json!({ "id": ADA, "userPrincipalName": "ada@contoso.example", "accountEnabled": false });
    for (part, asked) in [
        (json!({ "id": ADA, "mail": "ada@contoso.example" }), true),
        (json!({ "id": ADA, "userPrincipalName": "ada@contoso.example" }), true),
        (json!({ "id": ADA, "accountEnabled": false }), true),
        (whole, false),
    ] {
        let looked_up = |_: &str| {
            let mut user = ada();
            user["accountEnabled"] = json!(false);
            (200, user)
        };
        let (changes, lines) = read(kind, "first", vec![part.clone()], looked_up).await;
        let changes = changes.unwrap();
        let [Change::State(state)] = &changes[..] else { panic!("{part}: {changes:?}") };
        let Presence::Present(Properties::EntraUser(user)) = &state.presence else { panic!() };
        assert_eq!(user.account_enabled, Some(false), "{part}");
        assert!(user.user_principal_name.is_some(), "{part}");
        assert_eq!(lines.len(), if asked { 2 } else { 1 }, "{part}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_a_first_round_names_again_in_part_is_looked_up_by_its_directory_object() {
    for part in [
        json!({ "id": OBJECT, "accountEnabled": false }),
        json!({ "id": OBJECT, "deviceId": LAPTOP, "isCompliant": false }),
    ] {
        let kind = ObjectKind::EntraDevice;
        let (changes, lines) = read(kind, "first", vec![part], |_| (200, laptop())).await;
        assert_eq!(states(&changes.unwrap()), [LAPTOP.into()]);
        assert!(lines[1].starts_with(&format!("GET /v1.0/devices/{OBJECT}?")), "{lines:?}");
    }
    // That it has no deviceId was said.
    let part = json!({ "id": OBJECT, "deviceId": null });
    let (changes, lines) =
        read(ObjectKind::EntraDevice, "first", vec![part], |_| (200, laptop())).await;
    assert_eq!((changes.unwrap(), lines.len()), (vec![], 1));
}
