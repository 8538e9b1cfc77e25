//! `$batch`: up to twenty requests in one, answered in no particular order.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Options, segments};
use super::error::GraphError;
use super::reply::Reply;
use crate::Shared;
use crate::fault::{self, Part};

const MOST: usize = 20;

#[derive(Debug, Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// `POST /$batch`
pub(super) async fn answer(shared: &Shared, call: &Call) -> Result<Value, GraphError> {
    let batch: Batch = call.json()?;
    check(&batch)?;
    let mut statuses: HashMap<&str, StatusCode> = HashMap::new();
    let mut responses = Vec::new();
    for item in &batch.requests {
        let failed = |id: &String| {
            statuses
                .get(id.as_str())
                .is_none_or(|status| status.is_client_error() || status.is_server_error())
        };
        let reply = if item.depends_on.iter().any(failed) {
            let message = "A request that this one depends on has failed.";
            let error = GraphError::new(StatusCode::FAILED_DEPENDENCY, "FailedDependency", message);
            Reply::of(shared, Err(error), "")
        } else {
            part(shared, call, item).await
        };
        statuses.insert(&item.id, reply.status);
        let headers: BTreeMap<&str, &str> = reply
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        responses.push(json!({
            "id": item.id,
            "status": reply.status.as_u16(),
            "headers": headers,
            "body": reply.body,
        }));
    }
    // Clients may not rely on an order, so they get the wrong one.
    responses.reverse();
    Ok(json!({ "responses": responses }))
}

fn check(batch: &Batch) -> Result<(), GraphError> {
    if batch.requests.len() > MOST {
        let message = format!("Number of batch request steps exceeds the maximum value of {MOST}.");
        return Err(GraphError::bad(message));
    }
    for (n, item) in batch.requests.iter().enumerate() {
        let before: Vec<&str> =
            batch.requests.iter().take(n).map(|item| item.id.as_str()).collect();
        if item.id.is_empty() || before.contains(&item.id.as_str()) {
            return Err(GraphError::bad("Request Id is required and must be unique."));
        }
        if !item.depends_on.iter().all(|id| before.contains(&id.as_str())) {
            return Err(GraphError::bad("A request may depend on requests before it only."));
        }
    }
    Ok(())
}

async fn part(shared: &Shared, outer: &Call, item: &Item) -> Reply {
    let url = item.url.trim_start_matches('/');
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let below = format!("/{}/{path}", outer.version.name());
    let mut view = outer.view;
    match fault::strike_part(shared, &item.method, &below).await {
        Part::Untouched => {}
        Part::Seen(seen) => view = seen,
        Part::Answered(status, headers, body) => {
            return Reply { status, headers, body: Some(body) };
        }
    }
    let Ok(method) = item.method.to_uppercase().parse::<Method>() else {
        return Reply::of(shared, Err(GraphError::bad("The method is not known.")), "");
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &item.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    let body = item.body.as_ref().map(Value::to_string).unwrap_or_default();
    let call = Call {
        caller: outer.caller.clone(),
        version: outer.version,
        method,
        segments: segments(path),
        options: Options::read(query),
        headers,
        body: Bytes::from(body),
        view,
    };
    if call.segments.first().is_some_and(|first| first == "$batch") {
        return Reply::of(shared, Err(GraphError::bad("A batch may not hold a batch.")), "");
    }
    Box::pin(super::dispatch(shared, &call)).await
}
