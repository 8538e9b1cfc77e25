//! The routes of Jamf Pro, and sending what its webhooks have to say.

use super::{reply::page, webhook::Delivery};
use crate::{Shared, fault::Seen, tenant::Tenant};
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use std::time::Duration;

/// For how long an event is tried to be sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Its routes, below its own prefix: the name of an instance, and what follows.
pub fn routes() -> Router<Shared> {
    Router::new().route("/{instance}", any(answer)).route("/{instance}/{*path}", any(answer))
}

/// Whether a tenant's instance has this name: the tenant's id or domain, or the domain's first part.
fn is_called(tenant: &Tenant, name: &str) -> bool {
    let first = tenant.domain().split('.').next().unwrap_or_default();
    tenant.is_called(name) || first.eq_ignore_ascii_case(name)
}

async fn answer(
    State(shared): State<Shared>,
    Seen(view): Seen,
    method: Method,
    uri: Uri,
    Path(parts): Path<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let name = parts.first().map(|(_, name)| name.as_str()).unwrap_or_default();
    let found = shared.world.tenant_where(|tenant| is_called(tenant, name));
    let nowhere = || page(StatusCode::NOT_FOUND, "There is no such instance.").into_response();
    let (Ok(tenant), Some(below)) = (found, below(&uri)) else { return nowhere() };
    let looks = method == Method::GET;
    let mut request = Request::new(body);
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, below, headers);
    let reply = if looks {
        let now = shared.world.now();
        shared.world.read(tenant, |tenant| tenant.jamf.look(&request, view, now))
    } else {
        shared.world.change(tenant, |tenant, now| tenant.jamf.change(&request, now))
    };
    reply.map_or_else(|_| nowhere(), IntoResponse::into_response)
}

/// The path and query without the name of the instance.
fn below(uri: &Uri) -> Option<Uri> {
    let text = uri.path_and_query()?.as_str().strip_prefix('/')?;
    let at = text.find(['/', '?']).unwrap_or(text.len());
    let rest = text.get(at..)?;
    if rest.starts_with('/') { rest.parse().ok() } else { format!("/{rest}").parse().ok() }
}

/// What Jamf Pro does of its own accord, until the simulator stops: it sends events.
pub async fn run(shared: Shared) {
    let mut changes = shared.world.changes();
    loop {
        changes.mark_unchanged();
        let waiting = |tenant: &Tenant| tenant.jamf.webhooks.is_waiting();
        for id in shared.world.tenants() {
            if shared.world.read(id, waiting) != Ok(true) {
                continue;
            }
            let taken = shared.world.change(id, |tenant, _| tenant.jamf.webhooks.take());
            let sends = taken.unwrap_or_default().into_iter().map(|one| send(&shared, one));
            join_all(sends).await;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn send(shared: &Shared, delivery: Delivery) {
    let url = delivery.url.clone();
    let mut request = shared.http.post(delivery.url).timeout(PATIENCE).body(delivery.body);
    for (name, value) in delivery.headers {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(answer) => tracing::debug!(%url, status = %answer.status(), "An event was sent"),
        Err(error) => tracing::warn!(%url, %error, "An event could not be sent"),
    }
}
