//! An application proves who it is: by its secret, or by an assertion that its certificate signed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use lanyard_pki::{Digest, SignatureAlgorithm};
use serde::Deserialize;

use super::error::TokenError;
use super::form::Form;
use super::token::{Proof, issuer};
use crate::tenant::{App, AppCertificate, Tenant, TokenVersion, World};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clock of a client may be off, in seconds.
const SKEW: i64 = 300;

/// The application that a request comes from, and how it proved that.
pub(super) fn authenticate<'a>(
    world: &World,
    tenant: &'a Tenant,
    headers: &HeaderMap,
    form: &Form,
) -> Result<(&'a App, Proof), TokenError> {
    let basic = basic(headers);
    let client_id = match (&basic, form.find("client_id")) {
        (Some((id, _)), _) => id.as_str(),
        (None, Some(id)) => id,
        (None, None) => return Err(TokenError::Parameter("client_id")),
    };
    let app = find(tenant, client_id)?;
    let secret = basic.as_ref().map(|(_, secret)| secret.as_str()).or(form.find("client_secret"));
    if let Some(assertion) = form.find("client_assertion") {
        if form.find("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(TokenError::Parameter("client_assertion_type"));
        }
        check_assertion(world, tenant, app, assertion)?;
        return Ok((app, Proof::Certificate));
    }
    match secret {
        Some(_) if app.public_client => Err(TokenError::PublicClient),
        Some(secret) => check_secret(world, app, secret).map(|()| (app, Proof::Secret)),
        None if app.public_client => Ok((app, Proof::Public)),
        None => Err(TokenError::NoCredential),
    }
}

/// The application with this client id.
pub(super) fn find<'a>(tenant: &'a Tenant, client_id: &str) -> Result<&'a App, TokenError> {
    client_id
        .parse()
        .ok()
        .and_then(|id| tenant.apps.find(id))
        .ok_or_else(|| TokenError::App(client_id.to_owned()))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let pairs = format!("v={text}");
        url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn check_secret(world: &World, app: &App, secret: &str) -> Result<(), TokenError> {
    let matching = app.secrets.iter().filter(|own| own.value == secret);
    let mut known = false;
    for own in matching {
        known = true;
        if own.expires.is_none_or(|expires| world.now() < expires) {
            return Ok(());
        }
    }
    Err(if known { TokenError::SecretExpired } else { TokenError::Secret })
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: Option<String>,
    nbf: Option<i64>,
    exp: i64,
}

fn check_assertion(
    world: &World,
    tenant: &Tenant,
    app: &App,
    assertion: &str,
) -> Result<(), TokenError> {
    let unreadable = || TokenError::Assertion("it is no signed JSON web token");
    let (message, signature) = assertion.rsplit_once('.').ok_or_else(unreadable)?;
    let (head, claims) = message.split_once('.').ok_or_else(unreadable)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| unreadable());
    let head: Head = serde_json::from_slice(&decode(head)?).map_err(|_| unreadable())?;
    let claims: Claims = serde_json::from_slice(&decode(claims)?).map_err(|_| unreadable())?;

    let certificate = signer(app, &head)?;
    let algorithm = match head.alg.as_str() {
        "RS256" => SignatureAlgorithm::RsaPkcs1(Digest::Sha256),
        "PS256" => SignatureAlgorithm::RsaPss(Digest::Sha256),
        _ => return Err(TokenError::Assertion("its algorithm is neither RS256 nor PS256")),
    };
    let key = certificate.certificate().public_key();
    let key = key.map_err(|_| TokenError::Assertion("the certificate's key cannot be used"))?;
    key.verify(algorithm, message.as_bytes(), &decode(signature)?)
        .map_err(|_| TokenError::Assertion("the signature is not the certificate's"))?;

    let now = world.now().unix_seconds();
    if now >= claims.exp + SKEW || claims.nbf.is_some_and(|nbf| now < nbf - SKEW) {
        return Err(TokenError::AssertionTime);
    }
    let id = app.app_id.to_string();
    if !claims.iss.eq_ignore_ascii_case(&id) || !claims.sub.eq_ignore_ascii_case(&id) {
        return Err(TokenError::AssertionClient);
    }
    if claims.jti.is_none_or(|jti| jti.is_empty()) {
        return Err(TokenError::Assertion("it has no jti"));
    }
    if !audiences(world, tenant).contains(&claims.aud.to_lowercase()) {
        return Err(TokenError::AssertionAudience(claims.aud));
    }
    Ok(())
}

/// The registered certificate that an assertion names by its thumbprint.
fn signer<'a>(app: &'a App, head: &Head) -> Result<&'a AppCertificate, TokenError> {
    let decode = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    let (sha1, sha256) = (decode(&head.x5t), decode(&head.x5t_s256));
    if sha1.is_none() && sha256.is_none() {
        return Err(TokenError::Assertion("it names no certificate by x5t or x5t#S256"));
    }
    app.certificates
        .iter()
        .find(|own| {
            sha256.as_ref().is_none_or(|sha256| own.sha256() == sha256)
                && sha1.as_ref().is_none_or(|sha1| own.sha1() == sha1)
        })
        .ok_or(TokenError::Assertion("no registered certificate has that thumbprint"))
}

/// Every name of the token endpoint, in lower case.
fn audiences(world: &World, tenant: &Tenant) -> Vec<String> {
    let mut all = vec![issuer(world.base_url(), tenant.id, TokenVersion::V2)];
    for name in [tenant.id.to_string(), tenant.domain().to_owned(), "common".to_owned()] {
        let login = format!("{}/login/{name}", world.base_url());
        all.push(format!("{login}/oauth2/v2.0/token"));
        all.push(format!("{login}/oauth2/token"));
    }
    all.iter().map(|audience| audience.to_lowercase()).collect()
}
