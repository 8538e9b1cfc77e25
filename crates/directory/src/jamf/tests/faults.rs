//! Every fault in every call: the truth or an error within the deadline, never an absence.

use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unauthorized,
    Forbidden,
    NotFoundPage,
    NotFoundJson,
    Throttled,
    ThrottledForLong,
    Failing,
    FailingText,
    Gateway,
    Html,
    Empty,
    StringOfJson,
    Redirect,
    Reset,
    Refused,
    Silence,
}

const FAULTS: [Fault; 16] = [
    Fault::Unauthorized,
    Fault::Forbidden,
    Fault::NotFoundPage,
    Fault::NotFoundJson,
    Fault::Throttled,
    Fault::ThrottledForLong,
    Fault::Failing,
    Fault::FailingText,
    Fault::Gateway,
    Fault::Html,
    Fault::Empty,
    Fault::StringOfJson,
    Fault::Redirect,
    Fault::Reset,
    Fault::Refused,
    Fault::Silence,
];

impl Fault {
    fn reply(self) -> Reply {
        match self {
            Self::Unauthorized => Reply::json(401, &json!({"httpStatus": 401, "errors": []})),
            Self::Forbidden => Reply::json(403, &json!({"httpStatus": 403, "errors": []})),
            Self::NotFoundPage => Reply::html(404),
            Self::NotFoundJson => not_found(),
            Self::Throttled => Reply::json(429, &json!({})),
            Self::ThrottledForLong => Reply::json(429, &json!({})).header("retry-after", "600"),
            Self::Failing => Reply::json(500, &json!({"httpStatus": 500, "errors": []})),
            Self::FailingText => Reply::text(500, "application/json", "\"{\\\"code\\\":1}\""),
            Self::Gateway => Reply::html(502),
            Self::Html => Reply::html(200),
            Self::Empty => Reply::text(200, "application/json", ""),
            Self::StringOfJson => Reply::text(200, "application/json", "\"{}\""),
            Self::Redirect => Reply::html(302).header("location", "https://login.example.org/"),
            Self::Reset => Reply::Reset,
            Self::Refused => Reply::Refused,
            Self::Silence => Reply::Silence,
        }
    }
}

/// An instance with computer 7, mobile device 7 and user 2, which answers the requests of these
/// numbers (from 0) with faults.
fn faulty(faults: Vec<(usize, Fault)>) -> (Arc<Canned>, JamfPro) {
    let count = Mutex::new(0);
    let wire = Canned::new(move |request| {
        let number = {
            let mut count = count.lock().unwrap();
            *count += 1;
            *count - 1
        };
        if let Some((_, fault)) = faults.iter().find(|(at, _)| *at == number) {
            return fault.reply();
        }
        let path = request.uri().path();
        match path {
            "/api/v1/oauth/token" => {
                Reply::json(200, &json!({"access_token": "t", "expires_in": 1199}))
            }
            "/api/v3/computers-inventory/7" => Reply::json(200, &computer(7)),
            "/api/v2/mobile-devices/7/detail" => Reply::json(200, &json!({"id": "7"})),
            "/api/v3/computers-inventory" => page(1, &[computer(7)]),
            "/api/v2/mobile-devices/detail" => page(1, &[json!({"mobileDeviceId": "7"})]),
            path if path.starts_with("/api/") => not_found(),
            "/JSSResource/computers" => Reply::json(200, &json!({"computers": [{"id": 7}]})),
            "/JSSResource/computers/id/7" => {
                Reply::json(200, &json!({"computer": {"general": {"id": 7}}}))
            }
            "/JSSResource/mobiledevices" => {
                Reply::json(200, &json!({"mobile_devices": [{"id": 7}]}))
            }
            "/JSSResource/mobiledevices/id/7" => {
                Reply::json(200, &json!({"mobile_device": {"general": {"id": 7}}}))
            }
            path => classic(path),
        }
    });
    let jamf = JamfPro::new(wire.service(JamfPro::NAME, limits()), &settings());
    (wire, jamf)
}

fn queries() -> [Query; 3] {
    [
        by_id(ObjectKind::JamfComputer, 7),
        by_id(ObjectKind::JamfMobileDevice, 7),
        by_id(ObjectKind::JamfUser, 2),
    ]
}

#[tokio::test(start_paused = true)]
async fn any_fault_in_any_call_ends_in_the_truth_or_an_error_in_time() {
    for fault in FAULTS {
        for query in queries() {
            for at in 0..3 {
                // Once, and for good.
                for faults in [vec![(at, fault)], (at..200).map(|at| (at, fault)).collect()] {
                    let (wire, jamf) = faulty(faults);
                    let begun = Instant::now();
                    let found = look_up(&jamf, &query).await;
                    let took = begun.elapsed();
                    assert!(took <= Duration::from_secs(30), "{fault:?} at {at}: {took:?}");
                    let told = !matches!(found, Ok(Presence::Absent));
                    assert!(told, "{fault:?} at {at} of {query:?}: {:?}", wire.lines());
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_whose_calls_are_all_slow_ends_in_time() {
    let slow = Duration::from_secs(18);
    let (_, jamf) = instance(move |path| Reply::Later(slow, Box::new(classic(path))));
    let begun = Instant::now();
    let missed = look_up(&jamf, &by_id(ObjectKind::JamfUser, 9)).await.unwrap_err();
    assert_eq!((missed.why, begun.elapsed()), (Why::TimedOut, Duration::from_secs(30)));
}

#[tokio::test(start_paused = true)]
async fn a_sweep_under_any_fault_loses_nobody() {
    for fault in FAULTS {
        for at in 0..4 {
            let (_, jamf) = faulty(vec![(at, fault)]);
            if let Ok(batch) = jamf.changes(ObjectKind::JamfComputer, None).await {
                assert_eq!(batch.changes.len(), 1, "{fault:?} at {at}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_sequence_of_faults_makes_an_object_absent(
        faults in proptest::collection::vec((0_usize..20, 0_usize..FAULTS.len()), 0..12),
        which in 0_usize..3,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let faults = faults.into_iter().map(|(at, fault)| (at, FAULTS[fault])).collect();
            let (wire, jamf) = faulty(faults);
            for _ in 0..3 {
                let found = look_up(&jamf, &queries()[which]).await;
                prop_assert_ne!(found, Ok(Presence::Absent), "{:?}", wire.lines());
            }
            Ok(())
        })?;
    }
}
