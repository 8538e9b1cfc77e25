use super::*;
use crate::{Change, RoundEnd};

fn page(items: &[Value], links: &[(&str, &str)]) -> Reply {
    let mut page = json!({ "@odata.context": "x", "value": items });
    for (name, link) in links {
        page[format!("@odata.{name}")] = json!(link);
    }
    Reply::json(200, &page)
}

const BASE: &str = "https://graph.microsoft.com/v1.0/users/delta";

#[tokio::test(start_paused = true)]
async fn a_first_round_names_every_user_and_ends_with_where_the_next_begins() {
    let (entra, wire) = connect(|request| match request.uri().query().unwrap_or("count") {
        "count" => Reply::text(200, "text/plain", "\u{feff}3"),
        "$skiptoken=a%2Fb+c" => page(&[], &[("nextLink", &format!("{BASE}?$skiptoken=2"))]),
        "$skiptoken=2" => page(
            &[json!({ "id": LAPTOP, "@removed": { "reason": "changed" } }), ada()],
            &[("deltaLink", &format!("{BASE}?$deltatoken=end"))],
        ),
        // What was never set is left out by the first round.
        _ => page(
            &[json!({ "id": ADA, "userPrincipalName": "ada@contoso.example",
                "accountEnabled": true })],
            &[("nextLink", &format!("{BASE}?$skiptoken=a%2Fb+c"))],
        ),
    });
    let kind = ObjectKind::EntraUser;
    let first = entra.changes(kind, None).await.unwrap();
    assert_eq!((first.changes.len(), first.end), (1, RoundEnd::MorePages));
    assert_eq!(first.total, Some(3), "asked for once, as the round begins");
    let empty = entra.changes(kind, Some(&first.next)).await.unwrap();
    assert_eq!((empty.changes.len(), empty.end), (0, RoundEnd::MorePages));
    // A cursor may be used again, as after a restart.
    let again = entra.changes(kind, Some(&first.next)).await.unwrap();
    assert_eq!(again, empty);
    let last = entra.changes(kind, Some(&empty.next)).await.unwrap();
    assert_eq!((last.changes.len(), last.end), (2, RoundEnd::RoundComplete));
    let Change::State(removed) = &last.changes[0] else { panic!("{last:?}") };
    assert_eq!((removed.key.object, &removed.presence), (LAPTOP.into(), &Presence::Absent));
    // Links are followed as they came.
    let lines = graph_lines(&wire);
    assert!(lines[0].starts_with("GET /v1.0/users/delta?$select=id,"), "{lines:?}");
    assert_eq!(lines[1], "GET /v1.0/users/$count");
    assert_eq!(lines[2], "GET /v1.0/users/delta?$skiptoken=a%2Fb+c");
    assert_eq!(lines.iter().filter(|line| line.ends_with("$count")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_round_begins_without_the_number_of_objects_where_graph_does_not_tell_it() {
    let others: [fn() -> Reply; 5] = [
        || Reply::html(200),
        || Reply::text(200, "text/plain", "many"),
        || Reply::json(400, &json!({ "error": { "code": "Request_BadRequest" } })),
        || Reply::json(429, &json!({ "error": { "code": "TooManyRequests" } })),
        || Reply::Silence,
    ];
    for (at, other) in others.into_iter().enumerate() {
        let (entra, wire) = connect(move |request| match request.uri().path() {
            "/v1.0/users/$count" => other(),
            _ => page(&[ada()], &[("nextLink", &format!("{BASE}?$skiptoken=2"))]),
        });
        let first = entra.changes(ObjectKind::EntraUser, None).await.unwrap();
        assert_eq!((first.changes.len(), first.total), (1, None), "{at}");
        let lines = graph_lines(&wire);
        assert_eq!(lines.iter().filter(|line| line.ends_with("$count")).count(), 1, "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_further_round_names_in_part_is_looked_up() {
    let (entra, wire) = connect(|request| match request.uri().query().unwrap() {
        "$deltatoken=1" => page(
            &[json!({ "id": ADA, "accountEnabled": false })],
            &[("deltaLink", &format!("{BASE}?$deltatoken=2"))],
        ),
        query if query.starts_with("$select") && request.uri().path().ends_with("delta") => {
            page(&[], &[("deltaLink", &format!("{BASE}?$deltatoken=1"))])
        }
        _ => Reply::json(200, &ada()),
    });
    let kind = ObjectKind::EntraUser;
    let first = entra.changes(kind, None).await.unwrap();
    let second = entra.changes(kind, Some(&first.next)).await.unwrap();
    let [Change::State(state)] = &second.changes[..] else { panic!("{second:?}") };
    let Presence::Present(Properties::EntraUser(user)) = &state.presence else { panic!() };
    assert_eq!(user.on_premises_security_identifier.as_deref(), Some("S-1-5-21-1-2-3-1001"));
    assert_eq!(graph_lines(&wire).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_page_whose_objects_cannot_be_looked_up_is_not_handed_out() {
    let (entra, _) = connect(|request| match request.uri().query().unwrap() {
        "$deltatoken=1" => page(
            &[json!({ "id": ADA, "accountEnabled": false })],
            &[("deltaLink", &format!("{BASE}?$deltatoken=2"))],
        ),
        _ if request.uri().path().ends_with("delta") => {
            page(&[], &[("deltaLink", &format!("{BASE}?$deltatoken=1"))])
        }
        _ => Reply::html(404),
    });
    let kind = ObjectKind::EntraUser;
    let first = entra.changes(kind, None).await.unwrap();
    let missed = entra.changes(kind, Some(&first.next)).await.unwrap_err();
    assert!(matches!(missed, ChangesError::Unanswered(_)), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_removed_device_is_named_by_its_directory_object() {
    let base = "https://graph.microsoft.com/v1.0/devices/delta";
    let (entra, _) = connect(move |_| {
        page(
            &[laptop(), json!({ "id": OBJECT, "@removed": { "reason": "deleted" } })],
            &[("deltaLink", &format!("{base}?$deltatoken=1"))],
        )
    });
    let batch = entra.changes(ObjectKind::EntraDevice, None).await.unwrap();
    let [Change::State(state), removed] = &batch.changes[..] else { panic!("{batch:?}") };
    assert_eq!(state.key.object, LAPTOP.into());
    let (kind, learnt) = (ObjectKind::EntraDevice, ambient().now());
    assert_eq!(*removed, Change::RemovedByGraphId { kind, graph_id: OBJECT, learnt });
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_graph_no_longer_knows_begins_again() {
    let cases = [
        (410, json!({ "error": { "code": "resyncRequired" } })),
        (410, json!({})),
        (400, json!({ "error": { "code": "syncStateNotFound" } })),
        (400, json!({ "error": { "code": "Directory_ExpiredPageToken" } })),
        (400, json!({ "error": { "code": "Request_BadRequest", "message": "Invalid token." } })),
        (400, json!({})),
        (404, json!({ "error": { "code": "ResourceNotFound", "message": "" } })),
        (404, json!({ "error": { "code": "Request_ResourceNotFound" } })),
    ];
    for (status, body) in cases {
        let (entra, _) = connect(move |request| match request.uri().query().unwrap() {
            "$deltatoken=1" => Reply::json(status, &body),
            _ => page(&[], &[("deltaLink", &format!("{BASE}?$deltatoken=1"))]),
        });
        let first = entra.changes(ObjectKind::EntraUser, None).await.unwrap();
        let missed = entra.changes(ObjectKind::EntraUser, Some(&first.next)).await;
        assert_eq!(missed.unwrap_err(), ChangesError::Resync, "{status}");
        // And so does one of another feed, or of another place.
        let missed = entra.changes(ObjectKind::EntraDevice, Some(&first.next)).await;
        assert_eq!(missed.unwrap_err(), ChangesError::Resync);
    }
    let (entra, wire) = connect(|_| not_found());
    let elsewhere = Cursor::new("EntraUser further https://evil.example/v1.0/users/delta");
    let missed = entra.changes(ObjectKind::EntraUser, Some(&elsewhere)).await;
    assert_eq!((missed.unwrap_err(), wire.lines().len()), (ChangesError::Resync, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_stays_good_when_something_in_between_or_a_passing_trouble_answers() {
    let others: [fn() -> Reply; 6] = [
        || Reply::html(404),
        || Reply::json(404, &json!({ "message": "no route" })),
        || Reply::json(404, &json!(["Request_ResourceNotFound"])),
        || Reply::json(403, &json!({ "error": { "code": "Authorization_RequestDenied" } })),
        || Reply::json(503, &json!({ "error": { "code": "Busy" } })),
        || Reply::Refused,
    ];
    let cursor = Cursor::new(format!("EntraUser further {BASE}?$deltatoken=1"));
    for (at, other) in others.into_iter().enumerate() {
        let (entra, _) = connect(move |_| other());
        let missed = entra.changes(ObjectKind::EntraUser, Some(&cursor)).await.unwrap_err();
        assert!(matches!(missed, ChangesError::Unanswered(_)), "{at}: {missed:?}");
    }
    // Where no link was followed there is none to give up.
    let bad = || Reply::json(400, &json!({ "error": { "code": "Request_BadRequest" } }));
    let (entra, _) = connect(move |_| bad());
    let missed = entra.changes(ObjectKind::EntraUser, None).await.unwrap_err();
    assert!(matches!(missed, ChangesError::Unanswered(_)), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_link_that_leads_elsewhere_is_not_followed() {
    let links = [
        "https://evil.example/v1.0/users/delta?x",
        "http://graph.microsoft.com/v1.0/users/delta?x",
        "https://graph.microsoft.com:8443/v1.0/users/delta?x",
        "https://graph.microsoft.com@evil.example/v1.0/users",
        "https://user@graph.microsoft.com/v1.0/users",
        "//evil.example/v1.0/users",
        "/v1.0/users/delta",
        "file:///etc/passwd",
        "",
    ];
    for link in links {
        for name in ["nextLink", "deltaLink"] {
            let (entra, wire) = connect(move |_| page(&[ada()], &[(name, link)]));
            let missed = entra.changes(ObjectKind::EntraUser, None).await.unwrap_err();
            assert!(matches!(missed, ChangesError::Unanswered(_)), "{link}: {missed:?}");
            assert_eq!(graph_lines(&wire).len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_ends_nowhere_is_unreadable() {
    let (entra, _) = connect(|_| page(&[ada()], &[]));
    let missed = entra.changes(ObjectKind::EntraUser, None).await.unwrap_err();
    assert!(matches!(missed, ChangesError::Unanswered(_)), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_leads_to_itself_is_not_read_for_ever() {
    let this = format!("{BASE}?$skiptoken=1");
    let (entra, _) = connect(move |_| page(&[], &[("nextLink", &this)]));
    let first = entra.changes(ObjectKind::EntraUser, None).await.unwrap();
    let missed = entra.changes(ObjectKind::EntraUser, Some(&first.next)).await;
    assert_eq!(missed.unwrap_err(), ChangesError::Resync);
}

#[tokio::test(start_paused = true)]
async fn risky_users_are_read_in_bulk_round_by_round() {
    let (entra, wire) = connect(|_| page(&[json!({ "id": ADA, "riskLevel": "strange" })], &[]));
    let kind = ObjectKind::RiskyUser;
    let round = entra.changes(kind, None).await.unwrap();
    assert_eq!((round.changes.len(), round.end), (1, RoundEnd::RoundComplete));
    let again = entra.changes(kind, Some(&round.next)).await.unwrap();
    assert_eq!(again, round);
    let path = "GET /v1.0/identityProtection/riskyUsers?$top=500&$select=";
    assert!(graph_lines(&wire).iter().all(|line| line.starts_with(path)), "{wire:?}");
}
