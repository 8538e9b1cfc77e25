use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::Request;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::canned::{self, Canned, Reply, line};
use crate::graph::Graph;
use crate::http::Limits;
use crate::ignorance::Why;

const ENROLLMENT: Enrollment<'_> = Enrollment { transaction_id: "4A8F", request: &[0x30, 0x00] };

/// Graph that lists the service at these places, one after the other, and the service.
fn validation(
    places: &'static [&'static str],
    answer: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
) -> (Arc<Canned>, ScepValidation) {
    let turn = AtomicUsize::new(0);
    let wire = Canned::new(move |request| {
        if request.uri().host() != Some("graph.example.org") {
            return answer(request);
        }
        let place = places[turn.fetch_add(1, Ordering::SeqCst).min(places.len() - 1)];
        let name = "ScepRequestValidationFEService";
        Reply::json(200, &json!({"value": [{"providerName": name, "uri": place}]}))
    });
    let graph = Graph::new(
        wire.service("Microsoft Graph", Limits::default()),
        canned::tokens(),
        "https://graph.example.org/".parse().unwrap(),
    );
    let validation = ScepValidation::new(
        Arc::new(Discovery::new(graph)),
        wire.service("Intune SCEP validation", Limits::default()),
        canned::tokens(),
        Some("lanyard-1".into()),
    );
    (wire, validation)
}

const PLACE: &[&str] = &["https://fef.example.org/RACerts/Service"];

fn says(code: &str) -> Reply {
    Reply::json(
        200,
        &json!({
            "@odata.context": "https://x/$metadata#scepActionResult", "code": code,
            "errorDescription": "in\r\nIntune's   words",
        }),
    )
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).unwrap().to_str().unwrap()
}

fn body(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

#[tokio::test]
async fn a_call_has_the_documented_address_headers_and_body() {
    let (wire, validation) = validation(PLACE, |_| says("Success"));
    validation.validate(ENROLLMENT).await.unwrap();
    let asked = wire.asked();
    let call = &asked[1];
    assert_eq!(line(call), "POST /RACerts/Service/ScepActions/validateRequest");
    assert_eq!(header(call, "authorization"), "Bearer canned");
    assert_eq!(header(call, "api-version"), "2018-02-20");
    assert_eq!(header(call, "content-type"), "application/json; charset=utf-8");
    Uuid::parse_str(header(call, "client-request-id")).unwrap();
    assert_eq!(body(call)["request"]["transactionId"], "4A8F");
    assert!(body(call)["request"]["callerInfo"].as_str().unwrap().starts_with("Lanyard/"));
}

#[tokio::test]
async fn a_notice_of_success_says_what_was_issued() {
    let (wire, validation) = validation(PLACE, |_| says("Success"));
    let certificate = IssuedCertificate {
        der: b"abc",
        serial: &"4a01".parse().unwrap(),
        not_after: "2027-01-02T03:04:05Z".parse().unwrap(),
        issuer: "CN=Example CA",
    };
    validation.issued(ENROLLMENT, certificate).await.unwrap();
    let asked = wire.asked();
    assert_eq!(line(&asked[1]), "POST /RACerts/Service/ScepActions/successNotification");
    let notice = &body(&asked[1])["notification"];
    assert_eq!(notice["certificateThumbprint"], "A9993E364706816ABA3E25717850C26C9CD0D89D");
    assert_eq!(notice["certificateSerialNumber"], "4A01");
    assert_eq!(notice["certificateExpirationDateUtc"], "2027-01-02T03:04:05Z");
    assert_eq!(notice["caConfiguration"], "lanyard-1");
}

#[tokio::test]
async fn a_notice_of_failure_says_why_in_short() {
    let (wire, validation) = validation(PLACE, |_| says("Success"));
    validation.failed(ENROLLMENT, HResult::UNEXPECTED, &"ä".repeat(300)).await.unwrap();
    let asked = wire.asked();
    assert_eq!(line(&asked[1]), "POST /RACerts/Service/ScepActions/failureNotification");
    let notice = &body(&asked[1])["notification"];
    assert_eq!(notice["hResult"].as_i64(), Some(-2_147_418_113));
    assert_eq!(notice["errorDescription"], "ä".repeat(255));
    assert_eq!(HResult::ACCESS_DENIED.0.cast_unsigned(), 0x8007_0005);
    assert_eq!(HResult::UNEXPECTED.0.cast_unsigned(), 0x8000_FFFF);
}

#[tokio::test]
async fn every_code_but_success_is_a_final_rejection_and_is_not_asked_again() {
    let codes = Code::KNOWN.iter().map(Code::as_str).chain(["FromTheFuture", "success", ""]);
    for code in codes.filter(|code| *code != "Success") {
        let code = code.to_owned();
        let expected = Code::from(code.as_str());
        let (wire, validation) = validation(PLACE, move |_| says(&code));
        let error = validation.validate(ENROLLMENT).await.unwrap_err();
        let ValidationError::Rejected(rejection) = error else { panic!("{error}") };
        assert_eq!(rejection.code, expected);
        assert!(rejection.to_string().ends_with(": in Intune's words"), "{rejection}");
        assert_eq!(wire.lines().len(), 2, "asked again after {expected}");
    }
}

type Answering = fn(&str) -> Reply;

#[tokio::test(start_paused = true)]
async fn no_other_answer_is_taken_for_a_decision() {
    let inner = "{\r\n  \"_version\": 3,\r\n  \"Message\": \"An internal error\"\r\n}";
    let answers: [Answering; 15] = [
        |_| Reply::json(200, &json!({})),
        |_| Reply::json(200, &json!({"code": null})),
        |_| Reply::text(200, "application/json", "\"Success\""),
        |_| Reply::text(200, "application/json", ""),
        |_| Reply::html(200),
        |_| Reply::json(400, &json!({"code": "Success"})),
        |_| Reply::html(401),
        |_| Reply::json(403, &json!({"code": "ChallengeExpired"})),
        |_| Reply::html(404),
        |_| Reply::json(429, &json!({})),
        |inner| Reply::json(500, &json!({"error": {"code": "InternalError", "message": inner}})),
        |_| Reply::html(302),
        |_| Reply::Reset,
        |_| Reply::Refused,
        |_| Reply::Silence,
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let (_, validation) = validation(PLACE, move |_| answer(inner));
        let begun = Instant::now();
        let error = validation.validate(ENROLLMENT).await.unwrap_err();
        assert!(matches!(error, ValidationError::Unanswered(_)), "{number}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(70), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn json_inside_a_string_is_told_in_its_own_words() {
    let (_, validation) = validation(PLACE, |_| {
        let inner = "{\r\n  \"_version\": 3,\r\n  \"Message\": \"An internal error\"\r\n}";
        Reply::json(500, &json!({"error": {"code": "InternalError", "message": inner}}))
    });
    let told = validation.validate(ENROLLMENT).await.unwrap_err().to_string();
    assert!(told.contains("InternalError: An internal error"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_not_noticed() {
    for first in [
        (|| Reply::json(500, &json!({}))) as fn() -> Reply,
        || Reply::json(429, &json!({})).header("retry-after", "2"),
        || Reply::html(502),
        || Reply::Reset,
        || Reply::Refused,
        || Reply::html(401),
    ] {
        let turn = AtomicUsize::new(0);
        let (wire, validation) =
            validation(PLACE, move |_| match turn.fetch_add(1, Ordering::SeqCst) {
                0 => first(),
                _ => says("Success"),
            });
        // A token that is new would not be replaced.
        validation.door.tokens.token().await.unwrap();
        tokio::time::advance(Duration::from_mins(1)).await;
        validation.validate(ENROLLMENT).await.unwrap();
        let asked = wire.asked();
        // The same call, for Microsoft's support.
        assert_eq!(header(&asked[1], "client-request-id"), header(&asked[2], "client-request-id"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_moved_is_found_again() {
    const MOVED: &[&str] = &["https://old.example.org/Service", "https://new.example.org/Service"];
    for gone in [|| Reply::Refused, || Reply::html(404)] as [fn() -> Reply; 2] {
        let (_, validation) = validation(MOVED, move |request| {
            if request.uri().host() == Some("old.example.org") { gone() } else { says("Success") }
        });
        let _ = validation.door.discovery.endpoint(IntuneService::ScepRequestValidation).await;
        tokio::time::advance(Duration::from_mins(1)).await;
        validation.validate(ENROLLMENT).await.unwrap();
    }
}

#[tokio::test]
async fn a_missing_role_is_told_by_name() {
    let (_, validation) = validation(PLACE, |_| Reply::json(403, &json!({})));
    let error = validation.validate(ENROLLMENT).await.unwrap_err();
    let ValidationError::Unanswered(ignorance) = error else { panic!("{error}") };
    assert_eq!(ignorance.why, Why::Forbidden { permission: Some("scep_challenge_provider") });
}
