use ::http::Request;
use bytes::Bytes;
use lanyard_lifecycle::Presence;
use lanyard_lifecycle::object::{JamfDevice, JamfUser};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::canned::{Canned, Reply, line};
use crate::check::Outcome;

mod faults;
mod signing_in;

const TOKEN: &str = "POST /api/v1/oauth/token";

fn settings() -> Settings {
    Settings {
        directory: DirectoryId::from(Uuid::from_u128(1)),
        url: "https://jamf.example.org/".parse().unwrap(),
        credential: Credential::Client { id: "lanyard".into(), secret: "s3cret".into() },
        page_size: 2,
    }
}

/// An instance that answers like this, and gives tokens.
fn instance(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Arc<Canned>, JamfPro) {
    let wire = Canned::new(move |request| {
        let asked = line(request);
        if asked == TOKEN {
            return Reply::json(200, &json!({"access_token": "t", "expires_in": 1199}));
        }
        answer(asked.split_once(' ').unwrap().1)
    });
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings());
    (wire, jamf)
}

fn computer(id: u64) -> serde_json::Value {
    json!({
        "id": id.to_string(), "udid": "U",
        "general": {"name": format!("mac-{id}"), "remoteManagement": {"managed": true}},
        "hardware": {"serialNumber": "S"},
        "userAndLocation": {"username": "ada", "email": "ada@example.org"},
    })
}

fn not_found() -> Reply {
    let errors = json!([{"code": "INVALID_ID", "field": "id", "description": "x", "id": "0"}]);
    Reply::json(404, &json!({"httpStatus": 404, "errors": errors}))
}

fn page(total: u64, results: &[serde_json::Value]) -> Reply {
    Reply::json(200, &json!({"totalCount": total, "results": results}))
}

fn status_page() -> Reply {
    let page = "<html><head><title>Status page</title></head><body><p>Not Found</p></body></html>";
    Reply::text(404, "text/html;charset=UTF-8", page)
}

fn by_id(kind: ObjectKind, id: u64) -> Query {
    Query::id(
        kind,
        match kind {
            ObjectKind::JamfUser => ObjectId::jamf_user(0, id),
            _ => ObjectId::jamf_device(id),
        },
    )
}

async fn look_up(jamf: &JamfPro, query: &Query) -> Result<Presence, Ignorance> {
    jamf.look_up(query).await.map(|found| found.state().unwrap().presence)
}

#[tokio::test]
async fn a_computer_is_read_by_the_newest_version_that_the_instance_has() {
    for newest in ["v3", "v2", "v1"] {
        let (wire, jamf) = instance(move |path| {
            if !path.starts_with(&format!("/api/{newest}/")) {
                return not_found();
            }
            if path.contains("inventory/7?") {
                Reply::json(200, &computer(7))
            } else {
                page(9, &[])
            }
        });
        let query = by_id(ObjectKind::JamfComputer, 7);
        let Found::State(state) = jamf.look_up(&query).await.unwrap() else { panic!() };
        assert_eq!(state.key.directory, settings().directory);
        assert_eq!(
            state.presence,
            Presence::Present(Properties::JamfComputer(JamfDevice {
                name: Some("mac-7".into()),
                udid: Some("U".into()),
                serial_number: Some("S".into()),
                managed: Some(true),
                username: Some("ada".into()),
                email: Some("ada@example.org".into()),
            }))
        );
        jamf.look_up(&query).await.unwrap();
        let lines = wire.lines();
        let reads = lines.iter().filter(|line| line.contains("inventory/7?"));
        assert_eq!(reads.count(), 2, "{lines:?}");
        assert!(lines.last().unwrap().starts_with(&format!("GET /api/{newest}/")));
    }
}

#[tokio::test]
async fn a_computer_is_gone_when_its_address_and_the_list_agree() {
    let unexplained = || Reply::json(404, &json!({"httpStatus": 404, "errors": []}));
    for says in [not_found as fn() -> Reply, unexplained] {
        let (wire, jamf) = instance(move |path| {
            if path.contains("inventory/7?") {
                says()
            } else if path.contains("filter=id%3D%3D%227%22") {
                page(0, &[])
            } else {
                page(1, &[computer(1)])
            }
        });
        let gone = look_up(&jamf, &by_id(ObjectKind::JamfComputer, 7)).await;
        assert_eq!(gone, Ok(Presence::Absent), "{:?}", wire.lines());
    }
}

#[tokio::test]
async fn a_computer_is_not_gone_when_only_one_of_them_says_so() {
    let list_of = |list: fn() -> Reply, one: fn() -> Reply| {
        instance(move |path| {
            if path.contains("inventory/7?") {
                one()
            } else if path.contains("filter=") {
                list()
            } else {
                page(1, &[computer(1)])
            }
        })
        .1
    };
    let empty: fn() -> Reply = || page(0, &[]);
    for (list, one) in [
        // It is listed, or the filter is not looked at.
        ((|| page(1, &[computer(7)])) as fn() -> Reply, not_found as fn() -> Reply),
        (|| page(1, &[computer(1)]), not_found),
        (|| page(3, &[]), not_found),
        // The list does not answer as documented.
        (not_found, not_found),
        (|| Reply::html(200), not_found),
        (|| Reply::json(200, &json!({})), not_found),
        // The address does not.
        (empty, status_page),
        (empty, || Reply::json(404, &json!({"message": "no route"}))),
        (empty, || Reply::json(404, &json!({"httpStatus": 404}))),
        (empty, || Reply::json(404, &json!({"httpStatus": 500, "errors": [{}]}))),
        (empty, || Reply::json(410, &json!({"httpStatus": 410, "errors": [{}]}))),
        (empty, || Reply::json(400, &json!({"httpStatus": 404, "errors": [{}]}))),
        (empty, || Reply::json(200, &computer(8))),
        (empty, || Reply::html(200)),
        (empty, || Reply::json(200, &json!({}))),
    ] {
        let found = look_up(&list_of(list, one), &by_id(ObjectKind::JamfComputer, 7)).await;
        found.unwrap_err();
    }
}

#[tokio::test]
async fn an_instance_that_lost_its_version_is_asked_for_its_version_anew() {
    let upgraded = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = Arc::clone(&upgraded);
    let (_, jamf) = instance(move |path| {
        let newest = if now.load(std::sync::atomic::Ordering::SeqCst) { "v3" } else { "v1" };
        if !path.starts_with(&format!("/api/{newest}/")) {
            not_found()
        } else if path.contains("inventory/7?") {
            Reply::json(200, &computer(7))
        } else {
            page(9, &[])
        }
    });
    let query = by_id(ObjectKind::JamfComputer, 7);
    look_up(&jamf, &query).await.unwrap();
    upgraded.store(true, std::sync::atomic::Ordering::SeqCst);
    // The old version is gone: this says nothing about the computer.
    look_up(&jamf, &query).await.unwrap_err();
    assert!(matches!(look_up(&jamf, &query).await, Ok(Presence::Present(_))));
}

#[tokio::test]
async fn a_mobile_device_is_read_flat() {
    let (_, jamf) = instance(|path| match path {
        "/api/v2/mobile-devices/7/detail" => Reply::json(
            200,
            &json!({
                "id": "7", "name": "pad", "udid": "U", "serialNumber": "S", "managed": false,
                "location": {"username": "ada", "emailAddress": "ada@example.org"},
            }),
        ),
        _ => page(0, &[]),
    });
    let found = look_up(&jamf, &by_id(ObjectKind::JamfMobileDevice, 7)).await.unwrap();
    let Presence::Present(Properties::JamfMobileDevice(device)) = found else { panic!() };
    assert_eq!((device.name.as_deref(), device.managed), (Some("pad"), Some(false)));
}

fn classic(path: &str) -> Reply {
    match path {
        "/JSSResource/users" => Reply::json(
            200,
            &json!({"users": [
                {"id": 4, "name": "bob"}, {"id": 2, "name": "ada"},
            ]}),
        ),
        "/JSSResource/computers" => {
            Reply::json(200, &json!({"computers": [{"id": 3, "name": "m"}]}))
        }
        "/JSSResource/mobiledevices" => Reply::json(200, &json!({"mobile_devices": []})),
        "/JSSResource/computers/id/3" => Reply::json(
            200,
            &json!({"computer": {
                "general": {"id": 3, "name": "m", "remote_management": {"managed": true}},
            }}),
        ),
        "/JSSResource/users/id/2" | "/JSSResource/users/name/ada" => {
            Reply::json(200, &json!({"user": {"id": 2, "name": "ada", "email": "ada@example.org"}}))
        }
        "/JSSResource/users/email/ada@example.org" => Reply::json(
            200,
            &json!({"users": [
                {"id": 2, "name": "ada", "email": "ADA@example.org"},
                {"id": 4, "name": "bob", "email": "bob@example.org"},
            ]}),
        ),
        "/JSSResource/users/email/shared@example.org" => Reply::json(
            200,
            &json!({"users": [
                {"id": 2, "email": "shared@example.org"}, {"id": 4, "email": "shared@example.org"},
            ]}),
        ),
        "/JSSResource/users/email/none@example.org" => Reply::json(200, &json!({"users": []})),
        _ => status_page(),
    }
}

#[tokio::test]
async fn an_instance_without_the_pro_inventory_is_read_by_the_classic_api() {
    let (_, jamf) = instance(classic);
    let found = look_up(&jamf, &by_id(ObjectKind::JamfComputer, 3)).await.unwrap();
    let Presence::Present(Properties::JamfComputer(device)) = found else { panic!() };
    assert_eq!(device.managed, Some(true));
    let gone = look_up(&jamf, &by_id(ObjectKind::JamfComputer, 8)).await;
    assert_eq!(gone, Ok(Presence::Absent));
}

#[tokio::test]
async fn a_wrong_address_is_neither_api_and_proves_nothing() {
    let (_, jamf) = instance(|_| status_page());
    for kind in [ObjectKind::JamfComputer, ObjectKind::JamfMobileDevice, ObjectKind::JamfUser] {
        look_up(&jamf, &by_id(kind, 8)).await.unwrap_err();
        jamf.changes(kind, None).await.unwrap_err();
    }
}

#[tokio::test]
async fn users_are_found_by_number_name_and_mail_address() {
    let (_, jamf) = instance(classic);
    let ada = JamfUser {
        name: Some("ada".into()),
        full_name: None,
        email: Some("ada@example.org".into()),
    };
    for by in [
        By::Id(ObjectId::jamf_user(0, 2)),
        By::Username("ada".into()),
        By::Email("ada@example.org".into()),
    ] {
        let query = Query { kind: ObjectKind::JamfUser, by };
        let Found::State(state) = jamf.look_up(&query).await.unwrap() else { panic!() };
        assert_eq!(state.key.object, ObjectId::jamf_user(0, 2));
        let Presence::Present(Properties::JamfUser(user)) = state.presence else { panic!() };
        assert_eq!(user.name, ada.name);
    }
    for by in [By::Username("eve".into()), By::Email("none@example.org".into())] {
        let query = Query { kind: ObjectKind::JamfUser, by };
        assert_eq!(jamf.look_up(&query).await, Ok(Found::NoSuch));
    }
    let gone = look_up(&jamf, &by_id(ObjectKind::JamfUser, 9)).await;
    assert_eq!(gone, Ok(Presence::Absent));
}

#[tokio::test]
async fn a_user_that_is_still_listed_is_not_gone() {
    let (_, jamf) = instance(|path| match path {
        "/JSSResource/users/id/4" => status_page(),
        path => classic(path),
    });
    let ignorance = look_up(&jamf, &by_id(ObjectKind::JamfUser, 4)).await.unwrap_err();
    assert_eq!(ignorance.why, Why::Unreadable);
}

#[tokio::test]
async fn a_deletion_is_seen_although_the_list_at_hand_is_older() {
    let deleted = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = Arc::clone(&deleted);
    let (wire, jamf) = instance(move |path| {
        if !now.load(std::sync::atomic::Ordering::SeqCst) {
            return classic(path);
        }
        match path {
            "/JSSResource/users" => Reply::json(200, &json!({"users": [{"id": 4}]})),
            _ => status_page(),
        }
    });
    jamf.changes(ObjectKind::JamfUser, None).await.unwrap();
    deleted.store(true, std::sync::atomic::Ordering::SeqCst);
    let gone = look_up(&jamf, &by_id(ObjectKind::JamfUser, 2)).await;
    assert_eq!(gone, Ok(Presence::Absent));
    let lists = wire.lines().iter().filter(|line| *line == "GET /JSSResource/users").count();
    assert_eq!(lists, 2);
    // The next absence is witnessed by the list at hand.
    assert_eq!(look_up(&jamf, &by_id(ObjectKind::JamfUser, 2)).await, Ok(Presence::Absent));
    let lists = wire.lines().iter().filter(|line| *line == "GET /JSSResource/users").count();
    assert_eq!(lists, 2);
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_without_asking() {
    let (wire, jamf) = instance(classic);
    for query in [
        Query { kind: ObjectKind::JamfComputer, by: By::Email("ada@example.org".into()) },
        Query { kind: ObjectKind::JamfUser, by: By::Username("..".into()) },
        Query { kind: ObjectKind::JamfUser, by: By::Email(String::new()) },
        Query { kind: ObjectKind::JamfUser, by: By::UserPrincipalName("ada".into()) },
        Query::id(ObjectKind::EntraUser, ObjectId::jamf_device(3)),
        Query::id(ObjectKind::JamfComputer, ObjectId::jamf_user(3, 4)),
        Query::id(ObjectKind::JamfComputer, ObjectId::from_u128(0)),
        Query::id(ObjectKind::JamfUser, ObjectId::jamf_user(3, 4)),
    ] {
        assert_eq!(jamf.look_up(&query).await.unwrap_err().why, Why::NotAskable, "{query:?}");
    }
    assert_eq!(wire.lines(), Vec::<String>::new());
    let query = Query { kind: ObjectKind::JamfUser, by: By::Email("shared@example.org".into()) };
    assert_eq!(jamf.look_up(&query).await.unwrap_err().why, Why::NotAskable);
}

#[tokio::test]
async fn a_sweep_names_every_computer_and_how_many_there_are() {
    let (_, jamf) = instance(|path| {
        if !path.starts_with("/api/v3/") {
            return not_found();
        }
        let (_, query) = path.split_once('?').unwrap();
        let pairs: std::collections::HashMap<_, _> =
            url::form_urlencoded::parse(query.as_bytes()).collect();
        let (page_number, size): (usize, usize) =
            (pairs["page"].parse().unwrap(), pairs["page-size"].parse().unwrap());
        let mut all: Vec<_> = (1..=5).map(computer).collect();
        all[2]["id"] = json!("not a number");
        page(5, all.chunks(size).nth(page_number).unwrap_or_default())
    });
    let mut cursor = None;
    let mut named = Vec::new();
    loop {
        let batch = jamf.changes(ObjectKind::JamfComputer, cursor.as_ref()).await.unwrap();
        assert_eq!(batch.total, Some(5));
        named.extend(batch.changes.into_iter().map(|change| match change {
            Change::State(state) => state.key.object,
            other => panic!("{other:?}"),
        }));
        // As after a restart.
        cursor = Some(Cursor::new(batch.next.as_str().to_owned()));
        if batch.end == RoundEnd::RoundComplete {
            break;
        }
    }
    assert_eq!(named, [1, 2, 4, 5].map(ObjectId::jamf_device), "one entry cannot be read");
    assert_eq!(cursor, Some(Place::Start.cursor()));
}

#[tokio::test]
async fn an_empty_page_in_the_middle_does_not_end_a_sweep() {
    let (_, jamf) = instance(|path| match path {
        path if path.contains("page-size=1&") => page(5, &[]),
        _ => page(5, &[]),
    });
    let error = jamf.changes(ObjectKind::JamfComputer, None).await.unwrap_err();
    assert!(matches!(error, ChangesError::Unanswered(_)), "{error:?}");
}

#[tokio::test]
async fn a_cursor_of_another_version_begins_anew() {
    let (_, jamf) = instance(|path| match path {
        path if path.starts_with("/api/v3/") => page(0, &[]),
        _ => not_found(),
    });
    for text in ["page/v2/2/1", "after/7", "nonsense", "page/v3/0/1"] {
        let cursor = Cursor::new(text);
        let error = jamf.changes(ObjectKind::JamfComputer, Some(&cursor)).await.unwrap_err();
        assert_eq!(error, ChangesError::Resync, "{text}");
    }
}

#[tokio::test]
async fn users_are_swept_by_their_list_which_only_says_that_they_are_there() {
    let (_, jamf) = instance(classic);
    let batch = jamf.changes(ObjectKind::JamfUser, None).await.unwrap();
    let seen: Vec<_> = batch
        .changes
        .iter()
        .map(|change| match change {
            Change::Seen { key, .. } => key.object,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, [2, 4].map(|id| ObjectId::jamf_user(0, id)));
    assert_eq!((batch.end, batch.total), (RoundEnd::RoundComplete, Some(2)));
}

#[tokio::test]
async fn many_look_ups_are_answered_in_their_order() {
    let (_, jamf) = instance(classic);
    let queries: Vec<Query> = [2, 9, 2].map(|id| by_id(ObjectKind::JamfUser, id)).into();
    let answers = jamf.look_up_all(&queries).await;
    let present: Vec<bool> = answers
        .into_iter()
        .map(|found| matches!(found.unwrap().state().unwrap().presence, Presence::Present(_)))
        .collect();
    assert_eq!(present, [true, false, true]);
}

#[tokio::test]
async fn the_check_names_every_privilege_and_what_a_missing_one_disables() {
    let (_, jamf) = instance(|path| match path {
        "/api/v1/jamf-pro-version" => Reply::json(200, &json!({"version": "11.17.1"}))
            .header("date", "Fri, 15 Jan 2027 09:00:00 GMT"),
        path if path.starts_with("/api/v3/computers-inventory") => page(3, &[]),
        path if path.starts_with("/api/v2/mobile-devices") => {
            Reply::json(403, &json!({"httpStatus": 403, "errors": []}))
        }
        path => classic(path),
    });
    let checks = jamf.check().await;
    let found: Vec<_> = checks.iter().map(|check| (check.what.as_str(), check.outcome)).collect();
    assert_eq!(
        found,
        [
            ("Sign-in", Outcome::Ok),
            ("Version", Outcome::Ok),
            ("Clock", Outcome::Warning),
            ("Privilege Read Computers", Outcome::Ok),
            ("Privilege Read Mobile Devices", Outcome::Problem),
            ("Privilege Read Users", Outcome::Ok),
        ]
    );
    let missing = &checks[4];
    assert!(missing.disables.as_deref().unwrap().contains("OU=devices"), "{missing}");
    assert!(missing.remedy.as_deref().unwrap().contains("Read Mobile Devices"), "{missing}");
}

#[tokio::test]
async fn the_check_ends_where_nobody_can_sign_in() {
    let wire =
        Canned::new(|_: &Request<Bytes>| Reply::json(401, &json!({"error": "invalid_client"})));
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings());
    let checks = jamf.check().await;
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].outcome, Outcome::Problem);
    let text = checks[0].to_string();
    assert!(text.contains("secret") && !text.contains("s3cret"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_older_route_is_reconsidered_after_a_while() {
    let flicker = std::sync::atomic::AtomicBool::new(true);
    let (wire, jamf) = instance(move |path| {
        if path.starts_with("/api/v3/") && flicker.swap(false, std::sync::atomic::Ordering::SeqCst)
        {
            return Reply::html(404);
        }
        if path.contains("inventory/7?") { Reply::json(200, &computer(7)) } else { page(9, &[]) }
    });
    let query = by_id(ObjectKind::JamfComputer, 7);
    for version in ["v2", "v2", "v3"] {
        look_up(&jamf, &query).await.unwrap();
        let lines = wire.lines();
        assert!(lines.last().unwrap().starts_with(&format!("GET /api/{version}/")), "{lines:?}");
        tokio::time::advance(std::time::Duration::from_mins(6)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_on_being_fetched_when_who_asked_for_it_has_gone() {
    let (wire, jamf) = instance(|path| match path {
        "/JSSResource/users" => {
            Reply::Later(std::time::Duration::from_secs(20), Box::new(classic(path)))
        }
        _ => classic(path),
    });
    let query = by_id(ObjectKind::JamfUser, 9);
    let patience = std::time::Duration::from_secs(5);
    tokio::time::timeout(patience, jamf.look_up(&query)).await.unwrap_err();
    tokio::time::advance(std::time::Duration::from_secs(16)).await;
    let found = tokio::time::timeout(patience, look_up(&jamf, &query)).await.unwrap();
    assert_eq!(found, Ok(Presence::Absent));
    let lists = wire.lines().iter().filter(|line| *line == "GET /JSSResource/users").count();
    assert_eq!(lists, 1);
}
