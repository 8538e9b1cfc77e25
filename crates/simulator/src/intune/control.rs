//! What the control interface does to Intune: challenges, profiles, groups, licences, and a look at the books.

use super::{
    Assignment, Flaw, Group, Intune, Oddities, Profile, Settings, issuance, reassign,
    revocation::Cause,
};
use crate::{
    Shared,
    device::{Refusal, Wanted, merged, settle},
    tenant::{Space, Tenant, Time},
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
        .route("/profiles", get(profiles).post(make_profile))
        .route("/profiles/{id}", get(profile).patch(change_profile).delete(delete_profile))
        .route("/groups", get(groups).post(make_group))
        .route("/groups/{id}", get(group).put(put_group).delete(delete_group))
        .route("/groups/{id}/members/{member}", put(join).delete(leave))
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
    Json(body): Json<ChallengeBody>,
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

async fn profiles(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        Json(json!({ "value": tenant.intune.profiles.values().collect::<Vec<_>>() }))
    })
}

async fn make_profile(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Json(settings): Json<Settings>,
) -> Answer<(StatusCode, Json<Value>)> {
    check(&settings)?;
    change(&shared, &asked, |tenant, _| {
        let (intune, seed) = (&mut tenant.intune, tenant.blueprint.seed);
        intune.made += 1;
        let id = seed.guid(Space::Intune, 1 + intune.made);
        let profile = Profile { id, version: 1, settings };
        intune.profiles.insert(id, profile.clone());
        (StatusCode::CREATED, Json(json!(profile)))
    })
}

fn no_profile() -> Refusal {
    Refusal::missing(issuance::Refused::NoProfile)
}

async fn profile(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        tenant.intune.profiles.get(&id).map(|profile| Json(json!(profile))).ok_or_else(no_profile)
    })?
}

/// Changes settings. Another assignment takes the profile from whoever loses it; any other change but that of
/// the name makes a new version, and every device gets another certificate.
async fn change_profile(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
    Json(patch): Json<Value>,
) -> Answer<Json<Value>> {
    change(&shared, &asked, |tenant, now| {
        let old = tenant.intune.profiles.get(&id).ok_or_else(no_profile)?.settings.clone();
        let settings: Settings = merged(&old, patch)?;
        check(&settings)?;
        let assignment = settings.assignment.clone();
        reassign(tenant, Cause::ProfileRemoved, now, |intune| assign(intune, id, assignment));
        let same = Settings {
            display_name: settings.display_name.clone(),
            assignment: settings.assignment.clone(),
            ..old
        };
        let changed = same != settings;
        if changed {
            tenant.intune.revoke(Cause::ProfileChanged, now, |issued| issued.profile_id == id);
        }
        let profile = tenant.intune.profiles.get_mut(&id).ok_or_else(no_profile)?;
        profile.settings = settings;
        profile.version += u32::from(changed);
        Ok(Json(json!(profile)))
    })?
}

fn assign(intune: &mut Intune, id: Uuid, assignment: Assignment) {
    if let Some(profile) = intune.profiles.get_mut(&id) {
        profile.settings.assignment = assignment;
    }
}

async fn delete_profile(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
) -> Answer<StatusCode> {
    change(&shared, &asked, |tenant, now| {
        if !tenant.intune.profiles.contains_key(&id) {
            return Err(no_profile());
        }
        reassign(tenant, Cause::ProfileRemoved, now, |intune| {
            intune.profiles.remove(&id);
        });
        Ok(StatusCode::NO_CONTENT)
    })?
}

fn check(settings: &Settings) -> Answer<()> {
    let usage = |name: &String| lanyard_pki::extension::KeyUsages::from_name(name).is_some();
    if !settings.key_usage.iter().all(usage) {
        return Err(Refusal::bad("a key usage is named as in RFC 5280, digitalSignature"));
    }
    let oid = |text: &String| text.parse::<lanyard_pki::Oid>().is_ok();
    if !settings.extended_key_usages.iter().all(oid) {
        return Err(Refusal::bad("an extended key usage is an object identifier"));
    }
    Ok(())
}

async fn groups(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        let groups = tenant.intune.groups.iter().map(|(id, group)| shown(*id, group));
        Json(json!({ "value": groups.collect::<Vec<_>>() }))
    })
}

fn shown(id: Uuid, group: &Group) -> Value {
    json!({ "id": id, "displayName": group.display_name, "members": group.members })
}

fn no_group() -> Refusal {
    Refusal::missing("there is no such group")
}

async fn make_group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Json(group): Json<Group>,
) -> Answer<(StatusCode, Json<Value>)> {
    change(&shared, &asked, |tenant, _| {
        let (intune, seed) = (&mut tenant.intune, tenant.blueprint.seed);
        intune.made += 1;
        let id = seed.guid(Space::Group, intune.made);
        let body = Json(shown(id, &group));
        intune.groups.insert(id, group);
        (StatusCode::CREATED, body)
    })
}

async fn group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        tenant.intune.groups.get(&id).map(|group| Json(shown(id, group))).ok_or_else(no_group)
    })?
}

async fn put_group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
    Json(group): Json<Group>,
) -> Answer<Json<Value>> {
    change(&shared, &asked, |tenant, now| {
        let body = Json(shown(id, &group));
        reassign(tenant, Cause::GroupLeft, now, |intune| {
            intune.groups.insert(id, group);
        });
        body
    })
}

async fn delete_group(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path(id): Path<Uuid>,
) -> Answer<StatusCode> {
    change_group(&shared, &asked, id, |intune| {
        intune.groups.remove(&id);
    })
}

async fn join(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((id, member)): Path<(Uuid, Uuid)>,
) -> Answer<StatusCode> {
    change_group(&shared, &asked, id, |intune| {
        intune.groups.entry(id).or_default().members.insert(member);
    })
}

async fn leave(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Path((id, member)): Path<(Uuid, Uuid)>,
) -> Answer<StatusCode> {
    change_group(&shared, &asked, id, |intune| {
        intune.groups.entry(id).or_default().members.remove(&member);
    })
}

fn change_group(
    shared: &Shared,
    asked: &Wanted,
    id: Uuid,
    how: impl FnOnce(&mut Intune),
) -> Answer<StatusCode> {
    change(shared, asked, |tenant, now| {
        if !tenant.intune.groups.contains_key(&id) {
            return Err(no_group());
        }
        reassign(tenant, Cause::GroupLeft, now, how);
        Ok(StatusCode::NO_CONTENT)
    })?
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
    Json(body): Json<LicenceBody>,
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
    Json(keys): Json<BTreeSet<String>>,
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
    Json(body): Json<RevocationBody>,
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
    Json(oddities): Json<Oddities>,
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
