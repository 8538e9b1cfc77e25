//! The page at `/_control/`: the same by forms, for people.

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

use super::apps::assigned;
use super::objects::{brought_back, find, locate, made, named, patched, taken_away};
use crate::Shared;
use crate::device::{Action, Refusal, act, settle};
use crate::fault::Fault;
use crate::tenant::{Device, ManagedDevice, RiskyUser, Tenant, User, World};

/// How many of each kind are shown.
const SHOWN: usize = 15;

/// Its routes, below `/_control`.
pub(super) fn routes() -> Router<Shared> {
    index("/").route("/page", post(submit))
}

/// The page itself, at this path.
pub(super) fn index(path: &str) -> Router<Shared> {
    Router::new().route(path, get(page))
}

struct PersonRow {
    id: String,
    name: String,
    upn: String,
    enabled: bool,
    risk: String,
}

struct DeviceRow {
    id: String,
    device_id: String,
    name: String,
    enabled: bool,
    compliance: String,
}

struct ManagedRow {
    id: String,
    name: String,
    upn: String,
    state: String,
    compliance: String,
}

struct FaultRow {
    place: usize,
    rule: String,
    picked: u64,
}

#[derive(Template)]
#[template(path = "control.html")]
struct ControlPage {
    tenants: Vec<(String, String)>,
    tenant: String,
    tenant_name: String,
    now: String,
    search: String,
    done: Option<String>,
    wrong: Option<String>,
    people: Vec<PersonRow>,
    deleted: Vec<(String, String)>,
    devices: Vec<DeviceRow>,
    managed: Vec<ManagedRow>,
    faults: Vec<FaultRow>,
    /// Applications that have roles: client id, name, roles.
    apps: Vec<(String, String, String)>,
}

#[derive(Debug, Deserialize)]
struct View {
    tenant: Option<String>,
    search: Option<String>,
    done: Option<String>,
    wrong: Option<String>,
}

async fn page(State(shared): State<Shared>, Query(view): Query<View>) -> Response {
    settle(&shared.world);
    match build(&shared, view) {
        Ok(page) => match page.render() {
            Ok(text) => Html(text).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        },
        Err(refusal) => refusal.into_response(),
    }
}

fn build(shared: &Shared, view: View) -> Result<ControlPage, Refusal> {
    let world = &shared.world;
    let id = named(world, view.tenant.as_deref())?;
    let search = view.search.unwrap_or_default();
    let wanted = search.to_lowercase();
    let tenants = world
        .tenants()
        .filter_map(|id| world.read(id, |tenant| (id.to_string(), tenant.name.clone())).ok())
        .collect();
    let faults = shared
        .faults
        .all()
        .into_iter()
        .enumerate()
        .map(|(place, (fault, picked))| FaultRow { place, rule: json!(fault).to_string(), picked })
        .collect();
    let page = world.read(id, |tenant| ControlPage {
        tenants,
        tenant: id.to_string(),
        tenant_name: tenant.name.clone(),
        now: world.now().to_string(),
        people: people(tenant, &wanted),
        deleted: tenant
            .users
            .all_removed()
            .into_iter()
            .map(|(_, user)| (user.id.to_string(), user.user_principal_name.clone()))
            .collect(),
        devices: devices(tenant, &wanted),
        managed: managed(tenant, &wanted),
        apps: apps(tenant),
        search,
        done: view.done,
        wrong: view.wrong,
        faults,
    });
    page.map_err(Refusal::missing)
}

fn people(tenant: &Tenant, search: &str) -> Vec<PersonRow> {
    let (users, _) = find::<User>(tenant, search, 0, SHOWN);
    let row = |user: &std::sync::Arc<User>| PersonRow {
        id: user.id.to_string(),
        name: user.display_name.clone(),
        upn: user.user_principal_name.clone(),
        enabled: user.account_enabled,
        risk: tenant
            .risky_users
            .find(user.id)
            .map(|risky| word(&json!(risky.risk_level)))
            .unwrap_or_default(),
    };
    users.iter().map(row).collect()
}

fn devices(tenant: &Tenant, search: &str) -> Vec<DeviceRow> {
    let (devices, _) = find::<Device>(tenant, search, 0, SHOWN);
    let row = |device: &std::sync::Arc<Device>| DeviceRow {
        id: device.id.to_string(),
        device_id: device.device_id.to_string(),
        name: device.display_name.clone(),
        enabled: device.account_enabled,
        compliance: match device.is_compliant {
            Some(true) => "compliant",
            Some(false) => "not compliant",
            None => "not known",
        }
        .to_owned(),
    };
    devices.iter().map(row).collect()
}

fn managed(tenant: &Tenant, search: &str) -> Vec<ManagedRow> {
    let (devices, _) = find::<ManagedDevice>(tenant, search, 0, SHOWN);
    let row = |device: &std::sync::Arc<ManagedDevice>| ManagedRow {
        id: device.id.to_string(),
        name: device.device_name.clone(),
        upn: device.user_principal_name.clone().unwrap_or_default(),
        state: word(&json!(device.management_state)),
        compliance: word(&json!(device.compliance_state)),
    };
    devices.iter().map(row).collect()
}

fn apps(tenant: &Tenant) -> Vec<(String, String, String)> {
    let with_roles = tenant.apps.all().filter(|app| !app.roles.is_empty());
    let row = |app: &crate::tenant::App| {
        let roles: Vec<&str> = app.roles.iter().map(|role| role.value.as_str()).collect();
        (app.app_id.to_string(), app.display_name.clone(), roles.join(", "))
    };
    with_roles.map(row).collect()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What a form asks for.
#[derive(Debug, Default)]
struct Form(Vec<(String, String)>);

impl Form {
    fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, value)| own == name && !value.trim().is_empty());
        found.map(|(_, value)| value.trim())
    }

    fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.find(name).ok_or_else(|| Refusal::bad(format!("{name} is missing")))
    }
}

async fn submit(State(shared): State<Shared>, body: Bytes) -> Response {
    settle(&shared.world);
    let form = Form(url::form_urlencoded::parse(&body).into_owned().collect());
    let mut back = url::form_urlencoded::Serializer::new(String::new());
    for name in ["tenant", "search"] {
        if let Some(value) = form.find(name) {
            back.append_pair(name, value);
        }
    }
    match perform(&shared, &form) {
        Ok(done) => back.append_pair("done", &done),
        Err(Refusal(_, wrong)) => back.append_pair("wrong", &wrong),
    };
    Redirect::to(&format!("/_control/?{}", back.finish())).into_response()
}

fn perform(shared: &Shared, form: &Form) -> Result<String, Refusal> {
    let world = &shared.world;
    let patch = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    let id = || form.need("id");
    match form.need("do")? {
        "advance" => {
            let hours: f64 =
                form.need("hours")?.parse().map_err(|_| Refusal::bad("hours is a number"))?;
            let span = Duration::try_from_secs_f64(hours * 3600.0)
                .map_err(|_| Refusal::bad("time goes forward only"))?;
            let now = world.advance(span);
            settle(world);
            Ok(format!("It is {now}."))
        }
        change @ ("user-enable" | "user-disable") => {
            let enabled = json!(change == "user-enable");
            let user = patched::<User>(world, id()?, patch("accountEnabled", enabled))?;
            Ok(format!("{} was changed.", user.user_principal_name))
        }
        "user-delete" => {
            taken_away::<User>(world, id()?, false)?;
            Ok("The user was deleted, and can be restored for 30 days.".to_owned())
        }
        "user-restore" => {
            let id = id()?.parse().map_err(Refusal::bad)?;
            brought_back(world, id)?;
            Ok("The user was restored.".to_owned())
        }
        "user-risk" => {
            let level = form.need("level")?;
            let state = if level == "none" { "remediated" } else { "atRisk" };
            let mut risk = patch("riskLevel", json!(level));
            risk.insert("riskState".to_owned(), json!(state));
            let user = patched::<RiskyUser>(world, id()?, risk)?;
            Ok(format!("The risk of {} was changed.", user.user_principal_name))
        }
        change @ ("device-enable" | "device-disable") => {
            let enabled = json!(change == "device-enable");
            let device = patched::<Device>(world, id()?, patch("accountEnabled", enabled))?;
            Ok(format!("{} was changed.", device.display_name))
        }
        "device-delete" => {
            taken_away::<Device>(world, id()?, true)?;
            Ok("The device was deleted from Entra ID.".to_owned())
        }
        "managed-compliance" => {
            let state = patch("complianceState", json!(form.need("state")?));
            let device = patched::<ManagedDevice>(world, id()?, state)?;
            Ok(format!("The compliance of {} was changed.", device.device_name))
        }
        "managed" => {
            let action = Action::parse(form.need("action")?)
                .ok_or_else(|| Refusal::bad("there is no such action"))?;
            let (tenant, id) = locate::<ManagedDevice>(world, id()?)?;
            let left = world.change(tenant, |tenant, now| act(tenant, id, action, now));
            let left = left.map_err(Refusal::missing)?.map_err(Refusal::missing)?;
            Ok(match left {
                Some(left) => {
                    format!("{} is {}.", left.device_name, word(&json!(left.management_state)))
                }
                None => "The device is gone from Intune.".to_owned(),
            })
        }
        "fault" => {
            shared.faults.add(rule(form)?);
            Ok("The fault is in force.".to_owned())
        }
        "end-fault" => {
            let place = form.need("place")?.parse().map_err(Refusal::bad)?;
            if !shared.faults.end(place) {
                return Err(Refusal::missing("this fault is not in force any more"));
            }
            Ok("The fault has ended.".to_owned())
        }
        what @ ("user-make" | "device-make" | "managed-make") => make(world, form, what),
        "assign" => {
            let tenant = named(world, form.find("tenant"))?;
            let (principal, role) = (form.need("principal")?, form.need("role")?);
            let app = form.need("app")?.parse().map_err(Refusal::bad)?;
            assigned(world, tenant, app, principal, role)?;
            Ok(format!("{principal} has the role {role}."))
        }
        "no-faults" => {
            shared.faults.replace(Vec::new());
            Ok("No fault is in force.".to_owned())
        }
        other => Err(Refusal::bad(format!("{other} is not known"))),
    }
}

/// A new object of this name.
fn make(world: &World, form: &Form, what: &str) -> Result<String, Refusal> {
    let tenant = named(world, form.find("tenant"))?;
    let name = form.need("name")?;
    let given = |property: &str| Map::from_iter([(property.to_owned(), json!(name))]);
    Ok(match what {
        "user-make" => {
            let user = made::<User>(world, tenant, given("userPrincipalName"))?;
            format!("{} was made: {}.", user.user_principal_name, user.id)
        }
        "device-make" => {
            let device = made::<Device>(world, tenant, given("displayName"))?;
            format!("{} was made: {}.", device.display_name, device.device_id)
        }
        _ => {
            let device = made::<ManagedDevice>(world, tenant, given("deviceName"))?;
            format!("{} was enrolled: {}.", device.device_name, device.id)
        }
    })
}

/// The fault that a form describes.
fn rule(form: &Form) -> Result<Fault, Refusal> {
    let mut rule = Map::new();
    for name in ["kind", "service", "path", "method"] {
        if let Some(value) = form.find(name) {
            rule.insert(name.to_owned(), json!(value));
        }
    }
    for name in ["times", "milliseconds", "retryAfter", "seconds", "probability"] {
        if let Some(value) = form.find(name) {
            let number: Value = serde_json::from_str(value)
                .map_err(|_| Refusal::bad(format!("{name} is a number")))?;
            rule.insert(name.to_owned(), number);
        }
    }
    let fault: Fault = serde_json::from_value(Value::Object(rule)).map_err(Refusal::bad)?;
    fault.check().map_err(Refusal::bad)?;
    Ok(fault)
}
