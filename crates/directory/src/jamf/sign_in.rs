//! Signing in to Jamf Pro: as an API client, or as an account whose token is kept alive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::Method;
use ::http::StatusCode;
use ::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lanyard_pki::Time;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use super::session::Place;
use super::settings::Credential;
use crate::connector::BoxFuture;
use crate::http::{Answer, Call, Retry};
use crate::ignorance::{Ignorance, Why};
use crate::token::{Grant, TokenSource};

const SIGN_IN: &str = "sign in";
/// Tokens of accounts last for half an hour. Where the end cannot be told, half of that.
const UNKNOWN_LIFETIME: Duration = Duration::from_mins(15);
/// A token with less left than this is not worth keeping alive.
const LEAST_LEFT: Duration = Duration::from_secs(30);
/// A call for a token is small and the instance idle or down.
const DEADLINE: Duration = Duration::from_secs(20);

/// Where tokens of an instance come from.
#[derive(Debug)]
pub(super) struct SignIn {
    place: Arc<Place>,
    credential: Credential,
    /// The account's present token.
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    token: SecretString,
    ends: Instant,
}

#[derive(Deserialize)]
struct ClientToken {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct AccountToken {
    token: SecretString,
    #[serde(default)]
    expires: Option<String>,
}

impl SignIn {
    pub(super) fn new(place: Arc<Place>, credential: Credential) -> Self {
        Self { place, credential, kept: Mutex::default() }
    }

    async fn client(&self, id: &str, secret: &SecretString) -> Result<Grant, Ignorance> {
        let fields = [
            ("client_id", id),
            ("client_secret", secret.expose_secret()),
            ("grant_type", "client_credentials"),
        ];
        let mut answer =
            self.ask(&["api", "v1", "oauth", "token"], |call| call.form(fields)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            // Where the endpoint was before it had a version.
            answer = self.ask(&["api", "oauth", "token"], |call| call.form(fields)).await?;
        }
        let token: ClientToken = read(&answer)?;
        let lifetime = token.expires_in.map_or(UNKNOWN_LIFETIME, Duration::from_secs);
        Ok(Grant { token: token.access_token, lifetime })
    }

    async fn account(&self, username: &str, password: &SecretString) -> Result<Grant, Ignorance> {
        // Taken out: a token that could not be kept alive is not tried again.
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let alive = kept.filter(|kept| Instant::now() + LEAST_LEFT < kept.ends);
        let prolonged = match alive {
            Some(kept) => self.keep_alive(&kept.token).await.ok(),
            None => None,
        };
        let answer = if let Some(answer) = prolonged {
            answer
        } else {
            let pair = format!("{username}:{}", password.expose_secret());
            let basic = format!("Basic {}", STANDARD.encode(pair));
            let path = ["api", "v1", "auth", "token"];
            self.ask(&path, |call| call.header(AUTHORIZATION, &basic)).await?
        };
        let token: AccountToken = read(&answer)?;
        let lifetime = lifetime(&answer, token.expires.as_deref());
        let kept = Kept { token: token.token.clone(), ends: Instant::now() + lifetime };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(Grant { token: token.token, lifetime })
    }

    /// A new token for the present one, of an answer that holds one.
    async fn keep_alive(&self, token: &SecretString) -> Result<Answer, Ignorance> {
        let bearer = format!("Bearer {}", token.expose_secret());
        let path = ["api", "v1", "auth", "keep-alive"];
        // The old token may end with the first try: a second one could not succeed.
        let call = |call: Call<'static>| call.header(AUTHORIZATION, &bearer).retry(Retry::Never);
        let answer = self.ask(&path, call).await?;
        read::<AccountToken>(&answer).map(|_| answer)
    }

    async fn ask(
        &self,
        path: &[&str],
        with: impl FnOnce(Call<'static>) -> Call<'static>,
    ) -> Result<Answer, Ignorance> {
        let call = Call::new(SIGN_IN, Method::POST, &self.place.at(path));
        self.place.ask(with(call.retry(Retry::Always).within(DEADLINE))).await
    }
}

impl TokenSource for SignIn {
    fn acquire(&self) -> BoxFuture<'_, Result<Grant, Ignorance>> {
        Box::pin(async move {
            match &self.credential {
                Credential::Client { id, secret } => self.client(id, secret).await,
                Credential::Account { username, password } => {
                    self.account(username, password).await
                }
            }
        })
    }
}

/// The token of an answer. 400 is how some versions refuse a client's secret.
fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Ignorance> {
    answer.json().map_err(|mut ignorance| {
        if answer.status == StatusCode::BAD_REQUEST
            && matches!(answer.error_code().as_deref(), Some("invalid_client" | "invalid_grant"))
        {
            ignorance.why = Why::Unauthorized;
        }
        ignorance
    })
}

/// How long a token lasts, by the clock that says when it ends.
fn lifetime(answer: &Answer, expires: Option<&str>) -> Duration {
    let ends = expires.and_then(|text| text.parse::<Time>().ok());
    let Some(ends) = ends else { return UNKNOWN_LIFETIME };
    let seconds = ends.seconds_since(answer.date().unwrap_or(answer.asked));
    // A token that has ended already tells of a clock that is wrong, not of a token that is.
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Duration::from_secs(seconds),
        _ => UNKNOWN_LIFETIME,
    }
}
