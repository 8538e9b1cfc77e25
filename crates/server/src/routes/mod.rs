//! What is served, a file a door.

mod asset;
pub mod ca;
mod crl;
mod health;
mod notifications;
pub mod ocsp;
pub mod scep;
mod status_page;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::observe;
use crate::problem::Problem;

/// Every public route but OCSP; of a responder without the store those alone that look at its health.
pub fn router(app: Arc<App>) -> Router {
    if app.responder.is_some() {
        return guarded(health::routes()).with_state(app);
    }
    let every = Router::new()
        .merge(status_page::routes())
        .merge(asset::routes())
        .merge(health::routes())
        .merge(ca::routes())
        .merge(crl::routes())
        .merge(notifications::routes())
        .merge(scep::routes());
    guarded(every).with_state(app)
}

/// What is not there is said to be so, every answer is counted, no panic takes a connection with it.
fn guarded(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(observed))
}

async fn nothing_here() -> Problem {
    Problem::new(StatusCode::NOT_FOUND).detail("There is nothing at this address.")
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED)
}

/// Counts every answer, and sets the headers that all have.
async fn observed(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", route_name);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    observe::answered(route, response.status().as_u16(), began.elapsed());
    response
}

/// A route's name in metrics: a fixed set, so that no client can make new series.
fn route_name(path: &MatchedPath) -> &'static str {
    let path = path.as_str();
    // What another one begins with comes after it.
    let known = [
        "/static/aad",
        "/static",
        "/certsrv",
        "/jamf",
        "/dc",
        "/crl",
        "/ca",
        "/probe",
        "/metrics",
        "/assets",
        "/notifications",
    ];
    known.into_iter().find(|known| path.starts_with(known)).unwrap_or("/")
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no text");
    observe::fault("panic");
    tracing::error!("A request ended in a panic: {text}");
    axum::response::IntoResponse::into_response(Problem::new(StatusCode::INTERNAL_SERVER_ERROR))
}
