//! `/notifications/<name>`: what the directories that certificates follow tell of changes by themselves.
//!
//! A notification is a hint, never a fact: what it names is looked up, or the changes are read. It is taken and answered
//! at once; what follows is done beside it, so much at a time and no more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use lanyard_authority::Authority;
use lanyard_authority::mirror::Need;
use lanyard_directory::entra::notification::{self, Happened};
use lanyard_directory::jamf::webhook::{self, Hint, WebhookError};
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::object::ObjectKey;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::directories::{Caller, GraphCaller, HowTold};
use crate::limits::body;
use crate::observe;
use crate::problem::Problem;

/// How long a webhook may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Webhooks that are followed at a time. What comes beside them is found by the next sweep.
const AT_ONCE: usize = 64;

/// Hints of one webhook that are looked up one by one; more of them are a sweep.
const SINGLY: usize = 20;

/// Bodies that are read at a time: those of Graph come from anybody until they are read. Graph sends again what was
/// turned away, and what Jamf Pro tells is found by the next sweep.
static READING: Semaphore = Semaphore::const_new(32);

const NOTHING: &str = "There is nothing at this address.";

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// The door.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/notifications/{name}", post(take))
}

async fn take(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    request: Body,
) -> Response {
    let is_called =
        |caller: &&Caller| caller.name == name && !matches!(caller.how, HowTold::Never(_));
    let Some(caller) = app.callers.iter().find(is_called) else {
        return refused(StatusCode::NOT_FOUND, NOTHING);
    };
    if let (HowTold::Graph(_), Some(token)) =
        (&caller.how, query.as_deref().and_then(notification::validation_token))
    {
        // Graph asks whether the door is ours, while we subscribe.
        return ([(CONTENT_TYPE, "text/plain")], token).into_response();
    }
    let longest = match &caller.how {
        // Jamf Pro says who it is in the header: nobody else's body is read.
        HowTold::Webhook(secret) => {
            let sent = headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
            if !webhook::is_authorized(sent, secret) {
                let text = WebhookError::NotAuthorized.to_string();
                return refused(StatusCode::UNAUTHORIZED, &text);
            }
            webhook::MAX_BODY
        }
        HowTold::Graph(_) | HowTold::Never(_) => notification::MAX_BODY,
    };
    let Ok(_reading) = READING.try_acquire() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "Too many notifications at a time.");
    };
    let Ok(bytes) = body::read(request, longest, PATIENCE).await else {
        return refused(StatusCode::BAD_REQUEST, "The webhook is too long or too slow.");
    };
    match &caller.how {
        HowTold::Webhook(secret) => {
            let sent = headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
            match webhook::hints(&bytes, sent, secret) {
                Ok(hints) => {
                    follow(app.authority.clone(), caller.directory, hints);
                    taken(StatusCode::NO_CONTENT)
                }
                Err(error @ WebhookError::NotAuthorized) => {
                    refused(StatusCode::UNAUTHORIZED, &error.to_string())
                }
                Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
            }
        }
        HowTold::Graph(graph) => {
            let Ok(delivery) = notification::read(&bytes, |_| Some(&graph.client_state)) else {
                return refused(StatusCode::BAD_REQUEST, "This is no delivery of notifications.");
            };
            if delivery.notices.is_empty() {
                return refused(StatusCode::UNAUTHORIZED, "No notification carries our secret.");
            }
            for notice in &delivery.notices {
                graph.note(&notice.what);
            }
            let hint = Hint { kind: graph.kind, object: None };
            follow(app.authority.clone(), caller.directory, vec![hint]);
            taken(StatusCode::ACCEPTED)
        }
        HowTold::Never(_) => refused(StatusCode::NOT_FOUND, NOTHING),
    }
}

impl GraphCaller {
    /// Remembers what was said of the subscription itself.
    fn note(&self, what: &Happened) {
        let demand = match what {
            Happened::Changed(_) | Happened::Missed => return,
            Happened::SubscriptionRemoved => Self::REMOVED,
            Happened::ReauthorizationRequired => Self::REAUTHORIZE,
        };
        self.demands.fetch_or(demand, Ordering::SeqCst);
        self.wake.notify_one();
    }
}

fn taken(status: StatusCode) -> Response {
    metrics::counter!("lanyard_directory_notifications_total", "outcome" => "taken").increment(1);
    status.into_response()
}

fn refused(status: StatusCode, text: &str) -> Response {
    metrics::counter!("lanyard_directory_notifications_total", "outcome" => "refused").increment(1);
    Problem::new(status).detail(text.to_owned()).into_response()
}

/// Looks up what a webhook names, beside it.
fn follow(authority: Authority, directory: DirectoryId, hints: Vec<Hint>) {
    let Ok(turn) = TURNS.try_acquire() else {
        metrics::counter!("lanyard_directory_notifications_total", "outcome" => "passed_over")
            .increment(1);
        return;
    };
    tokio::spawn(async move {
        let _turn = turn;
        for (index, hint) in hints.into_iter().enumerate() {
            let object = hint.object.filter(|_| index < SINGLY);
            let done = match object {
                Some(object) => {
                    let key = ObjectKey { directory, kind: hint.kind, object };
                    authority.observe(key, Need::Now).await.map(|_| ())
                }
                None => authority.expect_changes(directory, hint.kind).await.map(|_| ()),
            };
            if let Err(fault) = done {
                observe::fault("notifications");
                tracing::error!(
                    fault.id = %fault.id(), "A webhook was not followed: {}", fault.report()
                );
            }
            if object.is_none() {
                return;
            }
        }
    });
}
