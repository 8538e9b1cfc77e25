//! Tokens: both flows, keeping alive, and the cookie that leads back to the node that gave one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;

const EXPIRES_IN_30_MINUTES: &str = "2027-01-15T08:30:00.123Z";

fn account(
    answer: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
) -> (Arc<Canned>, JamfPro) {
    let wire = Canned::new(answer);
    let credential =
        Credential::Account { username: "reader".into(), password: "pass:word".into() };
    let settings = Settings { credential, ..settings() };
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings);
    (wire, jamf)
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn token(text: &str) -> Reply {
    Reply::json(200, &json!({"token": text, "expires": EXPIRES_IN_30_MINUTES}))
}

#[tokio::test(start_paused = true)]
async fn an_account_signs_in_once_and_keeps_its_token_alive() {
    let turn = AtomicUsize::new(0);
    let (wire, jamf) = account(move |request| match line(request).as_str() {
        "POST /api/v1/auth/token" => token("first"),
        "POST /api/v1/auth/keep-alive" => {
            token(["second", "third"][turn.fetch_add(1, Ordering::SeqCst)])
        }
        _ => classic(request.uri().path()),
    });
    let query = by_id(ObjectKind::JamfUser, 2);
    for expected in ["first", "second", "third"] {
        look_up(&jamf, &query).await.unwrap();
        let asked = wire.asked();
        let sent = header(asked.last().unwrap(), "authorization").unwrap();
        assert_eq!(sent, format!("Bearer {expected}"));
        tokio::time::advance(Duration::from_mins(27)).await;
    }
    let asked = wire.asked();
    assert_eq!(header(&asked[0], "authorization"), Some("Basic cmVhZGVyOnBhc3M6d29yZA=="));
    let kept = asked.iter().find(|request| line(request).contains("keep-alive")).unwrap();
    assert_eq!(header(kept, "authorization"), Some("Bearer first"));
    let signed_in = wire.lines().iter().filter(|line| line.ends_with("/auth/token")).count();
    assert_eq!(signed_in, 1);
}

#[tokio::test(start_paused = true)]
async fn an_account_signs_in_again_when_its_token_is_not_kept_alive() {
    let (wire, jamf) = account(|request| match line(request).as_str() {
        "POST /api/v1/auth/token" => token("t"),
        "POST /api/v1/auth/keep-alive" => {
            Reply::json(401, &json!({"httpStatus": 401, "errors": []}))
        }
        _ => classic(request.uri().path()),
    });
    let query = by_id(ObjectKind::JamfUser, 2);
    look_up(&jamf, &query).await.unwrap();
    tokio::time::advance(Duration::from_mins(27)).await;
    look_up(&jamf, &query).await.unwrap();
    // Long ended: there is nothing to keep alive.
    tokio::time::advance(Duration::from_hours(2)).await;
    look_up(&jamf, &query).await.unwrap();
    let tokens: Vec<String> =
        wire.lines().into_iter().filter(|line| line.starts_with("POST")).collect();
    assert_eq!(
        tokens,
        [
            "POST /api/v1/auth/token",
            "POST /api/v1/auth/keep-alive",
            "POST /api/v1/auth/token",
            "POST /api/v1/auth/token",
        ]
    );
}

#[tokio::test]
async fn a_client_signs_in_by_form_at_whichever_address_the_instance_has() {
    let wire = Canned::new(|request| match line(request).as_str() {
        "POST /api/oauth/token" => Reply::json(
            200,
            &json!({"access_token": "t", "scope": "api-role:1",
                                     "token_type": "Bearer", "expires_in": 59}),
        ),
        "POST /api/v1/oauth/token" => status_page(),
        _ => classic(request.uri().path()),
    });
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings());
    look_up(&jamf, &by_id(ObjectKind::JamfUser, 2)).await.unwrap();
    let form = String::from_utf8(wire.asked()[1].body().to_vec()).unwrap();
    assert_eq!(form, "client_id=lanyard&client_secret=s3cret&grant_type=client_credentials");
}

#[tokio::test]
async fn the_cookie_of_the_node_that_gave_the_token_goes_with_it() {
    let wire = Canned::new(|request| match line(request).as_str() {
        TOKEN => Reply::json(200, &json!({"access_token": "t", "expires_in": 1199}))
            .header("set-cookie", "jpro-ingress=node7; Path=/; HttpOnly")
            .header("set-cookie", "JSESSIONID=x; Path=/"),
        _ => classic(request.uri().path()),
    });
    let transports = Transports::one(wire.clone());
    let jamf = JamfPro::over(&settings(), &transports, crate::canned::ambient());
    look_up(&jamf, &by_id(ObjectKind::JamfUser, 2)).await.unwrap();
    let asked = wire.asked();
    assert_eq!(header(&asked[0], "cookie"), None);
    assert_eq!(header(&asked[1], "cookie"), Some("jpro-ingress=node7"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_it_is_not_new_any_more() {
    let turn = AtomicUsize::new(0);
    let wire = Canned::new(move |request| match line(request).as_str() {
        TOKEN => {
            let token = ["old", "new"][turn.fetch_add(1, Ordering::SeqCst)];
            Reply::json(200, &json!({"access_token": token, "expires_in": 1199}))
        }
        _ if header(request, "authorization") == Some("Bearer old") => Reply::html(401),
        _ => classic(request.uri().path()),
    });
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings());
    let query = by_id(ObjectKind::JamfUser, 2);
    assert_eq!(look_up(&jamf, &query).await.unwrap_err().why, Why::Unauthorized);
    tokio::time::advance(Duration::from_mins(1)).await;
    look_up(&jamf, &query).await.unwrap();
}

#[tokio::test]
async fn an_address_with_a_path_is_kept() {
    let wire = Canned::new(|request| match line(request).as_str() {
        "POST /jamf/api/v1/oauth/token" => {
            Reply::json(200, &json!({"access_token": "t", "expires_in": 1199}))
        }
        "GET /jamf/JSSResource/users/name/a%2Fb%20%3F%23" => {
            Reply::json(200, &json!({"user": {"id": 5, "name": "a/b ?#"}}))
        }
        _ => status_page(),
    });
    for url in ["https://jamf.example.org/jamf", "https://jamf.example.org/jamf/"] {
        let settings = Settings { url: url.parse().unwrap(), ..settings() };
        let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings);
        let query = Query { kind: ObjectKind::JamfUser, by: By::Username("a/b ?#".into()) };
        assert!(matches!(jamf.look_up(&query).await, Ok(Found::State(_))), "{:?}", wire.lines());
    }
}

#[test]
fn secrets_do_not_show() {
    let text = format!("{:?}", settings());
    assert!(text.contains("lanyard") && !text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn an_account_believes_an_absence_only_where_the_instance_says_that_it_has_full_access() {
    let level = |level: &'static str| {
        move || Reply::json(200, &json!({"account": {"accessLevel": level}, "sites": []}))
    };
    let error =
        |status: u16| move || Reply::json(status, &json!({"httpStatus": status, "errors": []}));
    let cases: [(bool, Box<dyn Fn() -> Reply + Send + Sync>); 11] = [
        (true, Box::new(level("FullAccess"))),
        (true, Box::new(level("Full Access"))),
        (false, Box::new(level("SiteAccess"))),
        (false, Box::new(level(""))),
        (false, Box::new(status_page)),
        (false, Box::new(error(404))),
        (false, Box::new(error(400))),
        (false, Box::new(error(403))),
        (false, Box::new(|| Reply::json(200, &json!({"account": {}})))),
        (false, Box::new(|| Reply::json(200, &json!({"account": {"accessLevel": null}})))),
        (false, Box::new(|| Reply::html(200))),
    ];
    for (at, (believed, says)) in cases.into_iter().enumerate() {
        let (_, jamf) = account(move |request| match line(request).as_str() {
            "POST /api/v1/auth/token" => token("t"),
            "GET /api/v1/auth" => says(),
            _ => classic(request.uri().path()),
        });
        let gone = look_up(&jamf, &by_id(ObjectKind::JamfUser, 9)).await;
        assert_eq!(gone == Ok(Presence::Absent), believed, "{at}: {gone:?}");
        let computer = look_up(&jamf, &by_id(ObjectKind::JamfComputer, 9)).await;
        assert_eq!(computer == Ok(Presence::Absent), believed, "{at}: {computer:?}");
        let told = jamf.check().await.iter().any(|check| check.what == "Access");
        assert_eq!(told, !believed, "{at}");
    }
}
