//! What the control interface does to Jamf Pro: who may come in, and who is told of events.

mod object;

use super::{Cluster, Offers, access::Credential, webhook::Webhook};
use crate::{
    Shared,
    api::Body,
    device::{Refusal, Wanted},
    tenant::{Tenant, Time},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{delete, get, put},
};
use http::StatusCode;
use serde_json::{Value, json};

/// Its routes, below `/_control`.
pub fn control_routes() -> Router<Shared> {
    Router::new()
        .route("/jamf", get(about))
        .route("/jamf/cluster", put(cluster))
        .route("/jamf/offers", put(offers))
        .route("/jamf/tokens", delete(forget_tokens))
        .route("/jamf/accounts/{name}", put(put_account).delete(delete_account))
        .route("/jamf/clients/{id}", put(put_client).delete(delete_client))
        .route("/jamf/webhooks", get(webhooks).post(make_webhook))
        .route("/jamf/webhooks/{id}", delete(delete_webhook))
        .merge(object::routes())
}

type Answer<T> = Result<T, Refusal>;
type Asked = Query<Wanted>;

fn changed<R>(
    shared: &Shared,
    asked: &Wanted,
    how: impl FnOnce(&mut Tenant, Time) -> R,
) -> Answer<R> {
    let tenant = asked.tenant(&shared.world)?;
    shared.world.change(tenant, how).map_err(Refusal::missing)
}

async fn about(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    let tenant = asked.tenant(&shared.world)?;
    let about = shared.world.read(tenant, |tenant| {
        let jamf = &tenant.jamf;
        json!({
            "baseUrl": format!("{}/jamf/{}", shared.world.base_url(), tenant.domain()),
            "version": jamf.version,
            "cluster": jamf.cluster,
            "offers": jamf.offers,
            "accounts": jamf.access.accounts,
            "clients": jamf.access.clients,
            "computers": jamf.computers.count(),
            "mobileDevices": jamf.mobile_devices.count(),
            "users": jamf.people.count(),
        })
    });
    about.map(Json).map_err(Refusal::missing)
}

async fn cluster(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Body(cluster): Body<Cluster>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.cluster = cluster)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn offers(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Body(offers): Body<Offers>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.offers = offers)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn forget_tokens(State(shared): State<Shared>, Query(asked): Asked) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.access.forget_tokens())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_account(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(name): Path<String>,
    Body(credential): Body<Credential>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.access.accounts.insert(name, credential))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_account(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    let gone = changed(&shared, &asked, |tenant, _| tenant.jamf.access.accounts.remove(&name))?;
    gone.map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Refusal::missing("there is no such account"))
}

async fn put_client(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<String>,
    Body(credential): Body<Credential>,
) -> Answer<StatusCode> {
    changed(&shared, &asked, |tenant, _| tenant.jamf.access.clients.insert(id, credential))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_client(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let gone = changed(&shared, &asked, |tenant, _| tenant.jamf.access.clients.remove(&id))?;
    gone.map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Refusal::missing("there is no such client"))
}

async fn webhooks(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    let tenant = asked.tenant(&shared.world)?;
    let listed = shared.world.read(tenant, |tenant| {
        let listed =
            tenant.jamf.webhooks.iter().map(|(id, hook)| json!({ "id": id, "webhook": hook }));
        json!({ "value": listed.collect::<Vec<_>>() })
    });
    listed.map(Json).map_err(Refusal::missing)
}

async fn make_webhook(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Body(hook): Body<Webhook>,
) -> Answer<(StatusCode, Json<Value>)> {
    let id = changed(&shared, &asked, |tenant, _| tenant.jamf.webhooks.add(hook))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn delete_webhook(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<u32>,
) -> Answer<StatusCode> {
    let gone = changed(&shared, &asked, |tenant, _| tenant.jamf.webhooks.remove(id))?;
    if gone {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::missing("there is no such webhook"))
    }
}
