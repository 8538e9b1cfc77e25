//! `/probe` for load balancers and `/metrics` for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use crate::app::App;
use crate::config::Audience;
use crate::extract::Client;
use crate::gauges;
use crate::health::troubles;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/probe", get(probe)).route("/metrics", get(metrics))
}

async fn probe(State(app): State<Arc<App>>) -> Response {
    let troubles = troubles(&app).await;
    let (status, word) = if troubles.is_empty() {
        (StatusCode::OK, "well")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unwell")
    };
    (
        status,
        Json(json!({ "status": word, "version": env!("CARGO_PKG_VERSION"), "troubles": troubles })),
    )
        .into_response()
}

async fn metrics(State(app): State<Arc<App>>, client: Client) -> Result<Response, Problem> {
    may_look(app.config.observe.metrics, client)?;
    gauges::read(&app).await;
    let text =
        app.metrics.map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Whether this client may look; where nobody may, there is nothing to see.
pub(super) fn may_look(audience: Audience, client: Client) -> Result<(), Problem> {
    match audience {
        Audience::Anyone => Ok(()),
        Audience::LocalNetwork if client.is_local() => Ok(()),
        Audience::LocalNetwork => {
            Err(Problem::new(StatusCode::FORBIDDEN).detail("This is for the local network alone."))
        }
        Audience::Nobody => Err(Problem::new(StatusCode::NOT_FOUND)),
    }
}
