//! The endpoints of managed identities: of virtual machines and of App Service.

use std::time::Duration;

use lanyard_simulator::entra::IDENTITY_HEADER;
use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, Bench, app, opened};

const MACHINE: &str = "imds/metadata/identity/oauth2/token?api-version=2018-02-01";
const GRAPH: &str = "&resource=https%3A%2F%2Fgraph.microsoft.com";

async fn ask(bench: &Bench, path: &str, header: Option<(&str, &str)>) -> Answer {
    let mut request = bench.http.get(format!("{}/{path}", bench.base()));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn a_virtual_machine_gets_a_token_in_which_everything_is_text() {
    let bench = Bench::start().await;
    let body = ask(&bench, &format!("{MACHINE}{GRAPH}"), Some(("Metadata", "true"))).await.good();
    for field in
        ["access_token", "expires_in", "expires_on", "not_before", "resource", "token_type"]
    {
        assert!(body[field].is_string(), "{field} in {body}");
    }
    assert_eq!(body["refresh_token"], "");
    assert_eq!(body["resource"], "https://graph.microsoft.com");
    let (_, claims) = opened(body["access_token"].as_str().unwrap());
    let identity = app(bench.world(), bench.tenant, "Lanyard's machine");
    assert_eq!(claims["appid"], identity.to_string());
    assert_eq!(body["expires_on"], claims["exp"].to_string());
}

#[tokio::test]
async fn without_the_header_or_through_a_proxy_there_is_no_token() {
    let bench = Bench::start().await;
    let path = format!("{MACHINE}{GRAPH}");
    let refused = ask(&bench, &path, None).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]),
        (400, &"bad_request_102".into())
    );
    let request = bench
        .http
        .get(format!("{}/{path}", bench.base()))
        .header("Metadata", "true")
        .header("X-Forwarded-For", "10.0.0.1");
    assert_eq!(Answer::of(request).await.status, 400);
}

#[tokio::test]
async fn a_resource_that_nobody_knows_is_refused() {
    let bench = Bench::start().await;
    for resource in ["", "&resource=https%3A%2F%2Fnobody.example"] {
        let refused =
            ask(&bench, &format!("{MACHINE}{resource}"), Some(("Metadata", "true"))).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["error"], "invalid_resource");
    }
}

#[tokio::test]
async fn app_service_wants_its_header_and_answers_less() {
    let bench = Bench::start().await;
    let path = format!("imds/msi/token?api-version=2019-08-01{GRAPH}");
    let body = ask(&bench, &path, Some(("X-IDENTITY-HEADER", IDENTITY_HEADER))).await.good();
    for field in ["access_token", "expires_on", "resource", "token_type", "client_id"] {
        assert!(body[field].is_string(), "{field} in {body}");
    }
    assert!(body.get("expires_in").is_none() && body.get("refresh_token").is_none());
    assert_eq!(ask(&bench, &path, Some(("X-IDENTITY-HEADER", "wrong"))).await.status, 401);
}

#[tokio::test]
async fn a_role_that_is_taken_away_shows_hours_later() {
    let bench = Bench::start().await;
    let path = format!("{MACHINE}{GRAPH}");
    let roles = async || {
        let body = ask(&bench, &path, Some(("Metadata", "true"))).await.good();
        let (_, claims) = opened(body["access_token"].as_str().unwrap());
        claims["roles"].as_array().unwrap().len()
    };
    let before = roles().await;
    let identity = app(bench.world(), bench.tenant, "Lanyard's machine");
    let graph = lanyard_simulator::tenant::app::GRAPH;
    let role = format!("apps/{graph}/assignments/{identity}/Directory.Read.All");
    let taken = bench.control(Method::DELETE, &role, Value::Null).await;
    assert_eq!(taken.status, 204, "{}", taken.text);
    bench.world().advance(Duration::from_hours(6));
    assert_eq!(roles().await, before);
    bench.world().advance(Duration::from_hours(7));
    assert_eq!(roles().await, before - 1);
}

#[tokio::test]
async fn an_identity_is_asked_for_by_client_id_and_by_tenant() {
    let bench = Bench::start().await;
    let identity = app(bench.world(), bench.tenant, "Lanyard's machine");
    let metadata = Some(("Metadata", "true"));
    ask(&bench, &format!("{MACHINE}{GRAPH}&client_id={identity}"), metadata).await.good();
    let other = uuid::Uuid::from_u128(3);
    let refused = ask(&bench, &format!("{MACHINE}{GRAPH}&client_id={other}"), metadata).await;
    assert_eq!(refused.status, 400);
    let path = MACHINE.replace("imds/", "imds/fabrikam.example/");
    let body = ask(&bench, &format!("{path}{GRAPH}"), metadata).await.good();
    let (_, claims) = opened(body["access_token"].as_str().unwrap());
    assert_ne!(claims["tid"], bench.tenant.to_string());
}
