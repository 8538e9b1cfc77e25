//! Profiles, and what a change of one costs the devices that have it.

use super::{Answer, Asked, change, look};
use crate::{
    Shared,
    api::Body,
    device::{Refusal, merged},
    intune::{Assignment, Intune, Profile, Settings, issuance, reassign, revocation::Cause},
    tenant::Space,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::get,
};
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/profiles", get(profiles).post(make_profile))
        .route("/profiles/{id}", get(profile).patch(change_profile).delete(delete_profile))
}

async fn profiles(State(shared): State<Shared>, Query(asked): Asked) -> Answer<Json<Value>> {
    look(&shared, &asked, |tenant| {
        Json(json!({ "value": tenant.intune.profiles.values().collect::<Vec<_>>() }))
    })
}

async fn make_profile(
    State(shared): State<Shared>,
    Query(asked): Asked,
    Body(settings): Body<Settings>,
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
    Body(patch): Body<Value>,
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
