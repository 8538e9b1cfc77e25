//! What is counted and measured of calls, and under which names.

use std::sync::Arc;
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
    describe_gauge!(BREAKER, "1 while a service of a directory is left alone after failures");
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

pub(super) fn breaker(service: &'static str, directory: &Arc<str>, open: bool) {
    let directory = Arc::clone(directory);
    gauge!(BREAKER, "service" => service, "directory" => directory).set(f64::from(u8::from(open)));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use metrics::{
        Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
        with_local_recorder,
    };

    use super::*;

    /// What the gauges say, by name and labels.
    #[derive(Debug, Default)]
    struct Said(Arc<Mutex<Vec<(String, f64)>>>);

    struct One(String, Arc<Mutex<Vec<(String, f64)>>>);

    impl GaugeFn for One {
        fn increment(&self, _: f64) {}
        fn decrement(&self, _: f64) {}
        fn set(&self, value: f64) {
            self.1.lock().unwrap().push((self.0.clone(), value));
        }
    }

    impl Recorder for Said {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            Counter::noop()
        }
        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            let mut labels: Vec<_> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            labels.sort();
            Gauge::from_arc(Arc::new(One(labels.join(" "), Arc::clone(&self.0))))
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn the_services_of_two_directories_that_have_one_name_are_told_apart() {
        let said = Said::default();
        with_local_recorder(&said, || {
            breaker("Microsoft Graph", &"one".into(), true);
            breaker("Microsoft Graph", &"two".into(), false);
        });
        let expected = [("directory=one", 1.0), ("directory=two", 0.0)]
            .map(|(directory, value)| (format!("{directory} service=Microsoft Graph"), value));
        assert_eq!(*said.0.lock().unwrap(), expected);
    }
}
