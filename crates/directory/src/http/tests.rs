use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::*;
use crate::canned::{Canned, Reply};
use crate::connector::BoxFuture;
use crate::token::{Grant, TokenSource, Tokens};

const SECOND: Duration = Duration::from_secs(1);

fn url() -> Url {
    Url::parse("https://service.example/thing?name=ada%40example.com").unwrap()
}

fn get() -> Call<'static> {
    Call::get("look up", &url())
}

fn post() -> Call<'static> {
    Call::new("change", Method::POST, &url())
}

/// Answers in the order given; the last again and again.
fn scripted(replies: Vec<fn() -> Reply>) -> Arc<Canned> {
    let at = AtomicUsize::new(0);
    Canned::new(move |_| {
        let at = at.fetch_add(1, Ordering::SeqCst);
        replies[at.min(replies.len() - 1)]()
    })
}

fn fine() -> Reply {
    Reply::json(200, &json!({ "id": 1 }))
}

fn failing() -> Reply {
    Reply::json(
        500,
        &json!({ "error": { "code": "InternalError", "message": "{\"Message\":\"down\"}" } }),
    )
}

/// Tokens "token-1", "token-2", …
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl TokenSource for Counting {
    fn acquire(&self) -> BoxFuture<'_, Result<Grant, Ignorance>> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let token = format!("token-{number}").into();
        Box::pin(async move { Ok(Grant { token, lifetime: Duration::from_hours(1) }) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_is_made_again_until_it_is() {
    let faults: [fn() -> Reply; 6] = [
        || Reply::Refused,
        || Reply::Reset,
        || Reply::Silence,
        failing,
        || Reply::html(502),
        || Reply::json(429, &json!({ "error": { "code": "TooManyRequests" } })),
    ];
    for fault in faults {
        let wire = scripted(vec![fault, fault, fine]);
        let answer = wire.service("Service", Limits::default()).call(get()).await.unwrap();
        assert_eq!(answer.json::<Value>().unwrap(), json!({ "id": 1 }));
        assert_eq!(wire.lines().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_within_its_deadline_whatever_the_service_does() {
    let faults: [(fn() -> Reply, Why); 5] = [
        (|| Reply::Silence, Why::TimedOut),
        (|| Reply::Refused, Why::Unreachable),
        (|| Reply::Reset, Why::Unreachable),
        (failing, Why::Failing { status: 500 }),
        (|| Reply::html(503), Why::Failing { status: 503 }),
    ];
    for (fault, why) in faults {
        for seconds in [1, 5, 12, 30] {
            let wire = scripted(vec![fault]);
            let begun = Instant::now();
            let call = get().within(SECOND * seconds);
            let missed = wire.service("Service", Limits::default()).call(call).await.unwrap_err();
            assert_eq!(missed.why, why);
            assert!(begun.elapsed() <= SECOND * seconds, "{:?}", begun.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded() {
    let wire = scripted(vec![failing]);
    let missed = wire.service("Service", Limits::default()).call(get()).await.unwrap_err();
    assert_eq!(wire.lines().len(), 4);
    assert_eq!(
        missed.to_string(),
        "Service (look up): in trouble itself, status 500: InternalError: down"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_service_asks_for_is_waited_for_and_by_everybody() {
    let throttled: fn() -> Reply = || Reply::json(429, &json!({})).header("retry-after", "7.5");
    let wire = scripted(vec![throttled, fine]);
    let service = wire.service("Service", Limits::default());
    let begun = Instant::now();
    let (first, second) = tokio::join!(service.call(get()), async {
        tokio::time::sleep(SECOND).await;
        service.call(get()).await
    });
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(begun.elapsed().as_millis(), 7500);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_throttled_service_takes_no_turn_from_those_who_hear_so_at_once() {
    let throttled: fn() -> Reply = || Reply::json(429, &json!({})).header("retry-after", "20");
    let wire = scripted(vec![throttled, fine]);
    let limits = Limits { concurrency: 1, ..Limits::default() };
    let service = wire.service("Service", limits);
    let (patient, hasty) = tokio::join!(service.call(get()), async {
        tokio::time::sleep(SECOND).await;
        service.call(get().within(SECOND * 5)).await
    });
    assert!(patient.is_ok());
    let why = Why::Throttled { retry_after: Some(SECOND * 19) };
    assert_eq!(hasty.unwrap_err().why, why);
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_the_deadline_is_not_waited_for() {
    let throttled: fn() -> Reply =
        || Reply::json(429, &json!({})).header("x-ms-retry-after-ms", "45000");
    let wire = scripted(vec![throttled, fine]);
    let service = wire.service("Service", Limits::default());
    let begun = Instant::now();
    let why = Why::Throttled { retry_after: Some(SECOND * 45) };
    assert_eq!(service.call(get()).await.unwrap_err().why, why);
    // The service is not even asked while it wants to be left alone.
    tokio::time::advance(SECOND * 5).await;
    let why = Why::Throttled { retry_after: Some(SECOND * 40) };
    assert_eq!(service.call(get()).await.unwrap_err().why, why);
    assert_eq!((wire.lines().len(), begun.elapsed()), (1, SECOND * 5));
    tokio::time::advance(SECOND * 40).await;
    assert!(service.call(get()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer_and_never_asked_again() {
    for status in [400, 404, 409, 410, 412, 422] {
        let wire = Canned::new(move |_| Reply::json(status, &json!({ "error": { "code": "No" } })));
        let answer = wire.service("Service", Limits::default()).call(get()).await.unwrap();
        assert_eq!((answer.status.as_u16(), wire.lines().len()), (status, 1));
        assert_eq!(answer.json::<Value>().unwrap_err().why, Why::Refused { status });
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_carried_out_is_not_sent_again_unless_that_is_harmless() {
    let unclear: [fn() -> Reply; 3] = [|| Reply::Reset, || Reply::Silence, failing];
    for fault in unclear {
        for (retry, times) in [(Retry::Always, 2), (Retry::Unprocessed, 1), (Retry::Never, 1)] {
            let wire = scripted(vec![fault, fine]);
            let call = post().retry(retry);
            let done = wire.service("Service", Limits::default()).call(call).await;
            assert_eq!((wire.lines().len(), done.is_ok()), (times, times == 2), "{retry:?}");
        }
    }
    let unprocessed: [fn() -> Reply; 3] =
        [|| Reply::Refused, || Reply::html(503), || Reply::json(429, &json!({}))];
    for fault in unprocessed {
        for (retry, times) in [(Retry::Always, 2), (Retry::Unprocessed, 2), (Retry::Never, 1)] {
            let wire = scripted(vec![fault, fine]);
            let call = post().retry(retry);
            let done = wire.service("Service", Limits::default()).call(call).await;
            assert_eq!((wire.lines().len(), done.is_ok()), (times, times == 2), "{retry:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirection_is_not_followed() {
    for status in [301, 302, 303, 304, 307, 308] {
        let wire = Canned::new(move |_| {
            Reply::json(status, &json!({})).header("location", "https://elsewhere.example/")
        });
        let missed = wire.service("Service", Limits::default()).call(get()).await.unwrap_err();
        assert_eq!((missed.why, wire.lines().len()), (Why::Redirected, 1));
    }
}

#[derive(Debug, serde::Deserialize)]
struct Thing {
    #[expect(dead_code, reason = "only its form matters")]
    id: u32,
}

#[tokio::test(start_paused = true)]
async fn what_only_looks_like_an_answer_is_unreadable() {
    let bodies: [(&str, &str); 6] = [
        ("", "an empty body"),
        ("<html>Sign in</html>", "HTML or XML instead of JSON: something in between answers"),
        ("\"{\\\"id\\\":1}\"", "a JSON text inside a string"),
        ("{\"id\":", "not the documented form (line 1, column 6)"),
        ("{\"id\":\"s3cret\"}", "not the documented form (line 1, column 14)"),
        ("[1]", "a JSON list where an object was to be"),
    ];
    for (body, detail) in bodies {
        let wire = Canned::new(move |_| Reply::text(200, "application/json", body));
        let answer = wire.service("Service", Limits::default()).call(get()).await.unwrap();
        let missed = answer.json::<Thing>().unwrap_err();
        assert_eq!((missed.why, missed.detail.as_str()), (Why::Unreadable, detail));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_long_is_given_up() {
    let wire = Canned::new(|_| Reply::text(200, "application/json", vec![b' '; 2000]));
    let limits = Limits { largest_answer: 1999, ..Limits::default() };
    let missed = wire.service("Service", limits).call(get()).await.unwrap_err();
    assert_eq!((missed.why, wire.lines().len()), (Why::Unreadable, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_dropped_and_the_call_made_once_more() {
    let wire = Canned::new(|request| {
        let token = request.headers().get("authorization").unwrap();
        if token == "Bearer token-1" { Reply::json(401, &json!({})) } else { fine() }
    });
    let tokens = Tokens::new(Arc::new(Counting::default()));
    let service = wire.service("Service", Limits::default());
    tokens.token().await.unwrap();
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(service.call(get().bearer(&tokens)).await.unwrap().status, StatusCode::OK);
    assert_eq!(service.call(get().bearer(&tokens)).await.unwrap().status, StatusCode::OK);
    assert_eq!(wire.lines().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_no_token_does_not_make_every_call_get_one() {
    let wire = Canned::new(|_| {
        Reply::json(401, &json!({ "error": { "code": "InvalidAuthenticationToken" } }))
    });
    let source = Arc::new(Counting::default());
    let tokens = Tokens::new(source.clone());
    let service = wire.service("Service", Limits::default());
    tokens.token().await.unwrap();
    tokio::time::advance(Duration::from_mins(1)).await;
    // The first is asked twice, and gets a new token in between; the others once and with that.
    for asked in 2..12 {
        let missed = service.call(get().bearer(&tokens)).await.unwrap_err();
        assert_eq!(
            (missed.why, missed.detail.as_str()),
            (Why::Unauthorized, "InvalidAuthenticationToken")
        );
        assert_eq!((wire.lines().len(), source.0.load(Ordering::SeqCst)), (asked, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_named() {
    let wire = Canned::new(|_| {
        Reply::json(
            403,
            &json!({ "error": { "code": "Authorization_RequestDenied",
            "message": "Insufficient privileges to complete the operation." } }),
        )
    });
    let tokens = Tokens::new(Arc::new(Counting::default()));
    let service = wire.service("Service", Limits::default());
    let call = get().bearer(&tokens).permission("Directory.Read.All");
    let missed = service.call(call).await.unwrap_err();
    assert_eq!(
        missed.to_string(),
        "Service (look up): the permission Directory.Read.All is missing: \
         Authorization_RequestDenied: Insufficient privileges to complete the operation."
    );
    assert_eq!(wire.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_keeps_failing_is_left_alone_and_then_tried_by_one() {
    let mut replies: Vec<fn() -> Reply> = vec![failing; 8];
    replies.push(fine);
    let wire = scripted(replies);
    let service = wire.service("Service", Limits::default());
    for _ in 0..2 {
        service.call(get()).await.unwrap_err();
    }
    let missed = service.call(get()).await.unwrap_err();
    assert_eq!(missed.why, Why::BreakerOpen { retry_after: SECOND * 8 });
    assert_eq!(wire.lines().len(), 8);
    tokio::time::advance(SECOND * 8).await;
    assert!(service.call(get()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_throttled_service_is_not_taken_for_a_broken_one() {
    let wire = scripted(vec![|| Reply::json(429, &json!({}))]);
    let service = wire.service("Service", Limits::default());
    for _ in 0..5 {
        let why = service.call(get()).await.unwrap_err().why;
        assert_eq!(why, Why::Throttled { retry_after: None });
    }
    assert_eq!(wire.lines().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn requests_begin_no_closer_together_than_the_service_wants() {
    let wire = scripted(vec![fine]);
    let limits = Limits { interval: SECOND, ..Limits::default() };
    let service = wire.service("Service", limits);
    let begun = Instant::now();
    let calls = (0..5).map(|_| service.call(get()));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(begun.elapsed(), SECOND * 4);
    // Who would have to wait past its deadline does not take a turn from others.
    let calls = (0..5).map(|_| service.call(get().within(SECOND * 2)));
    let done = futures_util::future::join_all(calls).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(wire.lines().len(), 6);
}

/// A wire that answers after a second and knows how many asked at once.
#[derive(Debug, Default)]
struct Slow {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Transport for Slow {
    fn send(
        &self,
        _: ::http::Request<bytes::Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<::http::Response<bytes::Bytes>, TransportError>> {
        Box::pin(async {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(SECOND).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            Ok(::http::Response::new("{}".into()))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_are_under_way_at_once() {
    let wire = Arc::new(Slow::default());
    let limits = Limits { concurrency: 5, ..Limits::default() };
    let service = Service::new("Jamf Pro", limits, wire.clone(), crate::canned::ambient());
    let begun = Instant::now();
    let calls = (0..20).map(|_| service.call(get()));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!((wire.most.load(Ordering::SeqCst), begun.elapsed()), (5, SECOND * 4));
}

#[tokio::test(start_paused = true)]
async fn nobody_shows_addresses_bodies_or_tokens() {
    let wire = scripted(vec![|| Reply::json(200, &json!({ "access_token": "s3cret" }))]);
    let tokens = Tokens::new(Arc::new(Counting::default()));
    let service = wire.service("Service", Limits::default());
    let call = post().form([("client_secret", "s3cret")]).bearer(&tokens);
    let shown = format!("{call:?} {tokens:?} {service:?}");
    let answer = service.call(call).await.unwrap();
    let token = tokens.token().await.unwrap();
    let shown = format!("{shown} {answer:?} {token:?} {tokens:?} {}", answer.explanation());
    assert!(!["s3cret", "ada", "token-1"].iter().any(|secret| shown.contains(secret)), "{shown}");
}

/// Remembers which measures were written, with their labels.
#[derive(Debug, Default)]
struct Written(Mutex<Vec<String>>);

impl Written {
    fn note(&self, key: &metrics::Key) {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        self.0.lock().unwrap().push(format!("{} {}", key.name(), labels.join(" ")));
    }
}

impl metrics::Recorder for Written {
    fn describe_counter(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }

    fn describe_gauge(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }

    fn describe_histogram(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }

    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        self.note(key);
        metrics::Counter::noop()
    }

    fn register_gauge(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        self.note(key);
        metrics::Gauge::noop()
    }

    fn register_histogram(
        &self,
        key: &metrics::Key,
        _: &metrics::Metadata<'_>,
    ) -> metrics::Histogram {
        self.note(key);
        metrics::Histogram::noop()
    }
}

#[test]
fn calls_are_counted_by_service_operation_and_outcome() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let written = Written::default();
    metrics::with_local_recorder(&written, || {
        runtime.block_on(async {
            let wire = scripted(vec![|| Reply::Reset, fine, || Reply::json(404, &json!({}))]);
            let service = wire.service("Service", Limits::default());
            service.call(get()).await.unwrap();
            service.call(get()).await.unwrap();
        });
    });
    let written = written.0.into_inner().unwrap();
    let lasting: Vec<&str> = written
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("lanyard_directory_breaker_open"))
        .collect();
    assert_eq!(
        lasting,
        [
            "lanyard_directory_retries_total service=Service reason=unreachable",
            "lanyard_directory_calls_total service=Service operation=look up outcome=ok",
            "lanyard_directory_call_seconds service=Service outcome=ok",
            "lanyard_directory_calls_total service=Service operation=look up outcome=not_found",
            "lanyard_directory_call_seconds service=Service outcome=not_found",
        ]
    );
}
