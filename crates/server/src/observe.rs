//! Metrics: what is counted, under which name.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::gauges;

const CONNECTIONS: &str = "lanyard_connections";
const CONNECTIONS_FAILED: &str = "lanyard_connections_failed_total";
const REQUESTS: &str = "lanyard_http_requests_total";
const REQUEST_SECONDS: &str = "lanyard_http_request_seconds";
const REFUSALS: &str = "lanyard_refusals_total";
const FAULTS: &str = "lanyard_faults_total";

/// Upper bounds of the latency histogram, in seconds.
const SECONDS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Upper bounds of the histograms from a change at a directory to what follows, in seconds.
const CHANGES: [f64; 14] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0, 60.0, 300.0];

/// The recorder of the process, installed at first use.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
                .ok()?
                .set_buckets_for_metric(Matcher::Prefix("lanyard_change_to_".into()), &CHANGES)
                .ok()?
                .build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).ok()?;
            describe();
            Some(handle)
        })
        .as_ref()
}

fn describe() {
    lanyard_directory::http::describe_measures();
    describe_gauge!(CONNECTIONS, "Connections open now");
    describe_counter!(CONNECTIONS_FAILED, "Connections that ended early, by reason");
    describe_counter!(REQUESTS, "Requests answered, by route and HTTP status");
    describe_histogram!(REQUEST_SECONDS, "Time from a request's header to its answer, by route");
    describe_counter!(REFUSALS, "Requests refused, by door and reason");
    describe_counter!(FAULTS, "Faults of the installation, by door");
    describe_counter!("lanyard_certificates_issued_total", "Certificates issued");
    describe_counter!("lanyard_requests_submitted_total", "Requests put before a person");
    describe_counter!("lanyard_requests_refused_total", "Certificate requests refused by a rule");
    describe_counter!(
        "lanyard_requests_refused_unrecorded_total",
        "Refused requests beyond those that the audit trail takes in a while"
    );
    describe_counter!("lanyard_job_failures_total", "Background jobs that failed, by job");
    describe_counter!("lanyard_scep_messages_total", "SCEP messages, by type and outcome");
    describe_counter!("lanyard_scep_tolerances_total", "What was overlooked in SCEP messages");
    describe_gauge!("lanyard_scep_waiting", "SCEP messages in the queue");
    describe_gauge!("lanyard_scep_working", "SCEP messages being worked on");
    describe_counter!("lanyard_ocsp_answers_total", "OCSP answers, by status");
    describe_counter!(
        "lanyard_revocations_total",
        "Certificates revoked or put on hold, by reason (RFC 5280)"
    );
    describe_gauge!(
        "lanyard_brake_waiting_certificates",
        "Certificates whose revocation the brake holds back until a person decides"
    );
    describe_counter!(
        "lanyard_brake_held_back_total",
        "Certificates whose revocation the brake has held back"
    );
    describe_histogram!(
        "lanyard_change_to_recorded_seconds",
        "Time from the moment that a change at a directory is known to the record of what it revokes"
    );
    describe_histogram!(
        "lanyard_change_to_revoked_answer_seconds",
        "Time from the moment that a change at a directory is known to the first OCSP answer that says so"
    );
    gauges::describe();
}

/// Counts a connection as long as it is open.
#[derive(Debug)]
pub struct OpenConnection(());

/// Counts a connection until what is returned is dropped.
pub fn connection_opened() -> OpenConnection {
    gauge!(CONNECTIONS).increment(1.0);
    OpenConnection(())
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        gauge!(CONNECTIONS).decrement(1.0);
    }
}

/// Counts a connection that ended early.
pub fn connection_failed(reason: &'static str) {
    counter!(CONNECTIONS_FAILED, "reason" => reason).increment(1);
}

/// Counts an answered request.
pub fn answered(route: &'static str, status: u16, took: Duration) {
    counter!(REQUESTS, "route" => route, "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route).record(took);
}

/// Counts a refused request.
pub fn refused(door: &'static str, reason: &'static str) {
    counter!(REFUSALS, "door" => door, "reason" => reason).increment(1);
}

/// Counts a fault of ours.
pub fn fault(door: &'static str) {
    counter!(FAULTS, "door" => door).increment(1);
}

/// The latency histogram of a route that records into it itself.
pub fn request_seconds(route: &'static str) -> metrics::Histogram {
    histogram!(REQUEST_SECONDS, "route" => route)
}

/// Empties what histograms have gathered, as the exporter wants it, until the server stops.
pub async fn upkeep(stop: tokio_util::sync::CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(5))).await.is_some() {
        if let Some(recorder) = recorder() {
            recorder.run_upkeep();
        }
    }
}
