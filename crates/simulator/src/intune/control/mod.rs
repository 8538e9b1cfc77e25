//! What the control interface does to Intune: challenges, licences, and a look at the books; profiles
//! and groups are below.

mod group;
mod profile;

use super::{Flaw, Intune, Oddities, issuance};
use crate::{
    Shared,
    api::Body,
    device::{Refusal, Wanted, settle},
    tenant::{Tenant, Time},
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{get, post, put},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Its routes, below `/_control`.
pub fn control_routes() -> Router<Shared> {
    Router::new()
        .route("/challenges", post(make_challenge))
        .merge(profile::routes())
        .merge(group::routes())
        .route("/users/{id}/licence", put(licence))
        .route("/users/{id}/registeredKeys", put(registered_keys))
        .route("/certificates", get(certificates))
        .route("/failures", get(failures))
        .route("/revocations", get(revocations).post(ask_revocation))
        .route("/intune/oddities", put(oddities))
        .route("/intune/signingCertificate", post(renew_signing))
        .merge(crate::device::control_routes())
}

type Answer<T> = Result<T, Refusal>;
type Asked = Query<Wanted>;

fn look<R>(shared: &Shared, asked: &Wanted, how: impl FnOnce(&Tenant) -> R) -> Answer<R> {
    settle(&shared.world);
    let tenant = asked.tenant(&shared.world)?;
    shared.world.read(tenant, how).map_err(Refusal::missing)
}

fn change<R>(
    shared: &Shared,
    asked: &Wanted,
    how: impl FnOnce(&mut Tenant, Time) -> R,
) -> Answer<R> {
    settle(&shared.world);
    let tenant = asked.tenant(&shared.world)?;
    shared.world.change(tenant, how).map_err(Refusal::missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChallengeBody {
    device_id: Uuid,
    profile_id: Option<Uuid>,
    flaw: Option<Flaw>,
}

async fn make_challenge(
    State(shared): State<Shared>,
    Body(body): Body<ChallengeBody>,
) -> Answer<(StatusCode, Json<Value>)> {
    settle(&shared.world);
    let world = &shared.world;
    let has = |tenant: &Tenant| tenant.managed_devices.find(body.device_id).is_some();
    let tenant = world.tenant_where(has);
    let tenant = tenant.map_err(|_| Refusal::missing(issuance::Refused::NoDevice))?;
    let request = world.fresh_guid();
    let made = world.change(tenant, |tenant, now| {
        let standard = Intune::device_profile(&tenant.blueprint);
        let profile = body.profile_id.unwrap_or(standard);
        issuance::make(tenant, (body.device_id, profile), request, body.flaw, now)
    });
    match made.map_err(Refusal::missing)? {
        Ok(made) => Ok((StatusCode::CREATED, Json(json!(made)))),
        Err(refused @ (issuance::Refused::NoDevice | issuance::Refused::NoProfile)) => {
            Err(Refusal::missing(refused))
        }
        Err(refused) => Err(Refusal(StatusCode::CONFLICT, refused.to_string())),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenceBody {
    licensed: bool,
}

/// A licence that is lost keeps new policy from the user's devices. Nothing is revoked.
async fn licence(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
    Body(body): Body<LicenceBody>,
) -> Answer<StatusCode> {
    change_user(&shared, &asked, id, |intune| {
        if body.licensed {
            intune.unlicensed.remove(&id);
        } else {
            intune.unlicensed.insert(id);
        }
    })
}

async fn registered_keys(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
    Body(keys): Body<BTreeSet<String>>,
) -> Answer<StatusCode> {
    change_user(&shared, &asked, id, |intune| {
        intune.registered_keys.insert(id, keys);
    })
}

fn change_user(
    shared: &Shared,
    asked: &Wanted,
    id: Uuid,
    how: impl FnOnce(&mut Intune),
) -> Answer<StatusCode> {
    change(shared, asked, |tenant, _| {
        if tenant.users.find(id).is_none() {
            return Err(Refusal::missing("there is no such user"));
        }
        how(&mut tenant.intune);
        Ok(StatusCode::NO_CONTENT)
    })?
}

async fn certificates(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        let issued: Vec<_> = tenant.intune.certificates.issued().collect();
        Json(json!({ "value": issued }))
    })
}

async fn failures(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        let failures: Vec<_> = tenant.intune.certificates.failures().collect();
        Json(json!({ "value": failures }))
    })
}

async fn revocations(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        Json(json!({ "value": tenant.intune.queue.items().collect::<Vec<_>>() }))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RevocationBody {
    serial_number: String,
    ca_configuration: Option<String>,
}

/// Puts a request into the queue for a certificate that nobody notified.
async fn ask_revocation(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Body(body): Body<RevocationBody>,
) -> Answer<(StatusCode, Json<Value>)> {
    change(&shared, &asked, |tenant, now| {
        let queue = &mut tenant.intune.queue;
        let item = queue.ask(body.serial_number, body.ca_configuration, now);
        (StatusCode::CREATED, Json(json!(item)))
    })
}

async fn oddities(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Body(oddities): Body<Oddities>,
) -> Answer<StatusCode> {
    change(&shared, &asked, |tenant, _| {
        tenant.intune.oddities = oddities;
        StatusCode::NO_CONTENT
    })
}

async fn renew_signing(State(shared): State<Shared>, Query(asked): Asked) -> Answer<StatusCode> {
    change(&shared, &asked, |tenant, _| {
        tenant.intune.renew_signing();
        StatusCode::NO_CONTENT
    })
}
