//! Tokens of applications: by secret and by certificate, and what they claim.

use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lanyard_pki::tlv::{Reader, Tag, Writer};
use lanyard_pki::{
    Certificate, Digest, Name, PublicKey, SignatureAlgorithm, Time as PkiTime, Unsigned,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, GRAPH, POOR, opened};

fn number(answer: &Answer) -> (u16, String, i64) {
    let body = answer.json();
    let code = body["error_codes"][0].as_i64().unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    for part in ["Trace ID: ", "Correlation ID: ", "Timestamp: "] {
        assert!(description.contains(part), "{description}");
    }
    for field in ["timestamp", "trace_id", "correlation_id"] {
        assert!(body[field].is_string(), "{body}");
    }
    (answer.status.as_u16(), body["error"].as_str().unwrap().to_owned(), code)
}

#[tokio::test]
async fn an_application_gets_a_token_by_its_secret_without_a_refresh_token() {
    let bench = Bench::start().await;
    let scope = format!("{GRAPH}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &bench.client.to_string()),
        ("client_secret", "rehearsal-secret"),
        ("scope", &scope),
    ];
    let body = bench.ask_token(&form).await.good();
    assert_eq!(body["token_type"], "Bearer");
    assert!((3599..=5399).contains(&body["expires_in"].as_i64().unwrap()), "{body}");
    assert!(body.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_secret_is_accepted_by_basic_authentication_and_by_the_domain_as_tenant_too() {
    let bench = Bench::start().await;
    let url = format!("{}/login/contoso.example/oauth2/v2.0/token", bench.base());
    let request = bench
        .http
        .post(url)
        .basic_auth(bench.client, Some("rehearsal-secret"))
        .form(&[("grant_type", "client_credentials"), ("scope", &format!("{GRAPH}/.default"))]);
    assert!(Answer::of(request).await.good()["access_token"].is_string());
}

#[tokio::test]
async fn the_claims_of_a_v1_token_are_those_of_the_documents() {
    let bench = Bench::start().await;
    let (head, claims) = opened(&bench.bearer);
    assert_eq!((&head["alg"], &head["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!(head["kid"], head["x5t"]);
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{}/", bench.tenant));
    assert_eq!(claims["aud"], GRAPH);
    assert_eq!(claims["appid"], bench.client.to_string());
    assert_eq!((&claims["appidacr"], &claims["ver"]), (&json!("1"), &json!("1.0")));
    assert_eq!((&claims["tid"], &claims["idtyp"]), (&json!(bench.tenant), &json!("app")));
    assert_eq!(claims["oid"], claims["sub"]);
    assert_ne!(claims["oid"], claims["appid"]);
    assert!(claims.get("scp").is_none());
    let lifetime = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!((3600..=5400).contains(&lifetime), "{lifetime}");
    let roles = claims["roles"].as_array().unwrap();
    assert!(roles.contains(&json!("Directory.Read.All")), "{roles:?}");
}

#[tokio::test]
async fn the_version_follows_the_resource_and_not_the_endpoint() {
    let bench = Bench::start().await;
    let api = bench
        .control(Method::POST, "apps", json!({ "displayName": "API", "tokenVersion": "v2" }))
        .await
        .good();
    let api = api["appId"].as_str().unwrap();
    let token = bench.token(bench.client, "rehearsal-secret", &format!("api://{api}")).await;
    let (head, claims) = opened(&token);
    assert!(head.get("x5t").is_none());
    assert_eq!(claims["iss"], format!("{}/login/{}/v2.0", bench.base(), bench.tenant));
    assert_eq!((&claims["aud"], &claims["ver"]), (&json!(api), &json!("2.0")));
    assert_eq!((&claims["azp"], &claims["azpacr"]), (&json!(bench.client), &json!("1")));
    assert!(claims.get("roles").is_none(), "any application gets a token, but without roles");
}

#[tokio::test]
async fn where_an_assignment_is_required_no_role_means_no_token() {
    let bench = Bench::start().await;
    let api = json!({ "assignmentRequired": true, "appRoles": [{ "value": "enroll" }] });
    let api = bench.control(Method::POST, "apps", api).await.good();
    let api = api["appId"].as_str().unwrap().to_owned();
    let (client, scope) = (bench.client.to_string(), format!("api://{api}/.default"));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_secret", "rehearsal-secret"),
        ("scope", &scope),
    ];
    let refused = bench.ask_token(&form).await;
    assert_eq!(number(&refused), (400, "invalid_grant".to_owned(), 501_051));
    let path = format!("apps/{api}/assignments/{client}/enroll");
    assert_eq!(bench.control(Method::PUT, &path, Value::Null).await.status, 204);
    let body = bench.ask_token(&form).await.good();
    let (_, claims) = opened(body["access_token"].as_str().unwrap());
    assert_eq!(claims["roles"], json!(["enroll"]));
}

#[tokio::test]
async fn refusals_have_the_numbers_that_administrators_look_up() {
    let bench = Bench::start().await;
    let client = bench.client.to_string();
    let unknown = uuid::Uuid::from_u128(7).to_string();
    let graph = format!("{GRAPH}/.default");
    let ask = |client: &str, secret: &str, scope: &str| {
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", client.to_owned()),
            ("client_secret", secret.to_owned()),
            ("scope", scope.to_owned()),
        ];
        let url = format!("{}/login/{}/oauth2/v2.0/token", bench.base(), bench.tenant);
        Answer::of(bench.http.post(url).form(&form))
    };
    let secret = "rehearsal-secret";
    let refused = [
        (ask(&client, "wrong", &graph).await, 401, "invalid_client", 7_000_215),
        (ask(&unknown, secret, &graph).await, 400, "unauthorized_client", 700_016),
        (
            ask(&client, secret, "https://graph.microsoft.com/User.Read").await,
            400,
            "invalid_scope",
            70_011,
        ),
        (
            ask(&client, secret, "https://nobody.example/.default").await,
            400,
            "invalid_resource",
            500_011,
        ),
        (
            ask(&client, secret, &format!("{graph} api://x/.default")).await,
            400,
            "invalid_request",
            28_000,
        ),
        (ask(&client, "", &graph).await, 401, "invalid_client", 7_000_218),
    ];
    for (answer, status, word, code) in refused {
        assert_eq!(number(&answer), (status, word.to_owned(), code));
    }
    let url = format!("{}/login/nobody.example/oauth2/v2.0/token", bench.base());
    let answer =
        Answer::of(bench.http.post(url).form(&[("grant_type", "client_credentials")])).await;
    assert_eq!(number(&answer), (400, "invalid_request".to_owned(), 90_002));
    let answer = bench.ask_token(&[("grant_type", "password")]).await;
    assert_eq!(number(&answer), (400, "unsupported_grant_type".to_owned(), 70_003));
}

#[tokio::test]
async fn an_expired_secret_is_told_from_a_wrong_one() {
    let bench = Bench::start().await;
    let secrets = json!({ "secrets": [{ "value": "old", "expires": "2026-11-21T08:00:00Z" }] });
    let path = format!("apps/{POOR}");
    bench.control(Method::PATCH, &path, secrets).await.good();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &POOR.to_string()),
        ("client_secret", "old"),
        ("scope", &format!("{GRAPH}/.default")),
    ];
    assert_eq!(
        number(&bench.ask_token(&form).await),
        (401, "invalid_client".to_owned(), 7_000_222)
    );
}

#[tokio::test]
async fn intune_takes_the_scope_with_one_slash_and_with_two() {
    let bench = Bench::start().await;
    for resource in ["https://api.manage.microsoft.com", "https://api.manage.microsoft.com/"] {
        let token = bench.token(bench.client, "rehearsal-secret", resource).await;
        let (_, claims) = opened(&token);
        assert_eq!(claims["aud"], resource);
        assert_eq!(claims["roles"], json!(["scep_challenge_provider"]));
    }
}

#[tokio::test]
async fn tokens_verify_with_the_published_keys_and_with_a_new_one_after_a_rotation() {
    let mut bench = Bench::start().await;
    let first = bench.bearer.clone();
    verify(&bench, &first).await;
    bench.control(Method::POST, "keys/rotate", Value::Null).await.good();
    bench.sign_in().await;
    let second = bench.bearer.clone();
    assert_ne!(opened(&first).0["kid"], opened(&second).0["kid"]);
    verify(&bench, &first).await;
    verify(&bench, &second).await;
    let withdraw = json!({ "withdrawOld": true });
    bench.control(Method::POST, "keys/rotate", withdraw).await.good();
    assert_eq!(bench.graph("/organization").await.refusal().0, 401);
}

async fn verify(bench: &Bench, token: &str) {
    let discovery =
        format!("{}/login/{}/v2.0/.well-known/openid-configuration", bench.base(), bench.tenant);
    let document = Answer::of(bench.http.get(discovery)).await.good();
    let keys = Answer::of(bench.http.get(document["jwks_uri"].as_str().unwrap())).await.good();
    let kid = opened(token).0["kid"].clone();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    for field in ["kty", "use", "x5t", "issuer"] {
        assert!(key[field].is_string(), "{key}");
    }
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    RsaPublicKeyComponents { n: part("n"), e: part("e") }
        .verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
        .unwrap();
    let der = STANDARD.decode(key["x5c"][0].as_str().unwrap()).unwrap();
    let certificate = Certificate::from_der(&der).unwrap();
    assert!(certificate.is_self_signed());
    certificate
        .public_key()
        .unwrap()
        .verify(SignatureAlgorithm::RsaPkcs1(Digest::Sha256), message.as_bytes(), &signature)
        .unwrap();
}

#[tokio::test]
async fn discovery_names_issuers_and_has_a_template_for_no_tenant_in_particular() {
    let bench = Bench::start().await;
    let fetch = |path: String| {
        let url = format!("{}/login/{path}", bench.base());
        Answer::of(bench.http.get(url))
    };
    let (base, id) = (bench.base().to_owned(), bench.tenant);
    let document = ".well-known/openid-configuration";
    let v2 = fetch(format!("{id}/v2.0/{document}")).await.good();
    assert_eq!(v2["issuer"], format!("{base}/login/{id}/v2.0"));
    assert_eq!(v2["token_endpoint"], format!("{base}/login/{id}/oauth2/v2.0/token"));
    let v1 = fetch(format!("{id}/{document}")).await.good();
    assert_eq!(v1["issuer"], format!("https://sts.windows.net/{id}/"));
    let common = fetch(format!("common/v2.0/{document}")).await.good();
    assert_eq!(common["issuer"], format!("{base}/login/{{tenantid}}/v2.0"));
    assert_eq!(fetch(format!("nobody/v2.0/{document}")).await.status, StatusCode::BAD_REQUEST);
}

/// An application's key with a certificate of its own.
struct Credential {
    pair: RsaKeyPair,
    certificate: Vec<u8>,
}

impl Credential {
    fn make() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let mut key = Reader::entered(pair.public_key().as_ref(), Tag::SEQUENCE).unwrap();
        let (n, e) = (key.unsigned_integer().unwrap(), key.unsigned_integer().unwrap());
        let public = PublicKey::from_rsa_components(n, e).unwrap();
        let algorithm = SignatureAlgorithm::RsaPkcs1(Digest::Sha256);
        let name: Name = "CN=connector".parse().unwrap();
        let tbs = Writer::sequence_of(|w| {
            w.context(0, |w| w.small_integer(2));
            w.small_integer(1);
            w.raw(&algorithm.identifier());
            w.raw(name.as_der());
            w.sequence(|w| {
                w.time(PkiTime::from_unix(1_700_000_000));
                w.time(PkiTime::from_unix(1_900_000_000));
            });
            w.raw(name.as_der());
            w.raw(public.spki_der());
        });
        let unsigned = Unsigned::<Certificate>::new(tbs, algorithm);
        let signature = sign(&pair, &RSA_PKCS1_SHA256, unsigned.tbs());
        let certificate = unsigned.assemble(&signature);
        Self { pair, certificate }
    }

    fn head(&self, algorithm: &str) -> Value {
        let thumbprint = |kind| URL_SAFE_NO_PAD.encode(digest::digest(kind, &self.certificate));
        match algorithm {
            "PS256" => {
                json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(&digest::SHA256) })
            }
            _ => json!({
                "alg": "RS256",
                "typ": "JWT",
                "x5t": thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            }),
        }
    }

    fn assertion(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(head), part(claims));
        let encoding: &'static dyn RsaEncoding =
            if head["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let signature = sign(&self.pair, encoding, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn sign(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

#[tokio::test]
async fn a_certificate_proves_an_application_by_both_kinds_of_assertion() {
    let bench = Bench::start().await;
    let credential = Credential::make();
    let certificates = json!({ "certificates": [STANDARD.encode(&credential.certificate)] });
    bench.control(Method::PATCH, &format!("apps/{POOR}"), certificates).await.good();
    let url = format!("{}/login/{}/oauth2/v2.0/token", bench.base(), bench.tenant);
    let now = bench.world().now().unix_seconds();
    let claims = json!({ "aud": url, "iss": POOR, "sub": POOR, "jti": uuid::Uuid::from_u128(1),
        "nbf": now, "iat": now, "exp": now + 600 });
    let ask = |assertion: String| {
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", POOR.to_string()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
            ),
            ("client_assertion", assertion),
            ("scope", format!("{GRAPH}/.default")),
        ];
        Answer::of(bench.http.post(&url).form(&form))
    };
    for algorithm in ["RS256", "PS256"] {
        let assertion = credential.assertion(&credential.head(algorithm), &claims);
        let body = ask(assertion).await.good();
        let (_, claims) = opened(body["access_token"].as_str().unwrap());
        assert_eq!(claims["appidacr"], "2", "{algorithm}");
    }

    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let head = credential.head("PS256");
    let stranger = Credential::make();
    let mut unsigned = head.clone();
    unsigned["alg"] = json!("none");
    let refused = [
        (credential.assertion(&head, &with("exp", json!(now - 600))), 700_024),
        (credential.assertion(&head, &with("nbf", json!(now + 600))), 700_024),
        (credential.assertion(&head, &with("iss", json!(bench.client))), 700_021),
        (credential.assertion(&head, &with("aud", json!("https://login.example/"))), 700_023),
        (stranger.assertion(&head, &claims), 700_027),
        (stranger.assertion(&stranger.head("PS256"), &claims), 700_027),
        (credential.assertion(&unsigned, &claims), 700_027),
        ("not.a.token".to_owned(), 700_027),
    ];
    for (assertion, code) in refused {
        assert_eq!(number(&ask(assertion).await), (401, "invalid_client".to_owned(), code));
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let bench = Bench::start().await;
    bench.graph("/organization").await.good();
    bench.world().advance(Duration::from_mins(91));
    let refused = bench.graph("/organization").await;
    assert_eq!(refused.refusal(), (401, "InvalidAuthenticationToken".to_owned()));
}
