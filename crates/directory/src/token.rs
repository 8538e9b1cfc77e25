//! Access tokens: got from where the settings say, kept while they last, renewed before they end.
//!
//! Where tokens come from is a [`TokenSource`]: Entra ID with a secret or a certificate, the
//! identity of an Azure machine or App Service, or another product's own endpoint. What tokens are
//! good for is not known here; [`Token::roles`] only reads what they say of themselves.

mod credential;
mod sign_in;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use crate::connector::BoxFuture;
use crate::ignorance::{Ignorance, Why};

pub use credential::{ClientCertificate, ClientKeyError, Credential, Identity};
pub use sign_in::SignIn;

/// Where tokens come from.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// Gets a new token.
    ///
    /// # Errors
    /// When there is none to be had: the credential is refused, or nobody answers.
    fn acquire(&self) -> BoxFuture<'_, Result<Grant, Ignorance>>;
}

/// A token that was just got.
#[derive(Debug)]
pub struct Grant {
    /// The token.
    pub token: SecretString,
    /// How long it lasts from now on.
    pub lifetime: Duration,
}

/// A token to use now. Cheap to clone.
#[derive(Clone)]
pub struct Token {
    secret: Arc<SecretString>,
    /// Tells this token from the ones before and after it.
    serial: u64,
    got: Instant,
    ends: Instant,
    renew: Instant,
}

impl Token {
    /// The token itself.
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// The application roles that the token claims, unverified: for telling an administrator what
    /// was granted, never for a decision. None for a token that is not a JWT.
    pub fn roles(&self) -> Option<Vec<String>> {
        #[derive(Deserialize)]
        struct Claims {
            #[serde(default)]
            roles: Vec<String>,
        }
        let claims = self.secret.expose_secret().split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.roles)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// The tokens of one source for one service: at most one is got at a time, and kept.
#[derive(Debug)]
pub struct Tokens {
    source: Arc<dyn TokenSource>,
    state: Mutex<State>,
    /// Held by whoever gets a new token.
    getting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Token>,
    serial: u64,
    /// The last failure, for those who waited while it happened.
    failed: Option<(Instant, Ignorance)>,
}

/// A token is renewed when less than this is left of it, or a fifth of its life if that is less.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// A token with less left than this is not used: it might end on the way.
const LEAST_LEFT: Duration = Duration::from_secs(10);
/// How long an early renewal may hold up the call that does it.
const RENEW_PATIENCE: Duration = Duration::from_secs(5);
/// How long an early renewal that failed is not tried again.
const RENEW_AGAIN: Duration = Duration::from_secs(30);
/// A token that is refused although it was got more recently than this is not why: another would be
/// refused as well.
const NEW: Duration = Duration::from_mins(1);
/// How long a credential that was refused is not tried again.
const REFUSED: Duration = Duration::from_secs(30);

/// What becomes of a token that a service has refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// It is not given out any more: whoever asks now gets another.
    Dropped,
    /// It is kept, since it is too new for another to fare better.
    Kept,
}

impl Tokens {
    /// The tokens of this source.
    pub fn new(source: Arc<dyn TokenSource>) -> Self {
        Self { source, state: Mutex::new(State::default()), getting: tokio::sync::Mutex::new(()) }
    }

    /// A token that is good for a while: the one at hand, else a new one. Of many who ask at once
    /// one gets it, and all share how that ends. That the credential is refused is remembered for
    /// half a minute: nothing but a person mends it.
    ///
    /// # Errors
    /// The source's, when no token is left.
    pub async fn token(&self) -> Result<Token, Ignorance> {
        let asked = Instant::now();
        if let Some(token) = self.usable(asked) {
            if asked < token.renew {
                return Ok(token);
            }
            // Near its end: one renews it, the others go on with it.
            let Ok(_getting) = self.getting.try_lock() else { return Ok(token) };
            return Ok(match timeout(RENEW_PATIENCE, self.acquire()).await {
                Ok(Ok(renewed)) => renewed,
                Ok(Err(_)) | Err(_) => self.postpone(token),
            });
        }
        let _getting = self.getting.lock().await;
        // Whoever held the lock before may have got a token, or learnt that there is none.
        if let Some(token) = self.usable(Instant::now()) {
            return Ok(token);
        }
        if let Some((at, ignorance)) = &self.state().failed
            && (*at >= asked || (ignorance.why == Why::Unauthorized && at.elapsed() < REFUSED))
        {
            return Err(ignorance.clone());
        }
        self.acquire().await
    }

    /// Drops a token that a service has refused, unless it was got less than a minute ago, or a newer
    /// one is at hand already. A service that refuses every token does not make every call get one.
    pub fn reject(&self, token: &Token) -> Rejection {
        let mut state = self.state();
        if state.current.as_ref().is_some_and(|current| current.serial == token.serial) {
            if token.got.elapsed() < NEW {
                return Rejection::Kept;
            }
            state.current = None;
        }
        Rejection::Dropped
    }

    fn usable(&self, now: Instant) -> Option<Token> {
        let state = self.state();
        state.current.as_ref().filter(|token| now + LEAST_LEFT < token.ends).cloned()
    }

    async fn acquire(&self) -> Result<Token, Ignorance> {
        match self.source.acquire().await {
            Ok(grant) => {
                let now = Instant::now();
                // Whatever a source says: within a day a token is got anew.
                let lifetime = grant.lifetime.min(Duration::from_hours(24));
                let mut state = self.state();
                state.serial += 1;
                state.failed = None;
                let token = Token {
                    secret: Arc::new(grant.token),
                    serial: state.serial,
                    got: now,
                    ends: now + lifetime,
                    renew: now + lifetime - RENEW_BEFORE.min(lifetime / 5),
                };
                state.current = Some(token.clone());
                Ok(token)
            }
            Err(ignorance) => {
                self.state().failed = Some((Instant::now(), ignorance.clone()));
                Err(ignorance)
            }
        }
    }

    /// Keeps a token whose renewal failed, and lets some time pass before the next try.
    fn postpone(&self, token: Token) -> Token {
        let mut state = self.state();
        if let Some(current) = &mut state.current
            && current.serial == token.serial
        {
            current.renew = Instant::now() + RENEW_AGAIN;
        }
        token
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment: the state is whole whatever happened to its writer.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
