//! What is counted and measured of calls, and under which names.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const CALLS: &str = "lanyard_directory_calls_total";
const SECONDS: &str = "lanyard_directory_call_seconds";
const RETRIES: &str = "lanyard_directory_retries_total";
const BREAKER: &str = "lanyard_directory_breaker_open";

/// Tells the process's recorder what the measures of calls mean.
pub fn describe() {
    describe_counter!(CALLS, "Calls to directories, by service, operation and outcome");
    describe_histogram!(SECONDS, "Time of calls to directories, by service and outcome");
    describe_counter!(RETRIES, "Calls to directories tried again, by service and reason");
    describe_gauge!(BREAKER, "1 while a directory's service is left alone after failures");
}

pub(super) fn called(
    service: &'static str,
    operation: &'static str,
    outcome: &'static str,
    took: Duration,
) {
    let labels = [("service", service), ("operation", operation), ("outcome", outcome)];
    counter!(CALLS, &labels).increment(1);
    histogram!(SECONDS, "service" => service, "outcome" => outcome).record(took);
}

pub(super) fn tried_again(service: &'static str, reason: &'static str) {
    counter!(RETRIES, "service" => service, "reason" => reason).increment(1);
}

pub(super) fn breaker(service: &'static str, open: bool) {
    gauge!(BREAKER, "service" => service).set(f64::from(u8::from(open)));
}
