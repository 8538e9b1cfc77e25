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
}

#[tokio::test(start_paused = true)]
async fn a_user_made_after_the_list_at_hand_is_not_gone_by_one_flicker() {
    let made = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = Arc::clone(&made);
    let (_, jamf) = instance(move |path| match path {
        "/JSSResource/users" if now.load(std::sync::atomic::Ordering::SeqCst) => {
            Reply::json(200, &json!({"users": [{"id": 2}, {"id": 4}, {"id": 9}]}))
        }
        "/JSSResource/users/id/9" => status_page(),
        path => classic(path),
    });
    jamf.changes(ObjectKind::JamfUser, None).await.unwrap();
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    made.store(true, std::sync::atomic::Ordering::SeqCst);
    let query = by_id(ObjectKind::JamfUser, 9);
    assert_eq!(look_up(&jamf, &query).await.unwrap_err().why, Why::Unreadable);
}

#[tokio::test(start_paused = true)]
async fn questions_that_are_put_together_or_that_wait_share_a_list() {
    let slow = std::time::Duration::from_secs(10);
    let (wire, jamf) = instance(move |path| match path {
        "/JSSResource/users" => Reply::Later(slow, Box::new(classic(path))),
        _ => classic(path),
    });
    let lists = || wire.lines().iter().filter(|line| *line == "GET /JSSResource/users").count();
    let gone: Vec<Query> = (10..30).map(|id| by_id(ObjectKind::JamfUser, id)).collect();
    let found = jamf.look_up_all(&gone).await;
    let absent = |found: Result<Found, Ignorance>| {
        found.unwrap().state().unwrap().presence == Presence::Absent
    };
    assert!(found.into_iter().all(absent));
    assert_eq!(lists(), 1);
    // While one is under way that is too old for them, the others wait for the same next one.
    let later = |seconds: u64, id| {
        let (query, jamf) = (by_id(ObjectKind::JamfUser, id), &jamf);
        async move {
            tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            look_up(jamf, &query).await
        }
    };
    let found =
        futures_util::future::join_all([later(1, 40), later(3, 41), later(5, 42), later(7, 43)])
            .await;
    assert!(found.into_iter().all(|found| found == Ok(Presence::Absent)));
    assert_eq!(lists(), 3);
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
    let sweep = jamf.changes(ObjectKind::JamfUser, None);
    let swept = tokio::time::timeout(patience, sweep).await.unwrap().unwrap();
    assert_eq!(swept.changes.len(), 2);
    let lists = wire.lines().iter().filter(|line| *line == "GET /JSSResource/users").count();
    assert_eq!(lists, 1);
}
