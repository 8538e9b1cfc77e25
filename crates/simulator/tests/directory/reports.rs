//! What Intune believes issued: certificate states, and the export of a report.

use std::io::Write as _;
use std::time::Duration;

use lanyard_simulator::intune::{Issued, Status};
use lanyard_simulator::tenant::View;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Answer, Bench};

fn notify(bench: &Bench) -> Uuid {
    let added = bench.world().change(bench.tenant, |tenant, now| {
        let device = tenant.managed_devices.page(View::Current, 0, 1).records[0].clone();
        tenant.intune.certificates.issue(Issued {
            certificate_request_id: Uuid::from_u128(5),
            device_id: device.id,
            user_id: device.user_id,
            profile_id: Uuid::from_u128(6),
            transaction_id: "t".to_owned(),
            thumbprint: "AB".repeat(20),
            serial_number: "5a4dbd24970cfb424c69099d27643287".to_owned(),
            subject: "CN=device, O=\"Contoso\"".to_owned(),
            expires: now.plus(Duration::from_hours(24)),
            issuing_certificate_authority: "CN=Lanyard".to_owned(),
            ca_configuration: None,
            certificate_authority: None,
            notified: now,
            status: Status::Active,
        });
        device.id
    });
    added.unwrap()
}

#[tokio::test]
async fn certificate_states_are_there_in_beta_only() {
    let bench = Bench::start().await;
    notify(&bench);
    let path = "/deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates";
    assert_eq!(bench.graph(path).await.refusal().0, 400);
    let states = bench.graph(&format!("/beta{path}")).await.good();
    let state = &states["value"][0];
    assert_eq!(state["certificateRevokeStatus"], "none");
    assert_eq!(state["certificateSerialNumber"], "5a4dbd24970cfb424c69099d27643287");
    for field in [
        "managedDeviceDisplayName",
        "userPrincipalName",
        "certificateIssuanceDateTime",
        "certificateExpirationDateTime",
        "certificateIssuerName",
        "certificateThumbprint",
        "certificateSubjectName",
    ] {
        assert!(state[field].is_string(), "{field} in {state}");
    }
}

#[tokio::test]
async fn a_report_is_asked_for_made_and_fetched_within_its_time() {
    let bench = Bench::start().await;
    let device = notify(&bench);
    let order = json!({ "reportName": "AllDeviceCertificates", "format": "csv",
        "select": ["DeviceId", "SerialNumber", "SubjectName"],
        "localizationType": "replaceLocalizableValues" });
    let job = bench.call(Method::POST, "/deviceManagement/reports/exportJobs", order).await;
    assert_eq!(job.status, StatusCode::CREATED);
    let job = job.json();
    assert_eq!((&job["status"], &job["url"]), (&json!("notStarted"), &json!(null)));
    let path = format!("/deviceManagement/reports/exportJobs('{}')", job["id"].as_str().unwrap());
    bench.world().advance(Duration::from_secs(1));
    assert_eq!(bench.graph(&path).await.good()["status"], "inProgress");
    bench.world().advance(Duration::from_secs(1));
    let job = bench.graph(&path).await.good();
    assert_eq!(job["status"], "completed");
    let url = job["url"].as_str().unwrap();
    let archive = bench.http.get(url).send().await.unwrap().bytes().await.unwrap();
    let text = unzipped(&archive);
    let expected = format!(
        "DeviceId,SerialNumber,SubjectName\r\n{device},5a4dbd24970cfb424c69099d27643287,\
         \"CN=device, O=\"\"Contoso\"\"\"\r\n"
    );
    assert_eq!(text, expected);

    let forged = url.split("sig=").next().unwrap().to_owned() + "sig=" + &Uuid::nil().to_string();
    assert_eq!(Answer::of(bench.http.get(forged)).await.status, StatusCode::FORBIDDEN);
    bench.world().advance(Duration::from_hours(1));
    assert_eq!(Answer::of(bench.http.get(url)).await.status, StatusCode::FORBIDDEN);
}

/// The only file of an archive, by python's own reader, which checks the sum.
fn unzipped(archive: &[u8]) -> String {
    let program = "import sys,zipfile,io\n\
        z=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))\n\
        assert z.testzip() is None\n\
        sys.stdout.buffer.write(z.read(z.namelist()[0]))";
    let mut python = std::process::Command::new("python3")
        .args(["-c", program])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(archive).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn other_reports_and_columns_are_refused() {
    let bench = Bench::start().await;
    for order in [
        json!({ "reportName": "Devices" }),
        json!({ "reportName": "AllDeviceCertificates", "select": ["Nonsense"] }),
        json!({ "reportName": "AllDeviceCertificates", "filter": "(UPN eq 'x')" }),
    ] {
        let path = "/deviceManagement/reports/exportJobs";
        assert_eq!(bench.call(Method::POST, path, order).await.refusal().0, 400);
    }
    assert_eq!(bench.graph("/deviceManagement/reports/exportJobs('x')").await.refusal().0, 404);
}
