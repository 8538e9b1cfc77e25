use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::Request;
use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::canned::{self, Canned, Reply, line};
use crate::http::Limits;

fn certificates(
    answer: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
) -> (Arc<Canned>, Certificates) {
    let wire = Canned::new(answer);
    let graph = Graph::new(
        wire.service("Microsoft Graph", Limits::default()),
        canned::tokens(),
        "https://graph.example.org/".parse().unwrap(),
    );
    let certificates = Certificates::new(graph, wire.service("Intune reports", Limits::default()));
    (wire, certificates)
}

#[tokio::test]
async fn states_are_read_page_by_page() {
    const FIRST: &str =
        "GET /beta/deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates";
    let (_, certificates) = certificates(|request| match line(request).as_str() {
        FIRST => Reply::json(
            200,
            &json!({
                "value": [{"certificateSerialNumber": "0A", "certificateRevokeStatus": "revoked"}],
                "@odata.nextLink": "https://graph.example.org/beta/next?$skiptoken=x",
            }),
        ),
        "GET /beta/next?$skiptoken=x" => Reply::json(
            200,
            &json!({
                "value": [],
                "@odata.nextLink": "https://elsewhere.example.org/beta/next",
            }),
        ),
        other => panic!("{other}"),
    });
    let first = certificates.states(None).await.unwrap();
    assert_eq!(first.records[0].status, CertificateStatus::Revoked);
    let second = certificates.states(first.next.as_ref()).await.unwrap();
    assert_eq!(second.records, []);
    certificates.states(second.next.as_ref()).await.unwrap_err();
}

const REPORT: &str = "SerialNumber,CertificateStatus\n0A,Issued\n0B,Revoked\n";
const URL: &str = "https://storage.example.org/report.zip?sig=abc";

/// A job that is ready when it is asked for the third time, and a storage.
fn job(
    storage: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
) -> (Arc<Canned>, Certificates) {
    let turn = AtomicUsize::new(0);
    certificates(move |request| match line(request).as_str() {
        "POST /v1.0/deviceManagement/reports/exportJobs" => {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            assert_eq!(
                (&body["reportName"], &body["format"]),
                (&json!("AllDeviceCertificates"), &json!("csv"))
            );
            Reply::json(201, &json!({"id": "All_1", "status": "notStarted", "url": null}))
        }
        "GET /v1.0/deviceManagement/reports/exportJobs('All_1')" => Reply::json(
            200,
            &match turn.fetch_add(1, Ordering::SeqCst) {
                0 => json!({"id": "All_1", "status": "inProgress"}),
                1 => json!({"id": "All_1", "status": "pausedForTheFuture"}),
                _ => json!({"id": "All_1", "status": "completed", "url": URL}),
            },
        ),
        _ => {
            assert!(request.headers().get("authorization").is_none(), "a token went to a storage");
            storage(request)
        }
    })
}

const HOUR: Duration = Duration::from_hours(1);

async fn serials(report: Report) -> Vec<String> {
    let mut found = Vec::new();
    let mut batches = report.receive();
    while let Some(batch) = batches.recv().await {
        found.extend(batch.unwrap().into_iter().map(|record| record.serial.unwrap().to_string()));
    }
    found
}

#[tokio::test(start_paused = true)]
async fn a_report_is_ordered_waited_for_and_fetched() {
    let (wire, certificates) = job(|_| Reply::text(200, "application/octet-stream", REPORT));
    let report = certificates.report(HOUR, 1 << 20).await.unwrap();
    assert_eq!(serials(report).await, ["0A", "0B"]);
    assert_eq!(wire.lines().len(), 5);
}

/// A storage that gives what is asked for, `most` octets at a time.
fn parts(request: &Request<Bytes>, contents: &'static str, etag: &'static str) -> Reply {
    let range = request.headers()["range"].to_str().unwrap();
    let start: usize =
        range.strip_prefix("bytes=").unwrap().split_once('-').unwrap().0.parse().unwrap();
    let end = (start + 20).min(contents.len());
    let header = format!("bytes {start}-{}/{}", end - 1, contents.len());
    Reply::text(206, "application/octet-stream", contents[start..end].to_owned())
        .header("content-range", header.leak())
        .header("etag", etag)
}

#[tokio::test(start_paused = true)]
async fn a_report_is_fetched_in_parts_of_one_version() {
    let (wire, certificates) = job(|request| parts(request, REPORT, "\"v1\""));
    let report = certificates.report(HOUR, 1 << 20).await.unwrap();
    assert_eq!(serials(report).await, ["0A", "0B"]);
    let asked = wire.asked();
    let fetched: Vec<_> =
        asked.iter().filter(|request| request.uri().path() == "/report.zip").collect();
    assert!(fetched.len() > 1);
    assert!(fetched[0].headers().get("if-match").is_none());
    assert_eq!(fetched[1].headers()["if-match"], "\"v1\"");
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_misbehaves_ends_in_an_error() {
    for answer in [
        (|_| Reply::html(403)) as fn(&Request<Bytes>) -> Reply,
        |_| Reply::html(404),
        |_| Reply::html(412),
        |_| Reply::json(500, &json!({})),
        |_| Reply::Reset,
        |_| Reply::Silence,
        |_| Reply::html(302),
        |_| Reply::text(206, "x/y", "no range"),
        |_| Reply::text(206, "x/y", "").header("content-range", "bytes 0-0/9"),
        |_| Reply::text(206, "x/y", "x").header("content-range", "bytes 5-5/9"),
        |_| Reply::text(206, "x/y", "x").header("content-range", "bytes 0-0/*"),
    ] {
        let (_, certificates) = job(answer);
        let error = certificates.report(HOUR, 1 << 20).await.unwrap_err();
        assert!(matches!(error, ExportError::Unanswered(_)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_too_long_is_not_fetched_whole() {
    let (_, certificates) = job(|request| parts(request, REPORT, "\"v1\""));
    let error = certificates.report(HOUR, 80).await.unwrap_err();
    assert!(matches!(error, ExportError::TooLong(20)), "{error}");
    let (_, certificates) = job(|_| Reply::text(200, "x/y", REPORT));
    let error = certificates.report(HOUR, 80).await.unwrap_err();
    assert!(matches!(error, ExportError::TooLong(20)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_or_takes_too_long_is_given_up() {
    let (_, never) =
        certificates(|_| Reply::json(201, &json!({"id": "x", "status": "inProgress"})));
    let error = never.report(HOUR, 1 << 20).await.unwrap_err();
    assert!(matches!(error, ExportError::NotReady(_)), "{error}");
    let (_, failed) = certificates(|_| Reply::json(201, &json!({"id": "x", "status": "failed"})));
    assert!(matches!(failed.report(HOUR, 1 << 20).await, Err(ExportError::Failed)));
    for url in ["http://storage.example.org/", "file:///etc/passwd", ""] {
        let (_, elsewhere) = certificates(move |_| {
            Reply::json(201, &json!({"id": "x", "status": "completed", "url": url}))
        });
        elsewhere.report(HOUR, 1 << 20).await.unwrap_err();
    }
}
