//! The simulator's faults in every call: the right result, or a clear error in time.

use std::time::{Duration, Instant};

use http::Method;
use lanyard_directory::intune::Settings;
use lanyard_directory::intune::validation::{Enrollment, IssuedCertificate, ValidationError};
use lanyard_directory::{Connector, Query};
use lanyard_lifecycle::{ObjectId, ObjectKind, Presence};
use lanyard_pki::Time;
use lanyard_simulator::fault::{Fault, Kind, Service};

use serde_json::json;

use super::bench::Bench;

const KINDS: [Kind; 12] = [
    Kind::Latency,
    Kind::Unauthorized,
    Kind::Forbidden,
    Kind::NotFound,
    Kind::Throttled,
    Kind::ServerError,
    Kind::Html,
    Kind::Truncated,
    Kind::Reset,
    Kind::Outage,
    Kind::Stale,
    Kind::Flicker,
];

/// Of the kind, for a service, from the given request on: once, or for good.
fn rules(kind: Kind, service: Service, skip: u64) -> [Fault; 2] {
    let fault = Fault { skip: Some(skip), milliseconds: Some(20), ..Fault::of(kind).at(service) };
    [Fault { times: Some(1), ..fault.clone() }, fault]
}

#[tokio::test]
async fn no_fault_makes_a_jamf_object_absent() {
    let bench = Bench::start().await;
    for kind in KINDS {
        for skip in 0..3 {
            for rule in rules(kind, Service::Jamf, skip) {
                bench.faults(Vec::new());
                let jamf = bench.jamf().await;
                bench.faults(vec![rule.clone()]);
                for object in [
                    (ObjectKind::JamfComputer, ObjectId::jamf_device(1)),
                    (ObjectKind::JamfMobileDevice, ObjectId::jamf_device(1)),
                    (ObjectKind::JamfUser, ObjectId::jamf_user(0, 1)),
                ] {
                    let begun = Instant::now();
                    let found = jamf.look_up(&Query::id(object.0, object.1)).await;
                    assert!(begun.elapsed() < Duration::from_secs(30), "{rule:?}");
                    if let Ok(found) = found {
                        let presence = found.state().unwrap().presence;
                        assert!(matches!(presence, Presence::Present(_)), "{rule:?}: {object:?}");
                    }
                }
            }
        }
    }
}

/// Two questions have to agree that an object is gone: one replica of two that lags proves nothing.
#[tokio::test]
async fn a_new_object_that_comes_and_goes_is_not_absent_in_jamf() {
    let bench = Bench::start().await;
    for (path, kind) in
        [("computers", ObjectKind::JamfComputer), ("mobileDevices", ObjectKind::JamfMobileDevice)]
    {
        let made = bench.control(Method::POST, &format!("jamf/{path}"), json!({})).await;
        let number = made["id"].as_u64().unwrap_or_else(|| panic!("{made}"));
        let object = ObjectId::jamf_device(number);
        let jamf = bench.jamf().await;
        // Signed in, before anything goes wrong.
        jamf.look_up(&Query::id(kind, object)).await.unwrap();
        for skip in 0..4 {
            let flicker = Fault::of(Kind::Flicker).at(Service::Jamf);
            bench.faults(vec![Fault { skip: Some(skip), ..flicker }]);
            for _ in 0..4 {
                if let Ok(found) = jamf.look_up(&Query::id(kind, object)).await {
                    let presence = found.state().unwrap().presence;
                    assert!(matches!(presence, Presence::Present(_)), "{kind} after {skip}");
                }
            }
        }
        bench.faults(Vec::new());
        let found = jamf.look_up(&Query::id(kind, object)).await.unwrap().state().unwrap();
        assert!(matches!(found.presence, Presence::Present(_)), "{kind}");
    }
}

#[tokio::test]
async fn no_fault_is_taken_for_a_decision_of_intune() {
    let bench = Bench::start().await;
    let request = bench.request(bench.device(0)).await;
    let enrollment = Enrollment { transaction_id: "1", request: &request };
    for service in [Service::Entra, Service::Graph, Service::Intune] {
        for kind in KINDS {
            for rule in rules(kind, service, 0) {
                bench.faults(vec![rule.clone()]);
                let services = bench.intune(Settings::default());
                let begun = Instant::now();
                let validated = services.validation().validate(enrollment).await;
                assert!(begun.elapsed() < Duration::from_secs(20), "{rule:?}");
                match validated {
                    Ok(()) => {}
                    Err(ValidationError::Unanswered(ignorance)) => {
                        assert!(!ignorance.to_string().is_empty());
                    }
                    Err(ValidationError::Rejected(rejection)) => panic!("{rule:?}: {rejection}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn faults_that_pass_are_not_noticed() {
    let bench = Bench::start().await;
    let request = bench.request(bench.device(0)).await;
    let enrollment = Enrollment { transaction_id: "1", request: &request };
    for service in [Service::Entra, Service::Graph, Service::Intune] {
        for kind in
            [Kind::Latency, Kind::Throttled, Kind::ServerError, Kind::Truncated, Kind::Reset]
        {
            let [once, _] = rules(kind, service, 0);
            bench.faults(vec![once.clone()]);
            let services = bench.intune(Settings::default());
            let validated = services.validation().validate(enrollment).await;
            validated.unwrap_or_else(|error| panic!("{once:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn a_queue_behind_a_fault_is_not_taken_for_empty() {
    let bench = Bench::start().await;
    let harmless = [Kind::Latency, Kind::Stale, Kind::Flicker];
    for kind in KINDS.into_iter().filter(|kind| !harmless.contains(kind)) {
        let [_, always] = rules(kind, Service::Intune, 0);
        bench.faults(vec![always]);
        let services = bench.intune(Settings::default());
        services.revocation().drain(|_| async { Vec::new() }).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_list_of_certificates_behind_a_fault_is_whole_or_an_error() {
    let bench = Bench::start().await;
    let request = bench.request(bench.device(0)).await;
    let enrollment = Enrollment { transaction_id: "1", request: &request };
    let serial = "4A01".parse().unwrap();
    let certificate = IssuedCertificate {
        der: b"stands for a certificate",
        serial: &serial,
        not_after: Time::from_unix(4_000_000_000),
        issuer: "CN=Lanyard Test CA",
    };
    let services = bench.intune(Settings::default());
    services.validation().validate(enrollment).await.unwrap();
    services.validation().issued(enrollment, certificate).await.unwrap();
    let whole = services.certificates().states(None).await.unwrap().records.len();
    assert_ne!(whole, 0);
    let harmless = [Kind::Latency, Kind::Stale, Kind::Flicker];
    for kind in KINDS.into_iter().filter(|kind| !harmless.contains(kind)) {
        for rule in rules(kind, Service::Graph, 0) {
            bench.faults(vec![rule.clone()]);
            if let Ok(page) = services.certificates().states(None).await {
                assert_eq!(page.records.len(), whole, "{rule:?}");
            }
        }
    }
}
