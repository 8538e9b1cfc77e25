//! People signing in: by authorization code with PKCE, and on another device.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::support::{Answer, Bench, opened};

const REDIRECT: &str = "http://127.0.0.1:7480/signed-in";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// An application that people sign in to, with a permission and a role of its own.
async fn application(bench: &Bench, more: Value) -> String {
    let mut app = json!({
        "displayName": "Console", "tokenVersion": "v2", "redirectUris": [REDIRECT],
        "secrets": [{ "value": "s" }], "scopes": ["use"], "appRoles": [{ "value": "admin" }],
    });
    for (name, value) in more.as_object().unwrap() {
        app[name] = value.clone();
    }
    let made = bench.control(Method::POST, "apps", app).await.good();
    made["appId"].as_str().unwrap().to_owned()
}

fn authorize(bench: &Bench, app: &str) -> Url {
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
    let base = format!("{}/login/{}/oauth2/v2.0/authorize", bench.base(), bench.tenant);
    let scope = format!("openid profile offline_access api://{app}/use");
    Url::parse_with_params(
        &base,
        [
            ("client_id", app),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", &scope),
            ("state", "a b&c"),
            ("nonce", "n-1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ],
    )
    .unwrap()
}

/// Chooses somebody on the page, and says where the browser is sent.
async fn choose(bench: &Bench, authorize: &Url, person: Option<&str>) -> Answer {
    let mut form: Vec<(String, String)> = authorize.query_pairs().into_owned().collect();
    form.extend(person.map(|person| ("person".to_owned(), person.to_owned())));
    let mut url = authorize.clone();
    url.set_query(None);
    Answer::of(bench.http.post(url).form(&form)).await
}

fn returned(answer: &Answer) -> std::collections::HashMap<String, String> {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let location = Url::parse(answer.header("location").unwrap()).unwrap();
    assert!(location.as_str().starts_with(REDIRECT), "{location}");
    location.query_pairs().into_owned().collect()
}

async fn redeem(bench: &Bench, app: &str, code: &str, verifier: &str) -> Answer {
    bench
        .ask_token(&[
            ("grant_type", "authorization_code"),
            ("client_id", app),
            ("client_secret", "s"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ])
        .await
}

#[tokio::test]
async fn a_person_signs_in_and_the_tokens_say_who_it_is() {
    let bench = Bench::start().await;
    let app = application(&bench, json!({})).await;
    let (id, upn) = bench.user(0);
    let path = format!("apps/{app}/assignments/{upn}/admin");
    bench.control(Method::PUT, &path, Value::Null).await;
    let group = json!({ "displayName": "Console users", "members": [id] });
    let group = bench.control(Method::POST, "groups", group).await.good();
    let url = authorize(&bench, &app);
    let page = Answer::of(bench.http.get(url.clone())).await;
    assert!(page.text.contains(&upn) && page.text.contains("Console"), "{}", page.text);

    let back = returned(&choose(&bench, &url, Some(&id.to_string())).await);
    assert_eq!(back["state"], "a b&c");
    let body = redeem(&bench, &app, &back["code"], VERIFIER).await.good();
    let (_, claims) = opened(body["access_token"].as_str().unwrap());
    assert_eq!((&claims["oid"], &claims["tid"]), (&json!(id), &json!(bench.tenant)));
    assert_eq!((&claims["scp"], &claims["roles"]), (&json!("use"), &json!(["admin"])));
    assert_eq!(claims["preferred_username"], json!(upn));
    assert_eq!(claims["groups"], json!([group["id"]]));
    assert!(claims.get("idtyp").is_none());
    assert_ne!(claims["sub"], claims["oid"], "the subject is pairwise");
    let (_, claims) = opened(body["id_token"].as_str().unwrap());
    assert_eq!((&claims["aud"], &claims["nonce"]), (&json!(app), &json!("n-1")));
    assert_eq!(claims["groups"], json!([group["id"]]));
    // Of more groups than a token holds, Graph has to be asked.
    for number in 0..200 {
        let group = json!({ "displayName": format!("Group {number}"), "members": [id] });
        bench.control(Method::POST, "groups", group).await.good();
    }
    let back = returned(&choose(&bench, &url, Some(&id.to_string())).await);
    let many = redeem(&bench, &app, &back["code"], VERIFIER).await.good();
    let (_, claims) = opened(many["access_token"].as_str().unwrap());
    assert!(claims.get("groups").is_none());
    assert_eq!(claims["_claim_names"]["groups"], "src1");
    assert_eq!(claims["iss"], format!("{}/login/{}/v2.0", bench.base(), bench.tenant));

    let again = bench
        .ask_token(&[
            ("grant_type", "refresh_token"),
            ("client_id", &app),
            ("client_secret", "s"),
            ("refresh_token", body["refresh_token"].as_str().unwrap()),
        ])
        .await
        .good();
    assert_eq!(opened(again["access_token"].as_str().unwrap()).1["oid"], json!(id));
}

#[tokio::test]
async fn a_code_is_good_once_for_ten_minutes_and_for_who_has_the_verifier() {
    let bench = Bench::start().await;
    let app = application(&bench, json!({})).await;
    let (_, upn) = bench.user(0);
    let code = async || {
        returned(&choose(&bench, &authorize(&bench, &app), Some(&upn)).await)["code"].clone()
    };
    let number = |answer: &Answer| answer.json()["error_codes"][0].as_i64().unwrap();
    let first = code().await;
    redeem(&bench, &app, &first, VERIFIER).await.good();
    assert_eq!(number(&redeem(&bench, &app, &first, VERIFIER).await), 70_008);
    assert_eq!(number(&redeem(&bench, &app, &code().await, "wrong").await), 501_481);
    let late = code().await;
    bench.world().advance(Duration::from_mins(10));
    assert_eq!(number(&redeem(&bench, &app, &late, VERIFIER).await), 70_008);
}

#[tokio::test]
async fn who_declines_or_may_not_sign_in_does_not() {
    let bench = Bench::start().await;
    let app = application(&bench, json!({})).await;
    let url = authorize(&bench, &app);
    let back = returned(&choose(&bench, &url, None).await);
    assert_eq!((back["error"].as_str(), back["state"].as_str()), ("access_denied", "a b&c"));
    let (id, _) = bench.user(0);
    let disabled = json!({ "accountEnabled": false });
    bench.control(Method::PATCH, &format!("users/{id}"), disabled).await.good();
    let refused = choose(&bench, &url, Some(&id.to_string())).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("AADSTS50057"), "{}", refused.text);
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let bench = Bench::start().await;
    let app = application(&bench, json!({})).await;
    for redirect in ["https://elsewhere.example/", "http://127.0.0.1:7480/other"] {
        let mut url = authorize(&bench, &app);
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(|(name, value)| {
            if name == "redirect_uri" { (name, redirect.to_owned()) } else { (name, value) }
        }));
        let refused = Answer::of(bench.http.get(url)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text.contains("AADSTS50011"), "{}", refused.text);
    }
    let other_port = authorize(&bench, &app).to_string().replace("7480", "5555");
    assert_eq!(Answer::of(bench.http.get(other_port)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn where_an_assignment_is_required_others_get_no_token() {
    let bench = Bench::start().await;
    let app = application(&bench, json!({ "assignmentRequired": true })).await;
    let (_, upn) = bench.user(0);
    let back = returned(&choose(&bench, &authorize(&bench, &app), Some(&upn)).await);
    let refused = redeem(&bench, &app, &back["code"], VERIFIER).await;
    assert_eq!(refused.json()["error_codes"], json!([50_105]));
}

#[tokio::test]
async fn a_person_signs_in_on_another_device() {
    let bench = Bench::start().await;
    let app = application(&bench, json!({ "publicClient": true, "secrets": [] })).await;
    let url = format!("{}/login/{}/oauth2/v2.0/devicecode", bench.base(), bench.tenant);
    let scope = format!("api://{app}/use");
    let form = [("client_id", app.as_str()), ("scope", scope.as_str())];
    let started = Answer::of(bench.http.post(&url).form(&form)).await.good();
    let code = started["device_code"].as_str().unwrap();
    let user_code = started["user_code"].as_str().unwrap();
    assert!(started["message"].as_str().unwrap().contains(user_code));
    assert_eq!((&started["expires_in"], &started["interval"]), (&json!(900), &json!(5)));
    let poll = async || {
        bench
            .ask_token(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("client_id", &app),
                ("device_code", code),
            ])
            .await
    };
    assert_eq!(poll().await.json()["error"], "authorization_pending");
    let page = started["verification_uri"].as_str().unwrap();
    let (id, upn) = bench.user(0);
    let shown = Answer::of(bench.http.get(format!("{page}?code={user_code}"))).await;
    assert!(shown.text.contains(&upn), "{}", shown.text);
    let form = [("code", user_code.to_owned()), ("person", id.to_string())];
    assert_eq!(Answer::of(bench.http.post(page).form(&form)).await.status, StatusCode::OK);
    let body = poll().await.good();
    let (_, claims) = opened(body["access_token"].as_str().unwrap());
    assert_eq!((&claims["oid"], &claims["azpacr"]), (&json!(id), &json!("0")));
    assert_eq!(poll().await.json()["error"], "bad_verification_code");

    let started = Answer::of(bench.http.post(&url).form(&[("client_id", &app), ("scope", &scope)]));
    let late = started.await.good()["device_code"].as_str().unwrap().to_owned();
    bench.world().advance(Duration::from_mins(15));
    let refused = bench
        .ask_token(&[("grant_type", "device_code"), ("client_id", &app), ("device_code", &late)])
        .await;
    assert_eq!(refused.json()["error"], "expired_token");
}

#[tokio::test]
async fn a_person_reads_who_it_is_and_nothing_else() {
    let bench = Bench::start().await;
    let app = application(&bench, json!({})).await;
    let (id, upn) = bench.user(0);
    let url = authorize(&bench, &app)
        .to_string()
        .replace(&format!("api%3A%2F%2F{app}%2Fuse"), "User.Read");
    let back = returned(&choose(&bench, &Url::parse(&url).unwrap(), Some(&upn)).await);
    let body = redeem(&bench, &app, &back["code"], VERIFIER).await.good();
    let mut bench = bench;
    bench.bearer = body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(opened(&bench.bearer).1["upn"], json!(upn));
    assert_eq!(bench.graph("/me").await.good()["id"], json!(id));
    assert_eq!(bench.graph("/users").await.refusal().0, 403);
    bench.sign_in().await;
    assert_eq!(bench.graph("/me").await.refusal().0, 400);
}
