//! ScepActions: every code, and the errors that are none.

use crate::support::{Answer, Bench, RSA_2048_OTHER, RSA_3072, Request, code, notification};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lanyard_pki::{GeneralName, extension::KeyUsages};
use lanyard_simulator::{
    intune::Code,
    tenant::{Removal, View},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

#[tokio::test]
async fn what_intune_asked_for_is_found_good_and_the_notification_taken_once() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    let given = bench.challenge(device, None).await;
    assert!(given["challenge"].as_str().unwrap().len() > 255, "{given}");
    let request = Request::asked_for(&given).encode();
    assert_eq!(bench.validate("T1", &request).await, "Success");
    assert_eq!(bench.validate("T1", &request).await, "Success", "a repetition");
    assert_eq!(bench.notify("T1", &request, "5a4dbd24").await, "Success");
    assert_eq!(bench.notify("T1", &request, "5a4dbd24").await, "Success", "a repetition");
    let known = bench.look("certificates").await;
    assert_eq!(known["value"].as_array().unwrap().len(), 1, "{known}");
    assert_eq!(known["value"][0]["serialNumber"], "5a4dbd24");
    assert_eq!(known["value"][0]["deviceId"], device.to_string());
    assert_eq!(known["value"][0]["status"], "active");
}

#[tokio::test]
async fn a_challenge_that_was_answered_or_replaced_is_for_nobody_else() {
    let bench = Bench::start().await;
    let given = bench.challenge(bench.device(0), None).await;
    let first = Request::asked_for(&given);
    let second = Request { key: RSA_2048_OTHER, ..first.clone() };
    let (first, second) = (first.encode(), second.encode());
    assert_eq!(bench.validate("T1", &first).await, "Success");
    assert_eq!(bench.validate("T2", &second).await, "Success", "nothing was issued yet");
    assert_eq!(bench.notify("T1", &first, "01").await, "Success");
    let bad = "BadCertificateRequestIdInChallenge";
    assert_eq!(bench.validate("T2", &second).await, bad);
    assert_eq!(bench.notify("T2", &second, "02").await, bad);
    assert_eq!(bench.notify("T1", &first, "02").await, bad, "another certificate");
    assert_eq!(bench.validate("T1", &first).await, "Success", "the client asks again");

    let old = Request::asked_for(&bench.challenge(bench.device(1), None).await).encode();
    bench.challenge(bench.device(1), None).await;
    assert_eq!(bench.validate("T3", &old).await, bad, "a newer challenge was made");
}

#[tokio::test]
async fn a_request_that_differs_is_refused_by_what_differs() {
    let bench = Bench::start().await;
    // The first device runs Windows: its requests carry everything.
    let given = bench.challenge(bench.device(0), None).await;
    let good = Request::asked_for(&given);
    let uri = |text: &str| vec![GeneralName::Uri(text.to_owned())];
    let cases = [
        ("SubjectNameMissing", Request { subject: String::new(), ..good.clone() }),
        ("SubjectNameMismatch", Request { subject: "CN=somebody else".to_owned(), ..good.clone() }),
        (
            "SubjectNameMismatch",
            Request { subject: format!("{},OU=more", good.subject), ..good.clone() },
        ),
        ("SubjectAltNameMissing", Request { alt_names: Vec::new(), ..good.clone() }),
        (
            "SubjectAltNameMismatch",
            Request { alt_names: uri("IntuneDeviceId://x"), ..good.clone() },
        ),
        (
            "SubjectAltNameMismatch",
            Request {
                alt_names: [good.alt_names.clone(), uri("https://more.example")].concat(),
                ..good.clone()
            },
        ),
        ("KeyUsageMismatch", Request { key_usage: None, ..good.clone() }),
        (
            "KeyUsageMismatch",
            Request { key_usage: Some(KeyUsages::DIGITAL_SIGNATURE), ..good.clone() },
        ),
        ("KeyLengthMismatch", Request { key: RSA_3072, ..good.clone() }),
        ("EnhancedKeyUsageMissing", Request { purposes: Vec::new(), ..good.clone() }),
        (
            "EnhancedKeyUsageMismatch",
            Request { purposes: vec!["1.3.6.1.5.5.7.3.1".to_owned()], ..good.clone() },
        ),
        ("ChallengePasswordMissing", Request { challenge: None, ..good.clone() }),
        (
            "ChallengeDecodingError",
            Request { challenge: Some("secret".to_owned()), ..good.clone() },
        ),
        (
            "ChallengeDecryptionError",
            Request { challenge: Some(STANDARD.encode([7; 90])), ..good.clone() },
        ),
    ];
    for (code, request) in cases {
        assert_eq!(bench.validate("T", &request.encode()).await, code);
    }
    assert_eq!(bench.validate("T", &good.encode()).await, "Success");
}

#[tokio::test]
async fn a_certificate_request_that_cannot_be_read_or_is_signed_wrongly_is_refused() {
    let bench = Bench::start().await;
    let mut der = Request::asked_for(&bench.challenge(bench.device(0), None).await).der();
    let undecodable = "CertificateRequestDecodingFailed";
    assert_eq!(bench.validate("T", "%%%").await, undecodable);
    assert_eq!(bench.validate("T", "AAAA").await, undecodable);
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(bench.validate("T", &STANDARD.encode(der)).await, undecodable);
}

#[tokio::test]
async fn each_flaw_of_a_challenge_is_told_apart() {
    let bench = Bench::start().await;
    for (flaw, code) in [
        ("encoding", "ChallengeDecodingError"),
        ("encryption", "ChallengeDecryptionError"),
        ("contents", "ChallengeDeserializationError"),
        ("thumbprint", "SigningCertThumbprintMismatch"),
        ("signature", "SignatureValidationFailed"),
        ("future", "ChallengeInvalidTimestamp"),
    ] {
        let asked = json!({ "deviceId": bench.device(0), "flaw": flaw });
        let request = Request::asked_for(&bench.post("challenges", asked).await).encode();
        assert_eq!(bench.validate("T", &request).await, code, "{flaw}");
    }
    let request = Request::asked_for(&bench.challenge(bench.device(0), None).await).encode();
    let renewed = bench.control(Method::POST, "intune/signingCertificate", Value::Null).await;
    assert_eq!(renewed.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.validate("T", &request).await, "SigningCertThumbprintMismatch");
}

#[tokio::test]
async fn a_challenge_lives_sixty_minutes() {
    let mut bench = Bench::start().await;
    let request = Request::asked_for(&bench.challenge(bench.device(0), None).await).encode();
    bench.pass(Duration::from_hours(1)).await;
    assert_eq!(bench.validate("T", &request).await, "Success");
    bench.pass(Duration::from_millis(1)).await;
    assert_eq!(bench.validate("T", &request).await, "ChallengeExpired");
    assert_eq!(bench.notify("T", &request, "01").await, "Success", "it was issued in time");
}

#[tokio::test]
async fn a_device_a_user_or_a_profile_that_is_gone_has_a_code_of_its_own() {
    let bench = Bench::start().await;
    let world = bench.running.world();
    let made =
        async |n: usize| Request::asked_for(&bench.challenge(bench.device(n), None).await).encode();
    // The list of devices gets shorter: the last ones first.
    let (first, second, third) = (made(0).await, made(1).await, made(2).await);

    let path = format!("managedDevices/{}/unenroll", bench.device(2));
    assert_eq!(bench.post(&path, Value::Null).await["present"], false);
    assert_eq!(bench.validate("T", &third).await, "BadDeviceIdInChallenge");

    let device = bench.device(1);
    let removed = world.change(bench.tenant, |tenant, now| {
        let user = tenant.managed_devices.find(device).unwrap().user_id.unwrap();
        tenant.users.remove(user, Removal::Soft, now).is_some()
    });
    assert!(removed.unwrap());
    assert_eq!(bench.validate("T", &second).await, "BadUserIdInChallenge");

    let profiles = bench.look("profiles").await;
    let profile = profiles["value"].as_array().unwrap().iter();
    let profile = profile.clone().find(|profile| profile["certificateType"] == "device").unwrap();
    let path = format!("profiles/{}", profile["id"].as_str().unwrap());
    let groups = json!({ "assignment": { "groups": [] } });
    assert_eq!(bench.control(Method::PATCH, &path, groups).await.status, StatusCode::OK);
    let code = "ScepProfileNoLongerTargetedToTheClient";
    assert_eq!(bench.validate("T", &first).await, code);
}

#[tokio::test]
async fn a_challenge_of_another_tenant_is_refused() {
    let bench = Bench::start().await;
    let other = bench.running.world().tenants().nth(1).unwrap();
    let device = bench
        .running
        .world()
        .read(other, |tenant| tenant.managed_devices.page(View::default(), 0, 1).records[0].id);
    let request = Request::asked_for(&bench.challenge(device.unwrap(), None).await).encode();
    assert_eq!(bench.validate("T", &request).await, "BadTenantIdInChallenge");
}

#[tokio::test]
async fn a_key_for_windows_hello_has_to_be_one_that_the_directory_lists() {
    let bench = Bench::start().await;
    let settings = json!({ "displayName": "Hello", "keyStorage": "windowsHelloForBusiness" });
    let profile = bench.post("profiles", settings).await;
    let profile: Uuid = profile["id"].as_str().unwrap().parse().unwrap();
    let device = bench.device(0);
    let user = bench
        .running
        .world()
        .read(bench.tenant, |tenant| tenant.managed_devices.find(device).unwrap().user_id.unwrap());
    let keys = format!("users/{}/registeredKeys", user.unwrap());
    let request = Request::asked_for(&bench.challenge(device, Some(profile)).await);
    assert_eq!(bench.validate("T", &request.encode()).await, "AadKeyIdentifierListMissing");
    bench.put(&keys, json!(["00"])).await;
    assert_eq!(bench.validate("T", &request.encode()).await, "RegisteredKeyMismatch");
    bench.put(&keys, json!([request.key_digest()])).await;
    assert_eq!(bench.validate("T", &request.encode()).await, "Success");
}

#[tokio::test]
async fn characters_with_a_meaning_in_names_break_the_comparison() {
    let bench = Bench::start().await;
    let settings = json!({ "displayName": "Names", "subjectNameFormat": "CN={{DeviceName}}" });
    let profile = bench.post("profiles", settings).await;
    let profile: Uuid = profile["id"].as_str().unwrap().parse().unwrap();
    let device = bench.device(0);
    let plain = Request::asked_for(&bench.challenge(device, Some(profile)).await);
    assert_eq!(bench.validate("T", &plain.encode()).await, "Success");
    let renamed = bench.running.world().change(bench.tenant, |tenant, now| {
        tenant.managed_devices.change(device, now, |device| {
            device.device_name = "Ada, the first".to_owned();
        })
    });
    assert!(renamed.unwrap().is_some());
    let odd = Request::asked_for(&bench.challenge(device, Some(profile)).await);
    assert_eq!(odd.subject, "CN=Ada\\, the first");
    assert_eq!(bench.validate("T", &odd.encode()).await, "SubjectNameMismatch");
}

#[tokio::test]
async fn apple_devices_have_no_place_for_the_extended_key_usage() {
    let bench = Bench::start().await;
    // The second device is a Mac.
    let asked = Request::asked_for(&bench.challenge(bench.device(1), None).await);
    let without = Request { purposes: Vec::new(), ..asked.clone() };
    assert_eq!(bench.validate("T", &without.encode()).await, "Success");
    let other = Request { purposes: vec!["1.3.6.1.5.5.7.3.1".to_owned()], ..asked };
    assert_eq!(bench.validate("T", &other.encode()).await, "EnhancedKeyUsageMismatch");
}

#[tokio::test]
async fn a_user_without_a_licence_gets_no_challenge_and_a_device_in_some_modes_no_id() {
    let bench = Bench::start().await;
    let device = bench.device(0);
    bench
        .put(&format!("managedDevices/{device}/mode"), json!({ "mode": "androidDedicated" }))
        .await;
    let given = bench.challenge(device, None).await;
    assert_eq!(given["subjectAlternativeNames"][0]["value"], "IntuneDeviceId://");
    let user = bench
        .running
        .world()
        .read(bench.tenant, |tenant| tenant.managed_devices.find(device).unwrap().user_id.unwrap());
    bench.put(&format!("users/{}/licence", user.unwrap()), json!({ "licensed": false })).await;
    let asked = json!({ "deviceId": device });
    let refused = bench.control(Method::POST, "challenges", asked).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
}

#[tokio::test]
async fn a_failure_is_noted_with_its_number_signed_or_not() {
    let bench = Bench::start().await;
    let request = Request::asked_for(&bench.challenge(bench.device(0), None).await).encode();
    let told = |number: i64, text: &str| {
        json!({ "notification": {
            "transactionId": "T", "certificateRequest": request, "hResult": number,
            "errorDescription": text, "callerInfo": "Lanyard/0.1",
        }})
    };
    for number in [-2_147_418_113, 2_147_549_183] {
        let answer = bench.scep("failureNotification", told(number, "no key")).await;
        assert_eq!(code(&answer), "Success");
    }
    let failures = bench.look("failures").await;
    let numbers: Vec<_> = failures["value"].as_array().unwrap().iter().collect();
    assert_eq!(numbers.len(), 2);
    assert!(numbers.iter().all(|failure| failure["hResult"] == 0x8000_ffff_u32), "{failures}");
    for bad in [told(1 << 32, ""), told(0, &"x".repeat(256))] {
        assert_eq!(bench.scep("failureNotification", bad).await.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn only_configuration_and_authority_of_a_notification_may_be_null() {
    let bench = Bench::start().await;
    let request = Request::asked_for(&bench.challenge(bench.device(0), None).await).encode();
    let whole = notification("T", &request, "01", bench.running.world().now());
    let names = whole["notification"].as_object().unwrap().keys().cloned();
    for name in names.collect::<BTreeSet<_>>() {
        let mut told = whole.clone();
        told["notification"][&name] = Value::Null;
        let status = bench.scep("successNotification", told).await.status;
        let free = ["caConfiguration", "certificateAuthority"].contains(&name.as_str());
        assert_eq!(status.is_success(), free, "{name}: {status}");
    }
    let mut told = whole;
    told["notification"]["certificateThumbprint"] = "no hexadecimal".into();
    assert_eq!(bench.scep("successNotification", told).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn without_the_role_the_right_audience_or_a_version_nothing_is_answered() {
    let bench = Bench::start().await;
    let body = json!({ "request": {
        "transactionId": "T", "certificateRequest": "AAAA", "callerInfo": "Lanyard/0.1",
    }});
    let call = || {
        let service = "ScepRequestValidationFEService";
        bench.intune(service, "ScepActions", "validateRequest").json(&body)
    };
    let unversioned = Answer::of(call()).await;
    assert_eq!(unversioned.status, StatusCode::BAD_REQUEST);
    let other = Answer::of(call().header("api-version", "5019-05-05")).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    // JSON inside a string, with line breaks of Windows.
    let error = other.json()["error"].clone();
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("{\r\n  \"_version\": 3,"), "{message}");
    assert!(serde_json::from_str::<Value>(message).unwrap()["Message"].is_string());

    let services = lanyard_simulator::intune::services(bench.base());
    let url = format!("{}/ScepActions/validateRequest", services[0].uri);
    let plain = || bench.http.post(&url).header("api-version", "2018-02-20").json(&body);
    assert_eq!(Answer::of(plain()).await.status, StatusCode::UNAUTHORIZED);
    let graph = bench.token(bench.tenant, "https://graph.microsoft.com").await;
    assert_eq!(Answer::of(plain().bearer_auth(graph)).await.status, StatusCode::UNAUTHORIZED);
    bench
        .running
        .world()
        .change(bench.tenant, |tenant, _| {
            let all: Vec<_> = tenant.apps.assignments().copied().collect();
            for assignment in all {
                tenant.apps.unassign(assignment);
            }
        })
        .unwrap();
    let roleless = bench.token(bench.tenant, "https://api.manage.microsoft.com").await;
    assert_eq!(Answer::of(plain().bearer_auth(roleless)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_code_that_nobody_knows_can_be_had() {
    let bench = Bench::start().await;
    let request = Request::asked_for(&bench.challenge(bench.device(0), None).await).encode();
    bench.put("intune/oddities", json!({ "code": "NewInTwentyThirty" })).await;
    let body = json!({ "request": {
        "transactionId": "T", "certificateRequest": request, "callerInfo": "Lanyard/0.1",
    }});
    let answer = bench.scep("validateRequest", body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["code"], "NewInTwentyThirty");
    assert!(Code::ALL.iter().all(|code| code.name() != "NewInTwentyThirty"));
}
