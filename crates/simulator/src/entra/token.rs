//! Access tokens and id tokens: what they claim, and reading them back.
//!
//! The version of an access token follows the application it is for, never the endpoint.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::keys::KeyFailure;
use crate::tenant::{App, Tenant, Time, TokenVersion, User, World};

/// How an application proved who it is, as tokens tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It did not.
    Public,
    /// By a secret.
    Secret,
    /// By a certificate, or as a managed identity.
    Certificate,
}

impl Proof {
    const fn code(self) -> &'static str {
        match self {
            Self::Public => "0",
            Self::Secret => "1",
            Self::Certificate => "2",
        }
    }
}

/// What a token is to be about.
#[derive(Debug)]
pub struct Grant<'a> {
    /// Whose token it is.
    pub client: &'a App,
    /// How that client proved who it is.
    pub proof: Proof,
    /// What it is for.
    pub resource: &'a App,
    /// As the request named that.
    pub audience: &'a str,
    /// The person on whose behalf; without one, the token is the application's own.
    pub user: Option<&'a User>,
    /// Delegated permissions, separated by spaces.
    pub scope: &'a str,
    /// From when on.
    pub now: Time,
    /// For so many seconds.
    pub seconds: i64,
}

/// An issuer of a tenant's tokens.
pub fn issuer(base_url: &str, tenant: Uuid, version: TokenVersion) -> String {
    match version {
        TokenVersion::V1 => format!("https://sts.windows.net/{tenant}/"),
        TokenVersion::V2 => format!("{base_url}/login/{tenant}/v2.0"),
    }
}

/// A signed access token.
pub fn access_token(
    world: &World,
    tenant: &Tenant,
    grant: &Grant<'_>,
) -> Result<String, KeyFailure> {
    let version = grant.resource.token_version;
    let principal = grant.user.map_or(grant.client.service_principal, |user| user.id);
    let mut claims = common(world, tenant, version, grant.now, grant.seconds);
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    let resource = grant.resource;
    set("oid", json!(principal));
    set("sub", json!(subject(grant.user, principal, resource.app_id)));
    let (client, acr) = match version {
        TokenVersion::V1 => ("appid", "appidacr"),
        TokenVersion::V2 => ("azp", "azpacr"),
    };
    set(client, json!(grant.client.app_id));
    set(acr, json!(grant.proof.code()));
    set(
        "aud",
        match version {
            TokenVersion::V1 => json!(grant.audience),
            TokenVersion::V2 => json!(resource.app_id),
        },
    );
    if let Some(user) = grant.user {
        for (name, value) in groups(tenant, user.id) {
            set(name, value);
        }
        set("scp", json!(grant.scope));
        set("name", json!(user.display_name));
        match version {
            TokenVersion::V1 => {
                set("upn", json!(user.user_principal_name));
                set("unique_name", json!(user.user_principal_name));
            }
            TokenVersion::V2 => {
                set("preferred_username", json!(user.user_principal_name));
            }
        }
    } else {
        set("idtyp", json!("app"));
    }
    let roles = tenant.apps.roles_of(principal, resource);
    if !roles.is_empty() {
        set("roles", json!(roles));
    }
    signed(tenant, claims, version)
}

/// A signed id token: it tells `client` who signed in.
pub fn id_token(
    world: &World,
    tenant: &Tenant,
    client: &App,
    user: &User,
    nonce: Option<&str>,
) -> Result<String, KeyFailure> {
    let mut claims = common(world, tenant, TokenVersion::V2, world.now(), 3600);
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("aud", json!(client.app_id));
    set("oid", json!(user.id));
    set("sub", json!(subject(Some(user), user.id, client.app_id)));
    set("name", json!(user.display_name));
    set("preferred_username", json!(user.user_principal_name));
    if let Some(mail) = &user.mail {
        set("email", json!(mail));
    }
    if let Some(nonce) = nonce {
        set("nonce", json!(nonce));
    }
    for (name, value) in groups(tenant, user.id) {
        set(name, value);
    }
    let roles = tenant.apps.roles_of(user.id, client);
    if !roles.is_empty() {
        set("roles", json!(roles));
    }
    signed(tenant, claims, TokenVersion::V2)
}

/// The groups that a person is in; of more than a token has room for, that Graph has to be asked.
fn groups(tenant: &Tenant, user: Uuid) -> Vec<(&'static str, Value)> {
    let all = tenant.intune.groups.iter().filter(|(_, group)| group.members.contains(&user));
    let ids: Vec<Uuid> = all.map(|(id, _)| *id).collect();
    match ids.len() {
        0 => Vec::new(),
        1..=MOST_GROUPS => vec![("groups", json!(ids))],
        _ => vec![
            ("_claim_names", json!({ "groups": "src1" })),
            (
                "_claim_sources",
                json!({ "src1": { "endpoint": format!(
                "https://graph.windows.net/{}/users/{user}/getMemberObjects", tenant.id
            ) } }),
            ),
        ],
    }
}

/// How many groups a token tells.
const MOST_GROUPS: usize = 200;

fn common(
    world: &World,
    tenant: &Tenant,
    version: TokenVersion,
    now: Time,
    seconds: i64,
) -> Map<String, Value> {
    let start = now.unix_seconds();
    let claims = json!({
        "iss": issuer(world.base_url(), tenant.id, version),
        "iat": start,
        "nbf": start,
        "exp": start + seconds,
        "tid": tenant.id,
        "ver": match version { TokenVersion::V1 => "1.0", TokenVersion::V2 => "2.0" },
        "uti": URL_SAFE_NO_PAD.encode(world.random::<16>()),
    });
    match claims {
        Value::Object(claims) => claims,
        _ => Map::new(),
    }
}

/// A person has another subject for each application; an application is its own subject.
fn subject(user: Option<&User>, principal: Uuid, resource: Uuid) -> String {
    let Some(user) = user else { return principal.to_string() };
    let both = [user.id.into_bytes(), resource.into_bytes()].concat();
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &both))
}

fn signed(
    tenant: &Tenant,
    claims: Map<String, Value>,
    version: TokenVersion,
) -> Result<String, KeyFailure> {
    let key = tenant.entra.keys.current()?;
    let mut head = json!({ "typ": "JWT", "alg": "RS256", "kid": key.id() });
    if version == TokenVersion::V1 {
        head["x5t"] = key.id().into();
    }
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(head), part(Value::Object(claims)));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// On whose behalf a token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// The application's own.
    App,
    /// A person's.
    User,
}

/// Who calls, as an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant.
    pub tenant: Uuid,
    /// The client id of the application.
    pub app: Uuid,
    /// The object id of the person, or of the application's service principal.
    pub principal: Uuid,
    /// On whose behalf.
    pub kind: CallerKind,
    /// Application permissions and roles.
    pub roles: Vec<String>,
    /// Delegated permissions.
    pub scopes: Vec<String>,
}

impl Caller {
    /// Whether the token carries one of these permissions.
    pub fn may(&self, permissions: &[&str]) -> bool {
        let own = match self.kind {
            CallerKind::App => &self.roles,
            CallerKind::User => &self.scopes,
        };
        permissions.iter().any(|permission| own.iter().any(|own| own == permission))
    }
}

/// A token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// There is none.
    #[error("Access token is empty.")]
    Missing,
    /// It cannot be read.
    #[error("CompactToken parsing failed with error code: 80049217")]
    Malformed,
    /// It is signed by nobody that is known here.
    #[error("Access token validation failure. Invalid signature.")]
    Signature,
    /// It is for another service.
    #[error("Access token validation failure. Invalid audience.")]
    Audience,
    /// It is not yet, or not any more, to be used.
    #[error("Lifetime validation failed, the token is expired.")]
    Lifetime,
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    kid: String,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    nbf: i64,
    tid: Uuid,
    oid: Uuid,
    #[serde(alias = "azp")]
    appid: Uuid,
    #[serde(default)]
    roles: Vec<String>,
    scp: Option<String>,
}

/// Reads the bearer token of a request to the application `resource`.
pub fn bearer(world: &World, headers: &HeaderMap, resource: Uuid) -> Result<Caller, BearerError> {
    let header = headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = header
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or(BearerError::Missing)?;
    let (message, signature) = token.rsplit_once('.').ok_or(BearerError::Malformed)?;
    let (head, claims) = message.split_once('.').ok_or(BearerError::Malformed)?;
    let head: Head = part(head)?;
    let claims: Claims = part(claims)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BearerError::Malformed)?;
    world
        .read(claims.tid, |tenant| {
            let key = known_key(tenant, &head.kid).ok_or(BearerError::Signature)?;
            if head.alg != "RS256" || !key.verifies(message.as_bytes(), &signature) {
                return Err(BearerError::Signature);
            }
            check(world, tenant, &claims, resource)
        })
        .map_err(|_| BearerError::Signature)??;
    let kind = if claims.scp.is_some() { CallerKind::User } else { CallerKind::App };
    let scopes = claims.scp.unwrap_or_default();
    Ok(Caller {
        tenant: claims.tid,
        app: claims.appid,
        principal: claims.oid,
        kind,
        roles: claims.roles,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
    })
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, BearerError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| BearerError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| BearerError::Malformed)
}

fn known_key(tenant: &Tenant, id: &str) -> Option<Arc<super::keys::SigningKey>> {
    tenant.entra.keys.published().ok()?.into_iter().find(|key| key.id() == id)
}

fn check(
    world: &World,
    tenant: &Tenant,
    claims: &Claims,
    resource: Uuid,
) -> Result<(), BearerError> {
    let issued_here = [TokenVersion::V1, TokenVersion::V2]
        .into_iter()
        .any(|version| claims.iss == issuer(world.base_url(), tenant.id, version));
    let meant = super::resource::find(world, tenant, &claims.aud);
    if !issued_here || meant.is_none_or(|app| app.app_id != resource) {
        return Err(BearerError::Audience);
    }
    let now = world.now().unix_seconds();
    if now < claims.nbf - 300 || now >= claims.exp {
        return Err(BearerError::Lifetime);
    }
    Ok(())
}
