//! Signing in on another device: a code to type in, and a page to type it into.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::TokenError;
use super::form::Form;
use super::sign_in::{self, SignIn};
use super::{client, endpoint};
use crate::Shared;
use crate::tenant::{Time, World};

/// How long a person has to sign in.
const LIFE: Duration = Duration::from_mins(15);

/// How often an application may ask, in seconds.
const INTERVAL: u64 = 5;

/// What has become of a code.
#[derive(Debug, Clone)]
pub(super) enum Progress {
    Pending,
    SignedIn(SignIn),
    Declined,
}

/// A code that waits for a person.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub user_code: String,
    pub client: Uuid,
    pub client_name: String,
    pub scope: String,
    pub expires: Time,
    pub state: Progress,
}

/// Codes by what the application holds.
pub(super) type DeviceCodes = HashMap<String, Waiting>;

/// `POST /{tenant}/oauth2/v2.0/devicecode`
pub(super) async fn start(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    body: Bytes,
) -> Response {
    match begin(&shared.world, &tenant, &Form::read(&body)) {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.respond(&shared.world),
    }
}

fn begin(world: &World, tenant: &str, form: &Form) -> Result<Value, TokenError> {
    let id = endpoint::tenant_of(world, tenant)?;
    let scope = form.need("scope")?.to_owned();
    super::resource::Wanted::of_scope(&scope)?;
    let client_id = form.need("client_id")?;
    let (client, client_name) = world.read(id, |tenant| {
        client::find(tenant, client_id).map(|app| (app.app_id, app.display_name.clone()))
    })??;
    let user_code = user_code(world);
    let device_code = sign_in::refresh_token(world);
    let waiting = Waiting {
        user_code: user_code.clone(),
        client,
        client_name,
        scope,
        expires: world.now().plus(LIFE),
        state: Progress::Pending,
    };
    world.change(id, |tenant, now| {
        // An expired code is still answered as such for as long again.
        tenant.entra.device_codes.retain(|_, waiting| now < waiting.expires.plus(LIFE));
        tenant.entra.device_codes.insert(device_code.clone(), waiting);
    })?;
    let uri = format!("{}/login/device", world.base_url());
    Ok(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": uri,
        "expires_in": LIFE.as_secs(),
        "interval": INTERVAL,
        "message": format!(
            "To sign in, use a web browser to open the page {uri} and enter the code {user_code} \
             to authenticate."
        ),
    }))
}

/// Nine letters and digits that are not mistaken for each other.
fn user_code(world: &World) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let pick = |byte: u8| char::from(LETTERS[usize::from(byte % 32)]);
    world.random::<9>().into_iter().map(pick).collect()
}

/// Redeems a device code once a person has signed in.
pub(super) fn redeem(world: &World, tenant: Uuid, form: &Form) -> Result<SignIn, TokenError> {
    let name = form.need("device_code")?;
    let waiting = world
        .read(tenant, |tenant| tenant.entra.device_codes.get(name).cloned())?
        .ok_or(TokenError::DeviceCode)?;
    if world.now() >= waiting.expires {
        return Err(TokenError::DeviceCodeExpired);
    }
    match waiting.state {
        Progress::Pending => Err(TokenError::Pending),
        Progress::Declined => Err(TokenError::Declined),
        Progress::SignedIn(sign_in) => {
            world.change(tenant, |tenant, _| tenant.entra.device_codes.remove(name))?;
            sign_in::keep(world, tenant, &sign_in)?;
            Ok(sign_in)
        }
    }
}

/// The tenant in which somebody waits for this code, and who.
pub(super) fn waiting(world: &World, user_code: &str) -> Option<(Uuid, Waiting)> {
    let user_code = user_code.trim().to_uppercase();
    world.tenants().find_map(|id| {
        let find = |waiting: &&Waiting| {
            waiting.user_code == user_code
                && world.now() < waiting.expires
                && matches!(waiting.state, Progress::Pending)
        };
        let found = world
            .read(id, |tenant| tenant.entra.device_codes.values().find(find).cloned())
            .ok()??;
        Some((id, found))
    })
}

/// A person signed in, or declined to.
pub(super) fn decide(
    world: &World,
    tenant: Uuid,
    user_code: &str,
    user: Option<Uuid>,
) -> Result<(), TokenError> {
    let refresh_token = sign_in::refresh_token(world);
    world.change(tenant, |tenant, _| {
        let codes = tenant.entra.device_codes.values_mut();
        let waiting = codes
            .filter(|waiting| matches!(waiting.state, Progress::Pending))
            .find(|waiting| waiting.user_code == user_code)
            .ok_or(TokenError::DeviceCode)?;
        waiting.state = match user {
            None => Progress::Declined,
            Some(user) => Progress::SignedIn(SignIn {
                client: waiting.client,
                user,
                scope: waiting.scope.clone(),
                nonce: None,
                refresh_token,
            }),
        };
        Ok(())
    })?
}
