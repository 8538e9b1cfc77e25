use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::Request;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use bytes::Bytes;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::*;
use crate::canned::{Canned, Reply, ambient};
use crate::cloud::{Cloud, Endpoints};
use crate::http::Limits;

const MINUTE: Duration = Duration::from_mins(1);

/// Gives "token-1", "token-2", …, or fails, each when it is let go on.
#[derive(Debug)]
struct Source {
    acquired: AtomicUsize,
    lifetime: Duration,
    failing: std::sync::atomic::AtomicBool,
    go_on: Option<Notify>,
}

impl Source {
    fn new(lifetime: Duration) -> Arc<Self> {
        let (acquired, failing) = Default::default();
        Arc::new(Self { acquired, lifetime, failing, go_on: None })
    }

    fn held() -> Arc<Self> {
        let (acquired, failing) = Default::default();
        let go_on = Some(Notify::new());
        Arc::new(Self { acquired, lifetime: MINUTE * 60, failing, go_on })
    }

    fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    fn acquired(&self) -> usize {
        self.acquired.load(Ordering::SeqCst)
    }
}

impl TokenSource for Source {
    fn acquire(&self) -> BoxFuture<'_, Result<Grant, Ignorance>> {
        Box::pin(async {
            let number = self.acquired.fetch_add(1, Ordering::SeqCst) + 1;
            if let Some(go_on) = &self.go_on {
                go_on.notified().await;
            }
            if self.failing.load(Ordering::SeqCst) {
                return Err(Ignorance::new("Sign-in", "get a token", Why::Unreachable, ""));
            }
            Ok(Grant { token: format!("token-{number}").into(), lifetime: self.lifetime })
        })
    }
}

async fn text(tokens: &Tokens) -> String {
    tokens.token().await.unwrap().secret().expose_secret().to_owned()
}

#[tokio::test(start_paused = true)]
async fn of_many_who_ask_at_once_one_gets_the_token() {
    let source = Source::held();
    let tokens = Tokens::new(source.clone());
    let all = futures_util::future::join_all((0..50).map(|_| text(&tokens)));
    let (texts, ()) = tokio::join!(all, async {
        tokio::task::yield_now().await;
        source.go_on.as_ref().unwrap().notify_one();
    });
    assert_eq!(source.acquired(), 1);
    assert!(texts.iter().all(|text| text == "token-1"));
}

#[tokio::test(start_paused = true)]
async fn of_many_who_ask_at_once_all_share_the_failure() {
    let source = Source::held();
    source.fail(true);
    let tokens = Tokens::new(source.clone());
    let all = futures_util::future::join_all((0..50).map(|_| tokens.token()));
    let (done, ()) = tokio::join!(all, async {
        tokio::task::yield_now().await;
        source.go_on.as_ref().unwrap().notify_one();
    });
    assert!(done.iter().all(Result::is_err));
    assert_eq!(source.acquired(), 1);
    // Who asks later is not told of a failure of before.
    source.fail(false);
    source.go_on.as_ref().unwrap().notify_one();
    tokio::time::advance(MINUTE).await;
    assert_eq!(text(&tokens).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn whoever_gets_the_token_may_go_away_and_another_gets_it() {
    let source = Source::held();
    let tokens = Tokens::new(source.clone());
    let given_up = timeout(MINUTE, tokens.token()).await;
    assert!(given_up.is_err());
    source.go_on.as_ref().unwrap().notify_one();
    assert_eq!(text(&tokens).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends() {
    let source = Source::new(MINUTE * 60);
    let tokens = Tokens::new(source.clone());
    assert_eq!(text(&tokens).await, "token-1");
    tokio::time::advance(MINUTE * 54).await;
    assert_eq!(text(&tokens).await, "token-1");
    tokio::time::advance(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(text(&tokens).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_leaves_the_token_until_its_end() {
    let source = Source::new(MINUTE * 60);
    let tokens = Tokens::new(source.clone());
    text(&tokens).await;
    source.fail(true);
    tokio::time::advance(MINUTE * 56).await;
    for _ in 0..10 {
        assert_eq!(text(&tokens).await, "token-1");
    }
    assert_eq!(source.acquired(), 2, "a failed renewal is not tried again at once");
    tokio::time::advance(MINUTE).await;
    assert_eq!(text(&tokens).await, "token-1");
    assert_eq!(source.acquired(), 3);
    tokio::time::advance(MINUTE * 3).await;
    assert_eq!(tokens.token().await.unwrap_err().why, Why::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_holds_nobody_up_for_long() {
    let source = Source::held();
    let tokens = Tokens::new(source.clone());
    source.go_on.as_ref().unwrap().notify_one();
    assert_eq!(text(&tokens).await, "token-1");
    tokio::time::advance(MINUTE * 56).await;
    let begun = Instant::now();
    assert_eq!(text(&tokens).await, "token-1");
    assert_eq!(begun.elapsed(), RENEW_PATIENCE);
    assert_eq!(text(&tokens).await, "token-1");
    assert_eq!((begun.elapsed(), source.acquired()), (RENEW_PATIENCE, 2));
}

#[tokio::test(start_paused = true)]
async fn only_the_token_that_was_refused_is_dropped() {
    let source = Source::new(MINUTE * 60);
    let tokens = Tokens::new(source.clone());
    let first = tokens.token().await.unwrap();
    tokio::time::advance(MINUTE).await;
    assert_eq!(tokens.reject(&first), Rejection::Dropped);
    let second = tokens.token().await.unwrap();
    // Another call that had used the first hears of its refusal late.
    assert_eq!(tokens.reject(&first), Rejection::Dropped);
    assert_eq!(text(&tokens).await, second.secret().expose_secret());
    assert_eq!(source.acquired(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_while_it_is_new_is_kept() {
    let source = Source::new(MINUTE * 60);
    let tokens = Tokens::new(source.clone());
    let first = tokens.token().await.unwrap();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(tokens.reject(&first), Rejection::Kept);
    assert_eq!(text(&tokens).await, "token-1");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(tokens.reject(&first), Rejection::Dropped);
    assert_eq!(text(&tokens).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_was_refused_is_not_tried_again_for_half_a_minute() {
    let wire = Canned::new(|_| Reply::json(401, &json!({ "error": "invalid_client" })));
    let tokens = by_secret(&wire);
    for (wait, signed_in) in [(0, 1), (29, 1), (1, 2), (29, 2), (1, 3)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        for _ in 0..3 {
            assert_eq!(tokens.token().await.unwrap_err().why, Why::Unauthorized);
        }
        assert_eq!(wire.lines().len(), signed_in);
    }
}

#[test]
fn roles_are_read_from_a_token_and_from_nothing_else() {
    let token = |secret: String| Token {
        secret: Arc::new(secret.into()),
        serial: 1,
        got: Instant::now(),
        ends: Instant::now(),
        renew: Instant::now(),
    };
    let claims = URL_SAFE_NO_PAD.encode(r#"{"roles":["Directory.Read.All"],"tid":"x"}"#);
    let roles = token(format!("e30.{claims}.c2ln")).roles();
    assert_eq!(roles, Some(vec!["Directory.Read.All".to_owned()]));
    assert_eq!(token("e30.e30.c2ln".to_owned()).roles(), Some(Vec::new()));
    for opaque in ["", "opaque", "a.b.c", "..", "e30.W10x.c2ln"] {
        assert_eq!(token(opaque.to_owned()).roles(), None, "{opaque}");
    }
}

/// A sign-in by this credential over this wire.
fn sign_in(wire: &Arc<Canned>, credential: Credential) -> SignIn {
    let service = wire.service("Entra ID sign-in", Limits::default());
    SignIn::new(service, &Cloud::Global.endpoints(), "contoso.example", credential)
}

fn by_secret(wire: &Arc<Canned>) -> Arc<Tokens> {
    let secret = "s3cret+&=".to_owned().into();
    let credential = Credential::Secret { client_id: "app".to_owned(), secret };
    sign_in(wire, credential).tokens_for("https://graph.microsoft.com")
}

fn granting() -> Arc<Canned> {
    Canned::new(|_| {
        Reply::json(
            200,
            &json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "granted" }),
        )
    })
}

fn form(request: &Request<Bytes>) -> HashMap<String, String> {
    url::form_urlencoded::parse(request.body()).into_owned().collect()
}

#[tokio::test(start_paused = true)]
async fn an_application_signs_in_with_its_secret() {
    let wire = granting();
    assert_eq!(text(&by_secret(&wire)).await, "granted");
    let request = &wire.asked()[0];
    let place = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    assert_eq!((request.method().as_str(), request.uri().to_string()), ("POST", place.to_owned()));
    assert_eq!(
        form(request),
        HashMap::from(
            [
                ("grant_type", "client_credentials"),
                ("client_id", "app"),
                ("client_secret", "s3cret+&="),
                ("scope", "https://graph.microsoft.com/.default"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
        )
    );
}

#[tokio::test(start_paused = true)]
async fn the_scope_of_intune_has_two_slashes_as_microsofts_own_clients_send_it() {
    let wire = granting();
    let secret = "s3cret".to_owned().into();
    let credential = Credential::Secret { client_id: "app".to_owned(), secret };
    let resource = Cloud::Global.endpoints().intune_resource;
    text(&sign_in(&wire, credential).tokens_for(&resource)).await;
    assert_eq!(form(&wire.asked()[0])["scope"], "https://api.manage.microsoft.com//.default");
}

#[tokio::test(start_paused = true)]
async fn an_application_signs_in_with_its_certificate() {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let certificate = ClientCertificate::new(b"a certificate", pkcs8.as_ref()).unwrap();
    let wire = granting();
    let credential = Credential::Certificate { client_id: "app".to_owned(), certificate };
    assert!(!format!("{credential:?}").contains("key"), "{credential:?}");
    text(&sign_in(&wire, credential).tokens_for("https://graph.microsoft.com")).await;

    let form = form(&wire.asked()[0]);
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(form["client_assertion_type"], kind);
    assert!(!form.contains_key("client_secret"));
    let assertion = &form["client_assertion"];
    let header = jsonwebtoken::decode_header(assertion).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"a certificate");
    assert_eq!(header.alg, Algorithm::PS256);
    assert_eq!(header.x5t_s256, Some(URL_SAFE_NO_PAD.encode(digest)));
    let public = DecodingKey::from_rsa_raw_components(
        key.public_key().modulus().big_endian_without_leading_zero(),
        key.public_key().exponent().big_endian_without_leading_zero(),
    );
    let mut validation = Validation::new(Algorithm::PS256);
    let place = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    validation.set_audience(&[place]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(assertion, &public, &validation).unwrap().claims;
    let now = ambient().now().unix();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("app"), &json!("app")));
    assert_eq!((&claims["nbf"], &claims["exp"]), (&json!(now - 120), &json!(now + 600)));
    assert!(uuid::Uuid::try_parse(claims["jti"].as_str().unwrap()).is_ok());
}

#[test]
fn a_key_that_cannot_sign_assertions_is_refused_at_once() {
    assert_eq!(ClientCertificate::new(b"", b"no key").unwrap_err(), ClientKeyError);
}

#[tokio::test(start_paused = true)]
async fn a_machines_endpoint_that_is_replaced_is_waited_for_seventy_seconds() {
    for (replaced, is_had) in [(70, true), (100, false)] {
        let begun = Instant::now();
        let wire = Canned::new(move |_| {
            if begun.elapsed() < Duration::from_secs(replaced) {
                return Reply::json(410, &json!({ "error": "gone" }));
            }
            Reply::json(200, &json!({ "access_token": "machine", "expires_in": "7200" }))
        });
        let sign_in = sign_in(&wire, Credential::ManagedIdentity(Identity::System));
        let tokens = sign_in.tokens_for("https://graph.microsoft.com");
        match tokens.token().await {
            Ok(_) => assert!(is_had, "{replaced}"),
            Err(missed) => {
                assert_eq!((missed.why, is_had), (Why::Failing { status: 410 }, false));
            }
        }
        assert!(begun.elapsed() <= Duration::from_secs(90), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_machines_identity_is_asked_until_it_is_set_up() {
    let asked = AtomicUsize::new(0);
    let wire = Canned::new(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(404, &json!({ "error": "not_found" })),
        1 => Reply::json(410, &json!({ "error": "gone" })),
        2 => Reply::json(500, &json!({ "error": "busy" })),
        _ => {
            let expires = (ambient().now().unix() + 7200).to_string();
            Reply::json(
                200,
                &json!({ "access_token": "machine", "refresh_token": "", "expires_in": "7200",
                    "expires_on": expires, "token_type": "Bearer" }),
            )
        }
    });
    let identity = Identity::Client("0f8f".to_owned());
    let sign_in = sign_in(&wire, Credential::ManagedIdentity(identity));
    assert_eq!(text(&sign_in.tokens_for("https://graph.microsoft.com")).await, "machine");
    assert_eq!(
        wire.lines()[3],
        "GET /metadata/identity/oauth2/token?api-version=2018-02-01\
         &resource=https%3A%2F%2Fgraph.microsoft.com&client_id=0f8f"
    );
    assert!(wire.asked().iter().all(|request| request.headers()["metadata"] == "true"));
}

#[tokio::test(start_paused = true)]
async fn an_apps_identity_is_asked_with_its_header_and_lasts_until_its_end() {
    let wire = Canned::new(|_| {
        let expires = (ambient().now().unix() + 3600).to_string();
        Reply::json(200, &json!({ "access_token": "app", "expires_on": expires }))
    });
    let endpoint = url::Url::parse("http://127.0.0.1:41/msi/token").unwrap();
    let header = "s3cret".to_owned().into();
    let identity = Identity::Resource("/subscriptions/x".to_owned());
    let credential = Credential::AppService { endpoint, header, identity };
    assert!(!format!("{credential:?}").contains("s3cret"));
    let tokens = sign_in(&wire, credential).tokens_for("https://graph.microsoft.com");
    assert_eq!(text(&tokens).await, "app");
    assert_eq!(wire.asked()[0].headers()["x-identity-header"], "s3cret");
    let query = "mi_res_id=%2Fsubscriptions%2Fx";
    assert!(wire.lines()[0].ends_with(query), "{:?}", wire.lines());
    tokio::time::advance(MINUTE * 54).await;
    text(&tokens).await;
    assert_eq!(wire.lines().len(), 1);
    tokio::time::advance(MINUTE * 7).await;
    text(&tokens).await;
    assert_eq!(wire.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_sign_in_says_so_in_the_services_words_and_is_not_tried_again() {
    for status in [400, 401, 403] {
        let wire = Canned::new(move |_| {
            Reply::json(
                status,
                &json!({ "error": "invalid_client", "error_codes": [7_000_222],
                    "error_description": "AADSTS7000222: The provided client secret keys for app \
                        are expired." }),
            )
        });
        let missed = by_secret(&wire).token().await.unwrap_err();
        assert_eq!((missed.why, wire.lines().len()), (Why::Unauthorized, 1));
        assert!(missed.detail.contains("AADSTS7000222"), "{missed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_is_not_taken_for_one() {
    let answers = [
        json!({}),
        json!({ "access_token": "", "expires_in": 1 }),
        json!({ "access_token": "a b", "expires_in": 1 }),
        json!({ "access_token": "a\r\nx: y", "expires_in": 1 }),
        json!({ "access_token": "s3cret" }),
        json!({ "access_token": "s3cret", "expires_in": "soon" }),
        json!({ "access_token": "s3cret", "expires_in": 1, "token_type": "mac" }),
    ];
    for answer in answers {
        let body = answer.clone();
        let wire = Canned::new(move |_| Reply::json(200, &body));
        let missed = by_secret(&wire).token().await.unwrap_err();
        assert_eq!(missed.why, Why::Unreadable, "{answer}");
        assert!(!missed.to_string().contains("s3cret"), "{missed}");
    }
    let wire = Canned::new(|_| Reply::html(200));
    assert_eq!(by_secret(&wire).token().await.unwrap_err().why, Why::Unreadable);
    let wire = Canned::new(|_| Reply::html(400));
    assert_eq!(by_secret(&wire).token().await.unwrap_err().why, Why::Refused { status: 400 });
}

#[test]
fn a_simulated_tenant_is_signed_in_to_under_its_base() {
    let base = url::Url::parse("http://127.0.0.1:8").unwrap();
    let wire = granting();
    let secret = "s3cret".to_owned().into();
    let credential = Credential::Secret { client_id: "app".to_owned(), secret };
    let endpoints = Endpoints::under(&base).unwrap();
    let service = wire.service("Entra ID sign-in", Limits::default());
    let sign_in = SignIn::new(service, &endpoints, "tenant/../x", credential);
    let shown = format!("{sign_in:?}");
    assert!(shown.contains("/login/tenant%2F..%2Fx/oauth2/v2.0/token"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}
