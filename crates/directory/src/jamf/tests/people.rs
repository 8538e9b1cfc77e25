//! Users, and the list that bears witness of them.

use super::*;

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
