//! Objects by their number: there, gone, or unknown.

use super::*;

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
