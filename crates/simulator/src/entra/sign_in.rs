//! What came of people's sign-ins: codes and refresh tokens, each good for one application.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::error::TokenError;
use super::form::Form;
use crate::tenant::{Time, World};

/// How long an authorization code lives.
const CODE_LIFE: Duration = Duration::from_mins(10);

/// That a person signed in to an application.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    pub client: Uuid,
    pub user: Uuid,
    pub scope: String,
    pub nonce: Option<String>,
    pub refresh_token: String,
}

/// A code that can be exchanged for tokens once.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub sign_in: SignIn,
    pub redirect_uri: String,
    pub challenge: Option<Challenge>,
    pub expires: Time,
}

/// Proof Key for Code Exchange (RFC 7636).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Plain(String),
    S256(String),
}

impl Challenge {
    fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::S256(challenge) => {
                let algorithm = &aws_lc_rs::digest::SHA256;
                let digest = aws_lc_rs::digest::digest(algorithm, verifier.as_bytes());
                URL_SAFE_NO_PAD.encode(digest) == *challenge
            }
        }
    }
}

/// Codes and refresh tokens that can be redeemed.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, SignIn>,
}

/// Remembers a sign-in; the code is what the application redeems.
pub(super) fn remember(
    world: &World,
    tenant: Uuid,
    sign_in: SignIn,
    redirect_uri: String,
    challenge: Option<Challenge>,
) -> Result<String, TokenError> {
    let code = format!("0.{}", URL_SAFE_NO_PAD.encode(world.random::<32>()));
    world.change(tenant, |tenant, now| {
        let expires = now.plus(CODE_LIFE);
        let codes = &mut tenant.entra.sign_ins.codes;
        codes.retain(|_, code| now < code.expires);
        codes.insert(code.clone(), Code { sign_in, redirect_uri, challenge, expires });
    })?;
    Ok(code)
}

/// A new refresh token; it is good once the sign-in is redeemed.
pub(super) fn refresh_token(world: &World) -> String {
    format!("1.{}", URL_SAFE_NO_PAD.encode(world.random::<32>()))
}

/// Redeems an authorization code, which can be done once.
pub(super) fn redeem(world: &World, tenant: Uuid, form: &Form) -> Result<SignIn, TokenError> {
    let name = form.need("code")?;
    let taken = world.change(tenant, |tenant, _| tenant.entra.sign_ins.codes.remove(name))?;
    let code = taken.filter(|code| world.now() < code.expires).ok_or(TokenError::Code)?;
    if form.find("redirect_uri") != Some(&code.redirect_uri) {
        return Err(TokenError::RedirectUri(
            form.find("redirect_uri").unwrap_or_default().to_owned(),
        ));
    }
    if let Some(challenge) = &code.challenge
        && !challenge.is_met_by(form.need("code_verifier")?)
    {
        return Err(TokenError::Verifier);
    }
    keep(world, tenant, &code.sign_in)?;
    Ok(code.sign_in)
}

/// Redeems a refresh token, which can be done again.
pub(super) fn refresh(world: &World, tenant: Uuid, form: &Form) -> Result<SignIn, TokenError> {
    let name = form.need("refresh_token")?;
    world
        .read(tenant, |tenant| tenant.entra.sign_ins.refresh_tokens.get(name).cloned())?
        .ok_or(TokenError::Code)
}

/// Makes the refresh token of a sign-in good.
pub(super) fn keep(world: &World, tenant: Uuid, sign_in: &SignIn) -> Result<(), TokenError> {
    world.change(tenant, |tenant, _| {
        let token = sign_in.refresh_token.clone();
        tenant.entra.sign_ins.refresh_tokens.insert(token, sign_in.clone());
    })?;
    Ok(())
}
