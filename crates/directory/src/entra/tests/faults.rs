//! Whatever goes wrong, and in whatever order: an object is never absent without proof, and every
//! call ends within its deadline.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use tokio::time::Instant;

use super::*;
use crate::intune::devices::Intune;
use crate::{Change, Connector, Subscriptions};

/// What may become of one request.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    Reset,
    Refused,
    Silence,
    Unauthorized,
    Forbidden,
    Throttled,
    ThrottledFor(u16),
    Internal,
    BadGateway,
    Unavailable,
    Html(u16),
    Empty(u16),
    JsonInString,
    WrongCode,
    GatewayNotFound,
    Redirect,
    AnotherObject,
    Truncated,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::None),
        1 => Just(Fault::Reset),
        1 => Just(Fault::Refused),
        1 => Just(Fault::Silence),
        1 => Just(Fault::Unauthorized),
        1 => Just(Fault::Forbidden),
        1 => Just(Fault::Throttled),
        1 => (0_u16..60).prop_map(Fault::ThrottledFor),
        1 => Just(Fault::Internal),
        1 => Just(Fault::BadGateway),
        1 => Just(Fault::Unavailable),
        2 => prop_oneof![Just(200_u16), Just(404), Just(400), Just(500)].prop_map(Fault::Html),
        2 => prop_oneof![Just(200_u16), Just(204), Just(404), Just(410)].prop_map(Fault::Empty),
        1 => Just(Fault::JsonInString),
        2 => Just(Fault::WrongCode),
        2 => Just(Fault::GatewayNotFound),
        1 => Just(Fault::Redirect),
        1 => Just(Fault::AnotherObject),
        1 => Just(Fault::Truncated),
    ]
}

/// Every fault once, for the test that tries each in each call.
fn every() -> Vec<Fault> {
    use Fault::{
        AnotherObject, BadGateway, Empty, Forbidden, GatewayNotFound, Html, Internal, JsonInString,
        Redirect, Refused, Reset, Silence, Throttled, ThrottledFor, Truncated, Unauthorized,
        Unavailable, WrongCode,
    };
    let mut every = vec![
        Reset,
        Refused,
        Silence,
        Unauthorized,
        Forbidden,
        Throttled,
        ThrottledFor(2),
        ThrottledFor(3600),
        Internal,
        BadGateway,
        Unavailable,
        JsonInString,
        WrongCode,
        GatewayNotFound,
        Redirect,
        AnotherObject,
        Truncated,
    ];
    every.extend([200, 404, 400, 500].map(Html));
    every.extend([200, 204, 404, 410].map(Empty));
    every
}

impl Fault {
    /// Instead of the right answer.
    fn strike(self, right: Reply) -> Reply {
        let error = |status, code: &str, message: &str| {
            Reply::json(status, &json!({ "error": { "code": code, "message": message } }))
        };
        match self {
            Self::None => right,
            Self::Reset => Reply::Reset,
            Self::Refused => Reply::Refused,
            Self::Silence => Reply::Silence,
            Self::Unauthorized => error(401, "InvalidAuthenticationToken", "expired"),
            Self::Forbidden => error(403, "Authorization_RequestDenied", "no"),
            Self::Throttled => error(429, "TooManyRequests", "slow down"),
            Self::ThrottledFor(seconds) => {
                let seconds: &'static str = Box::leak(seconds.to_string().into_boxed_str());
                error(429, "TooManyRequests", "slow down").header("retry-after", seconds)
            }
            Self::Internal => error(500, "InternalError", r#"{"_version":3,"Message":"down"}"#),
            Self::BadGateway => Reply::html(502),
            Self::Unavailable => Reply::html(503).header("retry-after", "1"),
            Self::Html(status) => Reply::html(status),
            Self::Empty(status) => Reply::text(status, "application/json", ""),
            Self::JsonInString => Reply::text(200, "application/json", "\"{}\""),
            Self::WrongCode => error(404, "UnknownError", "Request_ResourceNotFound"),
            Self::GatewayNotFound => error(404, "ResourceNotFound", "Invalid version: v1.0"),
            Self::Redirect => Reply::text(302, "text/html", "")
                .header("location", "https://login.example/?Request_ResourceNotFound"),
            Self::AnotherObject => Reply::json(200, &json!({ "id": Uuid::nil(), "value": [] })),
            Self::Truncated => Reply::text(200, "application/json", r#"{"id":"#),
        }
    }
}

/// What Graph would say were all well: of each query one object that is there and one that is not.
fn right(request: &Request<Bytes>) -> Reply {
    let path = request.uri().path();
    if path.ends_with("/$batch") {
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let responses: Vec<Value> = asked["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let gone = one["url"].as_str().unwrap().contains(&gone().to_string());
                let body = if gone {
                    json!({ "error": { "code": "Request_ResourceNotFound" } })
                } else {
                    object_at(one["url"].as_str().unwrap())
                };
                json!({ "id": one["id"], "status": if gone { 404 } else { 200 }, "body": body })
            })
            .collect();
        return Reply::json(200, &json!({ "responses": responses }));
    }
    if path.ends_with("delta") {
        let link = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=1";
        let items = if path.contains("users") { [ada()] } else { [laptop()] };
        return Reply::json(200, &json!({ "value": items, "@odata.deltaLink": link }));
    }
    if path.contains("/subscriptions") {
        let taken = json!({ "id": "sub-1", "expirationDateTime": "2027-01-20T00:00:00Z" });
        return Reply::json(200, &taken);
    }
    if path.ends_with("/registeredOwners") && !path.contains(&gone().to_string()) {
        return Reply::json(200, &json!({ "value": [{ "id": ADA }] }));
    }
    if path.ends_with("/managedDevices") || path.ends_with("/riskyUsers") {
        return Reply::json(200, &json!({ "value": [object_at(path)] }));
    }
    if path.contains(&gone().to_string()) {
        return not_found();
    }
    Reply::json(200, &object_at(path))
}

fn object_at(path: &str) -> Value {
    if path.contains("managedDevices") {
        json!({ "id": LAPTOP, "managementState": "managed" })
    } else if path.contains("riskyUsers") {
        json!({ "id": ADA, "riskLevel": "low" })
    } else if path.contains("devices") {
        laptop()
    } else {
        ada()
    }
}

/// An object that there is not.
fn gone() -> Uuid {
    Uuid::from_u128(0xdead_0000_0000)
}

fn there(kind: ObjectKind) -> Uuid {
    match kind {
        ObjectKind::EntraDevice | ObjectKind::IntuneDevice => LAPTOP,
        _ => ADA,
    }
}

const KINDS: [ObjectKind; 4] = [
    ObjectKind::EntraUser,
    ObjectKind::EntraDevice,
    ObjectKind::RiskyUser,
    ObjectKind::IntuneDevice,
];

/// Whatever was answered is true.
fn truthful(kind: ObjectKind, id: Uuid, found: &Result<Found, Ignorance>) -> TestCaseResult {
    if let Ok(found) = found {
        let Found::State(state) = found else {
            return Err(TestCaseError::fail("asked by id and answered by nothing"));
        };
        prop_assert_eq!((state.key.kind, state.key.object), (kind, id.into()));
        prop_assert_eq!(state.presence == Presence::Absent, id == gone());
    }
    Ok(())
}

/// Both connectors of a tenant whose requests meet these faults in turn, and none after them.
fn faulty(faults: Vec<Fault>) -> (EntraId, Intune) {
    let at = AtomicUsize::new(0);
    let (tenant, _) = tenant_behind(move |request| {
        let fault = faults.get(at.fetch_add(1, Ordering::SeqCst)).copied();
        let right = signed_in(request).unwrap_or_else(|| right(request));
        fault.unwrap_or(Fault::None).strike(right)
    });
    (EntraId::new(&tenant, UserRisk::Followed), Intune::new(&tenant))
}

async fn never_absent_without_proof(faults: Vec<Fault>) -> TestCaseResult {
    let deadline = Limits::default().deadline;
    let (entra, intune) = faulty(faults);
    for kind in KINDS {
        let connector: &dyn Connector =
            if kind == ObjectKind::IntuneDevice { &intune } else { &entra };
        for id in [there(kind), gone()] {
            let begun = Instant::now();
            let found = connector.look_up(&Query::id(kind, id.into())).await;
            prop_assert!(begun.elapsed() <= deadline, "{:?}", begun.elapsed());
            truthful(kind, id, &found)?;
        }
        let ids = [there(kind), gone(), there(kind)];
        let queries = ids.map(|id| Query::id(kind, id.into()));
        let found = connector.look_up_all(&queries).await;
        prop_assert_eq!(found.len(), ids.len());
        for (id, found) in ids.into_iter().zip(&found) {
            truthful(kind, id, found)?;
        }
        let begun = Instant::now();
        if let Ok(batch) = connector.changes(kind, None).await {
            for change in batch.changes {
                let Change::State(state) = change else {
                    return Err(TestCaseError::fail("a removal that nobody told of"));
                };
                prop_assert_ne!(state.presence, Presence::Absent);
            }
        }
        prop_assert!(begun.elapsed() <= deadline, "{:?}", begun.elapsed());
    }
    Ok(())
}

/// The calls beside those that every connector has. Each ends in time; what it says is true.
async fn further_calls(faults: Vec<Fault>) -> TestCaseResult {
    let deadline = Limits::default().deadline;
    let (entra, intune) = faulty(faults);
    let until = ambient().now().plus(86_400);
    for device in [LAPTOP, gone()] {
        let begun = Instant::now();
        if let Ok(owners) = entra.owners(device.into()).await {
            let expected = (device == LAPTOP).then(|| vec![ObjectId::from(ADA)]);
            // A page without anybody is one that Graph may well give.
            prop_assert!(owners == expected || owners == Some(Vec::new()), "{:?}", owners);
        }
        prop_assert!(begun.elapsed() <= deadline);
    }
    let begun = Instant::now();
    let subscribed = entra.subscribe(&subscriptions::request()).await;
    prop_assert!(begun.elapsed() <= deadline);
    prop_assert!(subscribed.is_err() || subscribed.is_ok_and(|taken| taken.id == "sub-1"));
    let begun = Instant::now();
    let _ = entra.renew("sub-1", until).await;
    prop_assert!(begun.elapsed() <= deadline);
    let begun = Instant::now();
    let _ = entra.reauthorize("sub-1").await;
    prop_assert!(begun.elapsed() <= deadline * 2, "it makes two calls");
    let begun = Instant::now();
    let _ = entra.unsubscribe("sub-1").await;
    prop_assert!(begun.elapsed() <= deadline);
    for connector in [&entra as &dyn Connector, &intune] {
        let begun = Instant::now();
        let checks = connector.check().await;
        prop_assert!(!checks.is_empty());
        let calls = u32::try_from(checks.len()).unwrap();
        prop_assert!(begun.elapsed() <= deadline * calls, "{:?}", begun.elapsed());
        let told = checks.iter().map(ToString::to_string).collect::<String>();
        prop_assert!(!told.contains("s3cret") && !told.contains(TOKEN));
    }
    Ok(())
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_goes_wrong_nothing_is_absent_without_proof(
        faults in prop::collection::vec(fault(), 0..40)
    ) {
        paused().block_on(never_absent_without_proof(faults))?;
    }

    #[test]
    fn whatever_goes_wrong_every_call_ends_in_time(
        faults in prop::collection::vec(fault(), 0..40)
    ) {
        paused().block_on(further_calls(faults))?;
    }
}

#[test]
fn every_fault_alone_or_lasting_ends_in_the_right_answer_or_a_clear_error() {
    for fault in every() {
        for lasting in [1, 400] {
            let done = paused().block_on(never_absent_without_proof(vec![fault; lasting]));
            assert!(done.is_ok(), "{fault:?} × {lasting}: {done:?}");
            let done = paused().block_on(further_calls(vec![fault; lasting]));
            assert!(done.is_ok(), "{fault:?} × {lasting}: {done:?}");
        }
    }
}

#[test]
fn a_fault_that_lasts_is_named() {
    let named = |fault: Fault| {
        // From the second request on: the first one signs in.
        let (entra, _) = faulty([Fault::None].into_iter().chain([fault; 400]).collect());
        let query = Query::id(ObjectKind::EntraUser, ADA.into());
        let missed = paused().block_on(entra.look_up(&query));
        missed.expect_err("a fault that lasts").why.label()
    };
    let labels: Vec<String> =
        every().into_iter().map(|fault| format!("{fault:?}: {}", named(fault))).collect();
    insta::assert_snapshot!(labels.join("\n"));
}
