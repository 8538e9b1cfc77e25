//! Intune's services for certification authorities, end to end.

use std::time::Duration;

use http::Method;
use lanyard_directory::Outcome;
use lanyard_directory::intune::Settings;
use lanyard_directory::intune::certificates::{CertificateStatus, NextPage};
use lanyard_directory::intune::revocation::{
    Drained, FailureCode, QueueEnd, RevocationRequest, RevocationResult,
};
use lanyard_directory::intune::revocation::{ErrorCodeSpelling, Outcome as Became, QueueSettings};
use lanyard_directory::intune::validation::{
    Code, Enrollment, HResult, IssuedCertificate, ValidationError,
};
use lanyard_pki::{SerialNumber, Time};
use serde_json::{Value, json};

use super::bench::Bench;

fn settings() -> Settings {
    Settings { ca_configuration: Some("lanyard-test".into()), queue: QueueSettings::default() }
}

fn certificate(serial: &SerialNumber) -> IssuedCertificate<'_> {
    IssuedCertificate {
        der: b"stands for a certificate",
        serial,
        not_after: Time::from_unix(4_000_000_000),
        issuer: "CN=Lanyard Test CA",
    }
}

/// Enrolls the first device.
async fn enroll(
    bench: &Bench,
    services: &lanyard_directory::intune::CertificateServices,
    serial: &str,
) {
    let request = bench.request(bench.device(0)).await;
    let enrollment = Enrollment { transaction_id: serial, request: &request };
    let serial = serial.parse().unwrap();
    services.validation().validate(enrollment).await.unwrap();
    services.validation().issued(enrollment, certificate(&serial)).await.unwrap();
}

#[tokio::test]
async fn a_device_enrolls_and_intune_knows_its_certificate() {
    let bench = Bench::start().await;
    let services = bench.intune(settings());
    enroll(&bench, &services, "4A00112233445566778899AABBCCDDEEFF001122").await;
    let known = bench.look("certificates").await.to_string();
    assert!(known.contains("4A00112233445566778899AABBCCDDEEFF001122"), "{known}");
    assert!(known.contains("lanyard-test"), "{known}");
}

#[tokio::test]
async fn a_request_that_intune_did_not_ask_for_is_refused_for_good() {
    let bench = Bench::start().await;
    let services = bench.intune(settings());
    let request = bench.request(bench.device(0)).await;
    let mut altered = request.clone();
    *altered.last_mut().unwrap() ^= 1;
    for request in [&altered[..], &[0x30, 0x00]] {
        let enrollment = Enrollment { transaction_id: "1", request };
        let error = services.validation().validate(enrollment).await.unwrap_err();
        let ValidationError::Rejected(rejection) = error else { panic!("{error}") };
        assert!(Code::KNOWN.contains(&rejection.code), "{rejection}");
    }
    bench.control(Method::PUT, "intune/oddities", json!({"code": "OfTomorrow"})).await;
    let enrollment = Enrollment { transaction_id: "1", request: &request };
    let error = services.validation().validate(enrollment).await.unwrap_err();
    let ValidationError::Rejected(rejection) = error else { panic!("{error}") };
    assert_eq!(rejection.code, Code::Other("OfTomorrow".into()));
}

#[tokio::test]
async fn a_fault_of_ours_is_told() {
    let bench = Bench::start().await;
    let services = bench.intune(settings());
    let request = bench.request(bench.device(0)).await;
    let enrollment = Enrollment { transaction_id: "1", request: &request };
    let reason = "Der Schlüssel der Zertifizierungsstelle ist nicht erreichbar. ".repeat(10);
    services.validation().failed(enrollment, HResult::UNEXPECTED, &reason).await.unwrap();
    let failures = bench.look("failures").await.to_string();
    assert!(failures.contains("Zertifizierungsstelle"), "{failures}");
}

async fn ask(bench: &Bench, serial: &str, configuration: Option<&str>) {
    let body = json!({"serialNumber": serial, "caConfiguration": configuration});
    bench.control(Method::POST, "revocations", body).await;
}

fn answer(request: RevocationRequest, outcome: Became) -> RevocationResult {
    RevocationResult { context: request.context, outcome }
}

#[tokio::test]
async fn requests_to_revoke_are_carried_out_whatever_their_form_and_others_left_alone() {
    for (spelling, upload) in
        [(ErrorCodeSpelling::Name, "boolean"), (ErrorCodeSpelling::Number, "text")]
    {
        let bench = Bench::start().await;
        let queue = QueueSettings { page: 2, error_codes: spelling };
        let services = bench.intune(Settings { queue, ..settings() });
        bench.control(Method::PUT, "intune/oddities", json!({"uploadAnswer": upload})).await;
        enroll(&bench, &services, "4A01").await;
        ask(&bench, "4a:02", None).await;
        ask(&bench, "777", Some("somebody-else")).await;
        ask(&bench, "4A03", Some("lanyard-test")).await;
        ask(&bench, "00 4A 04", None).await;
        let mut revoked = Vec::new();
        let drained = services
            .revocation()
            .drain(|requests| {
                let ours = requests.into_iter().filter(|one| !one.is_for_another("lanyard-test"));
                let results: Vec<RevocationResult> = ours
                    .map(|request| {
                        let serial = request.serial().unwrap();
                        revoked.push(serial.to_string());
                        let outcome = if serial.to_string() == "4A03" {
                            let code = FailureCode::CertificateNotFound;
                            Became::Failed { code, message: "never issued".into() }
                        } else {
                            Became::Revoked
                        };
                        answer(request, outcome)
                    })
                    .collect();
                async { results }
            })
            .await
            .unwrap();
        revoked.sort_unstable();
        assert_eq!(revoked, ["4A02", "4A03", "4A04"]);
        assert_eq!(drained, Drained { requests: 4, results: 3, end: QueueEnd::Empty });
        let standings: Vec<(String, String)> = bench.look("revocations").await["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (text(&one["serialNumber"]), text(&one["standing"])))
            .collect();
        for (serial, standing) in &standings {
            let expected = match serial.as_str() {
                "777" => "handedOut",
                "4A03" => "failed",
                _ => "revoked",
            };
            assert_eq!(standing, expected, "{serial} in {standings:?}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

#[tokio::test]
async fn a_wiped_device_has_its_certificate_revoked_by_the_queue() {
    let bench = Bench::start().await;
    let services = bench.intune(settings());
    enroll(&bench, &services, "4A01").await;
    let device = bench.device(0);
    bench.control(Method::POST, &format!("managedDevices/{device}/wipe"), json!({})).await;
    bench.control(Method::POST, &format!("managedDevices/{device}/sync"), json!({})).await;
    let requests = services.revocation().download().await.unwrap();
    let serials: Vec<_> = requests.iter().map(|request| request.serial().unwrap()).collect();
    assert_eq!(serials, ["4A01".parse().unwrap()]);
    assert_eq!(requests[0].ca_configuration.as_deref(), Some("lanyard-test"));
}

#[tokio::test]
async fn what_intune_believes_issued_is_told_by_states_and_by_the_report() {
    let bench = Bench::start().await;
    let services = bench.intune(settings());
    enroll(&bench, &services, "4A01").await;
    let serial: SerialNumber = "4A01".parse().unwrap();
    let certificates = services.certificates();
    let mut next: Option<NextPage> = None;
    let mut states = Vec::new();
    loop {
        let page = certificates.states(next.as_ref()).await.unwrap();
        states.extend(page.records);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let state = states.iter().find(|record| record.serial.as_ref() == Some(&serial));
    let state = state.unwrap_or_else(|| panic!("not among {} states", states.len()));
    assert_ne!(state.status, CertificateStatus::Revoked);
    let report = certificates.report(Duration::from_mins(2), 1 << 26).await.unwrap();
    let mut batches = report.receive();
    let mut reported = Vec::new();
    while let Some(batch) = batches.recv().await {
        reported.extend(batch.unwrap());
    }
    let row = reported.iter().find(|record| record.serial.as_ref() == Some(&serial));
    let row = row.unwrap_or_else(|| panic!("not among {} rows", reported.len()));
    assert_eq!(row.device.map(uuid::Uuid::from), Some(bench.device(0)));
    assert_eq!(row.thumbprint, state.thumbprint);
}

#[tokio::test]
async fn the_check_finds_everything_in_order() {
    let bench = Bench::start().await;
    let checks = bench.intune(settings()).try_out().await;
    let told: Vec<String> = checks.iter().map(ToString::to_string).collect();
    assert!(checks.iter().all(|check| check.outcome == Outcome::Ok), "{told:#?}");
    assert!(checks.len() >= 6, "{told:#?}");
}
