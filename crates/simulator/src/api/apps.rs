//! Applications: made with credentials, roles given and taken.

use axum::Json;
use axum::extract::{Path, Query, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::Body;
use crate::Shared;
use crate::device::{Refusal, Wanted};
use crate::tenant::{
    App, AppCertificate, AppRole, Assignment, MemberType, Secret, Tenant, Time, TokenVersion, World,
};

type Answer = Result<Json<Value>, Refusal>;

/// A client secret as it is set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecretBody {
    value: String,
    expires: Option<Time>,
}

/// A role as it is set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleBody {
    id: Option<Uuid>,
    value: String,
    #[serde(default)]
    allowed_member_types: Vec<MemberType>,
}

/// An application as it is made or changed: what is not said stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct AppBody {
    app_id: Option<Uuid>,
    display_name: Option<String>,
    identifier_uris: Option<Vec<String>>,
    token_version: Option<TokenVersion>,
    secrets: Option<Vec<SecretBody>>,
    /// Base64 of the DER of each.
    certificates: Option<Vec<String>>,
    redirect_uris: Option<Vec<String>>,
    public_client: Option<bool>,
    app_roles: Option<Vec<RoleBody>>,
    scopes: Option<Vec<String>>,
    assignment_required: Option<bool>,
    managed_identity: Option<bool>,
}

impl AppBody {
    fn apply(self, app: &mut App, world: &World) -> Result<(), Refusal> {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut app.display_name, self.display_name);
        set(&mut app.identifier_uris, self.identifier_uris);
        set(&mut app.token_version, self.token_version);
        set(&mut app.redirect_uris, self.redirect_uris);
        set(&mut app.public_client, self.public_client);
        set(&mut app.scopes, self.scopes);
        set(&mut app.assignment_required, self.assignment_required);
        set(&mut app.managed_identity, self.managed_identity);
        let secrets = self.secrets.map(|secrets| {
            let secret = |body: SecretBody| Secret { value: body.value, expires: body.expires };
            secrets.into_iter().map(secret).collect()
        });
        set(&mut app.secrets, secrets);
        if let Some(certificates) = self.certificates {
            app.certificates = certificates
                .iter()
                .map(|text| {
                    let der = STANDARD.decode(text).ok();
                    der.and_then(|der| AppCertificate::from_der(&der)).ok_or_else(|| {
                        Refusal::bad("a certificate is the base64 of its DER, without line breaks")
                    })
                })
                .collect::<Result<_, _>>()?;
        }
        if let Some(roles) = self.app_roles {
            let role = |body: RoleBody| AppRole {
                id: body.id.unwrap_or_else(|| world.fresh_guid()),
                value: body.value,
                allowed_member_types: match body.allowed_member_types {
                    none if none.is_empty() => vec![MemberType::User, MemberType::Application],
                    types => types,
                },
            };
            app.roles = roles.into_iter().map(role).collect();
        }
        Ok(())
    }
}

fn shown(tenant: &Tenant, app: &App) -> Value {
    let own = |assignment: &&Assignment| assignment.resource == app.app_id;
    json!({
        "appId": app.app_id,
        "servicePrincipalId": app.service_principal,
        "displayName": app.display_name,
        "identifierUris": app.identifier_uris,
        "tokenVersion": app.token_version,
        "secrets": app.secrets.len(),
        "certificates": app.certificates.iter().map(|own| hex::encode(own.sha256()))
            .collect::<Vec<_>>(),
        "redirectUris": app.redirect_uris,
        "publicClient": app.public_client,
        "appRoles": app.roles,
        "scopes": app.scopes,
        "assignmentRequired": app.assignment_required,
        "managedIdentity": app.managed_identity,
        "assignments": tenant.apps.assignments().filter(own).map(|own| json!({
            "principalId": own.principal, "roleId": own.role,
        })).collect::<Vec<_>>(),
    })
}

/// `GET /apps`
pub(super) async fn list(State(shared): State<Shared>, Query(wanted): Query<Wanted>) -> Answer {
    let tenant = wanted.tenant(&shared.world)?;
    let all = shared
        .world
        .read(tenant, |tenant| tenant.apps.all().map(|app| shown(tenant, app)).collect::<Vec<_>>());
    Ok(Json(json!({ "value": all.map_err(Refusal::missing)? })))
}

/// `POST /apps`
pub(super) async fn make(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
    Body(body): Body<AppBody>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let world = &shared.world;
    let tenant = wanted.tenant(world)?;
    let id = body.app_id.unwrap_or_else(|| world.fresh_guid());
    let mut app = App::new(id, world.fresh_guid(), "Application");
    app.identifier_uris = vec![format!("api://{id}")];
    body.apply(&mut app, world)?;
    let made = world.change(tenant, |tenant, _| {
        if tenant.apps.find(id).is_some() {
            return Err(Refusal(StatusCode::CONFLICT, format!("there is an application {id}")));
        }
        tenant.apps.put(app.clone());
        Ok(shown(tenant, &app))
    });
    Ok((StatusCode::CREATED, Json(made.map_err(Refusal::missing)??)))
}

fn locate(world: &World, id: Uuid, wanted: &Wanted) -> Result<Uuid, Refusal> {
    let has = |tenant: &Tenant| tenant.apps.find(id).is_some();
    let named = wanted.tenant(world)?;
    match world.read(named, has) {
        Ok(true) => Ok(named),
        _ => world.tenant_where(has).map_err(|_| missing(id)),
    }
}

fn missing(id: Uuid) -> Refusal {
    Refusal::missing(format!("there is no application {id}"))
}

/// `GET /apps/{appId}`
pub(super) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let tenant = locate(&shared.world, id, &wanted)?;
    let found =
        shared.world.read(tenant, |tenant| tenant.apps.find(id).map(|app| shown(tenant, app)));
    found.ok().flatten().map(Json).ok_or_else(|| missing(id))
}

/// `PATCH /apps/{appId}`
pub(super) async fn change(
    State(shared): State<Shared>,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
    Body(body): Body<AppBody>,
) -> Answer {
    let world = &shared.world;
    if body.app_id.is_some_and(|own| own != id) {
        return Err(Refusal::bad("the appId of an application cannot be changed"));
    }
    let tenant = locate(world, id, &wanted)?;
    let changed = world.change(tenant, |tenant, _| {
        let mut app = tenant.apps.find(id).cloned().ok_or_else(|| missing(id))?;
        body.apply(&mut app, world)?;
        tenant.apps.put(app.clone());
        Ok(shown(tenant, &app))
    });
    Ok(Json(changed.map_err(Refusal::missing)??))
}

/// `DELETE /apps/{appId}`
pub(super) async fn remove(
    State(shared): State<Shared>,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Result<StatusCode, Refusal> {
    let tenant = locate(&shared.world, id, &wanted)?;
    let removed = shared.world.change(tenant, |tenant, _| tenant.apps.remove(id));
    removed.ok().flatten().map(|_| StatusCode::NO_CONTENT).ok_or_else(|| missing(id))
}

/// `PUT /apps/{appId}/assignments/{principal}/{role}`: of the application's roles, to a user (id or
/// user principal name) or an application (client id or service principal's id).
pub(super) async fn assign(
    State(shared): State<Shared>,
    Path((id, principal, role)): Path<(Uuid, String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<StatusCode, Refusal> {
    let tenant = locate(&shared.world, id, &wanted)?;
    assigned(&shared.world, tenant, id, &principal, &role).map(|()| StatusCode::NO_CONTENT)
}

/// Gives somebody a role of an application.
pub(super) fn assigned(
    world: &World,
    tenant: Uuid,
    id: Uuid,
    principal: &str,
    role: &str,
) -> Result<(), Refusal> {
    let assigned = world.change(tenant, |tenant, _| {
        let assignment = assignment(tenant, id, principal, role)?;
        tenant.apps.assign(assignment);
        Ok(())
    });
    assigned.map_err(Refusal::missing)?
}

/// `DELETE /apps/{appId}/assignments/{principal}/{role}`
pub(super) async fn unassign(
    State(shared): State<Shared>,
    Path((id, principal, role)): Path<(Uuid, String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<StatusCode, Refusal> {
    let tenant = locate(&shared.world, id, &wanted)?;
    let unassigned = shared.world.change(tenant, |tenant, _| {
        let assignment = assignment(tenant, id, &principal, &role)?;
        if tenant.apps.unassign(assignment) {
            Ok(StatusCode::NO_CONTENT)
        } else {
            Err(Refusal::missing(format!("{principal} does not have the role {role}")))
        }
    });
    unassigned.map_err(Refusal::missing)?
}

fn assignment(
    tenant: &Tenant,
    resource: Uuid,
    principal: &str,
    role: &str,
) -> Result<Assignment, Refusal> {
    let named = principal;
    let found = tenant.apps.role(resource, role);
    let role = found.ok_or_else(|| Refusal::missing(format!("there is no role {role}")))?;
    let id: Option<Uuid> = principal.parse().ok();
    let app = id.and_then(|id| {
        tenant.apps.all().find(|app| app.app_id == id || app.service_principal == id)
    });
    let user = || match id {
        Some(id) => tenant.users.find(id),
        None => tenant.users.find_by(&principal.to_lowercase()),
    };
    let app = app.map(|app| (app.service_principal, MemberType::Application));
    let found = app.or_else(|| user().map(|user| (user.id, MemberType::User)));
    let (principal, kind) = found
        .ok_or_else(|| Refusal::missing(format!("there is no user and no application {named}")))?;
    if !role.allowed_member_types.contains(&kind) {
        let text = format!("the role {} is not for {kind:?}s", role.value);
        return Err(Refusal::bad(text));
    }
    Ok(Assignment { resource, principal, role: role.id })
}
