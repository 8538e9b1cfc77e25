mod changes;
mod faults;
mod partial;
mod subscriptions;

use std::sync::Arc;

use ::http::Request;
use bytes::Bytes;
use lanyard_lifecycle::object::{RiskLevel, RiskState};
use lanyard_lifecycle::{DirectoryId, Presence, Properties};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::*;
use crate::canned::{Canned, Reply, ambient, line};
use crate::cloud::Cloud;
use crate::http::Limits;
use crate::tenant::{TenantSettings, Transports};
use crate::token::Credential;
use crate::{Outcome, Why};

const DIRECTORY: DirectoryId = DirectoryId::from_bytes([1; 16]);
const ADA: Uuid = Uuid::from_u128(0xada);
const LAPTOP: Uuid = Uuid::from_u128(0x1a);
/// The directory object of the laptop.
const OBJECT: Uuid = Uuid::from_u128(0xb0);

/// A tenant whose Graph answers so; signing in works.
pub(crate) fn tenant(
    graph: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
) -> (Tenant, Arc<Canned>) {
    tenant_behind(move |request| signed_in(request).unwrap_or_else(|| graph(request)))
}

/// The answer to a request for a token; none to every other.
fn signed_in(request: &Request<Bytes>) -> Option<Reply> {
    let login = request.uri().host() == Some("login.microsoftonline.com");
    let token = json!({ "access_token": TOKEN, "expires_in": 3599 });
    login.then(|| Reply::json(200, &token))
}

/// A tenant all of whose services answer so.
fn tenant_behind(
    answer: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
) -> (Tenant, Arc<Canned>) {
    let wire = Canned::new(answer);
    let settings = TenantSettings {
        directory: DIRECTORY,
        tenant: "contoso.example".to_owned(),
        endpoints: Cloud::Global.endpoints(),
        credential: Credential::Secret {
            client_id: "app".to_owned(),
            secret: "s3cret".to_owned().into(),
        },
        limits: Limits::default(),
    };
    (Tenant::new(settings, Transports::one(wire.clone()), ambient()), wire)
}

/// `{"alg":"none"}.{"roles":["Directory.Read.All"]}.`
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJEaXJlY3RvcnkuUmVhZC5BbGwiXX0.";

fn connect(
    graph: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
) -> (EntraId, Arc<Canned>) {
    let (tenant, wire) = tenant(graph);
    (EntraId::new(&tenant, UserRisk::Followed), wire)
}

/// What was asked of Graph, without the sign-in.
pub(crate) fn graph_lines(wire: &Canned) -> Vec<String> {
    let asked = wire.asked();
    let graph = asked.iter().filter(|request| request.uri().host() == Some("graph.microsoft.com"));
    graph.map(line).collect()
}

fn ada() -> Value {
    json!({ "id": ADA, "userPrincipalName": "Ada@contoso.example", "mail": null,
        "accountEnabled": true, "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1001" })
}

fn laptop() -> Value {
    json!({ "id": OBJECT, "deviceId": LAPTOP, "displayName": "LAPTOP-1", "accountEnabled": true,
        "isCompliant": null, "isManaged": true, "onPremisesSecurityIdentifier": null,
        "operatingSystem": "Windows" })
}

pub(crate) fn not_found() -> Reply {
    Reply::json(
        404,
        &json!({ "error": { "code": "Request_ResourceNotFound",
            "message": "Resource '…' does not exist or one of its queried reference-property \
                objects are not present.", "innerError": { "date": "2026-11-21T11:00:00" } } }),
    )
}

fn presence(found: Result<Found, Ignorance>) -> Presence {
    found.unwrap().state().unwrap().presence
}

#[tokio::test(start_paused = true)]
async fn a_user_is_looked_up_with_every_property_selected() {
    let (entra, wire) = connect(|_| Reply::json(200, &ada()));
    let query = Query::id(ObjectKind::EntraUser, ADA.into());
    let found = entra.look_up(&query).await.unwrap().state().unwrap();
    assert_eq!(found.key.object, ADA.into());
    assert_eq!((found.key.directory, found.learnt), (DIRECTORY, ambient().now()));
    let Presence::Present(Properties::EntraUser(user)) = found.presence else { panic!("a user") };
    assert_eq!(user.account_enabled, Some(true));
    assert_eq!(user.on_premises_security_identifier.as_deref(), Some("S-1-5-21-1-2-3-1001"));
    let select = "id,userPrincipalName,mail,accountEnabled,onPremisesSecurityIdentifier";
    assert_eq!(graph_lines(&wire), [format!("GET /v1.0/users/{ADA}?$select={select}")]);
}

#[tokio::test(start_paused = true)]
async fn names_of_users_are_escaped_as_graph_wants_them() {
    let cases = [
        ("ada@contoso.example", "/v1.0/users/ada@contoso.example?"),
        (
            "guest_example.com#EXT#@contoso.example",
            "/v1.0/users/guest_example.com%23EXT%23@contoso.example?",
        ),
        ("$ada@contoso.example", "/v1.0/users('$ada@contoso.example')?"),
        ("$o'neil@contoso.example", "/v1.0/users('$o''neil@contoso.example')?"),
        ("o'neil@contoso.example", "/v1.0/users/o'neil@contoso.example?"),
        ("a%2Fb@contoso.example", "/v1.0/users/a%252Fb@contoso.example?"),
        ("zoë@contoso.example", "/v1.0/users/zo%C3%AB@contoso.example?"),
    ];
    for (name, path) in cases {
        let (entra, wire) = connect(|_| not_found());
        let found = entra.look_up(&Query::user_principal_name(name)).await;
        assert_eq!(found.unwrap(), Found::NoSuch, "{name}");
        assert!(graph_lines(&wire)[0].contains(path), "{:?}", graph_lines(&wire));
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_would_lead_elsewhere_is_not_asked_for() {
    for name in ["", "..", "delta", "a/b@x", "a\\b@x", "a?b@x", "a\n@x", "@x"] {
        let (entra, wire) = connect(|_| not_found());
        let missed = entra.look_up(&Query::user_principal_name(name)).await.unwrap_err();
        assert_eq!((missed.why, wire.lines().len()), (Why::NotAskable, 0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_is_looked_up_by_its_device_id_and_not_by_its_objects() {
    let (entra, wire) = connect(|_| Reply::json(200, &laptop()));
    let query = Query::id(ObjectKind::EntraDevice, LAPTOP.into());
    let found = entra.look_up(&query).await.unwrap().state().unwrap();
    assert_eq!(found.key.object, LAPTOP.into());
    let Presence::Present(Properties::EntraDevice(device)) = found.presence else { panic!() };
    assert_eq!((device.graph_id, device.is_compliant), (Some(OBJECT), None));
    let path = format!("GET /v1.0/devices(deviceId='{LAPTOP}')?$select=id,deviceId,");
    assert!(graph_lines(&wire)[0].starts_with(&path), "{:?}", graph_lines(&wire));
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_object_is_no_answer() {
    let queries = [
        Query::id(ObjectKind::EntraUser, Uuid::from_u128(5).into()),
        Query::user_principal_name("eve@contoso.example"),
    ];
    for query in queries {
        let (entra, _) = connect(|_| Reply::json(200, &ada()));
        assert_eq!(entra.look_up(&query).await.unwrap_err().why, Why::Unreadable);
    }
    let (entra, _) = connect(|_| Reply::json(200, &laptop()));
    // The id of the directory object is not the device's.
    let query = Query::id(ObjectKind::EntraDevice, OBJECT.into());
    assert_eq!(entra.look_up(&query).await.unwrap_err().why, Why::Unreadable);
}

#[tokio::test(start_paused = true)]
async fn only_the_documented_not_found_makes_an_object_absent() {
    let query = |kind| Query::id(kind, ADA.into());
    for kind in [ObjectKind::EntraUser, ObjectKind::EntraDevice, ObjectKind::RiskyUser] {
        let (entra, _) = connect(|_| not_found());
        assert_eq!(presence(entra.look_up(&query(kind)).await), Presence::Absent);
    }
    let error = |code: &'static str| {
        move || {
            Reply::json(
                404,
                &json!({ "error": { "code": code, "message": "Invalid version: v1.0" } }),
            )
        }
    };
    let others: [Box<dyn Fn() -> Reply + Send + Sync>; 9] = [
        Box::new(|| Reply::html(404)),
        Box::new(|| Reply::text(404, "application/json", "")),
        Box::new(|| Reply::text(404, "text/plain", "Request_ResourceNotFound")),
        Box::new(|| Reply::text(404, "application/json", r#""Request_ResourceNotFound""#)),
        Box::new(|| Reply::json(404, &json!({ "error": "Request_ResourceNotFound" }))),
        Box::new(|| Reply::json(404, &json!({ "code": "Request_ResourceNotFound" }))),
        Box::new(error("ResourceNotFound")),
        Box::new(error("NotFound")),
        Box::new(|| Reply::json(400, &json!({ "error": { "code": "Request_ResourceNotFound" } }))),
    ];
    for (at, other) in others.into_iter().enumerate() {
        let other = Arc::new(other);
        for kind in [ObjectKind::EntraUser, ObjectKind::EntraDevice, ObjectKind::RiskyUser] {
            let other = other.clone();
            let (entra, _) = connect(move |_| other());
            let missed = entra.look_up(&query(kind)).await.unwrap_err();
            assert!(matches!(missed.why, Why::Refused { .. }), "{at}: {missed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_objects_are_asked_for_together_and_each_has_its_own_answer() {
    let (entra, wire) = connect(|request| {
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let mut responses: Vec<Value> = Vec::new();
        for asked in asked["requests"].as_array().unwrap() {
            let (id, url) = (&asked["id"], asked["url"].as_str().unwrap());
            let number =
                u128::from_str_radix(&url[url.find('?').unwrap() - 12..][..12], 16).unwrap();
            let mut user = ada();
            user["id"] = json!(Uuid::from_u128(number));
            let body = match number % 3 {
                0 => json!({ "status": 200, "body": user }),
                1 => json!({ "status": 404,
                    "body": { "error": { "code": "Request_ResourceNotFound" } } }),
                _ => json!({ "status": 403, "body": { "error": { "code": "No" } } }),
            };
            let mut response = json!({ "id": id, "headers": {} });
            response.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            responses.push(response);
        }
        // Graph answers in any order.
        responses.reverse();
        Reply::json(200, &json!({ "responses": responses }))
    });
    let queries: Vec<Query> = (0..50)
        .map(|number| Query::id(ObjectKind::EntraUser, ObjectId::from_u128(number)))
        .collect();
    let answers = entra.look_up_all(&queries).await;
    assert_eq!(graph_lines(&wire), ["POST /v1.0/$batch"; 3]);
    for (number, answer) in answers.into_iter().enumerate() {
        match number % 3 {
            0 => assert!(matches!(presence(answer), Presence::Present(_))),
            1 => assert_eq!(presence(answer), Presence::Absent),
            _ => {
                let permission = Some("Directory.Read.All");
                assert_eq!(answer.unwrap_err().why, Why::Forbidden { permission });
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn risky_users_are_asked_for_once_a_second() {
    let (entra, _) = connect(|_| {
        Reply::json(
            200,
            &json!({ "id": ADA, "riskLevel": "high", "riskState": "atRisk", "isDeleted": false }),
        )
    });
    let begun = tokio::time::Instant::now();
    let queries = vec![Query::id(ObjectKind::RiskyUser, ADA.into()); 4];
    for answer in entra.look_up_all(&queries).await {
        let Presence::Present(Properties::RiskyUser(user)) = presence(answer) else { panic!() };
        assert_eq!(user.risk_level, Some(RiskLevel::High));
        assert_eq!(user.risk_state, Some(RiskState::AtRisk));
    }
    assert_eq!(begun.elapsed(), Duration::from_millis(3300));
}

#[tokio::test(start_paused = true)]
async fn risky_users_are_not_asked_for_unless_they_are_followed() {
    let (tenant, wire) = tenant(|_| not_found());
    let entra = EntraId::new(&tenant, UserRisk::Ignored);
    let query = Query::id(ObjectKind::RiskyUser, ADA.into());
    assert_eq!(entra.look_up(&query).await.unwrap_err().why, Why::NotAskable);
    assert!(entra.feeds().iter().all(|feed| feed.kind != ObjectKind::RiskyUser));
    assert!(wire.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_users_at_risk_alone_are_followed_nobody_else_is_read() {
    let (tenant, wire) = tenant(|_| Reply::json(200, &json!({ "value": [] })));
    let entra = EntraId::new(&tenant, UserRisk::Alone);
    assert_eq!(entra.feeds().iter().map(|f| f.kind).collect::<Vec<_>>(), [ObjectKind::RiskyUser]);
    for kind in [ObjectKind::EntraUser, ObjectKind::EntraDevice] {
        let refused = entra.changes(kind, None).await.unwrap_err();
        assert!(matches!(refused, ChangesError::Unanswered(i) if i.why == Why::NotAskable));
    }
    entra.changes(ObjectKind::RiskyUser, None).await.unwrap();
    assert!(entra.check().await.iter().all(|check| check.outcome != Outcome::Problem));
    let lines = graph_lines(&wire);
    assert!(lines.iter().all(|line| line.contains("/riskyUsers")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn the_owners_of_a_device_are_people_and_pages_are_followed() {
    let (entra, wire) = connect(|request| {
        let next = "https://graph.microsoft.com/v1.0/devices/x/registeredOwners?$skiptoken=2";
        match request.uri().query() {
            Some(query) if query.contains("skiptoken") => Reply::json(
                200,
                &json!({ "value": [{ "@odata.type": "#microsoft.graph.user", "id": ADA }] }),
            ),
            _ => Reply::json(
                200,
                &json!({ "@odata.nextLink": next, "value": [
                    { "@odata.type": "#microsoft.graph.servicePrincipal", "id": OBJECT }] }),
            ),
        }
    });
    assert_eq!(entra.owners(LAPTOP.into()).await.unwrap(), Some(vec![ADA.into()]));
    let path = format!("GET /v1.0/devices(deviceId='{LAPTOP}')/registeredOwners?$select=id");
    assert_eq!(graph_lines(&wire)[0], path);
    let (entra, _) = connect(|_| not_found());
    assert_eq!(entra.owners(LAPTOP.into()).await.unwrap(), None);
    let (entra, _) = connect(|_| Reply::html(404));
    assert!(entra.owners(LAPTOP.into()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_doctor_names_the_permission_that_is_missing_and_how_to_grant_it() {
    let (entra, _) = connect(|request| {
        if request.uri().path().contains("riskyUsers") {
            return Reply::json(
                403,
                &json!({ "error": { "code": "Authorization_RequestDenied" } }),
            );
        }
        Reply::json(200, &json!({ "value": [] })).header("date", "Fri, 15 Jan 2027 08:10:00 GMT")
    });
    let checks = entra.check().await;
    let outcomes: Vec<Outcome> = checks.iter().map(|check| check.outcome).collect();
    let [ok, problem] = [Outcome::Ok, Outcome::Problem];
    assert_eq!(outcomes, [ok, ok, ok, problem, problem], "{checks:#?}");
    let told: Vec<String> = checks.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("application app with its client secret"), "{told:#?}");
    assert!(told[3].contains("600 s behind"), "{told:#?}");
    assert!(told[4].contains("IdentityRiskyUser.Read.All"), "{told:#?}");
    assert!(told[4].contains("dc5007c0-2d7d-4c42-879c-2dab87571379"), "{told:#?}");
    assert!(told.iter().all(|line| !line.contains("s3cret") && !line.contains(TOKEN)));
}

#[tokio::test(start_paused = true)]
async fn the_doctor_says_what_is_wrong_with_the_credential() {
    let (tenant, _) = tenant_behind(|_| {
        Reply::json(
            401,
            &json!({ "error": "invalid_client", "error_description":
                "AADSTS7000215: Invalid client secret provided. Trace ID: 1" }),
        )
    });
    let checks = EntraId::new(&tenant, UserRisk::Ignored).check().await;
    assert_eq!((checks.len(), checks[0].outcome), (1, Outcome::Problem));
    let remedy = checks[0].remedy.as_deref().unwrap();
    assert!(remedy.starts_with("configure the secret's value"), "{remedy}");
}
